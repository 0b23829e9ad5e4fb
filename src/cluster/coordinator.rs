//! The coordinator on rank 0: gathers the ranks, feeds the scheduler with what they report, carries out what it says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::message::{Assignment, Order, Preparation, Ready, Report};
use super::mpi::World;
use super::scheduler::{Action, Event, Scheduler};
use super::slots::Level;
use super::supervisor::Supervisor;
use crate::error::{Error, Result};
use crate::job::{Contract, DeviceChoice, Stage, Trial, TrialId};
use crate::run::record::{Outcome, Record};
use crate::run::{Beat, Chosen, Entry, Ledger, Live, Lock, RunDir};

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
    /// Seconds without a sign of life after which a trainer is killed.
    pub hang_seconds: u32,
    /// Set by a signal: leave soon.
    pub interrupted: Arc<AtomicBool>,
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
    /// A signal came first: the same command continues.
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
        slots: u32,
        ledger: Ledger,
        lock: Lock,
    ) -> Result<Self> {
        let mut this = Self {
            supervisor: Supervisor::new(slots),
            launch,
            world,
            scheduler: Scheduler::default(),
            ledger,
            lock,
            beats: BTreeMap::new(),
            begun: HashMap::new(),
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
            };
            this.order(rank, Order::Prepare(Box::new(preparation)))?;
            let slots = ready.slots;
            this.scheduler.on(Event::Joined { rank, slots });
        }
        Ok(this)
    }

    fn joined(&mut self) -> Result<BTreeMap<u32, Ready>> {
        let mut ranks = BTreeMap::from([(0, self.supervisor.ready())]);
        let Some(world) = &mut self.world else {
            return Ok(ranks);
        };
        let deadline = Instant::now() + GATHERING;
        while ranks.len() < world.size() as usize {
            match world.receive()? {
                Some((rank, Report::Ready(ready))) => {
                    ranks.insert(rank, ready);
                }
                Some((rank, _)) => {
                    let reason = format!("rank {rank} reported before it was ready");
                    return Err(Error::Mpi(reason));
                }
                None if Instant::now() > deadline => {
                    let missing: Vec<String> = (0..world.size())
                        .filter(|rank| !ranks.contains_key(rank))
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
        let mut progress = StageProgress::new(self, trials, &left);
        let actions = self.scheduler.on(Event::Added(left));
        self.carry_out(actions)?;
        let mut ticked = Instant::now();
        while !self.scheduler.is_idle() {
            for (rank, report) in self.reports()? {
                if let Some(record) = self.take_in(rank, report)? {
                    progress.ended(&record);
                    listen(Notice::Ended(&record, &self.tally(&progress)));
                }
            }
            self.lock.check()?;
            if self.launch.interrupted.load(Ordering::Relaxed) {
                return Ok(Ending::Interrupted);
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
        Ok(Ending::Done)
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
        } in actions
        {
            let keep =
                (trial.stage == Stage::Final).then(|| self.launch.run.attempt(&trial.id, attempt));
            let checkpoint = Some(self.launch.run.checkpoint(&trial.id));
            let assignment = Assignment {
                trial,
                attempt,
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

    /// Takes a report in; an attempt that ended comes back.
    fn take_in(&mut self, rank: u32, report: Report) -> Result<Option<Box<Record>>> {
        match report {
            Report::Ready(_) => Ok(None),
            Report::Progress(beats) => {
                for beat in &beats {
                    let begun = self.begun.entry(beat.trial.clone());
                    begun.or_insert(beat.epochs_done);
                }
                self.beats.insert(rank, beats);
                Ok(None)
            }
            Report::Ended(record) => {
                self.ledger.add((*record).clone());
                if let Some(beats) = self.beats.get_mut(&rank) {
                    beats.retain(|beat| beat.trial != record.trial.id);
                }
                let actions = self.scheduler.on(Event::Ended {
                    rank,
                    id: record.trial.id.clone(),
                    worth_another: record.worth_another(),
                });
                self.carry_out(actions)?;
                Ok(Some(record))
            }
            Report::Unable(reason) => Err(Error::Trainer(format!("rank {rank}: {reason}"))),
        }
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

/// Counts and pace of a stage, kept as trials end: with many trials they cannot be taken anew each time.
struct StageProgress {
    planned: usize,
    finished: usize,
    /// By their latest attempt.
    failed: HashSet<TrialId>,
    /// Not ended in this launch.
    left: HashSet<TrialId>,
    since: Instant,
    /// Of a trial.
    epochs: f64,
    /// In this launch, by trials that have ended.
    done: f64,
}

impl StageProgress {
    fn new(coordinator: &Coordinator<'_>, trials: &[Trial], left: &[(Trial, u32)]) -> Self {
        let left: HashSet<TrialId> = left.iter().map(|(trial, _)| trial.id.clone()).collect();
        let (mut finished, mut failed) = (0, HashSet::new());
        for record in coordinator.ledger.records_of(trials) {
            match record.outcome {
                // One whose simulation is gone is trained again, and counts when it has been.
                Outcome::Finished(_) if left.contains(&record.trial.id) => {}
                Outcome::Finished(_) => finished += 1,
                Outcome::Failed(_) => {
                    failed.insert(record.trial.id.clone());
                }
            }
        }
        Self {
            planned: trials.len(),
            finished,
            failed,
            left,
            since: Instant::now(),
            epochs: f64::from(coordinator.launch.contract.training.epochs),
            done: 0.0,
        }
    }

    fn ended(&mut self, record: &Record) {
        let id = &record.trial.id;
        match record.outcome {
            Outcome::Finished(_) => {
                self.failed.remove(id);
                self.finished += 1;
            }
            Outcome::Failed(_) => {
                self.failed.insert(id.clone());
            }
        }
        if self.left.remove(id) {
            self.done += self.epochs;
        }
    }

    fn eta(&self, running: &[Beat], begun: &HashMap<TrialId, f64>) -> Option<u64> {
        let underway: f64 = running.iter().map(|beat| beat.epochs_done).sum();
        let brought = running.iter().filter_map(|beat| begun.get(&beat.trial));
        let done = self.done + underway - brought.sum::<f64>();
        let seconds = self.since.elapsed().as_secs_f64();
        // A second's worth says nothing.
        if done <= 0.0 || seconds < 5.0 {
            return None;
        }
        let left = (self.left.len() as f64 * self.epochs - underway).max(0.0);
        Some(Duration::from_secs_f64(left * seconds / done).as_secs())
    }
}
