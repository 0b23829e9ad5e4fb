//! How much of the time of slots was training, and how long some of them had nothing left to do.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::brief::Brief;
use super::status::Duration;

/// The slots of a launch while a stage was trained, by the latest attempt at each of its trials: what an earlier attempt of the
/// same launch took, or a trial that was handed back, counts as time without training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlotUse {
    /// Slots that trained at least one trial.
    pub slots: usize,
    /// Seconds from the first beginning to the last end.
    pub seconds: f64,
    /// Share of the time of all slots in which they trained, 0 to 1.
    pub training: f64,
    /// The last of the seconds, in which a slot at least had nothing left to do.
    pub tail: f64,
}

impl SlotUse {
    /// Of the latest launch that these records are of; none without one. Not to be asked of trials that came to rungs, of whose
    /// times there are no records.
    pub fn of<'a>(records: impl Iterator<Item = &'a Brief> + Clone) -> Option<Self> {
        let latest = records.clone().map(|record| &record.origin.launch).max()?;
        Self::of_launch(records.filter(|record| record.origin.launch == *latest))
    }

    fn of_launch<'a>(records: impl Iterator<Item = &'a Brief>) -> Option<Self> {
        let mut slots: HashMap<_, Vec<(f64, f64)>> = HashMap::new();
        for record in records {
            let began = record.began?;
            let of_slot = slots.entry((record.rank, record.slot));
            let times = of_slot.or_default();
            times.push((began, began + record.seconds));
        }
        let times = || slots.values().flatten();
        let first = times().map(|(began, _)| *began).min_by(f64::total_cmp)?;
        let last = times().map(|(_, ended)| *ended).max_by(f64::total_cmp)?;
        let (mut busy, mut idle_from) = (0.0, last);
        for times in slots.values_mut() {
            times.sort_by(|a, b| a.0.total_cmp(&b.0));
            // Trials in lanes lie over each other.
            let mut until = first;
            for &(began, ended) in &*times {
                busy += (ended - began.max(until)).max(0.0);
                until = until.max(ended);
            }
            idle_from = idle_from.min(until);
        }
        let seconds = last - first;
        // Less is no time of which a share says anything.
        (seconds >= 1.0).then(|| Self {
            slots: slots.len(),
            seconds,
            training: busy / (seconds * slots.len() as f64),
            tail: last - idle_from,
        })
    }
}

impl fmt::Display for SlotUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds of a launch"
        )]
        let whole = |seconds: f64| Duration(seconds.round() as u64);
        write!(
            f,
            "{} slot{} trained {:.1} % of {}; in the last {} of it one or more had nothing left to do",
            self.slots,
            if self.slots == 1 { "" } else { "s" },
            100.0 * self.training,
            whole(self.seconds),
            whole(self.tail)
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use efflux_job::{Job, Trial, Variables};

    use super::*;
    use crate::record::{Failure, FailureClass, Outcome, Place, Record};
    use crate::{Attempt, Entry, Ledger, Rank, Slot};

    /// Trials by launch, slot, second of their beginning and seconds.
    fn slot_use(trained: &[(&str, u32, u32, f64)]) -> Option<SlotUse> {
        let seeds: Vec<String> = (0..trained.len()).map(|seed| seed.to_string()).collect();
        let text = format!("pack = \"a\"\n[seeds]\nsearch = [{}]\n", seeds.join(", "));
        let job = Job::parse(Path::new("x.toml"), text).unwrap();
        let variables = Variables::complete(&["t".into()], &[]);
        let contract = job.contract("d", variables, 1000).unwrap();
        let trials = job.search_trials(&contract).unwrap();
        let record =
            |(trial, &(launch, slot, began, seconds)): (&Trial, &(&str, u32, u32, f64))| Record {
                trial: trial.clone(),
                attempt: Attempt::FIRST,
                place: Place {
                    launch: launch.into(),
                    rank: Rank(slot / 2),
                    slot: Slot(slot % 2),
                    ..Place::default()
                },
                started: format!("2026-11-26T12:00:{began:02}.5Z"),
                seconds,
                outcome: Outcome::Failed(Failure {
                    class: FailureClass::Diverged,
                    message: String::new(),
                }),
            };
        let entries = trials.iter().zip(trained).map(record);
        let entries: Vec<Entry> = entries.map(|one| Entry::Trial(Box::new(one))).collect();
        let ledger = Ledger::of(&entries);
        SlotUse::of(ledger.ended(&trials).map(|(_, brief)| brief))
    }

    #[test]
    fn what_slots_did_not_train_and_the_tail_are_told_of_the_latest_launch() {
        assert_eq!(SlotUse::of([].iter()), None);
        // The first launch has nothing to do with it; two slots of two ranks, 20 seconds, one idle in the last 8.
        let found = slot_use(&[
            ("1", 0, 0, 50.0),
            ("2", 1, 10, 6.0),
            ("2", 1, 17, 5.0),
            ("2", 2, 10, 20.0),
        ]);
        let found = found.unwrap();
        assert_eq!((found.slots, found.seconds, found.tail), (2, 20.0, 8.0));
        assert!((found.training - 31.0 / 40.0).abs() < 1e-9);
        assert_eq!(
            found.to_string(),
            "2 slots trained 77.5 % of 20 s; in the last 8 s of it one or more had nothing left to do"
        );
    }

    #[test]
    fn trials_side_by_side_in_lanes_count_once() {
        let found = slot_use(&[("1", 0, 0, 10.0), ("1", 0, 0, 8.0), ("1", 0, 8, 12.0)]).unwrap();
        assert_eq!((found.seconds, found.tail), (20.0, 0.0));
        assert!((found.training - 1.0).abs() < 1e-9);
    }
}
