//! What the members of an ensemble say together, day by day, in the target's physical unit.
//!
//! Members differ by their seed alone, so their spread is epistemic: it leaves out the noise of the observations.

use super::statistics::{quantile, sorted, standard_deviation};
use super::{Defined, Undefined, finite};

/// Mean and spread over members of every value of a series; NaN where it is not defined.
#[derive(Clone, Debug, Default)]
pub struct Together {
    /// The means.
    pub mean: Vec<f64>,
    /// The standard deviations.
    pub spread: Vec<f64>,
}

impl Together {
    /// Of members that are all as long as this.
    pub fn of(members: &[&[f32]], length: usize) -> Self {
        let mut together = Self {
            mean: Vec::with_capacity(length),
            spread: Vec::with_capacity(length),
        };
        let mut of_day = vec![0.0; members.len()];
        for day in 0..length {
            for (value, member) in of_day.iter_mut().zip(members) {
                *value = f64::from(member[day]);
            }
            together.mean.push(mean(&of_day).unwrap_or(f64::NAN));
            together.spread.push(spread(&of_day).unwrap_or(f64::NAN));
        }
        together
    }
}

/// The mean over members of one day.
///
/// # Errors
///
/// [`Undefined::TooFew`] without members, [`Undefined::OutOfRange`] if a member's value is not finite: leaving that
/// member out would flatter the ensemble on its worst days.
pub fn mean(members: &[f64]) -> Defined {
    super::statistics::mean(members)
}

/// The spread over members of one day: their standard deviation (divisor `n - 1`).
///
/// # Errors
///
/// [`Undefined::TooFew`] below two members, [`Undefined::OutOfRange`] if a value is not finite.
pub fn spread(members: &[f64]) -> Defined {
    standard_deviation(members)
}

/// The interval that holds the middle `level` of the members of one day, by quantiles of type 7.
///
/// # Errors
///
/// [`Undefined::TooFew`] when `members < 2 / (1 - level)`: the level is not resolvable, its bounds would be those of
/// the two outermost members. [`Undefined::OutOfRange`] if a value is not finite.
pub fn interval(members: &[f64], level: f64) -> Defined<(f64, f64)> {
    let needed = members_needed(level);
    if members.len() < needed {
        return Err(Undefined::TooFew {
            found: members.len(),
            needed,
        });
    }
    for &value in members {
        finite(value)?;
    }
    let sorted = sorted(members);
    let tail = (1.0 - level) / 2.0;
    Ok((quantile(&sorted, tail)?, quantile(&sorted, 1.0 - tail)?))
}

/// The fewest members that resolve an interval of this `level` in `[0, 1)`: `2 / (1 - level)`, rounded up.
pub fn members_needed(level: f64) -> usize {
    // 2 / (1 - 0.8) is a little more than 10 in binary.
    let exact = 2.0 / (1.0 - level) - 1e-9;
    (1..)
        .find(|&members| f64::from(members) >= exact)
        .map_or(usize::MAX, |members: u32| members as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_members_resolve_eighty_percent_and_no_more() {
        let needed: Vec<usize> = [0.5, 0.8, 0.9, 0.95].map(members_needed).to_vec();
        assert_eq!(needed, [4, 10, 20, 40]);
        let members: Vec<f64> = (0..10).map(f64::from).collect();
        let (low, high) = interval(&members, 0.8).unwrap();
        assert!((low - 0.9).abs() < 1e-12 && (high - 8.1).abs() < 1e-12);
        assert_eq!(
            interval(&members, 0.9),
            Err(Undefined::TooFew {
                found: 10,
                needed: 20
            })
        );
    }

    #[test]
    fn series_are_taken_together_value_by_value() {
        let together = Together::of(&[&[1.0, f32::NAN, 2.0], &[3.0, 1.0, 2.0]], 3);
        assert_eq!((together.mean[0], together.mean[2]), (2.0, 2.0));
        assert!((together.spread[0] - 2_f64.sqrt()).abs() < 1e-12);
        assert!(together.mean[1].is_nan() && together.spread[1].is_nan());
        assert!(Together::of(&[&[1.0]], 1).spread[0].is_nan());
        assert!(Together::of(&[], 1).mean[0].is_nan());
    }

    #[test]
    fn one_member_has_a_mean_and_no_spread() {
        assert_eq!(mean(&[2.5]), Ok(2.5));
        assert!(spread(&[2.5]).is_err());
    }

    #[test]
    fn a_member_that_is_not_finite_leaves_the_day_undefined() {
        assert_eq!(mean(&[1.0, f64::INFINITY]), Err(Undefined::OutOfRange));
        assert_eq!(spread(&[1.0, f64::NAN]), Err(Undefined::OutOfRange));
        assert_eq!(
            interval(&[1.0, 2.0, 3.0, f64::NAN], 0.5),
            Err(Undefined::OutOfRange)
        );
    }
}
