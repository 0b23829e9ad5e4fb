//! What the journals say, trial by trial: the table that every decision is taken from.

use std::collections::{BTreeMap, HashMap, hash_map};
use std::fmt::Write;
use std::path::Path;

use efflux_base::error::Result;
use efflux_job::{Trial, TrialId};
use efflux_numerics::hex;
use sha2::{Digest, Sha256};

use super::ids::Attempt;
use super::journal::{Entry, read_into};
use super::record::{Outcome, Record, RungResult, StopDecision, Summary};

/// The state of all trials a run directory has seen.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    records: HashMap<TrialId, Box<Record>>,
    /// By trial and epoch.
    rungs: HashMap<TrialId, BTreeMap<u32, RungResult>>,
    stops: Vec<StopDecision>,
    entries: usize,
}

impl Extend<Entry> for Ledger {
    fn extend<T: IntoIterator<Item = Entry>>(&mut self, entries: T) {
        for entry in entries {
            self.entries += 1;
            match entry {
                Entry::Trial(record) => drop(self.add(record)),
                Entry::Rung(result) => drop(self.add_rung(result)),
                Entry::Stop(decision) => self.add_stop(decision),
                Entry::Selection(_) => {}
            }
        }
    }
}

impl Ledger {
    /// What the journals of a run directory say.
    ///
    /// # Errors
    ///
    /// As [`read_journals`](super::read_journals).
    pub fn read(directory: &Path) -> Result<Self> {
        read_into(directory)
    }

    /// Reads entries in the order they were written.
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut ledger = Self::default();
        ledger.extend(entries);
        ledger
    }

    /// How many entries were read.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Takes a record in, and says whether it is news. The first finished one of a trial stays: a later one is superseded
    /// and never counted twice.
    pub fn add(&mut self, record: Box<Record>) -> bool {
        let id = &record.trial.id;
        if matches!(record.outcome, Outcome::Failed(_)) && record.attempt < self.attempts(id) {
            // The attempt after it brought the trial to a rung.
            return false;
        }
        match self.records.entry(id.clone()) {
            hash_map::Entry::Vacant(place) => drop(place.insert(record)),
            hash_map::Entry::Occupied(mut place) => {
                let known = place.get();
                let is_news = match known.outcome {
                    Outcome::Finished(_) => false,
                    // Journals are read rank after rank, so a later attempt may come first.
                    Outcome::Failed(_) => {
                        known.attempt <= record.attempt
                            || matches!(record.outcome, Outcome::Finished(_))
                    }
                };
                if !is_news {
                    return false;
                }
                place.insert(record);
            }
        }
        true
    }

    /// Takes in what a trial was worth at a rung, and says whether it is news. The first result stays: training repeats itself.
    pub fn add_rung(&mut self, result: RungResult) -> bool {
        let id = &result.trial;
        let known = self.records.get(id);
        // An attempt that failed before this one is of no consequence any more.
        if known.is_some_and(|record| {
            record.attempt < result.attempt && matches!(record.outcome, Outcome::Failed(_))
        }) {
            self.records.remove(id);
        }
        let of_trial = self.rungs.entry(id.clone()).or_default();
        let is_news = !of_trial.contains_key(&result.epoch);
        of_trial.entry(result.epoch).or_insert(result);
        is_news
    }

    /// Takes in what a stopping rule decided.
    pub fn add_stop(&mut self, decision: StopDecision) {
        self.stops.push(decision);
    }

    /// What stopping rules decided, of those whose decisions depend on when trials arrive.
    pub fn stops(&self) -> impl Iterator<Item = &StopDecision> {
        self.stops.iter()
    }

    /// The first result of a trial at a rung of so many epochs or more.
    pub fn rung_result(&self, id: &TrialId, epoch: u32) -> Option<&RungResult> {
        let (_, result) = self.rungs.get(id)?.range(epoch..).next()?;
        Some(result)
    }

    /// The epochs that a trial was trained for, as its last rung says.
    pub fn epochs_at_rungs(&self, id: &TrialId) -> u32 {
        let last = self.rungs.get(id).and_then(BTreeMap::last_key_value);
        last.map_or(0, |(epoch, _)| *epoch)
    }

    /// What is known of a trial: its finished record, else that of its latest attempt.
    pub fn record(&self, id: &TrialId) -> Option<&Record> {
        self.records.get(id).map(|record| &**record)
    }

    /// What a finished trial tells.
    pub fn summary(&self, id: &TrialId) -> Option<&Summary> {
        self.record(id)?.summary()
    }

    /// The records of these trials, in their order.
    pub fn records_of<'a>(
        &'a self,
        trials: &'a [Trial],
    ) -> impl Iterator<Item = &'a Record> + Clone {
        trials.iter().filter_map(|trial| self.record(&trial.id))
    }

    /// Names what the records say: SHA-256 over trials and attempts, as hexadecimal digits.
    pub(super) fn digest(&self) -> String {
        let ended = self.records.iter().map(|(id, record)| {
            let is_finished = matches!(record.outcome, Outcome::Finished(_));
            (id, record.attempt, is_finished)
        });
        let mut ended: Vec<_> = ended.collect();
        ended.sort_unstable();
        let mut text = String::new();
        for (id, attempt, is_finished) in ended {
            // To memory: it cannot fail.
            let _ = writeln!(text, "{id} {attempt} {is_finished}");
        }
        hex(&Sha256::digest(text))
    }

    /// Attempts made at a trial so far.
    pub fn attempts(&self, id: &TrialId) -> Attempt {
        let ended = self.record(id).map(|record| record.attempt);
        let results = self.rungs.get(id).into_iter().flat_map(BTreeMap::values);
        let at_rungs = results.map(|result| result.attempt).max();
        ended.max(at_rungs).unwrap_or(Attempt::NONE)
    }
}
