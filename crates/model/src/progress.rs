//! What a training tells of itself.

use std::time::Instant;

use efflux_analysis::medians::Medians;
use efflux_job::{Params, Training};

use super::checkpoint::Checkpoint;
use super::lstm::Lstm;
use super::native::Level;
use super::train::Trainer;

/// A model that was trained to the end, and how it went.
#[derive(Debug)]
pub struct Trained {
    /// With the weights of the epoch that the job keeps.
    pub model: Lstm,
    /// How it was trained.
    pub(super) params: Params,
    /// How it was trained.
    pub(super) training: Training,
    /// The level at which it was trained natively, and is run; absent if libtorch trained it.
    pub(super) level: Option<Level>,
    /// That epoch, counted from 1.
    pub epoch: u32,
    /// Optimizer steps taken.
    pub updates: u64,
    /// Mean loss of each epoch's batches that held a target, scaled units, with dropout at work.
    pub losses: Vec<f64>,
    /// Share of the drawn windows that held a target.
    pub window_share: f64,
}

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

/// A training between two iterations.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Epochs finished.
    pub epoch: u32,
    /// Iterations done of the epoch after them.
    pub iteration: u32,
    /// Epochs in all, if patience does not end.
    pub epochs: u32,
    /// Iterations of each epoch.
    pub iterations: u32,
    /// Mean loss of the epoch last finished, scaled units.
    pub loss: Option<f64>,
    /// The epoch that has just been finished; absent in the middle of one.
    pub finished: Option<EpochReport>,
    pub(super) trainer: &'a Trainer<'a>,
}

impl Progress<'_> {
    /// Whether nothing is left to be trained.
    pub fn is_over(&self) -> bool {
        self.trainer.is_over()
    }

    /// All that is needed to go on from here, bit for bit. Waits for the device.
    pub fn checkpoint(&self) -> Checkpoint {
        self.trainer.checkpoint()
    }
}

/// How far a training has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Position {
    pub epoch: u32,
    pub iteration: u32,
    /// Batches of this epoch that held a target.
    pub batches: u32,
    /// Windows computed since the beginning.
    pub windows: u64,
    /// Those of the epochs finished.
    pub windows_before: u64,
    pub losses: Vec<f64>,
    /// The epoch with the best validation score, from 1, and the score.
    pub best: Option<(u32, f64)>,
}

/// How fast iterations go, for people.
#[derive(Debug)]
pub(super) struct Speed {
    since: Instant,
    iterations: u32,
}

impl Speed {
    pub(super) fn begin() -> Self {
        Self {
            since: Instant::now(),
            iterations: 0,
        }
    }

    pub(super) fn count(&mut self) {
        self.iterations += 1;
    }

    pub(super) fn per_second(&self) -> f64 {
        f64::from(self.iterations) / self.since.elapsed().as_secs_f64().max(f64::EPSILON)
    }
}
