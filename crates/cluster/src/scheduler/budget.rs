//! How often a trial is tried: what follows an attempt that failed, by its class.

use efflux_job::Trial;
use efflux_protocol::Company;
use efflux_run::record::FailureClass;

/// A trial that waits to be given out.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) trial: Trial,
    /// The number the next attempt has.
    pub(super) attempt: u32,
    /// Attempts of this launch that count against it.
    pub(super) tries: u32,
    /// Beside what it may be trained, after what has happened in this launch.
    pub(super) company: Company,
}

impl Pending {
    /// What follows if it was given out and failed in this way, if anything. A crashed trial is tried again `retries`
    /// times.
    pub(super) fn after(self, class: FailureClass, retries: u32) -> Option<Self> {
        let (tries, company) = match (class, self.company) {
            // It would end the same way.
            (FailureClass::Diverged | FailureClass::Configuration, _) => return None,
            (FailureClass::Memory | FailureClass::MemoryHost, Company::Nobody) => return None,
            (FailureClass::Memory | FailureClass::MemoryHost, _) => (self.tries, Company::Nobody),
            // Others may have been the cause: by itself it shows.
            (FailureClass::Shared, Company::Lanes) => (self.tries, Company::Device),
            (
                FailureClass::Crashed
                | FailureClass::Hung
                | FailureClass::Shared
                | FailureClass::Error,
                company,
            ) => (self.tries + 1, company),
        };
        (tries <= retries).then(|| Self {
            attempt: self.attempt + 1,
            tries,
            company,
            trial: self.trial,
        })
    }
}
