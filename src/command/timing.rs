//! How long trials take on this host's cores: the estimate of their cost, put right by what was measured.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use efflux_job::cost::{CoreSeconds, Workload};

/// A trial that one core has trained from its beginning to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timed {
    /// What it computed.
    pub(crate) workload: Workload,
    /// Wall seconds.
    pub(crate) seconds: f64,
}

/// How many times as long as estimated a trial takes: its updates, by their size, and all else.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Timing {
    /// Operations of an update, ascending, and measured over estimated seconds at that size. One at least.
    updates: Vec<(f64, f64)>,
    /// Measured over estimated seconds of validation, simulation and the process of residuals.
    rest: f64,
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
            updates: vec![(1.0, 1.0)],
            rest: 1.0,
            band: [0.5, 2.0],
        }
    }

    /// What fits trials that were measured; none if there are none.
    pub(crate) fn of(timed: &[Timed]) -> Option<Self> {
        let mut timed: Vec<Timed> = timed
            .iter()
            .copied()
            .filter(|one| estimate(one).sum() > 0.0)
            .collect();
        timed.sort_by(|a, b| operations(a).total_cmp(&operations(b)));
        let sizes: Vec<&[Timed]> = timed
            .chunk_by(|a, b| operations(a) == operations(b))
            .collect();
        let together = timed.iter().map(|one| {
            let estimate = estimate(one).sum();
            (one.seconds / estimate, estimate)
        });
        let together = median(together.collect())?;
        let pairs = sizes.iter().flat_map(|of_size| beside_updates(of_size));
        let rest = steadied(pairs.collect(), together);
        let updates = sizes.iter().filter_map(|of_size| {
            let paces = of_size.iter().filter_map(|one| of_updates(one, rest));
            let pace = steadied(paces.collect(), together);
            Some((operations(of_size.first()?), pace))
        });
        let mut timing = Self {
            updates: updates.collect(),
            rest,
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
        let CoreSeconds { updates, rest } = workload.core_seconds();
        self.pace(workload.core_operations()) * updates + self.rest * rest
    }

    /// Between the sizes that were measured, by the logarithm of the size.
    fn pace(&self, operations: f64) -> f64 {
        let paces = &self.updates;
        let above = paces.partition_point(|(size, _)| *size < operations);
        match (
            above.checked_sub(1).map(|below| paces[below]),
            paces.get(above),
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
    one.workload.core_operations()
}

fn estimate(one: &Timed) -> CoreSeconds {
    one.workload.core_seconds()
}

/// How many times as long as estimated the updates of a trial took, and how many seconds that is known from; nothing if they
/// are too little of it to tell.
fn of_updates(one: &Timed, rest: f64) -> Option<(f64, f64)> {
    let CoreSeconds { updates, rest: all } = estimate(one);
    let left = (one.seconds - rest * all).max(one.seconds / 20.0);
    (updates > all / 10.0).then(|| (left / updates, updates))
}

/// How many times as long as estimated all but the updates took, by each two trials of one size that differ enough in their
/// shares to tell, and how many seconds that is known from.
fn beside_updates(timed: &[Timed]) -> Vec<(f64, f64)> {
    /// Pairs of so many trials are enough.
    const COMPARED: usize = 100;
    /// Beyond that it is noise.
    const BETWEEN: [f64; 2] = [0.1, 10.0];
    let step = timed.len().div_ceil(COMPARED).max(1);
    let some: Vec<&Timed> = timed.iter().step_by(step).collect();
    let mut found = Vec::new();
    for (place, &one) in some.iter().enumerate() {
        for &other in &some[..place] {
            let (a, b) = (estimate(one), estimate(other));
            // What the two would leave over if their updates were as many.
            let scale = a.updates / b.updates;
            let more = a.rest - scale * b.rest;
            if more.abs() >= 0.2 * a.sum().max(scale * b.sum()) {
                let rest = (one.seconds - scale * other.seconds) / more;
                found.push((rest.clamp(BETWEEN[0], BETWEEN[1]), more.abs()));
            }
        }
    }
    found
}

/// What few measurements say, with one more beside them that says what all together do: a single one is half noise.
fn steadied(measured: Vec<(f64, f64)>, together: f64) -> f64 {
    let count = measured.len() as f64;
    let found = median(measured).unwrap_or(together);
    (count * found + together) / (count + 1.0)
}

/// The median of values with weights.
fn median(mut values: Vec<(f64, f64)>) -> Option<f64> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = values.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let middle = values.iter().find(|(_, weight)| {
        below += weight;
        below >= half
    });
    middle.map(|(value, _)| *value)
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
    use efflux_job::cost::Residuals;
    use efflux_numerics::Level;

    /// A trial with so many updates.
    fn workload(hidden_size: u32, updates: u64) -> Workload {
        Workload {
            hidden_size,
            layers: 1,
            inputs: 10,
            updates,
            site_days: 200.0,
            validated_days: 0.0,
            simulated_days: 350_000.0,
            windowed_days: 0.0,
            calendar_days: 350_000.0,
            residuals: Residuals::default(),
            level: Level::Avx2,
        }
    }

    /// A trial that takes so many times as long as estimated: its updates, and the rest.
    fn timed(workload: Workload, [of_updates, of_rest]: [f64; 2]) -> Timed {
        let CoreSeconds { updates, rest } = workload.core_seconds();
        Timed {
            workload,
            seconds: of_updates * updates + of_rest * rest,
        }
    }

    #[test]
    fn what_trials_take_beside_updates_is_told_from_what_grows_with_them() {
        let paces = [(16, 2.6), (128, 1.2)];
        let of = |(hidden, pace)| move |updates| timed(workload(hidden, updates), [pace, 1.9]);
        let lengths = (0..40).map(|number| if number % 2 == 0 { 200 } else { 20_000 });
        let measured: Vec<Timed> = paces
            .iter()
            .flat_map(|&size| lengths.clone().map(of(size)))
            .collect();
        let timing = Timing::of(&measured).unwrap();
        for size in paces {
            let expected = of(size)(7_000);
            let said = timing.seconds(&expected.workload);
            assert!((said / expected.seconds - 1.0).abs() < 0.05, "{said}");
        }
        // A member is simulated by window as well, which no search trial is.
        let member = Workload {
            windowed_days: 3e6,
            ..workload(128, 20_000)
        };
        let expected = timed(member, [1.2, 1.9]).seconds;
        assert!((timing.seconds(&member) / expected - 1.0).abs() < 0.05);
        let between = timing.pace(workload(48, 1).core_operations());
        assert!((1.2..2.6).contains(&between), "{between}");
        assert!(timing.band[0] < 1.0 && timing.band[1] > 1.0);
    }

    #[test]
    fn one_disturbed_trial_moves_what_is_said_of_others_by_less_than_it_was_disturbed() {
        let of = |updates, by| {
            let timed = timed(workload(64, updates), [1.5; 2]);
            Timed {
                seconds: by * timed.seconds,
                ..timed
            }
        };
        let expected = of(20_000, 1.0);
        let said = |measured: &[Timed]| Timing::of(measured).unwrap().seconds(&expected.workload);
        let short = said(&[of(500, 1.5), of(5_000, 1.0)]) / expected.seconds;
        assert!((0.8..1.2).contains(&short), "{short}");
        let many = [of(5_000, 1.0); 9];
        let one = said(&[&many[..], &[of(5_000, 100.0)]].concat()) / expected.seconds;
        assert!((0.99..1.01).contains(&one), "{one}");
    }

    #[test]
    fn noise_in_trials_of_nearly_the_same_shares_does_not_become_a_pace() {
        let noisy = |seconds| Timed {
            seconds: seconds * timed(workload(32, 5_000), [2.0; 2]).seconds,
            ..timed(workload(32, 5_000), [2.0; 2])
        };
        let timing = Timing::of(&[noisy(0.9), noisy(1.0), noisy(1.1)]).unwrap();
        let said = timing.seconds(&workload(32, 5_000));
        assert!((said / noisy(1.0).seconds - 1.0).abs() < 1e-9);
    }

    #[test]
    fn trials_of_one_length_have_a_pace_and_none_have_no_timing() {
        let timing = Timing::of(&[timed(workload(32, 5_000), [2.0; 2]); 3]).unwrap();
        let said = timing.seconds(&workload(32, 50_000));
        let expected = timed(workload(32, 50_000), [2.0; 2]).seconds;
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
