//! `efflux doctor`: what this machine offers, and what is missing.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Exit, Result};
use efflux_cluster as cluster;
use efflux_cluster::promised_size;
use efflux_numerics::Level;

use crate::cli::DoctorArgs;

/// Prints what was found. Ends with 4 if something a sweep needs is missing.
pub(crate) fn doctor(args: &DoctorArgs) -> Result<Exit> {
    say("efflux", env!("CARGO_PKG_VERSION"));
    let mpi = cluster::library();
    let survivors = if mpi.fault_tolerant {
        "with"
    } else {
        "without"
    };
    say("MPI", format!("{}, {survivors} ULFM", mpi.version));
    say(
        "launcher",
        match promised_size()? {
            Some(size) => format!("promises {size} processes"),
            None => "none: one process, MPI is not initialised".to_owned(),
        },
    );
    say("HDF5", efflux_data::library_version());
    let cores = std::thread::available_parallelism().map_or(1, |count| count.get());
    let level = Level::of_this_host().name();
    say(
        "processor",
        format!("{cores} cores for this process, {level}"),
    );
    say("CUDA driver", driver());
    say(
        "Slurm",
        first_line("sinfo", &["--version"]).unwrap_or_else(|| "not found".into()),
    );
    let trainer = trainer();
    let works = trainer.is_ok();
    match trainer {
        Ok(lines) => lines.lines().for_each(|line| say("trainer", line)),
        Err(reason) => say("trainer", format!("DOES NOT START: {reason}")),
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
        Ok(found) => say("run directory", format!("{}: {found}", place.display())),
        Err(error) => say("run directory", format!("UNUSABLE: {error}")),
    }
    Ok(if works && writable {
        Exit::Complete
    } else {
        Exit::Environment
    })
}

fn say(what: &str, found: impl Display) {
    println!("{what:<14} {found}");
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

/// Tries what the lock and the journals rely on: exclusive links, renames, flushes.
fn file_system(directory: &Path) -> Result<String> {
    let name = format!(".efflux-doctor-{}", std::process::id());
    let (file, link) = (
        directory.join(&name),
        directory.join(format!("{name}.link")),
    );
    let tried = try_file_system(&file, &link);
    // Whatever was found out, nothing is left behind.
    let _ = fs::remove_file(&file);
    let _ = fs::remove_file(&link);
    tried
}

fn try_file_system(file: &Path, link: &Path) -> Result<String> {
    let mut handle = File::create(file).map_err(Error::io("create", file))?;
    let began = Instant::now();
    const FLUSHES: u32 = 10;
    for _ in 0..FLUSHES {
        handle
            .write_all(&[0; 512])
            .and_then(|()| handle.sync_data())
            .map_err(Error::io("flush", file))?;
    }
    let flush: Duration = began.elapsed() / FLUSHES;
    fs::hard_link(file, link).map_err(Error::io("link", link))?;
    if fs::hard_link(file, link).is_ok() {
        let reason = "a link was made twice: the lock of a run directory would not hold here";
        return Err(Error::file(link, reason));
    }
    Ok(format!(
        "links are exclusive, a flush takes {:.1} ms",
        flush.as_secs_f64() * 1e3
    ))
}
