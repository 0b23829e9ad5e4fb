//! Trials that one trainer trains side by side, from the first until none is left.

use std::time::Instant;

use efflux_base::error::Result;
use efflux_job::{Settings, Trial};
use efflux_model::{Lanes, Trainer, TrialError, backend};
use efflux_protocol::{Assignment, FromTrainer, Isolation, TrialEvent};
use efflux_run::EpochLog;
use efflux_run::record::{Failure, FailureClass, Outcome, Place, Record, Summary};

use crate::HEARTBEAT;
use crate::attempt::{Attempt, Started, StopReason, begin, failure};
use crate::context::TrialContext;
use crate::evaluate::Evaluator;
use crate::pipes::{Order, Pipes};

/// The trials of a trainer between two times at which it has none.
pub(crate) struct ConcurrentTrials<'a> {
    context: TrialContext<'a>,
    /// What they are all like.
    like: Trial,
    /// What they may share with others.
    isolation: Isolation,
    /// How many there can be at a time.
    room: u32,
    /// Where they are trained; none where one is trained at a time.
    lanes: Option<Lanes<'a>>,
    attempts: Vec<Attempt<'a>>,
    /// Of all their records, but for the device.
    place: Place,
    /// The GPU that is computed on.
    gpu: Option<String>,
    /// When heartbeats were last reported.
    beaten: Instant,
}

impl<'a> ConcurrentTrials<'a> {
    /// For trials like this one, at most so many at a time.
    pub(crate) fn new(
        context: TrialContext<'a>,
        first: &Assignment,
        lanes: u32,
        place: Place,
        gpu: Option<String>,
    ) -> Self {
        let settings = context.settings_of(&first.trial.params);
        let has_lanes = settings.is_ok_and(|settings| !settings.params.knows_sites());
        Self {
            context,
            like: first.trial.clone(),
            isolation: first.isolation,
            room: match first.isolation {
                // A model with weights of single sites has no lanes.
                Isolation::SharedLanes if has_lanes => lanes,
                Isolation::SharedLanes => 1,
                Isolation::OwnTrainer | Isolation::OwnDevice => 1,
            },
            lanes: None,
            attempts: Vec::new(),
            place,
            gpu,
            beaten: Instant::now(),
        }
    }

    /// Trains this trial, and whatever else arrives for free lanes meanwhile. Returns an order that is
    /// not for these.
    pub(crate) fn train(
        mut self,
        first: Assignment,
        epochs: &mut EpochLog,
        pipes: &mut Pipes,
    ) -> Result<Option<Order>> {
        let mut next = Some(Order::Train(first));
        loop {
            while self.attempts.len() < self.room as usize {
                if next.is_none() {
                    next = pipes.next_if_any()?;
                }
                match next.take() {
                    Some(Order::Train(assignment)) if self.takes(&assignment) => {
                        self.begin(assignment, pipes)?;
                    }
                    other => {
                        next = other;
                        break;
                    }
                }
            }
            if self.attempts.is_empty() {
                return Ok(next);
            }
            self.iterate(epochs, pipes)?;
        }
    }

    /// Whether a trial may be trained beside the others.
    fn takes(&self, assignment: &Assignment) -> bool {
        assignment.trial.is_like(&self.like) && assignment.isolation == self.isolation
    }

    fn begin(&mut self, assignment: Assignment, pipes: &mut Pipes) -> Result<()> {
        let started = Started::now();
        match begin(&assignment, &mut || self.trainer(&assignment)) {
            Ok((trainer, begun_on)) => {
                let mut attempt =
                    Attempt::new(self.context, assignment, trainer, begun_on, started);
                // Not all lanes write their checkpoints in the same moment.
                let place = u32::try_from(self.attempts.len()).unwrap_or(0);
                attempt.checkpoint_earlier(self.context.interval * place / self.room);
                if attempt.trainer.is_over() {
                    return self.evaluate(attempt, pipes);
                }
                let reason = match attempt.arrived() {
                    Ok(None) => {
                        self.attempts.push(attempt);
                        return Ok(());
                    }
                    Ok(Some(result)) => StopReason::AtRung(result),
                    Err(reason) => reason,
                };
                let device = self.device_of(&attempt);
                let Attempt {
                    assignment,
                    started,
                    ..
                } = attempt;
                self.close(assignment, &started, device, Err(reason), pipes)
            }
            Err(error) => {
                let settings = self.context.settings_of(&assignment.trial.params);
                let training = settings.map_or(self.context.settings.training, |of| of.training);
                let device = self.on_gpu(backend::describe(self.context.device, &training));
                self.close(assignment, &started, device, Err(error.into()), pipes)
            }
        }
    }

    /// The trial before its first iteration.
    fn trainer(&mut self, assignment: &Assignment) -> Result<Trainer<'a>, TrialError> {
        let TrialContext {
            tensors, device, ..
        } = self.context;
        let trial = &assignment.trial;
        let Settings {
            params, training, ..
        } = self.context.settings_of(&trial.params)?;
        let lanes = match self.lanes.take() {
            Some(lanes) => Some(lanes),
            None if self.room == 1 => Lanes::for_one(tensors, &params, &training, device)?,
            None => {
                let room = self.room as usize;
                Some(Lanes::new(room, tensors, &params, &training, device)?)
            }
        };
        let Some(lanes) = lanes else {
            return Trainer::new(tensors, &params, &training, trial.seed, device);
        };
        let begun = lanes.begin(&params, &training, trial.seed);
        self.lanes = Some(lanes);
        begun?.ok_or_else(|| TrialError::Defect("more trials than lanes".into()))
    }

    /// An iteration of every trial, and what follows from it.
    fn iterate(&mut self, epochs: &mut EpochLog, pipes: &mut Pipes) -> Result<()> {
        let trainers = self.attempts.iter_mut().map(|attempt| &mut attempt.trainer);
        let updated = match &mut self.lanes {
            Some(lanes) => lanes.update(&mut trainers.collect::<Vec<_>>()),
            None => Ok(trainers.map(Trainer::update).collect()),
        };
        let outcomes = match updated {
            Ok(outcomes) => outcomes,
            Err(error) => return self.give_up(&error, pipes),
        };
        let is_time = self.beaten.elapsed() >= HEARTBEAT;
        if is_time {
            self.beaten = Instant::now();
            let heartbeats = self.attempts.iter().map(Attempt::heartbeat).collect();
            let progress = TrialEvent::Progress(heartbeats);
            pipes.report(&FromTrainer::Trial(progress))?;
        }
        let is_quiet = outcomes.iter().all(|outcome| matches!(outcome, Ok(None)));
        if is_quiet && !is_time && !pipes.drains() {
            return Ok(());
        }
        for (mut attempt, outcome) in std::mem::take(&mut self.attempts).into_iter().zip(outcomes) {
            // Others that have ended before it may have been evaluated meanwhile.
            let is_drained = pipes.drains();
            let continued = outcome.map_err(StopReason::from).and_then(|finished| {
                let waits = self.room > 1;
                attempt.after_iteration(finished, is_drained, waits, epochs)
            });
            match continued {
                Ok(()) if attempt.trainer.is_over() => self.evaluate(attempt, pipes)?,
                Ok(()) => self.attempts.push(attempt),
                Err(reason) => {
                    let device = self.device_of(&attempt);
                    self.close(
                        attempt.assignment,
                        &attempt.started,
                        device,
                        Err(reason),
                        pipes,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Ends all attempts after a failure of what is computed for all of them at once.
    fn give_up(&mut self, error: &TrialError, pipes: &mut Pipes) -> Result<()> {
        let mut failure = failure(error.clone());
        let count = self.attempts.len();
        if count > 1 {
            failure = Failure {
                class: FailureClass::Shared,
                message: format!("{count} trials in lanes: {}", failure.message),
            };
            efflux_base::complain!("{}", failure.message);
        }
        // Whatever comes next begins with a device that holds nothing of them.
        let ended = std::mem::take(&mut self.attempts);
        for attempt in ended {
            let device = self.device_of(&attempt);
            let reason = Err(StopReason::Failed(failure.clone()));
            self.close(attempt.assignment, &attempt.started, device, reason, pipes)?;
        }
        self.lanes = None;
        Ok(())
    }

    /// Evaluates a trial that has been trained to the end.
    fn evaluate(&mut self, attempt: Attempt<'a>, pipes: &mut Pipes) -> Result<()> {
        let device = self.device_of(&attempt);
        let Attempt {
            assignment,
            trainer,
            started,
            ..
        } = attempt;
        let evaluator = Evaluator {
            context: self.context,
            assignment: &assignment,
        };
        let trained = trainer.finish().map_err(StopReason::from);
        let evaluated = trained.and_then(|trained| evaluator.evaluate(&trained, pipes));
        self.close(assignment, &started, device, evaluated, pipes)
    }

    /// What the trial is trained on, and what it was begun on.
    fn device_of(&self, attempt: &Attempt<'_>) -> String {
        let device = self.on_gpu(attempt.trainer.describe());
        match &attempt.begun_on {
            Some(there) => format!("{device}, begun on {there}"),
            None => device,
        }
    }

    fn on_gpu(&self, device: String) -> String {
        match &self.gpu {
            Some(gpu) => format!("{device} {gpu}"),
            None => device,
        }
    }

    /// Reports how an attempt ended.
    fn close(
        &self,
        assignment: Assignment,
        started: &Started,
        device: String,
        end: Result<Summary, StopReason>,
        pipes: &mut Pipes,
    ) -> Result<()> {
        let Assignment { trial, attempt, .. } = assignment;
        let outcome = match end {
            Ok(summary) => Outcome::Finished(summary),
            Err(StopReason::Failed(failure)) => Outcome::Failed(failure),
            Err(StopReason::AtRung(result)) => {
                let at_rung = TrialEvent::AtRung(result);
                return pipes.report(&FromTrainer::Trial(at_rung));
            }
            Err(StopReason::HandedBack) => {
                let trial = trial.id;
                let released = TrialEvent::Released { trial, attempt };
                return pipes.report(&FromTrainer::Trial(released));
            }
        };
        let record = Record {
            trial,
            attempt,
            place: Place {
                device,
                ..self.place.clone()
            },
            started: started.date.clone(),
            seconds: started.at.elapsed().as_secs_f64(),
            outcome,
        };
        pipes.report(&FromTrainer::Trial(TrialEvent::Ended(Box::new(record))))
    }
}
