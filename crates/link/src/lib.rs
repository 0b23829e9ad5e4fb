//! For build scripts: gives programs and tests the paths of the libraries they were linked with, so that nobody has to set
//! `LD_LIBRARY_PATH`. A path reaches only the package whose build script asks for it, which is why every package that
//! links a program or a test has one.

use std::env;
use std::path::Path;
use std::process::Command;

/// For what links libtorch.
pub fn libtorch() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rerun-if-env-changed=LIBTORCH_LIB");
    if let Ok(root) = env::var("LIBTORCH_LIB").or_else(|_| env::var("LIBTORCH")) {
        run_path(&Path::new(&root).join("lib"));
    }
    println!("cargo:rerun-if-env-changed=LIBTORCH_USE_PYTORCH");
    if env::var("LIBTORCH_USE_PYTORCH").is_ok() {
        // The PyTorch that torch-sys asks, by the same name.
        let ask = "import os, torch; print(os.path.join(torch.__path__[0], 'lib'))";
        let answer = Command::new("python3").args(["-c", ask]).output();
        if let Ok(lib) = answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned()) {
            run_path(Path::new(lib.trim()));
        }
    }
}

/// For what links HDF5, which may be somebody's own.
pub fn hdf5() {
    println!("cargo:rerun-if-env-changed=HDF5_DIR");
    if let Ok(root) = env::var("HDF5_DIR") {
        run_path(&Path::new(&root).join("lib"));
    }
}

/// For what links MPI. Returns whether it brings the fault-tolerance extension.
#[cfg(feature = "mpi")]
pub fn mpi() -> bool {
    println!("cargo:rerun-if-env-changed=MPICC");
    // mpi-sys asks the same question of the same crate, and stops the build with the answer if there is no MPI.
    let Ok(library) = build_probe_mpi::probe() else {
        return false;
    };
    for directory in &library.lib_paths {
        run_path(directory);
    }
    library.include_paths.iter().any(|directory| {
        std::fs::read_to_string(directory.join("mpi-ext.h"))
            .is_ok_and(|header| header.contains("OMPI_HAVE_MPI_EXT_FTMPI"))
    })
}

/// For what may link MPI, in a build without it.
#[cfg(not(feature = "mpi"))]
pub fn mpi() -> bool {
    false
}

fn run_path(directory: &Path) {
    // With DT_RPATH instead of DT_RUNPATH an LD_LIBRARY_PATH with another MPI of the same name does not get in between.
    println!("cargo:rustc-link-arg=-Wl,--disable-new-dtags");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", directory.display());
}
