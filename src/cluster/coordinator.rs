//! The coordinator on rank 0: gathers the ranks, feeds the scheduler with what they report, carries out what it says.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::leaving::{Leaving, Step};
use super::message::{Assignment, Order, Preparation, Ready, Report};
use super::mpi::World;
use super::progress::StageProgress;
use super::roll::Roll;
use super::scheduler::{Action, Event, Scheduler};
use super::seats::Seat;
use super::signals::{Haste, Signals};
use super::slots::Level;
use super::supervisor::Supervisor;
use crate::error::{Error, Result};
use crate::job::{Contract, DeviceChoice, Stage, Trial, TrialId};
use crate::run::record::{FailureClass, Outcome, Record};
use crate::run::{Beat, Chosen, Entry, Ledger, Live, Lock, RunDir, read_journal};

/// How long ranks may take to join.
const GATHERING: Duration = Duration::from_secs(120);
/// Without MPI there is nothing to look for between the reports of trainers, but signals and the lock.
const REST: Duration = Duration::from_millis(100);
/// How often `live.json` is written and listeners hear of progress.
const TICK: Duration = Duration::from_secs(2);

/// What a launch needs to know besides its trials.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Names this start of the sweep.
    pub name: String,
    /// The run directory.
    pub run: RunDir,
    /// The pack.
    pub pack: PathBuf,
    /// What determines results besides parameters and seed.
    pub contract: Contract,
    /// The device to train on.
    pub device: DeviceChoice,
    /// The instruction-set level that trainers keep to, unless it is the lowest of all hosts.
    pub level: Option<Level>,
    /// Seconds between two checkpoints of a running trial.
    pub checkpoint_seconds: u32,
    /// Seconds without a sign of life after which a trainer is killed, and a rank's trials are given to others.
    pub hang_seconds: u32,
    /// Further attempts at a trial whose trainer crashed or hung.
    pub retries: u32,
    /// The end of the allocation, if it has one.
    pub until: Option<Instant>,
    /// Seconds that trainers have for a last checkpoint.
    pub drain_seconds: u32,
    /// What asks the sweep to leave.
    pub signals: Signals,
}

/// How far the present stage is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Trials of the stage, those of earlier launches included.
    pub planned: usize,
    /// Of these, trained to the end.
    pub finished: usize,
    /// Of these, not trained to the end by their latest attempt.
    pub failed: usize,
    /// How far the running ones are.
    pub running: Vec<Beat>,
    /// Seconds to the end of the stage, once that can be told.
    pub eta_seconds: Option<u64>,
}

/// What a listener hears.
#[derive(Debug)]
pub enum Notice<'a> {
    /// An attempt has ended and is in a journal.
    Ended(&'a Record, &'a Tally),
    /// Time has passed.
    Tick(&'a Tally),
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing is left to train.
    Done,
    /// A signal or the end of the allocation came first: the same command continues.
    Interrupted,
}

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

impl<'a> Coordinator<'a> {
    /// Waits until all ranks are ready, and prepares them for the launch.
    ///
    /// # Errors
    ///
    /// [`Error::Mpi`] if a rank does not come, and whatever hinders this rank's own trainers.
    pub fn gather(
        launch: Launch,
        world: Option<&'a mut World>,
        seats: Vec<Seat>,
        ledger: Ledger,
        lock: Lock,
    ) -> Result<Self> {
        let seconds = |number: u32| Duration::from_secs(number.into());
        let mut this = Self {
            supervisor: Supervisor::new(seats),
            scheduler: Scheduler::new(launch.retries),
            leaving: Leaving::new(
                launch.until,
                seconds(launch.drain_seconds),
                seconds(launch.checkpoint_seconds),
            ),
            roll: Roll::new(seconds(launch.hang_seconds)),
            launch,
            world,
            ledger,
            lock,
            beats: BTreeMap::new(),
            begun: HashMap::new(),
            step: Step::Stay,
            elsewhere: None,
        };
        let ranks = this.joined()?;
        let hosts = ranks.values().map(|ready| (&*ready.host, ready.level));
        let level = Level::common(this.launch.level, hosts)?;
        for (&rank, ready) in &ranks {
            tracing::info!(rank, host = %ready.host, slots = ready.slots, "joined");
            let preparation = Preparation {
                launch: this.launch.name.clone(),
                run: this.launch.run.root().to_owned(),
                pack: this.launch.pack.clone(),
                contract: this.launch.contract.clone(),
                device: this.launch.device,
                level,
                checkpoint_seconds: this.launch.checkpoint_seconds,
                hang_seconds: this.launch.hang_seconds,
                rank,
                slot: 0,
                seat: Seat::default(),
            };
            this.order(rank, Order::Prepare(Box::new(preparation)))?;
            let slots = ready.slots;
            this.scheduler.on(Event::Joined { rank, slots });
            if rank != 0 {
                this.roll.hear(rank, Instant::now());
            }
        }
        Ok(this)
    }

    fn joined(&mut self) -> Result<BTreeMap<u32, Ready>> {
        let mut ranks = BTreeMap::from([(0, self.supervisor.ready())]);
        let Some(world) = &mut self.world else {
            return Ok(ranks);
        };
        let deadline = Instant::now() + GATHERING;
        let mut lost = BTreeSet::new();
        while ranks.len() + lost.len() < world.size() as usize {
            let arrived = world.receive()?;
            for rank in world.lost() {
                tracing::error!(rank, "lost before it had joined: going on without it");
                ranks.remove(&rank);
                lost.insert(rank);
            }
            match arrived {
                Some((rank, Report::Ready(ready))) => {
                    ranks.insert(rank, ready);
                }
                Some((_, Report::Signalled(haste))) => {
                    self.elsewhere = self.elsewhere.max(Some(haste));
                }
                Some((rank, _)) => {
                    let reason = format!("rank {rank} reported before it was ready");
                    return Err(Error::Mpi(reason));
                }
                None if Instant::now() > deadline => {
                    let missing: Vec<String> = (0..world.size())
                        .filter(|rank| !ranks.contains_key(rank) && !lost.contains(rank))
                        .map(|rank| rank.to_string())
                        .collect();
                    let missing = missing.join(", ");
                    let reason = format!("ranks {missing} did not join within {GATHERING:?}");
                    return Err(Error::Mpi(reason));
                }
                None => std::thread::sleep(World::BREATH),
            }
        }
        Ok(ranks)
    }

    /// What is known of all trials.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Makes a selection durable.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the journal cannot be written.
    pub fn select(&mut self, chosen: &Chosen) -> Result<()> {
        self.supervisor
            .journal(&Entry::Selection(Box::new(chosen.clone())))?;
        self.ledger.choose(chosen.clone());
        Ok(())
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

    /// Looks who is gone and who has been silent for too long. What a rank that is gone had no time to tell comes back.
    fn call_the_roll(&mut self) -> Result<Vec<(u32, Report)>> {
        let mut untold = Vec::new();
        let lost = self.world.as_mut().map(|world| world.lost());
        for rank in lost.unwrap_or_default() {
            tracing::error!(rank, "lost: its trials are given to others");
            self.roll.strike(rank);
            self.beats.remove(&rank);
            untold.extend(self.untold(rank).into_iter().map(|report| (rank, report)));
        }
        for rank in self.roll.silent(Instant::now()) {
            let limit = self.launch.hang_seconds;
            tracing::warn!(
                rank,
                "not heard of for {limit} s: its trials are given to others"
            );
            self.beats.remove(&rank);
            let actions = self.scheduler.on(Event::Silent(rank));
            self.carry_out(actions)?;
        }
        Ok(untold)
    }

    /// Finished trials in the journal of a lost rank that nobody has heard of, and then its loss.
    fn untold(&self, rank: u32) -> Vec<Report> {
        let journals = self.launch.run.journals();
        let entries = read_journal(&journals, &self.launch.name, rank).unwrap_or_else(|error| {
            // Nothing is lost: the next start reads it again.
            tracing::warn!("{error}");
            Vec::new()
        });
        let finished = entries.into_iter().filter_map(|entry| match entry {
            Entry::Trial(record) if matches!(record.outcome, Outcome::Finished(_)) => Some(record),
            _ => None,
        });
        finished
            .filter(|record| self.ledger.summary(&record.trial.id).is_none())
            .map(Report::Ended)
            .chain([Report::Lost])
            .collect()
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
            alone,
        } in actions
        {
            tracing::debug!(rank, trial = %trial.id, attempt, "is given out");
            let keep =
                (trial.stage == Stage::Final).then(|| self.launch.run.attempt(&trial.id, attempt));
            let checkpoint = Some(self.launch.run.checkpoint(&trial.id));
            let assignment = Assignment {
                trial,
                attempt,
                alone,
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
            written: crate::run::seconds_since_1970(),
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
