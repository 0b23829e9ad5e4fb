//! Ranks that are simulated, in virtual time: they train by waiting.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use efflux_base::error::Result;
use efflux_cluster::{Launch, Signals, Transport};
use efflux_job::{DeviceChoice, Job, Metric, Trial, TrialId, Variables};
use efflux_numerics::Level;
use efflux_protocol::{
    Assignment, ErrorReport, FromRank, Placement, Ready, ToRank, TrialEvent, Urgency,
};
use efflux_run::record::{Failure, FailureClass, Outcome, Place, Record, RungResult, Summary};
use efflux_run::{Attempt, Heartbeat, Rank, RunDir, Slot};
use tempfile::TempDir;

/// A sweep of so many trials, of one configuration.
pub(crate) struct Planned {
    /// Of the run directory.
    pub(crate) directory: TempDir,
    pub(crate) trials: Vec<Trial>,
    pub(crate) launch: Launch,
}

impl Planned {
    pub(crate) fn new(trials: u64) -> Self {
        let seeds: Vec<String> = (0..trials).map(|seed| seed.to_string()).collect();
        let text = format!("pack = \"a\"\n[seeds]\nsearch = [{}]\n", seeds.join(", "));
        let job = Job::parse(Path::new("x.toml"), text).unwrap();
        let variables = Variables::complete(&["t".into()], &[]);
        let contract = job.contract("d", variables, 1000).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let run = RunDir::new(directory.path());
        run.create().unwrap();
        Self {
            directory,
            trials: job.search_trials(&contract).unwrap().into_vec(),
            launch: Launch {
                name: "20261126T120000-1".into(),
                run,
                pack: "a".into(),
                contract,
                settings: job.settings,
                device: DeviceChoice::Cpu,
                level: None,
                checkpoint_seconds: 10,
                hang_seconds: 6,
                lanes: 1,
                keeps_forecasts: false,
                retries: 2,
                deadline: None,
                drain_seconds: 30,
                signals: Signals::default(),
            },
        }
    }
}

/// Something that happens to a rank.
#[derive(Clone, Debug)]
pub(crate) enum Incident {
    /// It is gone.
    Lost,
    /// Its process stands still for so long.
    Silent(Duration),
    /// It receives a signal.
    Signalled(Urgency),
    /// It cannot go on.
    Failed(ErrorReport),
}

#[derive(Clone, Debug)]
enum Happening {
    Incident(Incident),
    /// It sends its heartbeats.
    Heartbeat,
    /// It has trained a trial, if it still has it.
    Trained(TrialId),
    /// It goes on after having stood still.
    GoesOn,
}

#[derive(Debug, Default)]
struct SimulatedRank {
    is_prepared: bool,
    is_lost: bool,
    stands_still: bool,
    running: Vec<Assignment>,
    queue: VecDeque<Assignment>,
    /// What is sent to a process that stands still waits for it, and so does what it has to say.
    inbox: Vec<ToRank>,
    outbox: Vec<FromRank>,
    /// What would have happened meanwhile.
    missed: Vec<Happening>,
}

/// What becomes of an attempt.
pub(crate) struct Fate {
    /// How long it trains.
    pub(crate) takes: Duration,
    /// How it fails, if it does.
    pub(crate) fails: Option<FailureClass>,
}

/// What becomes of each attempt at each trial.
type Fates = dyn Fn(&TrialId, Attempt) -> Fate;

/// Simulated ranks with so many slots each.
pub(crate) struct SimulatedRanks {
    begin: Instant,
    /// Time since the beginning.
    clock: Rc<Cell<Duration>>,
    slots: u32,
    fate: Box<Fates>,
    ranks: BTreeMap<Rank, SimulatedRank>,
    lost: Vec<Rank>,
    /// Whose messages are to be received.
    speaking: BTreeSet<Rank>,
    /// By time, then in the order they were scheduled.
    agenda: BTreeMap<(Duration, u64), (Rank, Happening)>,
    noted: u64,
}

impl SimulatedRanks {
    /// Every trial is trained for the same time, on nodes of its own.
    pub(crate) fn new(count: u32, slots: u32, takes: Duration) -> Self {
        let fate = move |_: &TrialId, _| Fate { takes, fails: None };
        Self::on_nodes(count, slots, 1, fate)
    }

    /// So many ranks on each node.
    pub(crate) fn on_nodes(
        count: u32,
        slots: u32,
        ranks_of_node: u32,
        fate: impl Fn(&TrialId, Attempt) -> Fate + 'static,
    ) -> Self {
        let mut simulated = Self {
            begin: Instant::now(),
            clock: Rc::default(),
            slots,
            fate: Box::new(fate),
            ranks: (0..count)
                .map(|rank| (Rank(rank), SimulatedRank::default()))
                .collect(),
            lost: Vec::new(),
            speaking: BTreeSet::new(),
            agenda: BTreeMap::new(),
            noted: 0,
        };
        for rank in (0..count).map(Rank) {
            let (node, place) = (rank.0 / ranks_of_node, rank.0 % ranks_of_node);
            let cpus = (place * slots..(place + 1) * slots).map(|cpu| cpu as usize);
            let placements = cpus.map(|cpu| Placement {
                cpus: vec![cpu],
                gpu: None,
            });
            let ready = FromRank::Ready(Ready {
                slots,
                host: format!("node{node:05}"),
                machine: format!("node{node:05}"),
                level: Level::Avx2,
                placements: placements.collect(),
                gpus: Vec::new(),
            });
            simulated.say(rank, ready);
        }
        simulated
    }

    /// The virtual clock, to be read when the ranks have been handed over.
    pub(crate) fn clock(&self) -> Rc<Cell<Duration>> {
        Rc::clone(&self.clock)
    }

    /// When virtual time began.
    pub(crate) fn begin(&self) -> Instant {
        self.begin
    }

    /// Something happens this long after the beginning; at once if that is 0.
    pub(crate) fn schedule(&mut self, after: Duration, rank: Rank, incident: Incident) {
        if after.is_zero() {
            self.happen(rank, Happening::Incident(incident));
        } else {
            self.note(after, rank, Happening::Incident(incident));
        }
    }

    /// The record of a trial that a rank has trained.
    pub(crate) fn record(&self, rank: Rank, trial: &Trial) -> Record {
        record(rank, trial.clone(), Attempt::FIRST)
    }

    fn note(&mut self, at: Duration, rank: Rank, happening: Happening) {
        self.agenda.insert((at, self.noted), (rank, happening));
        self.noted += 1;
    }

    fn say(&mut self, rank: Rank, message: FromRank) {
        if let Some(state) = self.ranks.get_mut(&rank) {
            state.outbox.push(message);
            self.speaking.insert(rank);
        }
    }

    fn happen(&mut self, rank: Rank, happening: Happening) {
        let now = self.clock.get();
        let Some(state) = self.ranks.get_mut(&rank).filter(|state| !state.is_lost) else {
            return;
        };
        match happening {
            Happening::GoesOn => {
                state.stands_still = false;
                let (missed, inbox) = (
                    std::mem::take(&mut state.missed),
                    std::mem::take(&mut state.inbox),
                );
                self.speaking.insert(rank);
                for happening in missed {
                    self.happen(rank, happening);
                }
                for message in inbox {
                    self.take(rank, message);
                }
            }
            happening if state.stands_still => state.missed.push(happening),
            Happening::Incident(Incident::Lost) => {
                state.is_lost = true;
                state.outbox.clear();
                self.lost.push(rank);
            }
            Happening::Incident(Incident::Silent(duration)) => {
                state.stands_still = true;
                self.speaking.remove(&rank);
                self.note(now + duration, rank, Happening::GoesOn);
            }
            Happening::Incident(Incident::Signalled(urgency)) => {
                self.say(rank, FromRank::Signalled(urgency));
            }
            Happening::Incident(Incident::Failed(report)) => {
                self.say(rank, FromRank::Failed(report));
            }
            Happening::Heartbeat => {
                let heartbeats = state.running.iter().map(|assignment| Heartbeat {
                    trial: assignment.trial.id.clone(),
                    epochs_done: 1.0,
                    epochs: 200,
                    loss: None,
                });
                let progress = TrialEvent::Progress(heartbeats.collect());
                self.say(rank, FromRank::Trial(progress));
                self.note(now + Duration::from_secs(1), rank, Happening::Heartbeat);
            }
            Happening::Trained(id) => {
                let is_it = |running: &Assignment| running.trial.id == id;
                if let Some(at) = state.running.iter().position(is_it) {
                    let assignment = state.running.remove(at);
                    let Assignment { trial, attempt, .. } = assignment;
                    let event = match ((self.fate)(&id, attempt).fails, assignment.until) {
                        (Some(class), _) => {
                            TrialEvent::Ended(Box::new(failed(rank, trial, attempt, class)))
                        }
                        (None, Some(epoch)) => TrialEvent::AtRung(at_rung(&trial, attempt, epoch)),
                        (None, None) => TrialEvent::Ended(Box::new(record(rank, trial, attempt))),
                    };
                    self.say(rank, FromRank::Trial(event));
                    self.fill(rank);
                }
            }
        }
    }

    /// What a rank does about a message.
    fn take(&mut self, rank: Rank, message: ToRank) {
        let now = self.clock.get();
        let Some(state) = self.ranks.get_mut(&rank).filter(|state| !state.is_lost) else {
            return;
        };
        if state.stands_still {
            state.inbox.push(message);
            return;
        }
        match message {
            ToRank::Prepare(_) => {
                assert!(!state.is_prepared, "{rank} is prepared twice");
                state.is_prepared = true;
                self.note(now + Duration::from_secs(1), rank, Happening::Heartbeat);
            }
            ToRank::Train(assignment) => {
                assert!(state.is_prepared, "{rank} is not prepared");
                state.queue.push_back(assignment);
                self.fill(rank);
            }
            ToRank::BeginNoMore => {
                let waiting = std::mem::take(&mut state.queue);
                self.hand_back(rank, waiting.into());
            }
            ToRank::Drain => {
                let waiting = std::mem::take(&mut state.queue).into();
                let running = std::mem::take(&mut state.running);
                self.hand_back(rank, waiting);
                self.hand_back(rank, running);
            }
            // The supervisor's journal is not simulated.
            ToRank::Note(_) => {}
            ToRank::Stop => state.is_lost = true,
        }
    }

    fn hand_back(&mut self, rank: Rank, assignments: Vec<Assignment>) {
        for assignment in assignments {
            self.say(rank, FromRank::Trial(assignment.released()));
        }
    }

    fn fill(&mut self, rank: Rank) {
        while let Some(state) = self.ranks.get_mut(&rank)
            && state.running.len() < self.slots as usize
            && let Some(next) = state.queue.pop_front()
        {
            let at = self.clock.get() + (self.fate)(&next.trial.id, next.attempt).takes;
            let trained = Happening::Trained(next.trial.id.clone());
            state.running.push(next);
            self.note(at, rank, trained);
        }
    }
}

impl Transport for SimulatedRanks {
    fn size(&self) -> u32 {
        u32::try_from(self.ranks.len()).unwrap()
    }

    fn send(&mut self, to: Rank, message: ToRank) -> Result<()> {
        self.take(to, message);
        Ok(())
    }

    /// What was said; if nothing was, time goes on to the next moment at which something happens.
    fn receive(&mut self) -> Result<Vec<(Rank, FromRank)>> {
        if self.speaking.is_empty() && self.lost.is_empty() {
            let next = self.agenda.keys().next().map(|(at, _)| *at);
            let rest = self.clock.get() + Duration::from_secs(1);
            let now = next.map_or(rest, |next| next.min(rest));
            self.clock.set(now);
            while let Some(next) = self.agenda.first_entry()
                && next.key().0 <= now
            {
                let (rank, happening) = next.remove();
                self.happen(rank, happening);
            }
        }
        let mut messages = Vec::new();
        for rank in std::mem::take(&mut self.speaking) {
            if let Some(state) = self.ranks.get_mut(&rank) {
                messages.extend(state.outbox.drain(..).map(|message| (rank, message)));
            }
        }
        Ok(messages)
    }

    fn lost(&mut self) -> Vec<Rank> {
        std::mem::take(&mut self.lost)
    }

    fn now(&self) -> Instant {
        self.begin + self.clock.get()
    }
}

/// The result of a rung: a score that follows from trial and rung.
pub(crate) fn at_rung(trial: &Trial, attempt: Attempt, epoch: u32) -> RungResult {
    let name = format!("{}{epoch}", trial.id);
    let sum = name.bytes().fold(7_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    let mut result = RungResult {
        trial: trial.id.clone(),
        attempt,
        epoch,
        validation: Default::default(),
        sites: Vec::new(),
    };
    let score = f64::from(sum % 1000) / 1000.0;
    let measure = Metric::default().measure();
    result.validation.set(measure, Some(score));
    result
}

fn record(rank: Rank, trial: Trial, attempt: Attempt) -> Record {
    Record {
        trial,
        attempt,
        place: Place {
            launch: "simulated".into(),
            rank,
            slot: Slot(0),
            host: "node".into(),
            device: "none".into(),
        },
        started: "2026-11-26T12:00:00Z".into(),
        seconds: 10.0,
        outcome: Outcome::Finished(summary()),
    }
}

fn failed(rank: Rank, trial: Trial, attempt: Attempt, class: FailureClass) -> Record {
    Record {
        outcome: Outcome::Failed(Failure {
            class,
            message: "as it was to be".into(),
        }),
        ..record(rank, trial, attempt)
    }
}

fn summary() -> Summary {
    Summary {
        updates: 1,
        epoch: 1,
        loss: 0.1,
        window_share: 1.0,
        train: Default::default(),
        validation: Default::default(),
        test: Default::default(),
    }
}
