//! When a sweep leaves, and how: signals and the end of the allocation, turned into what is to be done now.

use std::time::{Duration, Instant};

use efflux_protocol::Haste;

/// How long trainers have for a last checkpoint after TERM: the rest of two seconds is for everybody to leave.
const HURRIED: Duration = Duration::from_millis(1400);

/// What is to be done about leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing.
    Stay,
    /// Begin nothing that would not come to its first checkpoint.
    Close,
    /// Have every trainer write a checkpoint and stop.
    Drain,
    /// Leave, whatever still runs.
    Go,
}

/// What is known about leaving.
#[derive(Clone, Copy, Debug)]
pub struct Leaving {
    /// The end of the allocation.
    until: Option<Instant>,
    /// How long a drain may take.
    drain: Duration,
    /// How long a trial takes to its first checkpoint.
    checkpoint: Duration,
    /// The most urgent signal so far, and when it was first seen.
    asked: Option<(Haste, Instant)>,
}

impl Leaving {
    /// Nobody has asked for anything yet.
    pub fn new(until: Option<Instant>, drain: Duration, checkpoint: Duration) -> Self {
        Self {
            until,
            drain,
            checkpoint,
            asked: None,
        }
    }

    /// What to say ahead if no trial can begin in so many seconds, which `what` names: drain and first checkpoint take
    /// them all.
    pub fn warning(what: &str, seconds: u64, drain: u32, checkpoint: u32) -> Option<String> {
        (seconds <= u64::from(drain) + u64::from(checkpoint)).then(|| {
            format!(
                "{what} {seconds} s, and --drain-seconds {drain} and --checkpoint-seconds {checkpoint} take all of that: no \
                 trial can begin. Ask for more --time, or set EFFLUX_DRAIN_SECONDS and EFFLUX_CHECKPOINT_SECONDS lower"
            )
        })
    }

    /// What is to be done at this moment, when `asked` is what signals say.
    pub fn step(&mut self, asked: Option<Haste>, now: Instant) -> Step {
        if let Some(haste) = asked
            && self.asked.is_none_or(|(known, _)| known < haste)
        {
            self.asked = Some((haste, now));
        }
        let by_signal = self.asked.map_or(Step::Stay, |(haste, since)| {
            let bound = match haste {
                Haste::Orderly => self.drain,
                Haste::Hurried => HURRIED,
            };
            if now.duration_since(since) < bound {
                Step::Drain
            } else {
                Step::Go
            }
        });
        by_signal.max(self.by_time(now))
    }

    fn by_time(&self, now: Instant) -> Step {
        let Some(until) = self.until else {
            return Step::Stay;
        };
        let left = until.saturating_duration_since(now);
        if left.is_zero() {
            Step::Go
        } else if left <= self.drain {
            Step::Drain
        } else if left <= self.drain + self.checkpoint {
            Step::Close
        } else {
            Step::Stay
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn ahead_of_the_end_a_sweep_first_begins_nothing_then_drains_then_leaves() {
        let now = Instant::now();
        let mut leaving = Leaving::new(Some(now + 10 * MINUTE), 2 * MINUTE, MINUTE);
        let steps = [0, 6, 7, 8, 9, 10, 11].map(|minute| leaving.step(None, now + minute * MINUTE));
        assert_eq!(
            steps,
            [
                Step::Stay,
                Step::Stay,
                Step::Close,
                Step::Drain,
                Step::Drain,
                Step::Go,
                Step::Go
            ]
        );
    }

    #[test]
    fn a_warning_comes_exactly_where_no_trial_could_begin() {
        let minutes = |seconds| Leaving::warning("a job of", seconds, 90, 60);
        assert_eq!(minutes(151), None);
        let warning = minutes(150).unwrap();
        assert!(warning.starts_with("a job of 150 s"), "{warning}");
        for seconds in [150, 151] {
            let now = Instant::now();
            let (drain, checkpoint) = (Duration::from_secs(90), Duration::from_secs(60));
            let until = Some(now + Duration::from_secs(seconds));
            let step = Leaving::new(until, drain, checkpoint).step(None, now);
            assert_eq!(step != Step::Stay, minutes(seconds).is_some());
        }
    }

    #[test]
    fn a_signal_drains_at_once_and_a_hurried_one_for_less_than_two_seconds() {
        let now = Instant::now();
        let mut leaving = Leaving::new(None, MINUTE, MINUTE);
        assert_eq!(leaving.step(None, now), Step::Stay);
        assert_eq!(leaving.step(Some(Haste::Orderly), now), Step::Drain);
        let later = now + MINUTE / 2;
        assert_eq!(leaving.step(Some(Haste::Orderly), later), Step::Drain);
        assert_eq!(leaving.step(Some(Haste::Hurried), later), Step::Drain);
        let bound = later + Duration::from_secs(2);
        assert_eq!(leaving.step(Some(Haste::Hurried), bound), Step::Go);
    }

    #[test]
    fn a_drain_has_an_end_even_if_the_allocation_has_none() {
        let now = Instant::now();
        let mut leaving = Leaving::new(None, MINUTE, MINUTE);
        leaving.step(Some(Haste::Orderly), now);
        assert_eq!(leaving.step(Some(Haste::Orderly), now + MINUTE), Step::Go);
    }
}
