//! The coordinator without processes: simulated ranks, whose clock is a number.

mod scale;
mod simulated;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Exit};
use efflux_job::{DeviceChoice, Job, Variables};
use efflux_protocol::ErrorReport;
use efflux_run::stopping::stopped;
use efflux_run::{Attempt, Entry, Journal, RunDir};

use super::*;
use crate::signals::Signals;
use simulated::{Incident, SimulatedRanks};

const SECOND: Duration = Duration::from_secs(1);
const LAUNCH: &str = "20261126T120000-1";

/// A sweep over simulated ranks.
struct Sweep {
    directory: tempfile::TempDir,
    trials: Vec<Trial>,
    launch: Launch,
    ranks: SimulatedRanks,
    /// With a stopping rule.
    job: Option<Job>,
}

/// What came of it.
struct Ended {
    directory: tempfile::TempDir,
    ending: Result<Ending>,
    ledger: Ledger,
    /// Records that were announced, in order.
    announced: Vec<Record>,
    /// Virtual time.
    took: Duration,
}

impl Sweep {
    /// Trials of ten seconds.
    fn new(trials: u64, ranks: u32, slots: u32) -> Self {
        let seeds: Vec<String> = (0..trials).map(|seed| seed.to_string()).collect();
        let text = format!("pack = \"a\"\n[seeds]\nsearch = [{}]\n", seeds.join(", "));
        let job = Job::parse(Path::new("x.toml"), text).unwrap();
        let contract = job
            .contract("d", Variables::complete(&["t".into()], &[]), 1000)
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let run = RunDir::new(directory.path());
        run.create().unwrap();
        Self {
            trials: job.search_trials(&contract).unwrap(),
            launch: Launch {
                name: LAUNCH.into(),
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
            ranks: SimulatedRanks::new(ranks, slots, 10 * SECOND),
            job: None,
            directory,
        }
    }

    /// Forty configurations with two seeds each, halved by three after 1, 3, 9, 27 and 81 epochs.
    fn halving(ranks: u32, slots: u32) -> Self {
        Self::stopping("policy = \"halving\"", ranks, slots)
    }

    /// The same configurations under another rule.
    fn stopping(rule: &str, ranks: u32, slots: u32) -> Self {
        let dropout: Vec<String> = (0..40)
            .map(|n| format!("{:.2}", f64::from(n) / 50.0))
            .collect();
        let text = format!(
            "pack = \"a\"\n[grid]\ndropout = [{}]\n[seeds]\nsearch = [0, 1]\n[stop]\n{rule}\n",
            dropout.join(", ")
        );
        let job = Job::parse(Path::new("x.toml"), text).unwrap();
        let mut sweep = Self::new(1, ranks, slots);
        sweep.trials = job.search_trials(&sweep.launch.contract).unwrap();
        sweep.job = Some(job);
        sweep
    }

    /// Something happens to a rank so many seconds after the beginning.
    fn with(mut self, second: u32, rank: u32, incident: Incident) -> Self {
        self.ranks.schedule(second * SECOND, Rank(rank), incident);
        self
    }

    fn run(self) -> Ended {
        let Self {
            directory,
            trials,
            launch,
            ranks,
            job,
        } = self;
        let clock = ranks.clock();
        let lock = Lock::acquire(&launch.run, LAUNCH).unwrap();
        let transport = Box::new(ranks);
        let mut coordinator =
            Coordinator::join(launch, transport, Ledger::default(), lock).unwrap();
        let mut announced = Vec::new();
        let stopping = job.and_then(|job| Stopping::of(&job, &trials));
        let ending = coordinator.train(&trials, stopping, &mut |notice| {
            if let Notice::Ended(record, _) = notice {
                announced.push(record.clone());
            }
        });
        let (ledger, _lock) = coordinator.dismiss();
        Ended {
            directory,
            ending,
            ledger,
            announced,
            took: clock.get(),
        }
    }
}

impl Ended {
    #[track_caller]
    fn finished(&self, trials: u64) -> &Self {
        assert_eq!(self.ending.as_ref().unwrap(), &Ending::Done);
        let finished = self.announced.iter().filter(|record| is_finished(record));
        let ids: BTreeSet<&str> = finished.map(|record| record.trial.id.as_str()).collect();
        assert_eq!(ids.len() as u64, trials);
        assert_eq!(
            self.announced.len() as u64,
            trials,
            "each trial ends once, and none fails"
        );
        let known = |record: &&Record| self.ledger.summary(&record.trial.id).is_some();
        assert_eq!(self.announced.iter().filter(known).count() as u64, trials);
        self
    }

    fn attempts_of(&self, rank: u32) -> usize {
        let there = self.announced.iter();
        there
            .filter(|record| record.place.rank == Rank(rank))
            .count()
    }
}

fn is_finished(record: &Record) -> bool {
    matches!(record.outcome, Outcome::Finished(_))
}

#[test]
fn a_sweep_over_many_ranks_takes_as_long_as_its_trials() {
    let ended = Sweep::new(300, 25, 4).run();
    ended.finished(300);
    assert!(ended.took >= 30 * SECOND, "{:?}", ended.took);
    assert!(ended.took <= 32 * SECOND, "{:?}", ended.took);
}

#[test]
fn trials_of_a_lost_rank_are_trained_by_others_and_cost_its_time_only() {
    let ended = Sweep::new(200, 25, 4).with(5, 7, Incident::Lost).run();
    ended.finished(200);
    assert_eq!(ended.attempts_of(7), 0);
    assert!(ended.took <= 42 * SECOND, "{:?}", ended.took);
}

#[test]
fn a_record_that_a_lost_rank_had_no_time_to_pass_on_counts() {
    let sweep = Sweep::new(40, 4, 2);
    // What rank 2 finished in its last moments. It is one of its first trials, which nobody else is at.
    let record = sweep.ranks.record(Rank(2), &sweep.trials[2]);
    let journals = sweep.launch.run.journals();
    let mut journal = Journal::create(&journals, LAUNCH, Rank(2)).unwrap();
    journal
        .append(&Entry::Trial(Box::new(record.clone())))
        .unwrap();
    let ended = sweep.with(3, 2, Incident::Lost).run();
    ended.finished(40);
    assert_eq!(ended.announced[0], record);
}

#[test]
fn a_silent_rank_loses_its_trials_and_comes_back_without_anything_counting_twice() {
    // Longer than `hang_seconds`, and then it goes on.
    let ended = Sweep::new(200, 25, 4)
        .with(4, 3, Incident::Silent(14 * SECOND))
        .run();
    ended.finished(200);
    assert!(ended.attempts_of(3) > 0, "it works again");
    assert!(ended.took <= 42 * SECOND, "{:?}", ended.took);
}

#[test]
fn a_short_silence_costs_nothing() {
    let ended = Sweep::new(200, 25, 4)
        .with(4, 3, Incident::Silent(4 * SECOND))
        .run();
    ended.finished(200);
    assert!(
        ended
            .announced
            .iter()
            .all(|record| record.attempt == Attempt::FIRST)
    );
}

#[test]
fn a_signal_to_one_rank_drains_all_of_them() {
    let ended = Sweep::new(300, 25, 4)
        .with(15, 9, Incident::Signalled(Urgency::Graceful))
        .run();
    assert_eq!(ended.ending.unwrap(), Ending::Interrupted);
    assert_eq!(ended.announced.len(), 100, "one round of four");
    assert!(ended.took <= 17 * SECOND, "{:?}", ended.took);
    assert!(!RunDir::new(ended.directory.path()).live_file().exists());
}

#[test]
fn ahead_of_the_deadline_no_trial_begins_and_then_all_are_handed_back() {
    let mut sweep = Sweep::new(1000, 5, 2);
    let begin = sweep.ranks.begin();
    // Nothing begins after 55 s, a drain begins at 65 s.
    sweep.launch.deadline = Some(begin + 95 * SECOND);
    let ended = sweep.run();
    assert_eq!(ended.ending.unwrap(), Ending::Interrupted);
    assert_eq!(ended.announced.len(), 60, "those that began before");
    assert!(ended.took <= 62 * SECOND, "{:?}", ended.took);
}

#[test]
fn an_error_of_a_rank_ends_the_sweep_with_its_own_exit_code() {
    for (error, exit) in [
        (Error::Usage("--lanes 9".into()), Exit::Usage),
        (Error::file("run", "is full"), Exit::Environment),
        (
            Error::Internal("a launch without ranks".into()),
            Exit::Internal,
        ),
    ] {
        let failed = Incident::Failed(ErrorReport::from(&error));
        let ended = Sweep::new(100, 5, 1).with(2, 4, failed).run();
        let there = ended.ending.unwrap_err();
        assert_eq!(there.exit(), exit);
        assert_eq!(there.to_string(), format!("rank 4: {error}"));
    }
}

#[test]
fn a_rank_that_is_lost_before_it_joins_is_done_without_and_one_that_is_late_is_named() {
    Sweep::new(20, 5, 1)
        .with(0, 2, Incident::Lost)
        .run()
        .finished(20);
    let sweep = Sweep::new(20, 5, 1).with(0, 2, Incident::Silent(500 * SECOND));
    let lock = Lock::acquire(&sweep.launch.run, LAUNCH).unwrap();
    let joined = Coordinator::join(sweep.launch, Box::new(sweep.ranks), Ledger::default(), lock);
    let error = joined.err().unwrap();
    assert!(
        error.to_string().contains("ranks 2 did not join"),
        "{error}"
    );
}

#[test]
fn a_thousand_ranks_are_no_trouble() {
    let began = Instant::now();
    let ended = Sweep::new(3000, 1000, 1).with(5, 7, Incident::Lost).run();
    ended.finished(3000);
    assert!(ended.took <= 45 * SECOND, "{:?}", ended.took);
    let took = began.elapsed();
    assert!(took < 60 * SECOND, "{took:?}, where seconds were expected");
}

/// The trials that ended, and the rungs that others were judged at.
fn decisions(ended: &Ended, trials: &[Trial]) -> (BTreeSet<String>, Vec<u32>) {
    assert_eq!(ended.ending.as_ref().unwrap(), &Ending::Done);
    let ids = ended.announced.iter().map(|one| one.trial.id.to_string());
    let at = |trial: &Trial| ended.ledger.epochs_at_rungs(&trial.id);
    (ids.collect(), trials.iter().map(at).collect())
}

#[test]
fn halving_decides_the_same_on_any_ranks_whatever_happens_to_them() {
    let sweep = Sweep::halving(1, 1);
    let trials = sweep.trials.clone();
    let alone = decisions(&sweep.run(), &trials);
    assert_eq!(alone.0.len(), 2, "both seeds of one configuration");
    let judged = |epochs: u32| alone.1.iter().filter(|&&at| at >= epochs).count();
    // A training has 200 epochs.
    assert_eq!([1, 3, 9, 27, 81].map(judged), [80, 26, 8, 2, 2]);
    for (second, rank) in [(4, 3), (15, 2), (26, 1), (31, 4)] {
        let incidents = [
            Incident::Lost,
            Incident::Silent(8 * SECOND),
            Incident::Silent(14 * SECOND),
            Incident::Silent(33 * SECOND),
        ];
        for incident in incidents {
            let sweep = Sweep::halving(5, 4).with(second, rank, incident);
            assert_eq!(decisions(&sweep.run(), &trials), alone);
        }
    }
}

#[test]
fn asha_promotes_while_others_train_and_leaves_no_slot_idle() {
    for incident in [Incident::Lost, Incident::Silent(14 * SECOND)] {
        let sweep = Sweep::stopping("policy = \"asha\"\nleast = 9", 3, 4).with(15, 2, incident);
        let (trials, job) = (sweep.trials.clone(), sweep.job.clone().unwrap());
        let ended = sweep.run();
        let (finished, at) = decisions(&ended, &trials);
        let judged = |epochs: u32| at.iter().filter(|&&there| there >= epochs).count();
        assert_eq!(judged(9), trials.len(), "every configuration begins");
        // Of 40, 13 go on, of those 4, and of those 1; promotions of the moment may be more, never fewer.
        assert!(judged(27) >= 2 * 13 && judged(81) >= 2 * 4 && finished.len() >= 2);
        assert!(judged(27) < trials.len());
        let stopped = stopped(&job, &trials, &ended.ledger);
        assert_eq!(finished.len() + stopped.len(), trials.len(), "none is lost");
    }
}

#[test]
fn below_the_median_nothing_is_trained_further() {
    let sweep = Sweep::stopping("policy = \"median\"\nevery = 20\nleast = 20", 2, 2);
    let (trials, job) = (sweep.trials.clone(), sweep.job.clone().unwrap());
    let ended = sweep.run();
    let (finished, at) = decisions(&ended, &trials);
    assert!(
        finished.len() >= 2 * 3,
        "so many are trained to the end first"
    );
    assert!(finished.len() < trials.len());
    assert!(at.iter().any(|&there| there < 180));
    let stopped = stopped(&job, &trials, &ended.ledger);
    assert_eq!(finished.len() + stopped.len(), trials.len(), "none is lost");
}

#[test]
fn results_at_rungs_that_a_lost_rank_had_no_time_to_pass_on_count() {
    let sweep = Sweep::halving(4, 2);
    let trial = sweep.trials[2].clone();
    let result = simulated::at_rung(&trial, Attempt::FIRST, 1);
    let journals = sweep.launch.run.journals();
    let mut journal = Journal::create(&journals, LAUNCH, Rank(2)).unwrap();
    journal.append(&Entry::Rung(result.clone())).unwrap();
    let trials = sweep.trials.clone();
    let alone = decisions(&Sweep::halving(1, 1).run(), &trials);
    let ended = sweep.with(3, 2, Incident::Lost).run();
    assert_eq!(decisions(&ended, &trials), alone);
    let known = ended.ledger.rung_result(&trial.id, 1);
    assert_eq!(known, Some(&result), "nobody made it again");
}
