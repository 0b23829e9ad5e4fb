//! The coordinator on rank 0: has the ranks join, feeds the scheduler with what they report, carries out what it says.

mod join;
mod launch;
mod lost;
mod rungs;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use efflux_base::error::{Error, Result};
use efflux_job::{Stage, Trial, TrialId};
use efflux_protocol::{Assignment, FromRank, ToRank, TrialEvent, Urgency};
use efflux_run::record::{FailureClass, Outcome, Record};
use efflux_run::stopping::Stopping;
use efflux_run::{Heartbeat, Ledger, Live, Lock, Rank};

use super::liveness::Liveness;
use super::progress::StageProgress;
use super::scheduler::{Action, Event, Planned, Scheduler};
use super::shutdown::{Shutdown, ShutdownPhase};
use super::transport::Transport;
use rungs::Rungs;

pub use launch::{Ending, Launch, Notice, Tally};

/// How often `live.json` is written anew and listeners hear of progress.
const TICK: Duration = Duration::from_secs(2);

/// The ranks of a launch at work.
pub struct Coordinator<'a> {
    launch: Launch,
    transport: Box<dyn Transport + 'a>,
    scheduler: Scheduler,
    ledger: Ledger,
    /// Of a stage with a stopping rule.
    rungs: Option<Rungs>,
    lock: Lock,
    heartbeats: BTreeMap<Rank, Vec<Heartbeat>>,
    /// Epochs that running trials had when first heard of: those of a checkpoint were not trained at this launch's pace.
    begun: HashMap<TrialId, f64>,
    liveness: Liveness,
    shutdown: Shutdown,
    /// The phase that the ranks have been told of.
    phase: ShutdownPhase,
    /// The most urgent signal that another rank had, or what `efflux stop` asks for.
    elsewhere: Option<Urgency>,
}

impl Coordinator<'_> {
    /// What is known of all trials.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Trains those of a stage's trials that have not finished yet, in their order, as far as its stopping rule lets them.
    ///
    /// # Errors
    ///
    /// What makes it impossible to go on. A trial that fails is a record, not an error.
    pub fn train(
        &mut self,
        trials: &[Trial],
        stopping: Option<Stopping>,
        listen: &mut dyn FnMut(Notice<'_>),
    ) -> Result<Ending> {
        let left = trials.iter().filter(|trial| !self.is_settled(trial));
        let left: Vec<Planned> = left.map(|trial| self.planned(trial.clone())).collect();
        let settings = &self.launch.settings;
        let epochs = |trial: &Trial| trial.params.epochs(&settings.training);
        let now = self.transport.now();
        let mut progress = StageProgress::new(&self.ledger, epochs, trials, &left, now);
        // What a signal asked for before the stage comes before its trials.
        self.shut_down()?;
        let begun = self.begin_rungs(stopping, left);
        self.schedule(Event::Added(begun))?;
        let mut ticked = now;
        let mut tally = self.tally(&progress);
        // A sweep of moments has no tick.
        self.write_live(&tally);
        while self.has_work()? {
            for (rank, message) in self.transport.receive()? {
                if let Some(record) = self.handle(rank, message)? {
                    announce(&record, &mut progress, &mut tally, listen)?;
                }
            }
            for record in self.handle_lost()? {
                announce(&record, &mut progress, &mut tally, listen)?;
            }
            self.handle_silent()?;
            self.lock.check()?;
            if self.shut_down()? == ShutdownPhase::Exiting {
                break;
            }
            let now = self.transport.now();
            if now.duration_since(ticked) >= TICK {
                ticked = now;
                if self.launch.run.is_asked_to_stop() {
                    self.elsewhere = self.elsewhere.max(Some(Urgency::Graceful));
                }
                tally = self.tally(&progress);
                self.write_live(&tally);
                listen(Notice::Tick(&tally));
            }
        }
        let has_more = self.rungs.as_ref().is_some_and(Rungs::has_more);
        if self.scheduler.is_idle() && !self.scheduler.is_waiting() && !has_more {
            Ok(Ending::Done)
        } else {
            Ok(Ending::Interrupted)
        }
    }

    /// Has all ranks stop, whatever happened, and hands back what is known of all trials and the lock: the evaluation writes
    /// too.
    pub fn dismiss(mut self) -> (Ledger, Lock) {
        // The others stop while this rank does.
        for rank in (0..self.transport.size()).map(Rank).rev() {
            if let Err(error) = self.transport.send(rank, ToRank::Stop) {
                tracing::warn!(%rank, "{error}");
            }
        }
        // A reader must not take a sweep that has ended for a running one; without the file nobody does.
        let _ = std::fs::remove_file(self.launch.run.live_file());
        (self.ledger, self.lock)
    }

    /// Tells all ranks of a new phase of the shutdown, once. Returns the phase.
    fn shut_down(&mut self) -> Result<ShutdownPhase> {
        let asked = self.launch.signals.asked().max(self.elsewhere);
        let phase = self.shutdown.phase(asked, self.transport.now());
        if phase <= self.phase {
            return Ok(self.phase);
        }
        self.phase = phase;
        self.scheduler.on(Event::Closed);
        let message = if phase == ShutdownPhase::NoNewTrials {
            tracing::info!("the end is near: no further trial is begun");
            ToRank::BeginNoMore
        } else {
            tracing::info!("leaving: running trials write a checkpoint and stop");
            ToRank::Drain
        };
        let mut ranks = (0..self.transport.size()).map(Rank);
        ranks.try_for_each(|rank| self.transport.send(rank, message.clone()))?;
        Ok(phase)
    }

    /// A trial as far as it is known.
    fn planned(&self, trial: Trial) -> Planned {
        Planned {
            attempts: self.ledger.attempts(&trial.id),
            goes_on: self.ledger.epochs_at_rungs(&trial.id) > 0,
            trial,
            until: None,
        }
    }

    /// Finished with all it has to keep, or failed in a way that another attempt would only repeat.
    fn is_settled(&self, trial: &Trial) -> bool {
        let ended = self.ledger.brief(&trial.id);
        ended.is_some_and(|brief| match brief.failure() {
            None => trial.stage == Stage::Search || self.launch.run.simulation(&trial.id).is_some(),
            Some(class) => !class.worth_another(),
        })
    }

    /// Has the scheduler know of an event, and dispatches what it says.
    fn schedule(&mut self, event: Event) -> Result<()> {
        for Action::Dispatch {
            rank,
            trial,
            attempt,
            isolation,
            until,
        } in self.scheduler.on(event)
        {
            tracing::debug!(%rank, trial = %trial.id, %attempt, "is dispatched");
            let is_kept = trial.stage == Stage::Final || self.launch.keeps_forecasts;
            let keep = is_kept.then(|| self.launch.run.attempt(&trial.id, attempt));
            let checkpoint = Some(self.launch.run.checkpoint(&trial.id));
            let assignment = Assignment {
                trial,
                attempt,
                isolation,
                until,
                metric_of_sites: self.rungs.as_ref().and_then(Rungs::metric_of_sites),
                keep,
                checkpoint,
            };
            self.transport.send(rank, ToRank::Train(assignment))?;
        }
        Ok(())
    }

    /// Handles a message of a rank. Returns the record of an attempt that ended, if it is news.
    fn handle(&mut self, rank: Rank, message: FromRank) -> Result<Option<Box<Record>>> {
        let now = self.transport.now();
        if rank != Rank::COORDINATOR && self.liveness.hear(rank, now) {
            tracing::info!(%rank, "heard of again");
            self.schedule(Event::Heard(rank))?;
        }
        match message {
            FromRank::Ready(ready) => {
                let slots = ready.slots;
                self.schedule(Event::Joined { rank, slots })?;
            }
            FromRank::Trial(TrialEvent::Progress(heartbeats)) => {
                for heartbeat in &heartbeats {
                    let begun = self.begun.entry(heartbeat.trial.clone());
                    begun.or_insert(heartbeat.epochs_done);
                }
                self.heartbeats.insert(rank, heartbeats);
            }
            FromRank::Trial(TrialEvent::Ended(record)) => return self.handle_record(rank, record),
            FromRank::Trial(TrialEvent::AtRung(result)) => self.handle_rung(rank, result)?,
            FromRank::Trial(TrialEvent::Released { trial: id, .. }) => {
                self.schedule(Event::Released { rank, id })?;
            }
            FromRank::Signalled(urgency) => {
                tracing::info!(%rank, "asked to leave");
                self.elsewhere = self.elsewhere.max(Some(urgency));
            }
            FromRank::Failed(report) => {
                return Err(report.into_error(format_args!("rank {rank}")));
            }
        }
        Ok(None)
    }

    /// Handles the end of an attempt. Returns its record, if it is news.
    fn handle_record(&mut self, rank: Rank, record: Box<Record>) -> Result<Option<Box<Record>>> {
        if let Some(heartbeats) = self.heartbeats.get_mut(&rank) {
            heartbeats.retain(|heartbeat| heartbeat.trial != record.trial.id);
        }
        self.begun.remove(&record.trial.id);
        let is_news = self.ledger.add(&record);
        self.schedule(Event::Ended {
            rank,
            id: record.trial.id.clone(),
            failed: match &record.outcome {
                Outcome::Finished(_) => None,
                Outcome::Failed(failure) => Some(failure.class),
            },
        })?;
        self.judge(&record.trial.id)?;
        Ok(is_news.then_some(record))
    }

    fn running(&self) -> impl Iterator<Item = &Heartbeat> + Clone {
        self.heartbeats.values().flatten()
    }

    fn tally(&self, progress: &StageProgress) -> Tally {
        let epochs = self.running().map(|one| (one.epochs_done, one.epochs));
        let begun = epochs.filter(|(done, _)| *done > 0.0);
        Tally {
            planned: progress.planned,
            finished: progress.finished,
            failed: progress.failed.len(),
            running: self.running().count(),
            furthest: begun.max_by(|one, other| one.0.total_cmp(&other.0)),
            // Who goes on how far is not known before.
            eta_seconds: match self.rungs {
                Some(_) => None,
                None => progress.eta(self.running(), &self.begun, self.transport.now()),
            },
        }
    }

    fn write_live(&self, tally: &Tally) {
        let live = Live {
            launch: self.launch.name.clone(),
            written: efflux_run::seconds_since_1970(),
            running: self.running().cloned().collect(),
            eta_seconds: tally.eta_seconds,
        };
        if let Err(error) = live.write(&self.launch.run) {
            // Only `efflux status` misses it.
            tracing::warn!("{error}");
        }
    }
}

/// Has progress and listener know of a record that is news.
fn announce(
    record: &Record,
    progress: &mut StageProgress,
    tally: &mut Tally,
    listen: &mut dyn FnMut(Notice<'_>),
) -> Result<()> {
    progress.ended(record);
    tally.finished = progress.finished;
    tally.failed = progress.failed.len();
    listen(Notice::Ended(record, tally));
    match &record.outcome {
        // Every other trial would fail the same way.
        Outcome::Failed(failure) if failure.class == FailureClass::Configuration => {
            Err(Error::Usage(format!(
                "trial {}: {} (nothing more is trained; change the job and use another --run-dir)",
                record.trial.id, failure.message
            )))
        }
        _ => Ok(()),
    }
}
