//! What an epoch consists of, and how fast it goes.

use std::time::Instant;

use efflux_data::{Tensors, iterations_per_epoch};
use efflux_job::Training;

use super::failure::TrialError;
use super::validation::Validation;
use super::windows::Sampler;

/// How many windows an epoch draws, from where, and what validates it: the same for all trials with one window on the same
/// data.
#[derive(Debug)]
pub(super) struct EpochPlan {
    pub(super) iterations: u32,
    pub(super) sampler: Sampler,
    /// Absent where no site has validation days.
    pub(super) validation: Option<Validation>,
}

impl EpochPlan {
    /// # Errors
    ///
    /// [`TrialError::Window`] if the windows do not fit into the calendar; [`TrialError::NoValidation`] if the job's
    /// rules need a validation score and no site gives one.
    pub(super) fn new(tensors: &Tensors, training: &Training) -> Result<Self, TrialError> {
        let (window, warm_up) = (
            training.window_days as usize,
            training.warm_up_days as usize,
        );
        let (sites, days) = (tensors.sites, tensors.days);
        let iterations = training
            .epoch_updates
            .or_else(|| iterations_per_epoch(sites, days, sites, window, warm_up))
            .filter(|_| window + warm_up < days)
            .ok_or(TrialError::Window {
                window: training.sequence_days(),
                days,
            })?;
        let validation = Validation::new(tensors, window + warm_up);
        if training.needs_validation() && validation.is_none() {
            return Err(TrialError::NoValidation);
        }
        Ok(Self {
            iterations,
            sampler: Sampler::new(
                tensors,
                window,
                warm_up,
                training.sampler,
                training.batch_windows,
            ),
            validation,
        })
    }
}

/// How fast iterations go, for people.
#[derive(Debug)]
pub(super) struct Speed {
    since: Instant,
    iterations: u32,
}

impl Speed {
    /// Starts to measure.
    pub(super) fn begin() -> Self {
        Self {
            since: Instant::now(),
            iterations: 0,
        }
    }

    /// Counts an iteration that is done.
    pub(super) fn count(&mut self) {
        self.iterations += 1;
    }

    /// Iterations a second since then.
    pub(super) fn per_second(&self) -> f64 {
        f64::from(self.iterations) / self.since.elapsed().as_secs_f64().max(f64::EPSILON)
    }
}
