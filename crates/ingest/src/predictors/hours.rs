//! The hours of a day, gathered while a table is read: years of hourly rows take no more memory than their days.

use super::products::Daily;

const HOURS: usize = 24;

/// What is known of the hours of one day at one site.
#[derive(Clone, Debug)]
pub(super) struct Hours {
    /// In the precision of a pack; NaN if missing.
    values: [f32; HOURS],
    /// A bit for every hour that there was a row of.
    seen: u32,
    /// A bit for every hour that its producer has filled.
    filled: u32,
}

/// What was known of an hour before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    Same,
    Other,
}

impl Default for Hours {
    fn default() -> Self {
        Self {
            values: [f32::NAN; HOURS],
            seen: 0,
            filled: 0,
        }
    }
}

impl Hours {
    /// Takes in the value of an hour of the day, 0 to 23; NaN if it is missing. What was there before stays.
    pub(super) fn insert(&mut self, hour: usize, value: f32, filled: bool) -> Before {
        let bit = 1 << hour;
        if self.seen & bit == 0 {
            self.seen |= bit;
            self.values[hour] = value;
            self.filled |= u32::from(filled) << hour;
            return Before::Nothing;
        }
        let same = self.values[hour].to_bits() == value.to_bits();
        if same && filled == (self.filled & bit != 0) {
            Before::Same
        } else {
            Before::Other
        }
    }

    /// The sum or the mean of all 24 hours, the same in whatever order they came; `None` if one is missing.
    pub(super) fn daily(&self, how: Option<Daily>) -> Option<f64> {
        let sum: f64 = self.values.iter().map(|value| f64::from(*value)).sum();
        let value = match how {
            Some(Daily::Sum) => sum,
            _ => sum / HOURS as f64,
        };
        (!value.is_nan()).then_some(value)
    }

    /// Whether a producer has filled one of them.
    pub(super) fn is_filled(&self) -> bool {
        self.filled != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_needs_all_its_hours_and_each_once() {
        let mut hours = Hours::default();
        for hour in (0..HOURS).rev() {
            assert_eq!(hours.daily(Some(Daily::Sum)), None);
            assert_eq!(hours.insert(hour, 0.5, hour == 7), Before::Nothing);
        }
        assert_eq!(hours.insert(3, 0.5, false), Before::Same);
        assert_eq!(hours.insert(3, 0.25, false), Before::Other);
        assert_eq!(hours.insert(7, 0.5, false), Before::Other);
        assert_eq!(hours.daily(Some(Daily::Sum)), Some(12.0));
        assert_eq!(hours.daily(Some(Daily::Mean)), Some(0.5));
        assert!(hours.is_filled());
    }

    #[test]
    fn a_missing_hour_is_an_opinion_too() {
        let mut hours = Hours::default();
        assert_eq!(hours.insert(0, f32::NAN, false), Before::Nothing);
        assert_eq!(hours.insert(0, f32::NAN, false), Before::Same);
        assert_eq!(hours.insert(0, 1.0, false), Before::Other);
    }
}
