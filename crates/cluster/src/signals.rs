//! The signals that ask a sweep to shut down. Handlers only set flags, which the loops of coordinator and ranks read.

use std::mem::MaybeUninit;
use std::ptr;
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
            if signal == SIGHUP && IS_UNDER_NOHUP.load(Ordering::Relaxed) {
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

/// Whether this process was started with HUP ignored, as `nohup` does.
static IS_UNDER_NOHUP: AtomicBool = AtomicBool::new(false);

/// Asks before any library begins: UCX, which Open MPI loads, has a handler of its own in place before `main`.
#[used]
#[allow(unsafe_code, reason = "the linker has to run it first")]
#[unsafe(link_section = ".preinit_array")]
static ASK: extern "C" fn() = ask;

#[allow(unsafe_code, reason = "only the system knows")]
extern "C" fn ask() {
    let mut handler = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: nothing is set; the output is read only where it was filled.
    let is_ignored = unsafe {
        libc::sigaction(SIGHUP, ptr::null(), handler.as_mut_ptr()) == 0
            && handler.assume_init().sa_sigaction == libc::SIG_IGN
    };
    IS_UNDER_NOHUP.store(is_ignored, Ordering::Relaxed);
}
