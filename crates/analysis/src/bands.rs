//! Extremes of a record: the days in its lowest and highest twentieths, and the days that jump out of their month.
//!
//! Efficiencies inside a band divide by the band's own small variance: they are strongly negative even for a model that
//! is equally good everywhere, so errors and bias belong beside them.

use super::Defined;
use super::statistics::{mean, quantile, sorted, standard_deviation};

/// A part of the range of the observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Band {
    /// Below the lower limit.
    Bottom,
    /// From the lower to the upper limit, both included.
    Middle,
    /// Above the upper limit.
    Top,
}

/// Where the middle band begins and ends, in the unit of the observations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Its smallest value.
    pub low: f64,
    /// Its largest value.
    pub high: f64,
}

impl Limits {
    /// The limits of one site and period: quantiles of type 7 of the observations of its valid pairs.
    ///
    /// # Errors
    ///
    /// [`super::Undefined::TooFew`] without observations.
    pub fn new(observed: &[f64], [low, high]: [f64; 2]) -> Defined<Self> {
        let sorted = sorted(observed);
        Ok(Self {
            low: quantile(&sorted, low)?,
            high: quantile(&sorted, high)?,
        })
    }

    /// The band of an observation. The tails are strict, so that ties at a limit, and a constant series as a whole,
    /// stay in the middle.
    pub fn band(&self, observed: f64) -> Band {
        if observed < self.low {
            Band::Bottom
        } else if observed > self.high {
            Band::Top
        } else {
            Band::Middle
        }
    }
}

/// How far each day lies from the mean of the days around it, in their standard deviations (divisor `n - 1`), `[D]`.
///
/// `series` is the full record of a site on a gapless calendar, `[D]`, NaN where it was not observed; it is not cut to
/// a part beforehand, so that the split cuts no window. A day's window has `window_days` calendar days around it, the
/// day itself included; when their number is even, the longer side lies before it. Only observed days count. None on
/// days that were not observed, and where the window holds fewer than `least` observations or equal ones.
pub fn z_scores(series: &[f64], window_days: usize, least: usize) -> Vec<Option<f64>> {
    let after = window_days.saturating_sub(1) / 2;
    let before = window_days.saturating_sub(1) - after;
    let z = |day: usize| {
        let value = series[day];
        let window = &series[day.saturating_sub(before)..(day + after + 1).min(series.len())];
        let observed: Vec<f64> = window
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        let constant = observed.iter().all(|other| *other == observed[0]);
        if !value.is_finite() || observed.len() < least || constant {
            return None;
        }
        Some((value - mean(&observed).ok()?) / standard_deviation(&observed).ok()?)
    };
    (0..series.len()).map(z).collect()
}

/// The days on which `|z|` of [`z_scores`] exceeds `threshold`, `[D]`.
pub fn spikes(series: &[f64], window_days: usize, threshold: f64) -> Vec<bool> {
    let scores = z_scores(series, window_days, least_observations(threshold));
    scores
        .into_iter()
        .map(|z| z.is_some_and(|z| z.abs() > threshold))
        .collect()
}

/// The fewest observations among which one can lie more than `threshold` standard deviations off the mean of all:
/// `|z|` is at most `(n - 1) / √n`. With fewer a day cannot be tested; to ask for more would leave out days near gaps.
///
/// # Source
///
/// Shiffler (1988), *Am. Stat.* 42(1), 79–80, doi:10.1080/00031305.1988.10475530.
pub fn least_observations(threshold: f64) -> usize {
    let possible = |&n: &u32| (f64::from(n) - 1.0) / f64::from(n).sqrt() > threshold;
    (2..).find(possible).map_or(usize::MAX, |n| n as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_standard_deviations_take_eleven_observations() {
        assert_eq!(least_observations(3.0), 11);
    }

    #[test]
    fn a_constant_series_lies_wholly_in_the_middle() {
        let limits = Limits::new(&[0.1; 7], [0.05, 0.95]).unwrap();
        assert_eq!(limits.band(0.1), Band::Middle);
    }
}
