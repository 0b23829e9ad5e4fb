//! The signals that ask a sweep to shut down. Handlers only set flags, which the loops of coordinator and ranks read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Exit, Result};
use efflux_protocol::{SHUTDOWN_SIGNALS, Urgency, handle_signal};
use signal_hook::consts::SIGHUP;
use signal_hook::flag;

/// A launcher may pass one signal on twice, itself and through the scheduler; within this time it is still one.
const ECHO: Duration = Duration::from_millis(500);

/// The signals that ask a sweep to shut down; by default none is listened to.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    graceful: Arc<AtomicBool>,
    immediate: Arc<AtomicBool>,
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
        let signals = Self::default();
        for (signal, urgency) in SHUTDOWN_SIGNALS {
            if signal == SIGHUP && is_ignored(signal) {
                // `nohup` means it.
                continue;
            }
            let asked = match urgency {
                Urgency::Graceful => &signals.graceful,
                Urgency::Immediate => &signals.immediate,
            };
            let at_once = Arc::clone(&signals.at_once);
            flag::register_conditional_shutdown(signal, Exit::Unfinished as i32, at_once)
                .map_err(|error| Error::Internal(format!("signal {signal}: {error}")))?;
            handle_signal(signal, asked)?;
        }
        Ok(signals)
    }

    /// What has been asked for so far. Shortly after the first signal another one ends the process.
    pub fn asked(&mut self) -> Option<Urgency> {
        let urgency = if self.immediate.load(Ordering::Relaxed) {
            Urgency::Immediate
        } else if self.graceful.load(Ordering::Relaxed) {
            Urgency::Graceful
        } else {
            return None;
        };
        if self.first.get_or_insert_with(Instant::now).elapsed() > ECHO {
            self.end_at_once();
        }
        Some(urgency)
    }

    /// From now on a signal ends the process: nothing is under way that would be lost.
    pub fn end_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
    }
}

/// Whether whoever started this process had it ignore a signal.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}
