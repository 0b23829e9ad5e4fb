//! `efflux doctor`: what this machine offers, and what is missing.

use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Exit, Result};
use efflux_cluster as cluster;
use efflux_cluster::promised_size;
use efflux_numerics::Level;
use efflux_run::FileSystem;

use crate::cli::DoctorArgs;
use crate::console::say;

/// Prints what was found. Ends with 4 if something a sweep needs is missing.
pub(crate) fn doctor(args: &DoctorArgs) -> Result<Exit> {
    tell("efflux", env!("CARGO_PKG_VERSION"));
    let mpi = cluster::library();
    let survivors = if mpi.fault_tolerant {
        "with"
    } else {
        "without"
    };
    tell("MPI", format!("{}, {survivors} ULFM", mpi.version));
    tell(
        "launcher",
        match promised_size()? {
            Some(size) => format!("promises {size} processes"),
            None => "none: one process, MPI is not initialised".to_owned(),
        },
    );
    tell("HDF5", efflux_data::library_version());
    let cores = std::thread::available_parallelism().map_or(1, |count| count.get());
    let level = Level::of_this_host().name();
    tell(
        "processor",
        format!("{cores} cores for this process, {level}"),
    );
    tell("CUDA driver", driver());
    tell(
        "Slurm",
        first_line("sinfo", &["--version"]).unwrap_or_else(|| "not found".into()),
    );
    let trainer = trainer();
    let works = trainer.is_ok();
    match trainer {
        Ok(lines) => lines.lines().for_each(|line| tell("trainer", line)),
        Err(reason) => tell("trainer", format!("DOES NOT START: {reason}")),
    }
    // A sweep makes the directory; what counts is where.
    let there = args
        .run_dir
        .ancestors()
        .find(|directory| directory.is_dir());
    let place = there.unwrap_or(Path::new("."));
    let disk = file_system(place);
    let writable = disk.is_ok();
    match disk {
        Ok(found) => tell("run directory", format!("{}: {found}", place.display())),
        Err(error) => tell("run directory", format!("UNUSABLE: {error}")),
    }
    Ok(if works && writable {
        Exit::Complete
    } else {
        Exit::Environment
    })
}

fn tell(what: &str, found: impl Display) {
    say!("{what:<14} {found}");
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output
        .status
        .success()
        .then(|| text.lines().next().unwrap_or_default().to_owned())
}

fn driver() -> String {
    fs::read_to_string("/proc/driver/nvidia/version")
        .ok()
        .and_then(|text| text.lines().next().map(str::to_owned))
        .unwrap_or_else(|| "not found: trials train on the CPU".to_owned())
}

/// What the trainer says of libtorch and its devices.
fn trainer() -> std::result::Result<String, String> {
    let program = cluster::trainer_program().map_err(|error| error.to_string())?;
    let output = Command::new(&program)
        .arg("--versions")
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// Tries what the lock and the journals rely on: exclusive links or files, flushes.
fn file_system(directory: &Path) -> Result<String> {
    let found = FileSystem::probe(directory)?;
    let flush = time_of_a_flush(directory).map_err(Error::io("flush a file in", directory))?;
    if !found.links && !found.exclusive {
        return Err(Error::file(directory, found.warnings().join("; ")));
    }
    let lock = if found.links {
        "links are exclusive"
    } else {
        "no links, but files can be created exclusively"
    };
    let directories = if found.flushes_directories {
        ""
    } else {
        ", DIRECTORIES CANNOT BE FLUSHED (a power cut may take files that have just been written)"
    };
    Ok(format!(
        "{lock}, a flush takes {:.1} ms{directories}",
        flush.as_secs_f64() * 1e3
    ))
}

fn time_of_a_flush(directory: &Path) -> std::io::Result<Duration> {
    const FLUSHES: u32 = 10;
    let mut file = tempfile::tempfile_in(directory)?;
    let began = Instant::now();
    for _ in 0..FLUSHES {
        file.write_all(&[0; 512])?;
        file.sync_data()?;
    }
    Ok(began.elapsed() / FLUSHES)
}
