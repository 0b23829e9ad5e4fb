//! The validation scores of a training between two epochs.

use efflux_analysis::measures::Measure;
use efflux_analysis::medians::Medians;

use super::Trainer;
use crate::failure::TrialError;

impl Trainer<'_> {
    /// The scores that the report of the last epoch held, made anew: whoever takes a trial over at the end of an epoch needs
    /// them.
    ///
    /// # Errors
    ///
    /// Those of [`Trainer::finish`].
    pub fn validate(&mut self) -> Result<Medians, TrialError> {
        self.caught(|this| {
            let runs = this.plan.validation.as_ref();
            Ok(runs
                .map(|runs| runs.score(&mut *this.engine, this.tensors, None))
                .unwrap_or_default())
        })
    }

    /// What the median of this measure in [`validate`](Self::validate) is taken over: its value at each site of the pack, where
    /// it is defined and the site is judged.
    ///
    /// # Errors
    ///
    /// Those of [`Trainer::finish`].
    pub fn validate_sites(&mut self, measure: Measure) -> Result<Vec<Option<f64>>, TrialError> {
        self.caught(|this| {
            let runs = this.plan.validation.as_ref();
            Ok(runs
                .map(|runs| runs.score_sites(&mut *this.engine, this.tensors, measure))
                .unwrap_or_default())
        })
    }

    /// The epochs done, if it is between two.
    pub fn whole_epochs(&self) -> Option<u32> {
        (self.at.iteration == 0).then_some(self.at.epoch)
    }
}
