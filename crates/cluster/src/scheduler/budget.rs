//! How often a trial is tried: what follows an attempt that failed, by its class.

use efflux_job::Trial;
use efflux_protocol::Isolation;
use efflux_run::Attempt;
use efflux_run::record::FailureClass;

use super::Planned;

/// A trial that waits to be dispatched.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) trial: Trial,
    /// The number the next attempt has.
    pub(super) attempt: Attempt,
    /// Attempts of this launch that count against it.
    pub(super) tries: u32,
    /// What it may share with other trials, after what has happened in this launch.
    pub(super) isolation: Isolation,
    /// Epochs after which it is to be handed back.
    pub(super) until: Option<u32>,
}

impl Pending {
    /// A trial that has not been dispatched in this launch.
    pub(super) fn of(planned: Planned) -> Self {
        Self {
            trial: planned.trial,
            attempt: planned.attempts.next(),
            tries: 0,
            isolation: Isolation::SharedLanes,
            until: planned.until,
        }
    }

    /// Whether a result after so many epochs is what it waits for; that of a trial which has ended always is.
    pub(super) fn ends_by(&self, epoch: Option<u32>) -> bool {
        epoch.is_none_or(|epoch| self.until.is_some_and(|until| until <= epoch))
    }

    /// The next attempt after one that failed in this way, if there is to be one. A crashed trial is tried again `retries`
    /// times.
    pub(super) fn after(self, class: FailureClass, retries: u32) -> Option<Self> {
        let (tries, isolation) = match (class, self.isolation) {
            // It would end the same way.
            (FailureClass::Diverged | FailureClass::Configuration, _) => return None,
            (FailureClass::Memory | FailureClass::MemoryHost, Isolation::OwnDevice) => return None,
            (FailureClass::Memory | FailureClass::MemoryHost, _) => {
                (self.tries, Isolation::OwnDevice)
            }
            // Others may have been the cause: by itself it shows.
            (FailureClass::Shared, Isolation::SharedLanes) => (self.tries, Isolation::OwnTrainer),
            (
                FailureClass::Crashed
                | FailureClass::Hung
                | FailureClass::Shared
                | FailureClass::Error,
                isolation,
            ) => (self.tries + 1, isolation),
        };
        (tries <= retries).then(|| Self {
            attempt: self.attempt.next(),
            tries,
            isolation,
            until: self.until,
            trial: self.trial,
        })
    }
}
