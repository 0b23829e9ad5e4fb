//! The rhythm of a record: how much a day tells about the next, about half a year and about a year later.

use super::Defined;
use super::metrics::Pairs;
use super::statistics::mean;

/// Lag of smoothness, in days.
pub const SMOOTHNESS: usize = 1;
/// Lag of seasonality, in days. Raw: a strongly seasonal site is near -1.
pub const SEASONALITY: usize = 182;
/// Lag of cyclicality, in days, also across leap years.
pub const CYCLICALITY: usize = 365;

/// The autocorrelation at one lag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Autocorrelation {
    /// Pairs of observed days this far apart.
    pub pairs: usize,
    /// Their correlation, each side with its own mean.
    pub r: Defined,
}

/// The autocorrelation of a series on a gapless daily calendar, `[D]`, NaN where it was not observed, at a lag in
/// calendar days.
pub fn autocorrelation(series: &[f64], lag: usize) -> Autocorrelation {
    let later = series.get(lag..).unwrap_or_default();
    let pairs: Pairs = later.iter().copied().zip(series.iter().copied()).collect();
    Autocorrelation {
        pairs: pairs.len(),
        r: pairs.r(),
    }
}

impl Autocorrelation {
    /// Whether it rests on enough pairs (30) to be compared between sites.
    pub fn usable(&self) -> bool {
        self.pairs >= 30 && self.r.is_ok()
    }

    /// r, where it is usable.
    pub fn usable_r(&self) -> Option<f64> {
        self.r.ok().filter(|_| self.usable())
    }
}

/// A site's summers and winters, all years together, in the unit of the series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seasons {
    /// Observed summer days.
    pub summer_days: usize,
    /// Observed winter days.
    pub winter_days: usize,
    /// Mean over summer days.
    pub summer: Defined,
    /// Mean over winter days.
    pub winter: Defined,
    /// How far the two means lie apart.
    pub difference: Defined,
}

/// Compares summer and winter: June to August and December to February from the equator northwards, the other way
/// round south of it. `days` gives the month (1–12) and the value of each day, NaN where it was not observed.
pub fn seasons(days: impl IntoIterator<Item = (u8, f64)>, latitude: f64) -> Seasons {
    let (mut middle, mut turn) = (Vec::new(), Vec::new());
    for (month, value) in days {
        match month {
            6..=8 if value.is_finite() => middle.push(value),
            1 | 2 | 12 if value.is_finite() => turn.push(value),
            _ => {}
        }
    }
    let (summer, winter) = if latitude >= 0.0 {
        (middle, turn)
    } else {
        (turn, middle)
    };
    let means = (mean(&summer), mean(&winter));
    Seasons {
        summer_days: summer.len(),
        winter_days: winter.len(),
        summer: means.0,
        winter: means.1,
        difference: means.0.and_then(|summer| Ok((summer - means.1?).abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_shorter_than_the_lag_has_no_pairs() {
        let short = autocorrelation(&[1.0, 2.0, 3.0], CYCLICALITY);
        assert_eq!((short.pairs, short.usable()), (0, false));
    }

    #[test]
    fn july_is_winter_south_of_the_equator() {
        let days = [(7, 1.0), (1, 3.0), (4, 99.0)];
        assert_eq!(seasons(days, -30.0).summer, Ok(3.0));
        assert_eq!(seasons(days, 0.0).summer, Ok(1.0));
    }
}
