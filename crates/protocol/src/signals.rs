//! What supervisors and trainers have agreed on about signals.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use efflux_base::error::{Error, Result};
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};
use signal_hook::flag;

/// How much time there is to shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Urgency {
    /// USR2, USR1 or XCPU, ahead of the time limit: every trainer has time for a checkpoint.
    Graceful,
    /// TERM, a terminal that closes, or Ctrl-C: the launcher kills in two seconds.
    Immediate,
}

/// The signals that ask a sweep to shut down. Sites choose the one that warns of the end.
pub const SHUTDOWN_SIGNALS: [(i32, Urgency); 6] = [
    (SIGUSR2, Urgency::Graceful),
    (SIGUSR1, Urgency::Graceful),
    (SIGXCPU, Urgency::Graceful),
    (SIGTERM, Urgency::Immediate),
    (SIGHUP, Urgency::Immediate),
    (SIGINT, Urgency::Immediate),
];

/// Ignores the signals that ask a sweep to shut down: a batch system sends them to every process of a job, and it is the
/// supervisor that decides what its trainers do.
///
/// # Errors
///
/// [`Error::Internal`] if a handler cannot be set.
pub fn ignore_shutdown_signals() -> Result<()> {
    SHUTDOWN_SIGNALS
        .into_iter()
        .try_for_each(|(signal, _)| handle_signal(signal, &Arc::default()))
}

/// Makes a write beyond the file size limit an error with the file's name. By default the signal would kill without a
/// word.
///
/// # Errors
///
/// [`Error::Internal`] if the handler cannot be set.
pub fn survive_file_limits() -> Result<()> {
    // Nobody looks at the flag: that there is a handler is what makes the write fail instead.
    handle_signal(SIGXFSZ, &Arc::default())
}

/// Sets a flag when the signal comes, instead of what it does by default.
///
/// # Errors
///
/// [`Error::Internal`] if the handler cannot be set.
pub fn handle_signal(signal: i32, asked: &Arc<AtomicBool>) -> Result<()> {
    flag::register(signal, Arc::clone(asked))
        .map(|_| ())
        .map_err(|error| Error::Internal(format!("signal {signal}: {error}")))
}
