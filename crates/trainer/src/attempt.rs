//! One attempt at a trial: begin or go on, and look at it from time to time.

use std::time::{Duration, Instant};

use efflux_data::{Pack, Tensors};
use efflux_job::{Contract, State};
use efflux_model::checkpoint::Checkpoint;
use efflux_model::device::Device;
use efflux_model::{EpochReport, Trainer, TrialError, guarded};
use efflux_protocol::Assignment;
use efflux_run::record::{Failure, FailureClass};
use efflux_run::{Beat, EpochLine, EpochLog};

/// What the attempts of a trainer have in common.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) tensors: &'a Tensors,
    pub(crate) contract: &'a Contract,
    pub(crate) device: Device,
    /// Time between two checkpoints.
    pub(crate) interval: Duration,
}

/// One attempt at a trial.
pub(crate) struct Attempt<'a> {
    ground: Ground<'a>,
    pub(crate) assignment: Assignment,
    pub(crate) trainer: Trainer<'a>,
    /// The device that the trial was begun on, if that is another one.
    pub(crate) begun_on: Option<String>,
    pub(crate) started: Started,
    /// When the last checkpoint was written.
    kept: Instant,
}

/// A moment, as a date and to measure from.
pub(crate) struct Started {
    pub(crate) date: String,
    pub(crate) at: Instant,
}

impl Started {
    pub(crate) fn now() -> Self {
        Self {
            date: jiff::Timestamp::now().to_string(),
            at: Instant::now(),
        }
    }
}

/// Why an attempt ends before its end.
pub(crate) enum Cut {
    /// It was told to stop; the checkpoint is there.
    HandedBack,
    Failed(Failure),
}

impl From<TrialError> for Cut {
    fn from(error: TrialError) -> Self {
        Self::Failed(failure(error))
    }
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(
        ground: Ground<'a>,
        assignment: Assignment,
        trainer: Trainer<'a>,
        begun_on: Option<String>,
        started: Started,
    ) -> Self {
        Self {
            ground,
            assignment,
            trainer,
            begun_on,
            started,
            kept: Instant::now(),
        }
    }

    /// Has its first checkpoint written so much earlier.
    pub(crate) fn keep_earlier(&mut self, by: Duration) {
        self.kept = self.kept.checked_sub(by).unwrap_or(self.kept);
    }

    /// Looks at the training between two iterations: notes the epoch that was just finished, if one was, and writes a
    /// checkpoint where one is due or the trial is to be handed back. `waits` is whether others may be evaluated before it,
    /// once it is trained.
    pub(crate) fn look(
        &mut self,
        finished: Option<EpochReport>,
        is_drained: bool,
        waits: bool,
        epochs: &mut EpochLog,
    ) -> Result<(), Cut> {
        if let Some(epoch) = finished {
            epochs.append(&line(&self.assignment, &epoch));
        }
        let is_due = self.kept.elapsed() >= self.ground.interval
            || (self.trainer.is_over() && (waits || self.runs_windows()));
        if let Some(path) = &self.assignment.checkpoint
            && (is_drained || is_due)
        {
            self.kept = Instant::now();
            let checkpoint = guarded(|| Ok(self.trainer.checkpoint()))?;
            checkpoint
                .save(self.assignment.trial.id.as_str(), path)
                .map_err(|error| Cut::Failed(not_written(error.to_string())))?;
        }
        if is_drained {
            return Err(Cut::HandedBack);
        }
        Ok(())
    }

    /// Whether the trained model is run by window, which can take as long as many epochs.
    fn runs_windows(&self) -> bool {
        let by_window = self.ground.contract.evaluation.state == State::Window;
        self.assignment.keep.is_some() || by_window
    }

    /// How far it is.
    pub(crate) fn beat(&self) -> Beat {
        let progress = self.trainer.progress(None);
        let part = f64::from(progress.iteration) / f64::from(progress.iterations.max(1));
        Beat {
            trial: self.assignment.trial.id.clone(),
            epochs_done: f64::from(progress.epoch) + part,
            epochs: progress.epochs,
            loss: progress.loss,
        }
    }
}

/// The trial where an interrupted attempt left it, with the device that it was begun on if that is another one; else from
/// its beginning, as `new` makes it.
pub(crate) fn begin<'a>(
    assignment: &Assignment,
    new: &mut dyn FnMut() -> Result<Trainer<'a>, TrialError>,
) -> Result<(Trainer<'a>, Option<String>), TrialError> {
    let trial = &assignment.trial;
    let left = assignment.checkpoint.as_ref();
    let Some(path) = left.filter(|path| path.exists()) else {
        return Ok((new()?, None));
    };
    let resumed = Checkpoint::load(trial.id.as_str(), path)
        .map_err(|error| error.to_string())
        .and_then(|checkpoint| {
            let restored = new().and_then(|trainer| trainer.restore(&checkpoint));
            Ok((restored.map_err(|error| error.to_string())?, checkpoint))
        });
    match resumed {
        Ok((trainer, checkpoint)) => {
            let (epoch, iteration) = (checkpoint.epoch(), checkpoint.iteration());
            eprintln!(
                "{}: goes on after epoch {epoch}, iteration {iteration}",
                trial.id
            );
            let here = trainer.describe();
            Ok((
                trainer,
                Some(checkpoint.device).filter(|there| *there != here),
            ))
        }
        Err(reason) => {
            eprintln!("{}: starts over: {reason}", trial.id);
            Ok((new()?, None))
        }
    }
}

/// An epoch as the run directory keeps it.
fn line(assignment: &Assignment, epoch: &EpochReport) -> EpochLine {
    EpochLine {
        trial: assignment.trial.id.clone(),
        attempt: assignment.attempt,
        epoch: epoch.epoch,
        loss: epoch.loss,
        gradient_norm: epoch.gradient_norm,
        learning_rate: epoch.learning_rate,
        window_share: epoch.window_share,
        iterations_per_second: epoch.iterations_per_second,
        validation: epoch.validation,
    }
}

/// How a trial fails, for its record.
pub(crate) fn failure(error: TrialError) -> Failure {
    Failure {
        class: match error {
            TrialError::Diverged { .. } => FailureClass::Diverged,
            TrialError::Memory(_) => FailureClass::Memory,
            TrialError::NoValidation
            | TrialError::Window { .. }
            | TrialError::Backend
            | TrialError::Cell => FailureClass::Configuration,
            _ => FailureClass::Error,
        },
        message: error.to_string(),
    }
}

/// What could not be written, and why.
pub(crate) fn not_written(message: String) -> Failure {
    Failure {
        class: FailureClass::Error,
        message,
    }
}
