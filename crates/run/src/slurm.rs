//! Questions to Slurm whose answers are read.

use std::io;
use std::process::{Command, Output};

/// Variables by which users change what Slurm's programs print.
const FORMATS: [&str; 2] = ["SLURM_TIME_FORMAT", "SQUEUE_"];

/// What squeue says of a job, a line for each of its parts, in this format and nobody else's. Times are in UTC.
///
/// # Errors
///
/// If squeue cannot be started.
pub fn squeue(job: &str, format: &str) -> io::Result<Output> {
    let mut command = Command::new("squeue");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if FORMATS.iter().any(|format| text.starts_with(format)) {
            command.env_remove(&name);
        }
    }
    command
        .args(["-h", "-j", job, "-o", format])
        // It prints local time without a zone.
        .env("TZ", "UTC")
        .output()
}
