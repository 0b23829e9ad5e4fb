//! Which ranks were heard of, and when: who is silent may be slow or gone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A longer time between two looks means that this process was stopped: nobody could be heard in it.
const STALL: Duration = Duration::from_secs(5);

/// The other ranks of a launch.
#[derive(Debug)]
pub(super) struct Roll {
    /// A rank that is not heard of for longer is silent.
    limit: Duration,
    ranks: BTreeMap<u32, Seen>,
    looked: Option<Instant>,
}

#[derive(Debug)]
struct Seen {
    at: Instant,
    is_silent: bool,
}

impl Roll {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            limit,
            ranks: BTreeMap::new(),
            looked: None,
        }
    }

    /// A rank was heard of. Whether it was taken for silent.
    pub(super) fn hear(&mut self, rank: u32, at: Instant) -> bool {
        let seen = Seen {
            at,
            is_silent: false,
        };
        self.ranks
            .insert(rank, seen)
            .is_some_and(|before| before.is_silent)
    }

    /// A rank is gone.
    pub(super) fn strike(&mut self, rank: u32) {
        self.ranks.remove(&rank);
    }

    /// Ranks that have now been silent for too long and were not before.
    pub(super) fn silent(&mut self, now: Instant) -> Vec<u32> {
        let gap = self
            .looked
            .replace(now)
            .map_or(Duration::ZERO, |before| now.duration_since(before));
        let mut found = Vec::new();
        for (&rank, seen) in &mut self.ranks {
            if gap > STALL {
                seen.at += gap;
            }
            if !seen.is_silent && now.saturating_duration_since(seen.at) > self.limit {
                seen.is_silent = true;
                found.push(rank);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_rank_is_silent_once_until_it_is_heard_of_again() {
        let begin = Instant::now();
        let mut roll = Roll::new(10 * SECOND);
        for rank in [1, 2] {
            assert!(!roll.hear(rank, begin));
        }
        let mut silent = Vec::new();
        for second in 1..=14 {
            let now = begin + second * SECOND;
            roll.hear(1, now);
            silent.extend(roll.silent(now));
        }
        assert_eq!(silent, [2]);
        assert!(roll.hear(2, begin + 15 * SECOND));
        assert!(!roll.hear(2, begin + 15 * SECOND));
    }

    #[test]
    fn nobody_is_silent_because_the_coordinator_was_stopped_itself() {
        let begin = Instant::now();
        let mut roll = Roll::new(10 * SECOND);
        roll.hear(1, begin);
        assert!(roll.silent(begin).is_empty());
        assert!(roll.silent(begin + 600 * SECOND).is_empty());
        assert!(roll.silent(begin + 604 * SECOND).is_empty());
    }

    #[test]
    fn who_is_gone_is_not_missed() {
        let begin = Instant::now();
        let mut roll = Roll::new(SECOND);
        roll.hear(1, begin);
        roll.strike(1);
        assert!(roll.silent(begin + 4 * SECOND).is_empty());
    }
}
