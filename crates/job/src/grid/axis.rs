//! An axis: keys that vary together, and their values.

use serde_json::Value;

use crate::section::Key;

/// One or several keys that vary together.
#[derive(Debug)]
pub(super) struct Axis {
    pub(super) keys: Vec<Key>,
    pub(super) values: Values,
}

/// The values of an axis.
#[derive(Debug)]
pub(super) enum Values {
    /// Those of its keys, level by level.
    Levels(Vec<Vec<Value>>),
    /// Those of its one key.
    Range(Range),
}

/// Numbers from one to another, to be drawn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) min: f64,
    pub(super) max: f64,
    /// Whether a number and its double are as far apart as two other such numbers.
    pub(super) log: bool,
    /// Whether its numbers are whole.
    pub(super) whole: bool,
}

impl Axis {
    /// How many levels a list has; none for a range.
    pub(super) fn levels(&self) -> Option<&[Vec<Value>]> {
        match &self.values {
            Values::Levels(levels) => Some(levels),
            Values::Range(_) => None,
        }
    }

    /// What its keys are at a place, in `[0, 1)`.
    pub(super) fn at(&self, place: f64) -> Vec<(Key, Value)> {
        let values = match &self.values {
            Values::Levels(levels) => levels[step(place, levels.len())].clone(),
            Values::Range(range) => vec![range.at(place)],
        };
        self.keys.iter().copied().zip(values).collect()
    }
}

impl Range {
    /// The number at a place, in `[0, 1)`. One with a fraction has six digits: which of the last bits a logarithm gives is the
    /// machine's own affair, and a configuration is not.
    fn at(self, place: f64) -> Value {
        let above = self.max + f64::from(u8::from(self.whole));
        let number = if self.log {
            (self.min.ln() + place * (above.ln() - self.min.ln())).exp()
        } else {
            self.min + place * (above - self.min)
        };
        let digits = format!("{number:.5e}").parse().unwrap_or(number);
        let number: f64 = if self.whole { digits.floor() } else { digits };
        let number = number.clamp(self.min, self.max);
        if self.whole {
            return Value::from(whole(number));
        }
        Value::from(number)
    }
}

/// A whole number that is no count yet; 0 for one below.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it saturates, and ranges of counts are within the bounds of counts"
)]
pub(super) fn whole(number: f64) -> u64 {
    number as u64
}

/// Which of so many equal steps a place lies in.
fn step(place: f64, steps: usize) -> usize {
    let found = (1..steps)
        .rev()
        .find(|&step| place >= step as f64 / steps as f64);
    found.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_drawn_from_end_to_end() {
        let at = |log, whole| {
            move |place| {
                Range {
                    min: 1.0,
                    max: 100.0,
                    log,
                    whole,
                }
                .at(place)
            }
        };
        let last = 1.0 - f64::EPSILON;
        assert_eq!(
            [0.0, 0.5, last].map(at(false, false)),
            [1.0, 50.5, 100.0].map(Value::from)
        );
        assert_eq!(
            [0.0, 0.5, last].map(at(true, false)),
            [1.0, 10.0, 100.0].map(Value::from)
        );
        assert_eq!(
            [0.0, 0.5, last].map(at(false, true)),
            [1_u64, 51, 100].map(Value::from)
        );
        assert_eq!(at(true, false)(0.123), Value::from(1.76198));
    }

    #[test]
    fn steps_are_equal() {
        let places = (0..12).map(|twelfth| step(f64::from(twelfth) / 12.0, 3));
        assert_eq!(
            places.collect::<Vec<_>>(),
            [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
        );
    }
}
