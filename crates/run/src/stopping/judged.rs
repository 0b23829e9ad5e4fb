//! What a stopping rule made of a search, for status, selection and report.

use std::collections::HashMap;

use efflux_job::{Job, Trial, TrialId};

use super::{Next, Stopping, found_at};
use crate::ledger::Ledger;

/// A search as the ledger tells it. Failed trials count as given up.
fn replayed(job: &Job, trials: &[Trial], ledger: &Ledger) -> Option<Stopping> {
    let mut stopping = Stopping::of(job, trials)?;
    stopping.replay(ledger, |_| true);
    stopping.settle();
    Some(stopping)
}

/// The trials of a search that its rule has stopped, with the epochs after which they were judged. Those that were trained
/// to the end all the same, or failed, are not among them.
pub fn stopped(job: &Job, trials: &[Trial], ledger: &Ledger) -> HashMap<TrialId, u32> {
    let Some(stopping) = replayed(job, trials, ledger) else {
        return HashMap::new();
    };
    let stopped = trials.iter().filter_map(|trial| {
        match (ledger.brief(&trial.id), stopping.next(&trial.id)) {
            (None, Next::Stopped(epoch)) => Some((trial.id.clone(), epoch)),
            _ => None,
        }
    });
    stopped.collect()
}

/// A trial that was judged at a rung.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The trial.
    pub trial: Trial,
    /// Epochs of the rung.
    pub epochs: u32,
    /// Its validation score there.
    pub score: Option<f64>,
    /// Whether its configuration was stopped there.
    pub is_stopped: bool,
}

/// Every rung of every search trial that has a result there, rung by rung in the order of the grid; nothing without a rule.
pub fn judged(job: &Job, trials: &[Trial], ledger: &Ledger) -> Vec<Judged> {
    let Some(stopping) = replayed(job, trials, ledger) else {
        return Vec::new();
    };
    let measure = stopping.metric.measure();
    let mut judged = Vec::new();
    for &epochs in stopping.rungs() {
        for trial in trials {
            let next = stopping.next(&trial.id);
            let was_there = match next {
                Next::Stopped(last) => epochs <= last,
                Next::Train(_) | Next::Wait => true,
            };
            if was_there
                && let Some(found) = found_at(ledger, &trial.id, Some(epochs), measure, true)
            {
                judged.push(Judged {
                    trial: trial.clone(),
                    epochs,
                    score: found.score,
                    is_stopped: next == Next::Stopped(epochs),
                });
            }
        }
    }
    judged
}
