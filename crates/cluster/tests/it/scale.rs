//! Many slots and many trials: each has one result whatever happens to its rank, and the coordinator keeps up.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use std::time::{Duration, Instant};

use efflux_base::error::Result;
use efflux_cluster::{Coordinator, Ending, Launch, Notice, Transport};
use efflux_job::{Trial, TrialId};
use efflux_protocol::{FromRank, ToRank, Urgency};
use efflux_run::record::{FailureClass, Outcome};
use efflux_run::{Attempt, Ledger, Lock, Rank};
use rustix::time::{ClockId, clock_gettime};

use crate::simulated::{Fate, Incident, Planned, SimulatedRanks};

/// A sweep of trials of half to three halves of their mean time, some of which fail, on nodes of which one in ten is lost and one in ten stands still
/// for a while, with all its ranks.
pub(crate) struct Scale {
    pub(crate) trials: u64,
    pub(crate) mean_seconds: u64,
    pub(crate) ranks: u32,
    pub(crate) slots_of_rank: u32,
    pub(crate) ranks_of_node: u32,
}

/// What the ranks have seen of the coordinator.
#[derive(Default)]
struct Seen {
    dispatches: u64,
    gone: BTreeSet<Rank>,
    is_closed: bool,
    /// Processor time of this thread that is not the coordinator's.
    simulating: Duration,
}

/// Simulated ranks, and an eye on what is sent to them.
struct Watched {
    ranks: SimulatedRanks,
    seen: Rc<RefCell<Seen>>,
}

impl Watched {
    fn simulate<T>(&mut self, simulate: impl FnOnce(&mut SimulatedRanks) -> T) -> T {
        let before = processor_time();
        let result = simulate(&mut self.ranks);
        self.seen.borrow_mut().simulating += processor_time() - before;
        result
    }
}

impl Transport for Watched {
    fn size(&self) -> u32 {
        self.ranks.size()
    }

    fn send(&mut self, to: Rank, message: ToRank) -> Result<()> {
        {
            let mut seen = self.seen.borrow_mut();
            match message {
                ToRank::Train(_) => {
                    assert!(!seen.gone.contains(&to), "a trial for {to}, which is lost");
                    assert!(!seen.is_closed, "a trial for {to}, which drains");
                    seen.dispatches += 1;
                }
                ToRank::BeginNoMore | ToRank::Drain => seen.is_closed = true,
                _ => {}
            }
        }
        self.simulate(|ranks| ranks.send(to, message))
    }

    fn receive(&mut self) -> Result<Vec<(Rank, FromRank)>> {
        self.simulate(SimulatedRanks::receive)
    }

    fn lost(&mut self) -> Vec<Rank> {
        let lost = self.ranks.lost();
        self.seen.borrow_mut().gone.extend(&lost);
        lost
    }

    fn now(&self) -> Instant {
        self.ranks.now()
    }
}

/// Of this thread.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

fn fate(id: &TrialId, attempt: Attempt, mean_seconds: u64) -> Fate {
    let mut hash = DefaultHasher::new();
    (id, attempt).hash(&mut hash);
    let drawn = hash.finish();
    Fate {
        takes: Duration::from_millis(mean_seconds * (500 + drawn % 1_000)),
        fails: match drawn / 1_000 % 1_000 {
            0..20 => Some(FailureClass::Crashed),
            20..30 => Some(FailureClass::Shared),
            30 => Some(FailureClass::Diverged),
            _ => None,
        },
    }
}

impl Scale {
    /// The virtual seconds that it takes, by the mean trial.
    fn seconds(&self) -> u64 {
        self.trials * self.mean_seconds / u64::from(self.ranks * self.slots_of_rank)
    }

    /// Ranks to which something will happen while half of the trials are trained.
    fn ranks(&self) -> SimulatedRanks {
        let mean = self.mean_seconds;
        let fate = move |id: &TrialId, attempt| fate(id, attempt, mean);
        let mut ranks =
            SimulatedRanks::on_nodes(self.ranks, self.slots_of_rank, self.ranks_of_node, fate);
        let nodes = self.ranks / self.ranks_of_node;
        for (number, node) in (1..nodes).step_by(5).enumerate() {
            let second = 1 + self.seconds() * u64::from(node) / u64::from(nodes) / 2;
            let incident = match number % 2 {
                0 => Incident::Lost,
                _ => Incident::Silent(Duration::from_secs(20)),
            };
            let first = node * self.ranks_of_node;
            for rank in first..first + self.ranks_of_node {
                ranks.schedule(Duration::from_secs(second), Rank(rank), incident.clone());
            }
        }
        ranks
    }

    /// Trains a part of the trials, drains when half of the time is over, and trains the rest on new ranks. Says what it took.
    pub(crate) fn run(&self) -> String {
        let Planned {
            trials,
            launch,
            directory: _directory,
        } = Planned::new(self.trials);
        let mut said = String::new();
        let mut ledger = Ledger::default();
        let mut finished = HashSet::new();
        for number in 1..=2 {
            let mut ranks = self.ranks();
            if number == 1 {
                let half = Duration::from_secs(self.seconds() / 2);
                ranks.schedule(half, Rank(3), Incident::Signalled(Urgency::Graceful));
            }
            let seen = Rc::new(RefCell::new(Seen::default()));
            let clock = ranks.clock();
            let watched = Watched {
                ranks,
                seen: Rc::clone(&seen),
            };
            let launch = Launch {
                name: format!("20261126T120000-{number}"),
                ..launch.clone()
            };
            let lock = Lock::acquire(&launch.run, &launch.name).unwrap();
            let (began, mut listening) = (processor_time(), Duration::ZERO);
            let mut coordinator =
                Coordinator::join(launch, Box::new(watched), ledger, lock).unwrap();
            let joined = processor_time() - began - seen.borrow().simulating;
            let ending = coordinator.train(&trials, None, &mut |notice| {
                let before = processor_time();
                if let Notice::Ended(record, _) = notice
                    && matches!(record.outcome, Outcome::Finished(_))
                {
                    let is_first = finished.insert(record.trial.id.clone());
                    assert!(is_first, "{} has two results", record.trial.id);
                }
                listening += processor_time() - before;
            });
            let expected = [Ending::Interrupted, Ending::Done][number - 1];
            assert_eq!(ending.unwrap(), expected);
            (ledger, _) = coordinator.dismiss();
            let seen = seen.borrow();
            let took = processor_time() - began - seen.simulating - listening;
            said += &format!(
                "launch {number}: {} ranks x {} slots, {} dispatches in {:.2} s of the coordinator ({:.2} s of them until all \
                 had joined), {:.0} a second; {} trials finished after {} s of virtual time; peak of memory {}\n",
                self.ranks,
                self.slots_of_rank,
                seen.dispatches,
                took.as_secs_f64(),
                joined.as_secs_f64(),
                seen.dispatches as f64 / took.as_secs_f64(),
                finished.len(),
                clock.get().as_secs(),
                peak_of_memory(),
            );
        }
        let is_known = |trial: &&Trial| ledger.brief(&trial.id).is_some();
        assert_eq!(
            trials.iter().filter(is_known).count(),
            trials.len(),
            "none is lost"
        );
        let counted = ledger
            .ended(&trials)
            .filter(|(_, brief)| brief.is_finished());
        assert_eq!(counted.count(), finished.len());
        assert!(finished.len() as f64 > 0.99 * trials.len() as f64);
        said
    }
}

/// Of this process, the simulated ranks included.
fn peak_of_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.unwrap_or("unknown").trim().to_owned()
}
