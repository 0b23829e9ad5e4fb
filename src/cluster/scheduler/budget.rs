//! How often a trial is tried: what follows an attempt that failed, by its class.

use crate::job::Trial;
use crate::run::record::FailureClass;

/// A trial that waits to be given out.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) trial: Trial,
    /// The number the next attempt has.
    pub(super) attempt: u32,
    /// Attempts of this launch that count against it.
    pub(super) tries: u32,
    /// Whether it has found too little memory in this launch.
    pub(super) was_short: bool,
}

impl Pending {
    /// What follows if it was given out and failed in this way, if anything. A crashed trial is tried again `retries`
    /// times.
    pub(super) fn after(self, class: FailureClass, retries: u32) -> Option<Self> {
        let (tries, was_short) = match class {
            // It would end the same way.
            FailureClass::Diverged | FailureClass::Configuration => return None,
            FailureClass::Memory | FailureClass::MemoryHost if self.was_short => return None,
            FailureClass::Memory | FailureClass::MemoryHost => (self.tries, true),
            FailureClass::Crashed | FailureClass::Hung | FailureClass::Error => {
                (self.tries + 1, self.was_short)
            }
        };
        (tries <= retries).then(|| Self {
            attempt: self.attempt + 1,
            tries,
            was_short,
            trial: self.trial,
        })
    }
}
