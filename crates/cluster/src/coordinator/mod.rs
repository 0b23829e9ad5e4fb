//! The coordinator on rank 0: gathers the ranks, feeds the scheduler with what they report, carries out what it says.

mod absence;
mod gathering;
mod launch;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_job::{Stage, Trial, TrialId};
use efflux_protocol::{Assignment, Haste, Order, Report};
use efflux_run::record::{FailureClass, Outcome, Record};
use efflux_run::{Beat, Ledger, Live, Lock};

use super::leaving::{Leaving, Step};
use super::mpi::World;
use super::progress::StageProgress;
use super::roll::Roll;
use super::scheduler::{Action, Event, Scheduler};
use super::supervisor::Supervisor;

pub use launch::{Ending, Launch, Notice, Tally};

/// Without MPI there is nothing to look for between the reports of trainers, but signals and the lock.
const REST: Duration = Duration::from_millis(100);
/// How often `live.json` is written and listeners hear of progress.
const TICK: Duration = Duration::from_secs(2);

/// The ranks of a launch at work.
pub struct Coordinator<'a> {
    launch: Launch,
    world: Option<&'a mut World>,
    supervisor: Supervisor,
    scheduler: Scheduler,
    ledger: Ledger,
    lock: Lock,
    beats: BTreeMap<u32, Vec<Beat>>,
    /// How far running trials were when first heard of: what a checkpoint brought along is no pace.
    begun: HashMap<TrialId, f64>,
    roll: Roll,
    leaving: Leaving,
    /// What has been done about leaving.
    step: Step,
    /// The most urgent signal that another rank had.
    elsewhere: Option<Haste>,
}

impl Coordinator<'_> {
    /// What is known of all trials.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Trains those of a stage's trials that have not finished yet.
    ///
    /// # Errors
    ///
    /// What makes it impossible to go on. A trial that fails is a record, not an error.
    pub fn train(
        &mut self,
        trials: &[Trial],
        listen: &mut dyn FnMut(Notice<'_>),
    ) -> Result<Ending> {
        let left: Vec<(Trial, u32)> = trials
            .iter()
            .filter(|trial| !self.is_settled(trial))
            .map(|trial| (trial.clone(), self.ledger.attempts(&trial.id)))
            .collect();
        let epochs = self.launch.contract.training.epochs;
        let mut progress = StageProgress::new(&self.ledger, epochs, trials, &left);
        // What a signal said meanwhile comes before what there is to do.
        self.leave()?;
        let actions = self.scheduler.on(Event::Added(left));
        self.carry_out(actions)?;
        let mut ticked = Instant::now();
        while !self.scheduler.is_idle() {
            let mut arrived = self.reports()?;
            arrived.extend(self.call_the_roll()?);
            for (rank, report) in arrived {
                if let Some(record) = self.take_in(rank, report)? {
                    progress.ended(&record);
                    listen(Notice::Ended(&record, &self.tally(&progress)));
                    self.refuse_configuration(&record)?;
                }
            }
            self.lock.check()?;
            if self.leave()? == Step::Go {
                break;
            }
            if ticked.elapsed() >= TICK {
                ticked = Instant::now();
                let tally = self.tally(&progress);
                if let Err(error) = self.say_so(&tally) {
                    // Only `efflux status` misses it.
                    tracing::warn!("{error}");
                }
                listen(Notice::Tick(&tally));
            }
        }
        if self.scheduler.is_idle() && !self.scheduler.is_waiting() {
            Ok(Ending::Done)
        } else {
            Ok(Ending::Interrupted)
        }
    }

    /// Sends everybody home, whatever happened, and hands back the lock: the evaluation writes too.
    pub fn dismiss(mut self) -> Lock {
        // The others stop while this rank does.
        if let Some(world) = &mut self.world {
            dismiss_ranks(world);
        }
        self.supervisor.stop();
        // A reader must not take a sweep that has ended for a running one; without the file nobody does.
        let _ = std::fs::remove_file(self.launch.run.live_file());
        self.lock
    }

    /// Does what is to be done about leaving at this moment, once.
    fn leave(&mut self) -> Result<Step> {
        let asked = self.launch.signals.asked().max(self.elsewhere);
        let step = self.leaving.step(asked, Instant::now());
        if step <= self.step {
            return Ok(self.step);
        }
        self.step = step;
        self.scheduler.on(Event::Closed);
        let order = match step {
            Step::Close => {
                tracing::info!("the end is near: no further trial is begun");
                Order::Close
            }
            _ => {
                tracing::info!("leaving: running trials write a checkpoint and stop");
                Order::Drain
            }
        };
        self.supervisor.order(order.clone())?;
        if let Some(world) = &mut self.world {
            (1..world.size()).try_for_each(|rank| world.send(rank, &order))?;
        }
        Ok(step)
    }

    /// Every other trial would fail the same way.
    fn refuse_configuration(&self, record: &Record) -> Result<()> {
        match &record.outcome {
            Outcome::Failed(failure) if failure.class == FailureClass::Configuration => {
                Err(Error::Usage(format!(
                    "trial {}: {} (nothing more is trained; change the job and use another --run-dir)",
                    record.trial.id, failure.message
                )))
            }
            _ => Ok(()),
        }
    }

    /// Finished with all it has to keep, or failed in a way that another attempt would only repeat.
    fn is_settled(&self, trial: &Trial) -> bool {
        let ended = self.ledger.record(&trial.id);
        ended.is_some_and(|record| match record.outcome {
            Outcome::Finished(_) => {
                trial.stage == Stage::Search || self.launch.run.simulation(&trial.id).is_some()
            }
            Outcome::Failed(_) => !record.worth_another(),
        })
    }

    fn order(&mut self, rank: u32, order: Order) -> Result<()> {
        match &mut self.world {
            Some(world) if rank != 0 => world.send(rank, &order),
            _ => self.supervisor.order(order),
        }
    }

    fn carry_out(&mut self, actions: Vec<Action>) -> Result<()> {
        for Action::Assign {
            rank,
            trial,
            attempt,
            company,
        } in actions
        {
            tracing::debug!(rank, trial = %trial.id, attempt, "is given out");
            let keep =
                (trial.stage == Stage::Final).then(|| self.launch.run.attempt(&trial.id, attempt));
            let checkpoint = Some(self.launch.run.checkpoint(&trial.id));
            let assignment = Assignment {
                trial,
                attempt,
                company,
                keep,
                checkpoint,
            };
            self.order(rank, Order::Run(assignment))?;
        }
        Ok(())
    }

    /// What has come in from all ranks, after waiting a little if nothing has.
    fn reports(&mut self) -> Result<Vec<(u32, Report)>> {
        let mut reports = Vec::new();
        let mut rest = REST;
        if let Some(world) = &mut self.world {
            while let Some(report) = world.receive()? {
                reports.push(report);
            }
            rest = World::BREATH;
        }
        if !reports.is_empty() {
            rest = Duration::ZERO;
        }
        let own = self.supervisor.poll(rest)?;
        reports.extend(own.into_iter().map(|report| (0, report)));
        Ok(reports)
    }

    /// Takes a report in; an attempt that ended comes back, if it is news.
    fn take_in(&mut self, rank: u32, report: Report) -> Result<Option<Box<Record>>> {
        if rank != 0 && report != Report::Lost && self.roll.hear(rank, Instant::now()) {
            tracing::info!(rank, "heard of again");
            let actions = self.scheduler.on(Event::Heard(rank));
            self.carry_out(actions)?;
        }
        let (event, record) = match report {
            Report::Progress(beats) => {
                for beat in &beats {
                    let begun = self.begun.entry(beat.trial.clone());
                    begun.or_insert(beat.epochs_done);
                }
                self.beats.insert(rank, beats);
                return Ok(None);
            }
            Report::Signalled(haste) => {
                tracing::info!(rank, "asked to leave");
                self.elsewhere = self.elsewhere.max(Some(haste));
                return Ok(None);
            }
            // Supervisors keep these to themselves.
            Report::Seated(_) | Report::Simulated(_) => return Ok(None),
            Report::Unable(reason) => {
                return Err(Error::Trainer(format!("rank {rank}: {reason}")));
            }
            Report::Ready(ready) => {
                let slots = ready.slots;
                (Event::Joined { rank, slots }, None)
            }
            Report::Released { trial: id, .. } => (Event::Released { rank, id }, None),
            Report::Lost => (Event::Lost(rank), None),
            Report::Ended(record) => {
                if let Some(beats) = self.beats.get_mut(&rank) {
                    beats.retain(|beat| beat.trial != record.trial.id);
                }
                let is_news = self.ledger.add((*record).clone());
                let event = Event::Ended {
                    rank,
                    id: record.trial.id.clone(),
                    failed: match &record.outcome {
                        Outcome::Finished(_) => None,
                        Outcome::Failed(failure) => Some(failure.class),
                    },
                };
                (event, is_news.then_some(record))
            }
        };
        let actions = self.scheduler.on(event);
        self.carry_out(actions)?;
        Ok(record)
    }

    fn tally(&self, progress: &StageProgress) -> Tally {
        let running: Vec<Beat> = self.beats.values().flatten().cloned().collect();
        Tally {
            planned: progress.planned,
            finished: progress.finished,
            failed: progress.failed.len(),
            eta_seconds: progress.eta(&running, &self.begun),
            running,
        }
    }

    fn say_so(&self, tally: &Tally) -> Result<()> {
        let live = Live {
            launch: self.launch.name.clone(),
            written: efflux_run::seconds_since_1970(),
            running: tally.running.clone(),
            eta_seconds: tally.eta_seconds,
        };
        live.write(&self.launch.run)
    }
}

/// Tells the other ranks to stop.
pub fn dismiss_ranks(world: &mut World) {
    for rank in 1..world.size() {
        if let Err(error) = world.send(rank, &Order::Stop) {
            tracing::warn!(rank, "{error}");
        }
    }
}
