//! How long trials take on this host's cores: the estimate of their cost, put right by what was measured.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use efflux_job::cost::Workload;

/// A trial that one core has trained from its beginning to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timed {
    /// What it computed.
    pub(crate) workload: Workload,
    /// Wall seconds.
    pub(crate) seconds: f64,
}

/// Seconds of a trial: what each takes whatever it computes, plus the estimate times a pace that depends on the size of an
/// update.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Timing {
    fixed: f64,
    /// Operations of an update, ascending, and measured over estimated seconds at that size. One at least.
    paces: Vec<(f64, f64)>,
    /// What the seconds of many trials are over those said here, at least and at most, as a rule.
    pub(crate) band: [f64; 2],
}

/// How long slots are busy with trials that they take one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Makespan {
    /// Seconds until the last one has ended.
    pub(crate) seconds: f64,
    /// Those of them in which a slot has nothing left to take.
    pub(crate) tail: f64,
}

impl Timing {
    /// Without a measurement on this host.
    pub(crate) fn unmeasured() -> Self {
        Self {
            fixed: 0.0,
            paces: vec![(1.0, 1.0)],
            band: [0.5, 2.0],
        }
    }

    /// What fits trials that were measured; none if there are none.
    pub(crate) fn of(timed: &[Timed]) -> Option<Self> {
        let mut timed: Vec<Timed> = timed
            .iter()
            .copied()
            .filter(|one| estimate(one) > 0.0)
            .collect();
        timed.sort_by(|a, b| operations(a).total_cmp(&operations(b)));
        let sizes: Vec<&[Timed]> = timed
            .chunk_by(|a, b| operations(a) == operations(b))
            .collect();
        let fixed = sizes.iter().filter_map(|of_size| beside_updates(of_size));
        let fixed = median(fixed.collect()).unwrap_or(0.0);
        let paces: Vec<(f64, f64)> = sizes
            .iter()
            .filter_map(|of_size| {
                let paces = of_size
                    .iter()
                    .map(|one| (one.seconds - fixed).max(one.seconds / 20.0) / estimate(one));
                Some((operations(of_size.first()?), median(paces.collect())?))
            })
            .collect();
        if paces.is_empty() {
            return None;
        }
        let mut timing = Self {
            fixed,
            paces,
            band: [1.0; 2],
        };
        let mut ratios: Vec<f64> = timed
            .iter()
            .map(|one| one.seconds / timing.seconds(&one.workload))
            .collect();
        ratios.sort_by(f64::total_cmp);
        // Most of them: without the tenth that was fastest and the tenth that was slowest.
        let tenth = (ratios.len() - 1) / 10;
        let [least, most] = [ratios[tenth], ratios[ratios.len() - 1 - tenth]];
        timing.band = [least.min(0.85), most.max(1.15)];
        Some(timing)
    }

    /// Seconds of a trial on a core.
    pub(crate) fn seconds(&self, workload: &Workload) -> f64 {
        self.fixed + self.pace(workload.operations()) * workload.core_hours() * 3600.0
    }

    /// Between the sizes that were measured, by the logarithm of the size.
    fn pace(&self, operations: f64) -> f64 {
        let above = self.paces.partition_point(|(size, _)| *size < operations);
        match (
            above.checked_sub(1).map(|below| self.paces[below]),
            self.paces.get(above),
        ) {
            (Some((_, pace)), None) | (None, Some(&(_, pace))) => pace,
            (Some((less, slow)), Some(&(more, fast))) => {
                let share = (operations / less).ln() / (more / less).ln();
                slow + share * (fast - slow)
            }
            (None, None) => 1.0,
        }
    }
}

fn operations(one: &Timed) -> f64 {
    one.workload.operations()
}

fn estimate(one: &Timed) -> f64 {
    one.workload.core_hours() * 3600.0
}

/// Seconds of trials of one size that do not grow with what they compute, if their lengths tell: the median over pairs.
fn beside_updates(timed: &[Timed]) -> Option<f64> {
    /// Pairs of so many trials are enough.
    const COMPARED: usize = 100;
    let step = timed.len().div_ceil(COMPARED).max(1);
    let some: Vec<&Timed> = timed.iter().step_by(step).collect();
    let mut found = Vec::new();
    for (place, one) in some.iter().enumerate() {
        for other in &some[..place] {
            let (less, more) = if estimate(one) < estimate(other) {
                (one, other)
            } else {
                (other, one)
            };
            if estimate(more) >= 1.5 * estimate(less) {
                let pace = (more.seconds - less.seconds) / (estimate(more) - estimate(less));
                found.push((less.seconds - pace * estimate(less)).max(0.0));
            }
        }
    }
    median(found)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

impl Makespan {
    /// Of trials of so many seconds, in the order in which they are dispatched.
    pub(crate) fn of(trials: impl Iterator<Item = f64>, slots: usize) -> Self {
        const MICROS: f64 = 1e6;
        // When each slot is free, in microseconds.
        let mut free: BinaryHeap<Reverse<u64>> = (0..slots.max(1)).map(|_| Reverse(0)).collect();
        let mut last = 0;
        for seconds in trials {
            let Some(Reverse(begin)) = free.pop() else {
                continue;
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a time, and beyond 500,000 years it saturates"
            )]
            let end = begin.saturating_add((seconds * MICROS) as u64);
            last = last.max(end);
            free.push(Reverse(end));
        }
        let idle_from = free.peek().map_or(last, |Reverse(first)| *first);
        Self {
            seconds: last as f64 / MICROS,
            tail: (last - idle_from) as f64 / MICROS,
        }
    }

    /// One after the other.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            seconds: self.seconds + next.seconds,
            tail: self.tail + next.tail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trial of one epoch's updates.
    fn workload(hidden_size: u32, updates: u64) -> Workload {
        Workload {
            hidden_size,
            layers: 1,
            inputs: 10,
            updates,
            site_days: 200.0,
            validated_days: 0.0,
            simulated_days: 0.0,
            windowed_days: 0.0,
        }
    }

    fn timed(hidden_size: u32, updates: u64, fixed: f64, pace: f64) -> Timed {
        let workload = workload(hidden_size, updates);
        Timed {
            workload,
            seconds: fixed + pace * workload.core_hours() * 3600.0,
        }
    }

    #[test]
    fn what_every_trial_takes_is_told_from_what_grows_with_its_updates() {
        let lengths = [2_000, 20_000];
        let measured: Vec<Timed> = lengths
            .iter()
            .flat_map(|&updates| [timed(16, updates, 0.3, 3.0), timed(128, updates, 0.3, 1.2)])
            .collect();
        let timing = Timing::of(&measured).unwrap();
        for (hidden, pace) in [(16, 3.0), (128, 1.2)] {
            let expected = timed(hidden, 7_000, 0.3, pace).seconds;
            let said = timing.seconds(&workload(hidden, 7_000));
            assert!((said / expected - 1.0).abs() < 1e-6, "{said} {expected}");
        }
        let between = timing.pace(workload(48, 1).operations());
        assert!((1.2..3.0).contains(&between), "{between}");
        assert!(timing.band[0] < 1.0 && timing.band[1] > 1.0);
    }

    #[test]
    fn trials_of_one_length_have_a_pace_and_none_have_no_timing() {
        let timing = Timing::of(&[timed(32, 5_000, 0.0, 2.0); 3]).unwrap();
        let said = timing.seconds(&workload(32, 50_000));
        let expected = timed(32, 50_000, 0.0, 2.0).seconds;
        assert!((said / expected - 1.0).abs() < 1e-9);
        assert_eq!(Timing::of(&[]), None);
    }

    #[test]
    fn the_last_trials_leave_slots_with_nothing_to_do() {
        let wall = Makespan::of([5.0, 4.0, 3.0, 2.0].into_iter(), 2);
        assert_eq!((wall.seconds, wall.tail), (7.0, 0.0));
        let wall = Makespan::of([5.0, 1.0].into_iter(), 2).then(Makespan::of([2.0].into_iter(), 2));
        assert_eq!((wall.seconds, wall.tail), (7.0, 6.0));
        assert_eq!(Makespan::of(std::iter::empty(), 3).seconds, 0.0);
    }
}
