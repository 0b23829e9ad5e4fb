//! Gives the binaries and tests the paths of the libraries they were linked with, so that nobody has to set
//! `LD_LIBRARY_PATH`, and finds out whether MPI brings the fault-tolerance extension.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(ulfm)");
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
    println!("cargo:rerun-if-env-changed=HDF5_DIR");
    if let Ok(root) = env::var("HDF5_DIR") {
        run_path(&Path::new(&root).join("lib"));
    }
    // With DT_RPATH instead of DT_RUNPATH an LD_LIBRARY_PATH with another MPI of the same name does not get in between.
    println!("cargo:rustc-link-arg=-Wl,--disable-new-dtags");
    #[cfg(feature = "mpi")]
    mpi();
}

#[cfg(feature = "mpi")]
fn mpi() {
    println!("cargo:rerun-if-env-changed=MPICC");
    // mpi-sys asks the same question of the same crate, and stops the build with the answer if there is no MPI.
    let Ok(library) = build_probe_mpi::probe() else {
        return;
    };
    for directory in &library.lib_paths {
        run_path(directory);
    }
    let fault_tolerant = library.include_paths.iter().any(|directory| {
        std::fs::read_to_string(directory.join("mpi-ext.h"))
            .is_ok_and(|header| header.contains("OMPI_HAVE_MPI_EXT_FTMPI"))
    });
    if fault_tolerant {
        println!("cargo:rustc-cfg=ulfm");
    }
}

fn run_path(directory: &Path) {
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", directory.display());
}
