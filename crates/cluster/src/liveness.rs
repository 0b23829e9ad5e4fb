//! Liveness of ranks: when each was last heard of. A silent rank may be slow or gone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use efflux_run::Rank;

/// A longer time between two looks means that this process was stopped: nobody could be heard in it.
const STALL: Duration = Duration::from_secs(5);

/// Between two looks: there may be ten thousand ranks to look at.
const EVERY: Duration = Duration::from_secs(1);

/// The other ranks of a launch.
#[derive(Debug)]
pub(super) struct Liveness {
    /// The heartbeat timeout: a rank that is not heard of for longer is silent.
    timeout: Duration,
    ranks: BTreeMap<Rank, Heard>,
    /// When `silent` last looked.
    looked: Option<Instant>,
}

#[derive(Debug)]
struct Heard {
    at: Instant,
    is_silent: bool,
}

impl Liveness {
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            ranks: BTreeMap::new(),
            looked: None,
        }
    }

    /// Notes that a rank was heard of, and returns whether it had been found silent.
    pub(super) fn hear(&mut self, rank: Rank, at: Instant) -> bool {
        let heard = Heard {
            at,
            is_silent: false,
        };
        self.ranks
            .insert(rank, heard)
            .is_some_and(|before| before.is_silent)
    }

    /// Forgets a rank that is gone.
    pub(super) fn forget(&mut self, rank: Rank) {
        self.ranks.remove(&rank);
    }

    /// Ranks that have exceeded the heartbeat timeout since they were last looked at, which is once a second.
    pub(super) fn silent(&mut self, now: Instant) -> Vec<Rank> {
        let gap = self.looked.map(|before| now.duration_since(before));
        if gap.is_some_and(|gap| gap < EVERY) {
            return Vec::new();
        }
        self.looked = Some(now);
        let gap = gap.unwrap_or_default();
        let mut found = Vec::new();
        for (&rank, heard) in &mut self.ranks {
            if gap > STALL {
                heard.at += gap;
            }
            if !heard.is_silent && now.saturating_duration_since(heard.at) > self.timeout {
                heard.is_silent = true;
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
        let mut liveness = Liveness::new(10 * SECOND);
        for rank in [Rank(1), Rank(2)] {
            assert!(!liveness.hear(rank, begin));
        }
        let mut silent = Vec::new();
        for second in 1..=14 {
            let now = begin + second * SECOND;
            liveness.hear(Rank(1), now);
            silent.extend(liveness.silent(now));
        }
        assert_eq!(silent, [Rank(2)]);
        assert!(liveness.hear(Rank(2), begin + 15 * SECOND));
        assert!(!liveness.hear(Rank(2), begin + 15 * SECOND));
    }

    #[test]
    fn nobody_is_silent_because_the_coordinator_was_stopped_itself() {
        let begin = Instant::now();
        let mut liveness = Liveness::new(10 * SECOND);
        liveness.hear(Rank(1), begin);
        assert!(liveness.silent(begin).is_empty());
        assert!(liveness.silent(begin + 600 * SECOND).is_empty());
        assert!(liveness.silent(begin + 604 * SECOND).is_empty());
    }

    #[test]
    fn who_is_gone_is_not_missed() {
        let begin = Instant::now();
        let mut liveness = Liveness::new(SECOND);
        liveness.hear(Rank(1), begin);
        liveness.forget(Rank(1));
        assert!(liveness.silent(begin + 4 * SECOND).is_empty());
    }
}
