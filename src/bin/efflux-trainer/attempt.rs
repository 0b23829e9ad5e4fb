//! One attempt at a trial: begin or go on, train, judge, keep.

use std::path::Path;
use std::time::{Duration, Instant};

use efflux::cluster::{Assignment, Report};
use efflux::data::{Member, Pack, Scales, Tensors, write_member};
use efflux::job::{Contract, Part, State, Trial, VALIDATION_DAYS};
use efflux::model::checkpoint::{self, Checkpoint};
use efflux::model::device::{self, Device};
use efflux::model::{
    Days, EpochReport, Flow, Progress, Trained, Trainer, TrialError, medians, physical,
};
use efflux::run::record::{Failure, FailureClass, Outcome, Summary};
use efflux::run::{Beat, EpochLine, EpochLog, RunDir};

use crate::Pipes;

/// Time between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);

/// One attempt at a trial.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) assignment: &'a Assignment,
    pub(crate) pack: &'a Pack,
    pub(crate) tensors: &'a Tensors,
    pub(crate) contract: &'a Contract,
    pub(crate) device: Device,
    /// Time between two checkpoints.
    pub(crate) interval: Duration,
}

/// Why an attempt ends before its end.
enum Cut {
    /// It was told to stop; the checkpoint is there.
    HandedBack,
    Failed(Failure),
}

impl<'a> Attempt<'a> {
    /// Trains to an outcome; to none if the trial is to be handed back. The second value is the device that the trial
    /// was begun on, if that is another one.
    pub(crate) fn run(
        self,
        epochs: &mut EpochLog,
        pipes: &mut Pipes,
    ) -> (Option<Outcome>, Option<String>) {
        let (trainer, begun_on) = match self.begin() {
            Ok(begun) => begun,
            Err(error) => return (Some(Outcome::Failed(failure(error))), None),
        };
        let trained = self.train(trainer, epochs, pipes);
        let outcome = match trained.and_then(|trained| self.judge(&trained, pipes)) {
            Ok(summary) => Some(Outcome::Finished(summary)),
            Err(Cut::Failed(failure)) => Some(Outcome::Failed(failure)),
            Err(Cut::HandedBack) => None,
        };
        (outcome, begun_on)
    }

    /// The trial where an interrupted attempt left it, with the device that it was begun on if that is another one; else
    /// from its beginning.
    fn begin(self) -> Result<(Trainer<'a>, Option<String>), TrialError> {
        let (trial, training) = (&self.assignment.trial, &self.contract.training);
        let new = || {
            Trainer::new(
                self.tensors,
                &trial.params,
                training,
                trial.seed,
                self.device,
            )
        };
        let left = self.assignment.checkpoint.as_ref();
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
                let here = device::describe(self.device, training);
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

    /// Trains to the end, with a sign of life and a checkpoint from time to time, and when it is told to stop.
    fn train(
        self,
        trainer: Trainer,
        epochs: &mut EpochLog,
        pipes: &mut Pipes,
    ) -> Result<Trained, Cut> {
        let trial = &self.assignment.trial;
        let mut drained = false;
        let mut pulse = Pulse::new(pipes);
        let mut kept = Instant::now();
        let mut not_kept = None;
        let trained = trainer.run(&mut |progress| {
            if let Some(epoch) = &progress.finished {
                epochs.append(&line(self.assignment, epoch));
            }
            if pulse.beat(|| beat(trial, progress)).is_err() {
                // Nobody listens any more.
                return Flow::Stop;
            }
            drained = pulse.pipes.drains();
            let is_due =
                kept.elapsed() >= self.interval || (progress.is_over() && self.runs_windows());
            if let Some(path) = &self.assignment.checkpoint
                && (drained || is_due)
            {
                kept = Instant::now();
                if let Err(error) = progress.checkpoint().save(trial.id.as_str(), path) {
                    not_kept = Some(error.to_string());
                    return Flow::Stop;
                }
            }
            if drained { Flow::Stop } else { Flow::Continue }
        });
        match (trained, not_kept) {
            (Ok(trained), _) => Ok(trained),
            (Err(_), Some(message)) => Err(Cut::Failed(not_written(message))),
            (Err(TrialError::Interrupted), None) if drained => Err(Cut::HandedBack),
            (Err(error), None) => Err(Cut::Failed(failure(error))),
        }
    }

    /// Whether the trained model is run by window, which can take as long as many epochs.
    fn runs_windows(self) -> bool {
        self.assignment.keep.is_some() || self.contract.evaluation.state == State::Window
    }

    /// Runs the trained model over the calendar, keeps what is to be kept, and sums up.
    fn judge(self, trained: &Trained, pipes: &mut Pipes) -> Result<Summary, Cut> {
        let state = self.contract.evaluation.state;
        let flux = self.simulate(trained, Days::All, state, pipes)?;
        if let Some(directory) = &self.assignment.keep {
            let other = self.simulate(trained, Days::Observed, state.other(), pipes)?;
            let member = Member {
                trial_id: self.assignment.trial.id.to_string(),
                seed: self.assignment.trial.seed,
                sites: self.tensors.site_ids.clone(),
                flux: flux.clone(),
                other_state: Some(other),
            };
            self.keep(directory, trained, &member)
                .map_err(|error| Cut::Failed(not_written(error.to_string())))?;
        }
        let medians = |part, least| medians(self.tensors, &flux, part, least);
        let kept = trained.epoch.saturating_sub(1) as usize;
        Ok(Summary {
            updates: trained.updates,
            epoch: trained.epoch,
            loss: trained.losses.get(kept).copied().unwrap_or(f64::NAN),
            window_share: trained.window_share,
            train: medians(Part::Train, 0),
            validation: medians(Part::Validation, VALIDATION_DAYS),
            test: medians(Part::Test, 0),
        })
    }

    /// Weights, scales and simulation, durable before anybody is told of them.
    fn keep(
        self,
        directory: &Path,
        trained: &Trained,
        member: &Member,
    ) -> efflux::error::Result<()> {
        checkpoint::save_weights(&trained.model, &directory.join(RunDir::WEIGHTS))?;
        Scales::fit(self.pack, self.contract, self.assignment.trial.fit)?
            .write(&directory.join(RunDir::SCALING))?;
        write_member(&directory.join(RunDir::SIMULATION), member)
    }

    /// These days of all sites, µmol m⁻² s⁻¹.
    fn simulate(
        self,
        trained: &Trained,
        days: Days,
        state: State,
        pipes: &mut Pipes,
    ) -> Result<Vec<f32>, Cut> {
        let trial = &self.assignment.trial;
        let window = trial.params.window_days + self.contract.training.warm_up_days;
        let mut pulse = Pulse::new(pipes);
        let simulated = trained.simulate(self.tensors, days, state, window as usize, &mut || {
            // Whether anybody listens shows when the record is reported.
            let _ = pulse.beat(|| done(trial, trained));
            if pulse.pipes.drains() {
                Flow::Stop
            } else {
                Flow::Continue
            }
        });
        match simulated {
            Ok(scaled) => Ok(physical(self.tensors, &scaled)),
            Err(TrialError::Interrupted) => Err(Cut::HandedBack),
            Err(error) => Err(Cut::Failed(failure(error))),
        }
    }
}

/// Signs of life, not too many.
struct Pulse<'a> {
    pipes: &'a mut Pipes,
    beaten: Instant,
}

impl<'a> Pulse<'a> {
    fn new(pipes: &'a mut Pipes) -> Self {
        Self {
            pipes,
            beaten: Instant::now(),
        }
    }

    /// Reports this, if it is time.
    fn beat(&mut self, beat: impl FnOnce() -> Beat) -> efflux::error::Result<()> {
        if self.beaten.elapsed() < BEAT {
            return Ok(());
        }
        self.beaten = Instant::now();
        self.pipes.report(&Report::Progress(vec![beat()]))
    }
}

/// How far it is.
fn beat(trial: &Trial, progress: &Progress<'_>) -> Beat {
    let part = f64::from(progress.iteration) / f64::from(progress.iterations.max(1));
    Beat {
        trial: trial.id.clone(),
        epochs_done: f64::from(progress.epoch) + part,
        epochs: progress.epochs,
        loss: progress.loss,
    }
}

/// All epochs are done.
fn done(trial: &Trial, trained: &Trained) -> Beat {
    let epochs = u32::try_from(trained.losses.len()).unwrap_or(u32::MAX);
    Beat {
        trial: trial.id.clone(),
        epochs_done: epochs.into(),
        epochs,
        loss: trained.losses.last().copied(),
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
        validation_sites: epoch.validation.sites,
        validation_nse: epoch.validation.nse,
        validation_kge: epoch.validation.kge,
    }
}

fn failure(error: TrialError) -> Failure {
    Failure {
        class: match error {
            TrialError::Diverged { .. } => FailureClass::Diverged,
            TrialError::Memory(_) => FailureClass::Memory,
            TrialError::NoValidation | TrialError::Window { .. } | TrialError::Backend => {
                FailureClass::Configuration
            }
            _ => FailureClass::Error,
        },
        message: error.to_string(),
    }
}

fn not_written(message: String) -> Failure {
    Failure {
        class: FailureClass::Error,
        message,
    }
}
