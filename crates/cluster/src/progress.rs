//! How far a stage is, and when it may end.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use efflux_job::{Trial, TrialId};
use efflux_run::record::{Outcome, Record};
use efflux_run::{Heartbeat, Ledger};

use super::scheduler::Planned;

/// Counts and pace of a stage, kept as trials end: with many trials they cannot be taken anew each time.
pub(super) struct StageProgress {
    pub(super) planned: usize,
    pub(super) finished: usize,
    /// By their latest attempt.
    pub(super) failed: HashSet<TrialId>,
    /// Not ended in this launch, with their epochs.
    left: HashMap<TrialId, f64>,
    /// The sum of those.
    left_epochs: f64,
    since: Instant,
    /// Epochs in this launch, by trials that have ended.
    done: f64,
}

impl StageProgress {
    pub(super) fn new(
        ledger: &Ledger,
        epochs: impl Fn(&Trial) -> u32,
        trials: &[Trial],
        left: &[Planned],
        now: Instant,
    ) -> Self {
        let left = left.iter().map(|one| &one.trial);
        let left: HashMap<TrialId, f64> = left
            .map(|trial| (trial.id.clone(), f64::from(epochs(trial))))
            .collect();
        let (mut finished, mut failed) = (0, HashSet::new());
        for (trial, brief) in ledger.ended(trials) {
            match brief.failure() {
                // One whose simulation is gone is trained again, and counts when it has been.
                None if left.contains_key(&trial.id) => {}
                None => finished += 1,
                Some(_) => {
                    failed.insert(trial.id.clone());
                }
            }
        }
        Self {
            planned: trials.len(),
            finished,
            failed,
            left_epochs: left.values().sum(),
            left,
            since: now,
            done: 0.0,
        }
    }

    pub(super) fn ended(&mut self, record: &Record) {
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
        let epochs = self.left.remove(id).unwrap_or(0.0);
        self.left_epochs -= epochs;
        self.done += epochs;
    }

    /// Seconds to the end of the stage at the pace so far, once there is one.
    pub(super) fn eta<'a>(
        &self,
        running: impl Iterator<Item = &'a Heartbeat> + Clone,
        begun: &HashMap<TrialId, f64>,
        now: Instant,
    ) -> Option<u64> {
        let underway: f64 = running.clone().map(|heartbeat| heartbeat.epochs_done).sum();
        let brought = running.filter_map(|heartbeat| begun.get(&heartbeat.trial));
        let done = self.done + underway - brought.sum::<f64>();
        let seconds = now.duration_since(self.since).as_secs_f64();
        // A few seconds are too few to tell a pace from.
        if done <= 0.0 || seconds < 5.0 {
            return None;
        }
        let left = (self.left_epochs - underway).max(0.0);
        Some(Duration::from_secs_f64(left * seconds / done).as_secs())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use efflux_job::{Job, Variables};
    use efflux_run::Attempt;
    use efflux_run::record::{Failure, FailureClass, Place};

    use super::*;

    #[test]
    fn the_time_that_is_left_counts_the_epochs_of_each_trial() {
        let text = "pack = \"a\"\n[training]\nepochs = 7\n[grid]\nepochs = [10, 90]\n";
        let job = Job::parse(Path::new("x.toml"), text.to_owned()).unwrap();
        let variables = Variables::complete(&["t".into()], &[]);
        let contract = job.contract("d", variables, 1000).unwrap();
        let trials = job.search_trials(&contract).unwrap();
        let epochs = |trial: &Trial| trial.params.epochs(&job.settings.training);
        let planned = |trial: &Trial| Planned {
            trial: trial.clone(),
            attempts: Attempt::NONE,
            until: None,
            goes_on: false,
        };
        let left: Vec<Planned> = trials.iter().map(planned).collect();
        let begun = Instant::now();
        let mut progress = StageProgress::new(&Ledger::default(), epochs, &trials, &left, begun);
        progress.ended(&Record {
            trial: trials[0].clone(),
            attempt: Attempt::FIRST,
            place: Place::default(),
            started: String::new(),
            seconds: 20.0,
            outcome: Outcome::Failed(Failure {
                class: FailureClass::Diverged,
                message: String::new(),
            }),
        });
        // 10 epochs in 20 seconds, and 90 to come.
        let now = begun + Duration::from_secs(20);
        assert_eq!(
            progress.eta(std::iter::empty(), &HashMap::new(), now),
            Some(180)
        );
    }
}
