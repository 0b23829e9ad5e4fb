//! Signals: what the scheduler, the terminal and the kernel have to say.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR2, SIGXFSZ};

use crate::error::{Error, Result};

/// A flag that is set by the signals that ask a sweep to leave: Ctrl-C, Slurm's end of time or preemption, and USR2,
/// which `slurm/sweep.sbatch` asks for ahead of the time limit. Handlers set the flag and nothing else.
///
/// # Errors
///
/// [`Error::Internal`] if a handler cannot be set.
pub fn interrupts() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGUSR2] {
        handle(signal, &flag)?;
    }
    Ok(flag)
}

/// Makes a write beyond the file size limit an error with the file's name. By default the signal would kill without a
/// word.
///
/// # Errors
///
/// [`Error::Internal`] if the handler cannot be set.
pub fn survive_file_limits() -> Result<()> {
    // Nobody looks at the flag: that there is a handler is what makes the write fail instead.
    handle(SIGXFSZ, &Arc::new(AtomicBool::new(false)))
}

fn handle(signal: i32, flag: &Arc<AtomicBool>) -> Result<()> {
    signal_hook::flag::register(signal, Arc::clone(flag))
        .map(|_| ())
        .map_err(|error| Error::Internal(format!("signal {signal}: {error}")))
}
