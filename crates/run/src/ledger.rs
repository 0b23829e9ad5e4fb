//! What the journals say, trial by trial: the table that every decision is taken from.

use std::collections::HashMap;

use efflux_job::{Trial, TrialId};

use super::ids::Attempt;
use super::journal::Entry;
use super::record::{Outcome, Record, Summary};

/// The state of all trials a run directory has seen.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    records: HashMap<TrialId, Record>,
}

impl Ledger {
    /// Reads entries in the order they were written.
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut ledger = Self::default();
        for entry in entries {
            if let Entry::Trial(record) = entry {
                ledger.add(*record);
            }
        }
        ledger
    }

    /// Takes a record in, and says whether it is news. The first finished one of a trial stays: a later one is superseded
    /// and never counted twice.
    pub fn add(&mut self, record: Record) -> bool {
        let known = self.records.get(&record.trial.id);
        let is_news = known.is_none_or(|known| match known.outcome {
            Outcome::Finished(_) => false,
            // Journals are read rank after rank, so a later attempt may come first.
            Outcome::Failed(_) => {
                known.attempt <= record.attempt || matches!(record.outcome, Outcome::Finished(_))
            }
        });
        if is_news {
            self.records.insert(record.trial.id.clone(), record);
        }
        is_news
    }

    /// What is known of a trial: its finished record, else that of its latest attempt.
    pub fn record(&self, id: &TrialId) -> Option<&Record> {
        self.records.get(id)
    }

    /// What a finished trial tells.
    pub fn summary(&self, id: &TrialId) -> Option<&Summary> {
        match &self.record(id)?.outcome {
            Outcome::Finished(summary) => Some(summary),
            Outcome::Failed(_) => None,
        }
    }

    /// The records of these trials, in their order.
    pub fn records_of<'a>(&'a self, trials: &'a [Trial]) -> impl Iterator<Item = &'a Record> {
        trials.iter().filter_map(|trial| self.record(&trial.id))
    }

    /// Attempts made at a trial so far.
    pub fn attempts(&self, id: &TrialId) -> Attempt {
        self.record(id)
            .map_or(Attempt::NONE, |record| record.attempt)
    }
}
