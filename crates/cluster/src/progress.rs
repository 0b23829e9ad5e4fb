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
    /// Not ended in this launch.
    left: HashSet<TrialId>,
    since: Instant,
    /// Of a trial.
    epochs: f64,
    /// In this launch, by trials that have ended.
    done: f64,
}

impl StageProgress {
    pub(super) fn new(
        ledger: &Ledger,
        epochs: u32,
        trials: &[Trial],
        left: &[Planned],
        now: Instant,
    ) -> Self {
        let left: HashSet<TrialId> = left.iter().map(|one| one.trial.id.clone()).collect();
        let (mut finished, mut failed) = (0, HashSet::new());
        for record in ledger.records_of(trials) {
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
            since: now,
            epochs: f64::from(epochs),
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
        if self.left.remove(id) {
            self.done += self.epochs;
        }
    }

    /// Seconds to the end of the stage at the pace so far, once there is one.
    pub(super) fn eta(
        &self,
        running: &[Heartbeat],
        begun: &HashMap<TrialId, f64>,
        now: Instant,
    ) -> Option<u64> {
        let underway: f64 = running.iter().map(|heartbeat| heartbeat.epochs_done).sum();
        let brought = running
            .iter()
            .filter_map(|heartbeat| begun.get(&heartbeat.trial));
        let done = self.done + underway - brought.sum::<f64>();
        let seconds = now.duration_since(self.since).as_secs_f64();
        // A few seconds are too few to tell a pace from.
        if done <= 0.0 || seconds < 5.0 {
            return None;
        }
        let left = (self.left.len() as f64 * self.epochs - underway).max(0.0);
        Some(Duration::from_secs_f64(left * seconds / done).as_secs())
    }
}
