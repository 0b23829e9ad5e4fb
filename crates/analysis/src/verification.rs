//! Whether an ensemble is as sure as it should be.

use super::statistics::{mean, sorted};
use super::{Defined, Undefined};

/// The continuous ranked probability score of the members of one day against the observation, in the unit of the
/// values: 0 is best, and for one member it is the absolute error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crps {
    /// Of the members as they are: it rewards more members.
    pub ordinary: f64,
    /// Of the distribution the members are drawn from, whatever their number; not defined for one.
    pub fair: Defined,
}

/// Scores one day.
///
/// # Errors
///
/// [`Undefined::TooFew`] without members, [`Undefined::OutOfRange`] if a value is not finite.
///
/// # Source
///
/// Ferro (2014), *Q. J. R. Meteorol. Soc.* 140, 1917–1923, doi:10.1002/qj.2270.
pub fn crps(members: &[f64], observed: f64) -> Defined<Crps> {
    let errors: Vec<f64> = members
        .iter()
        .map(|value| (value - observed).abs())
        .collect();
    let error = mean(&errors)?;
    // Σ over pairs of |x_i - x_j|, from the sorted members in one pass.
    let apart: f64 = sorted(members)
        .iter()
        .enumerate()
        .map(|(rank, value)| (2.0 * rank as f64 + 1.0 - members.len() as f64) * value)
        .sum();
    let n = members.len() as f64;
    Ok(Crps {
        ordinary: error - apart / (n * n),
        fair: if members.len() < 2 {
            Err(Undefined::TooFew {
                found: members.len(),
                needed: 2,
            })
        } else {
            Ok(error - apart / (n * (n - 1.0)))
        },
    })
}

/// How many members lie below the observation, 0 to their number. Half of those that equal it count as below.
pub fn rank(members: &[f64], observed: f64) -> usize {
    let below = members.iter().filter(|&&value| value < observed).count();
    let equal = members.iter().filter(|&&value| value == observed).count();
    below + equal / 2
}

/// The factor on the spread that makes an interval around the mean hold a share `level` of new days: the value ranked
/// `⌈(n + 1) level⌉` of the scaled errors `|observed - mean| / spread` of n days that nothing was fitted on.
///
/// # Errors
///
/// [`Undefined::TooFew`] where that rank is beyond n.
///
/// # Source
///
/// Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018), *J. Am. Stat. Assoc.* 113(523), 1094–1111,
/// doi:10.1080/01621459.2017.1307116: split conformal prediction with locally weighted residuals.
pub fn conformal_factor(scaled_errors: &[f64], level: f64) -> Defined {
    let n = scaled_errors.len();
    // (n + 1) level is a little more than a whole number now and then, in binary.
    let exact = (n as f64 + 1.0) * level - 1e-9;
    let beyond = (1..=n).find(|&rank| rank as f64 >= exact);
    let rank = beyond.ok_or(Undefined::TooFew {
        found: n,
        needed: calibration_days(level),
    })?;
    Ok(sorted(scaled_errors)[rank - 1])
}

/// The fewest days that give a factor at this `level` in `[0, 1)`.
fn calibration_days(level: f64) -> usize {
    (1..)
        .find(|&n: &u32| f64::from(n) >= (f64::from(n) + 1.0) * level - 1e-9)
        .map_or(usize::MAX, |n| n as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_member_scores_its_absolute_error() {
        let score = crps(&[2.0], 3.5).unwrap();
        assert_eq!((score.ordinary, score.fair.is_err()), (1.5, true));
    }

    #[test]
    fn nineteen_days_are_the_fewest_for_ninety_five_percent() {
        let errors: Vec<f64> = (1..=19).map(f64::from).collect();
        assert_eq!(conformal_factor(&errors, 0.95), Ok(19.0));
        assert_eq!(
            conformal_factor(&errors[..18], 0.95),
            Err(Undefined::TooFew {
                found: 18,
                needed: 19
            })
        );
    }

    proptest! {
        #[test]
        fn the_fair_score_is_the_mean_over_pairs(
            members in prop::collection::vec(-5.0f64..5.0, 2..12),
            observed in -5.0f64..5.0,
        ) {
            let n = members.len() as f64;
            let apart: f64 = members.iter().flat_map(|a| members.iter().map(move |b| (a - b).abs())).sum();
            let error = members.iter().map(|a| (a - observed).abs()).sum::<f64>() / n;
            let score = crps(&members, observed).unwrap();
            prop_assert!((score.ordinary - (error - apart / (2.0 * n * n))).abs() < 1e-12);
            prop_assert!((score.fair.unwrap() - (error - apart / (2.0 * n * (n - 1.0)))).abs() < 1e-12);
        }
    }
}
