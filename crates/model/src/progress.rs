//! What a training tells of itself.

use efflux_analysis::medians::Medians;

/// What to do after a look at a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// End with [`TrialError::Interrupted`](super::TrialError::Interrupted).
    Stop,
}

/// One epoch, finished.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: u32,
    /// Mean loss of the batches that held a target, scaled units, with dropout at work: comparable with hydroDL's.
    pub loss: f64,
    /// Mean length of the gradient over the same batches, before it is clipped.
    pub gradient_norm: f64,
    /// Factor of the epoch's steps.
    pub learning_rate: f64,
    /// Share of the drawn windows that held a target.
    pub window_share: f64,
    /// Iterations a second, of those since the trial began, went on or finished its last epoch.
    pub iterations_per_second: f64,
    /// Scores on the validation days, from runs that begin a training window before them; of no site where there are
    /// none.
    pub validation: Medians,
}
