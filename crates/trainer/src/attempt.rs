//! The life of an attempt at a trial: it begins or goes on, writes checkpoints, and is finished or stopped.

use std::time::{Duration, Instant};

use efflux_job::State;
use efflux_model::checkpoint::Checkpoint;
use efflux_model::{EpochReport, Trainer, TrialError, guarded};
use efflux_protocol::Assignment;
use efflux_run::record::{Failure, FailureClass, RungResult};
use efflux_run::{EpochLine, EpochLog, Heartbeat};

use crate::context::TrialContext;

/// One attempt at a trial.
pub(crate) struct Attempt<'a> {
    context: TrialContext<'a>,
    pub(crate) assignment: Assignment,
    pub(crate) trainer: Trainer<'a>,
    /// The device that the trial was begun on, if that is another one.
    pub(crate) begun_on: Option<String>,
    pub(crate) started: Started,
    /// When the last checkpoint was written.
    checkpointed: Instant,
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

/// Why an attempt is stopped before its end.
pub(crate) enum StopReason {
    /// It was told to stop; the checkpoint is there.
    HandedBack,
    /// It has arrived where its assignment ends, with these validation scores; the checkpoint is there.
    AtRung(RungResult),
    Failed(Failure),
}

impl From<TrialError> for StopReason {
    fn from(error: TrialError) -> Self {
        Self::Failed(failure(error))
    }
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(
        context: TrialContext<'a>,
        assignment: Assignment,
        trainer: Trainer<'a>,
        begun_on: Option<String>,
        started: Started,
    ) -> Self {
        Self {
            context,
            assignment,
            trainer,
            begun_on,
            started,
            checkpointed: Instant::now(),
        }
    }

    /// Has its first checkpoint written so much earlier.
    pub(crate) fn checkpoint_earlier(&mut self, by: Duration) {
        self.checkpointed = self
            .checkpointed
            .checked_sub(by)
            .unwrap_or(self.checkpointed);
    }

    /// What follows an iteration: the epoch that was just finished, if one was, is noted, and a checkpoint is written where
    /// one is due or the trial is to be handed back. `waits` is whether others may be evaluated before it, once it is
    /// trained.
    pub(crate) fn after_iteration(
        &mut self,
        finished: Option<EpochReport>,
        is_drained: bool,
        waits: bool,
        epochs: &mut EpochLog,
    ) -> Result<(), StopReason> {
        if let Some(epoch) = &finished {
            epochs.append(&line(&self.assignment, epoch));
        }
        let arrived = finished.filter(|epoch| self.ends_after(epoch.epoch));
        let result = match arrived {
            Some(epoch) => Some(RungResult {
                validation: epoch.validation,
                ..self.result(epoch.epoch)?
            }),
            None => None,
        };
        let is_due = self.checkpointed.elapsed() >= self.context.interval
            || (self.trainer.is_over() && (waits || self.runs_windows()));
        if let Some(path) = &self.assignment.checkpoint
            && (is_drained || is_due || result.is_some())
        {
            self.checkpointed = Instant::now();
            let checkpoint = guarded(|| Ok(self.trainer.checkpoint()))?;
            checkpoint
                .save(self.assignment.trial.id.as_str(), path)
                .map_err(|error| StopReason::Failed(not_written(error.to_string())))?;
        }
        if let Some(result) = result {
            return Err(StopReason::AtRung(result));
        }
        if is_drained {
            return Err(StopReason::HandedBack);
        }
        Ok(())
    }

    /// Whether its assignment ends after so many epochs, and its training does not.
    fn ends_after(&self, epoch: u32) -> bool {
        let is_there = self.assignment.until.is_some_and(|until| epoch >= until);
        is_there && !self.trainer.is_over()
    }

    /// The result of so many epochs, without the medians.
    fn result(&mut self, epoch: u32) -> Result<RungResult, TrialError> {
        let metric = self.assignment.metric_of_sites;
        let sites = metric.map(|metric| self.trainer.validate_sites(metric.measure()));
        Ok(RungResult {
            trial: self.assignment.trial.id.clone(),
            attempt: self.assignment.attempt,
            epoch,
            validation: Default::default(),
            sites: sites.transpose()?.unwrap_or_default(),
        })
    }

    /// The result of a trial that was taken over where its assignment ends: whoever brought it there could not say so.
    pub(crate) fn arrived(&mut self) -> Result<Option<RungResult>, StopReason> {
        let epochs = self.trainer.whole_epochs();
        let Some(epoch) = epochs.filter(|&epoch| self.ends_after(epoch)) else {
            return Ok(None);
        };
        Ok(Some(RungResult {
            validation: self.trainer.validate()?,
            ..self.result(epoch)?
        }))
    }

    /// Whether the trained model is run by window, which can take as long as many epochs.
    fn runs_windows(&self) -> bool {
        let by_window = self.context.contract.evaluation.state == State::Window;
        self.assignment.keep.is_some() || by_window
    }

    /// How far it is.
    pub(crate) fn heartbeat(&self) -> Heartbeat {
        let progress = self.trainer.progress(None);
        let part = f64::from(progress.iteration) / f64::from(progress.iterations.max(1));
        Heartbeat {
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
            efflux_base::complain!(
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
            efflux_base::complain!("{}: starts over: {reason}", trial.id);
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
