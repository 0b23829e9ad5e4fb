//! Signals: what the scheduler, the terminal and the kernel have to say. Handlers set flags and nothing else; whoever
//! works looks at them between two steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Exit, Result};
use efflux_protocol::{Haste, handle_signal};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR2};
use signal_hook::flag;

/// A launcher may pass one signal on twice, itself and through the scheduler; within this time it is still one.
const ECHO: Duration = Duration::from_millis(500);

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
            handle_signal(signal, asked)?;
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
