//! Signals: what the scheduler, the terminal and the kernel have to say. Handlers set flags and nothing else; whoever
//! works looks at them between two steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR2, SIGXFSZ};
use signal_hook::flag;

use crate::error::{Error, Exit, Result};

/// A launcher may pass one signal on twice, itself and through the scheduler; within this time it is still one.
const ECHO: Duration = Duration::from_millis(500);

/// How much time there is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Haste {
    /// USR2, ahead of the time limit: every trainer has time for a checkpoint.
    Orderly,
    /// TERM or Ctrl-C: the launcher kills in two seconds.
    Hurried,
}

/// The signals that ask a sweep to leave.
#[derive(Clone, Debug)]
pub struct Signals {
    orderly: Arc<AtomicBool>,
    hurried: Arc<AtomicBool>,
    /// Once it is set, the next signal ends the process.
    at_once: Arc<AtomicBool>,
    first: Option<Instant>,
}

impl Signals {
    /// Listens from now on. Until this is called these signals kill.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if a handler cannot be set.
    pub fn listen() -> Result<Self> {
        let signals = Self {
            orderly: Arc::default(),
            hurried: Arc::default(),
            at_once: Arc::default(),
            first: None,
        };
        for (signal, asked) in [
            (SIGUSR2, &signals.orderly),
            (SIGTERM, &signals.hurried),
            (SIGINT, &signals.hurried),
        ] {
            let at_once = Arc::clone(&signals.at_once);
            flag::register_conditional_shutdown(signal, Exit::Unfinished as i32, at_once)
                .map_err(|error| Error::Internal(format!("signal {signal}: {error}")))?;
            handle(signal, asked)?;
        }
        Ok(signals)
    }

    /// What has been asked for so far. Soon after the first signal another one ends the process.
    pub fn asked(&mut self) -> Option<Haste> {
        let haste = if self.hurried.load(Ordering::Relaxed) {
            Haste::Hurried
        } else if self.orderly.load(Ordering::Relaxed) {
            Haste::Orderly
        } else {
            return None;
        };
        if self.first.get_or_insert_with(Instant::now).elapsed() > ECHO {
            self.end_at_once();
        }
        Some(haste)
    }

    /// From now on a signal ends the process: nothing is under way that would be lost.
    pub fn end_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
    }
}

/// Takes no notice of the signals that ask a sweep to leave: a scheduler sends them to every process of a job, and the
/// supervisor decides what becomes of its trainers.
///
/// # Errors
///
/// [`Error::Internal`] if a handler cannot be set.
pub fn leave_signals_to_the_supervisor() -> Result<()> {
    [SIGUSR2, SIGTERM, SIGINT]
        .into_iter()
        .try_for_each(|signal| handle(signal, &Arc::default()))
}

/// Makes a write beyond the file size limit an error with the file's name. By default the signal would kill without a
/// word.
///
/// # Errors
///
/// [`Error::Internal`] if the handler cannot be set.
pub fn survive_file_limits() -> Result<()> {
    // Nobody looks at the flag: that there is a handler is what makes the write fail instead.
    handle(SIGXFSZ, &Arc::default())
}

fn handle(signal: i32, asked: &Arc<AtomicBool>) -> Result<()> {
    flag::register(signal, Arc::clone(asked))
        .map(|_| ())
        .map_err(|error| Error::Internal(format!("signal {signal}: {error}")))
}
