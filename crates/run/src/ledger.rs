//! What the journals say, trial by trial: the table that every decision is taken from.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_job::{Trial, TrialId};
use efflux_numerics::hex;
use sha2::{Digest, Sha256};

use super::brief::{Brief, Origins, Scores, Told};
use super::ids::Attempt;
use super::journal::{BriefEntry, Entry, read_briefs, read_into};
use super::record::{Outcome, Record, RungResult, StopDecision};

/// The state of all trials a run directory has seen.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    briefs: Vec<Brief>,
    /// Places in the list above.
    places: HashMap<TrialId, usize>,
    /// By trial and epoch.
    rungs: HashMap<TrialId, BTreeMap<u32, RungResult>>,
    stops: Vec<StopDecision>,
    entries: usize,
    /// Of the records that were added.
    origins: Origins,
}

impl Extend<BriefEntry> for Ledger {
    fn extend<T: IntoIterator<Item = BriefEntry>>(&mut self, entries: T) {
        for entry in entries {
            self.entries += 1;
            match entry {
                BriefEntry::Trial(id, brief) => drop(self.enter(id, brief)),
                BriefEntry::Rung(result) => drop(self.add_rung(result)),
                BriefEntry::Stop(decision) => self.add_stop(decision),
                BriefEntry::Selection => {}
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
        read_briefs(directory, Self::default)
    }

    /// Takes in entries in the order they were written.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut ledger = Self::default();
        for entry in entries {
            ledger.entries += 1;
            match entry {
                Entry::Trial(record) => drop(ledger.add(record)),
                Entry::Rung(result) => drop(ledger.add_rung(result.clone())),
                Entry::Stop(decision) => ledger.add_stop(decision.clone()),
                Entry::Selection(_) => {}
            }
        }
        ledger
    }

    /// How many entries were read.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Takes a record in, and says whether it is news. The first finished one of a trial stays: a later one is superseded
    /// and never counted twice.
    pub fn add(&mut self, record: &Record) -> bool {
        let (id, brief) = Told::of(record).brief(&mut self.origins);
        self.enter(id, brief)
    }

    fn enter(&mut self, id: TrialId, brief: Brief) -> bool {
        if !brief.is_finished() && brief.attempt < self.attempts(&id) {
            // The attempt after it brought the trial to a rung.
            return false;
        }
        let next = self.briefs.len();
        let place = *self.places.entry(id).or_insert(next);
        let Some(known) = self.briefs.get_mut(place) else {
            self.briefs.push(brief);
            return true;
        };
        // Journals are read rank after rank, so a later attempt may come first.
        let is_news =
            !known.is_finished() && (known.attempt <= brief.attempt || brief.is_finished());
        if is_news {
            *known = brief;
        }
        is_news
    }

    /// Takes in what a trial was worth at a rung, and says whether it is news. The first result stays: training repeats itself.
    pub fn add_rung(&mut self, result: RungResult) -> bool {
        let id = &result.trial;
        // An attempt that failed before this one is of no consequence any more.
        let is_over = |brief: &Brief| brief.attempt < result.attempt && !brief.is_finished();
        if self.brief(id).is_some_and(is_over) {
            self.places.remove(id);
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

    /// What is known of a trial that has ended: its finished record in brief, else that of its latest attempt.
    pub fn brief(&self, id: &TrialId) -> Option<&Brief> {
        self.places.get(id).map(|place| &self.briefs[*place])
    }

    /// What is known of each of these trials, in their order.
    pub(super) fn briefs<'a>(
        &'a self,
        trials: &'a [Trial],
    ) -> impl Iterator<Item = Option<&'a Brief>> {
        trials.iter().map(|trial| self.brief(&trial.id))
    }

    /// What a finished trial is compared by.
    pub fn scores(&self, id: &TrialId) -> Option<&Scores> {
        self.brief(id)?.scores()
    }

    /// Those of these trials that have ended, in their order, with what is known of them.
    pub fn ended<'a>(
        &'a self,
        trials: &'a [Trial],
    ) -> impl Iterator<Item = (&'a Trial, &'a Brief)> + Clone {
        let ended = |trial: &'a Trial| Some((trial, self.brief(&trial.id)?));
        trials.iter().filter_map(ended)
    }

    /// The records that the briefs are of, read once more from the journals of the run directory.
    ///
    /// # Errors
    ///
    /// As [`read_journals`](super::read_journals); [`Error::Data`] if a record is not there any more.
    pub fn records(&self, directory: &Path) -> Result<HashMap<TrialId, Record>> {
        struct Counting<'a>(&'a Ledger, HashMap<TrialId, Record>);

        impl Extend<Entry> for Counting<'_> {
            fn extend<T: IntoIterator<Item = Entry>>(&mut self, entries: T) {
                for entry in entries {
                    if let Entry::Trial(record) = entry
                        && self.0.counts(&record)
                    {
                        self.1.insert(record.trial.id.clone(), *record);
                    }
                }
            }
        }

        let Counting(_, records) = read_into(directory, || Counting(self, HashMap::new()))?;
        match self.places.keys().find(|id| !records.contains_key(*id)) {
            None => Ok(records),
            Some(id) => {
                let reason = format!(
                    "the record of trial {id} is gone, which was there a moment ago: nothing but efflux may change these files"
                );
                Err(Error::file(directory, reason))
            }
        }
    }

    /// Whether it is the record that counts of its trial.
    fn counts(&self, record: &Record) -> bool {
        let is_finished = matches!(record.outcome, Outcome::Finished(_));
        let known = self.brief(&record.trial.id);
        known.is_some_and(|known| {
            (known.attempt, known.is_finished()) == (record.attempt, is_finished)
        })
    }

    /// Names what the records say: SHA-256 over trials and attempts, as hexadecimal digits.
    pub(super) fn digest(&self) -> String {
        let ended = self.places.iter().map(|(id, place)| {
            let brief = &self.briefs[*place];
            // Copied: millions are sorted where they lie.
            (id.clone(), brief.attempt, brief.is_finished())
        });
        let mut ended: Vec<_> = ended.collect();
        ended.sort_unstable();
        let (mut hash, mut line) = (Sha256::new(), String::new());
        for (id, attempt, is_finished) in &ended {
            line.clear();
            line.push_str(id.as_str());
            // To memory: it cannot fail.
            let _ = writeln!(line, " {attempt} {is_finished}");
            hash.update(&line);
        }
        hex(&hash.finalize())
    }

    /// Attempts made at a trial so far.
    pub fn attempts(&self, id: &TrialId) -> Attempt {
        let ended = self.brief(id).map(|brief| brief.attempt);
        let results = self.rungs.get(id).into_iter().flat_map(BTreeMap::values);
        let at_rungs = results.map(|result| result.attempt).max();
        ended.max(at_rungs).unwrap_or(Attempt::NONE)
    }
}
