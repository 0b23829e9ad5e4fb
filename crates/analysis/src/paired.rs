//! Two series of scores over the same sites: which is better, and how sure that is.

use efflux_numerics::random::Stream;

use super::distributions::normal_two_sided;
use super::statistics::{median, quantile, sorted};
use super::{Defined, Undefined};

/// Above this many differences the signed-rank test uses its normal limit.
const EXACT: usize = 300;

/// Wilcoxon's signed-rank test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignedRank {
    /// Differences that are not zero.
    pub n: usize,
    /// Sum of the ranks of the positive differences.
    pub positive: f64,
    /// Two-sided p value.
    pub p: f64,
    /// One-sided p value: how likely differences that do not tend above zero are so far above it.
    pub p_above: f64,
}

impl SignedRank {
    /// How one-sided the differences are: -1 if all are negative, 1 if all are positive.
    ///
    /// # Source
    ///
    /// Kerby (2014), *Compr. Psychol.* 3(1), doi:10.2466/11.IT.3.1: the matched-pairs rank-biserial correlation.
    pub fn rank_biserial(&self) -> f64 {
        let all = self.n as f64 * (self.n as f64 + 1.0) / 2.0;
        (2.0 * self.positive - all) / all
    }
}

/// Whether paired differences lie symmetrically around zero. Zeros are left out, ties share their mean rank; up to 300
/// differences the p value is exact, also with ties.
///
/// # Errors
///
/// [`Undefined::TooFew`] if all differences are zero or there is none.
///
/// # Source
///
/// Wilcoxon (1945), *Biometrics Bull.* 1(6), 80–83, doi:10.2307/3001968.
pub fn signed_rank(differences: &[f64]) -> Defined<SignedRank> {
    let mut ordered: Vec<f64> = differences
        .iter()
        .copied()
        .filter(|value| value.is_finite() && *value != 0.0)
        .collect();
    let n = ordered.len();
    if n == 0 {
        return Err(Undefined::TooFew {
            found: 0,
            needed: 1,
        });
    }
    ordered.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    // Twice the rank is whole, also the mean rank of ties.
    let mut doubled = vec![0; n];
    let mut ties = 0.0;
    let mut first = 0;
    for group in ordered.chunk_by(|a, b| a.abs() == b.abs()) {
        let last = first + group.len();
        doubled[first..last].fill(first + last + 1);
        ties += (group.len() as f64).powi(3) - group.len() as f64;
        first = last;
    }
    let positive: usize = doubled
        .iter()
        .zip(&ordered)
        .filter(|(_, value)| **value > 0.0)
        .map(|(rank, _)| rank)
        .sum();
    let [low, high] = if n <= EXACT {
        exact(&doubled, positive)
    } else {
        let count = n as f64;
        let variance = count * (count + 1.0) * (2.0 * count + 1.0) / 24.0 - ties / 48.0;
        let expected = count * (count + 1.0) / 4.0;
        let above = (positive as f64 / 2.0 - expected) / variance.sqrt();
        let tail = normal_two_sided(above) / 2.0;
        if above > 0.0 {
            [1.0 - tail, tail]
        } else {
            [tail, 1.0 - tail]
        }
    };
    Ok(SignedRank {
        n,
        positive: positive as f64 / 2.0,
        p: (2.0 * low.min(high)).min(1.0),
        p_above: high.min(1.0),
    })
}

/// The lower and the upper tail when every rank is positive or negative by the toss of a coin.
fn exact(doubled: &[usize], positive: usize) -> [f64; 2] {
    let total: usize = doubled.iter().sum();
    let mut chance = vec![0.0; total + 1];
    chance[0] = 1.0;
    let mut reached = 0;
    for &rank in doubled {
        reached += rank;
        for sum in (0..=reached).rev() {
            let with = if sum >= rank { chance[sum - rank] } else { 0.0 };
            chance[sum] = 0.5 * (chance[sum] + with);
        }
    }
    let low: f64 = chance[..=positive].iter().sum();
    let high: f64 = chance[positive..].iter().sum();
    [low, high]
}

/// The median of paired differences with the interval that holds the middle `level` of 2,000 resamplings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// The median.
    pub median: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

/// How far the median would move with other sites of the same kind. The draws are the same each time.
///
/// # Errors
///
/// [`Undefined::TooFew`] below two values.
///
/// # Source
///
/// Efron (1979), *Ann. Stat.* 7(1), 1–26, doi:10.1214/aos/1176344552; percentile interval.
pub fn bootstrap_median(values: &[f64], level: f64) -> Defined<Bootstrap> {
    const RESAMPLINGS: usize = 2000;
    if values.len() < 2 {
        return Err(Undefined::TooFew {
            found: values.len(),
            needed: 2,
        });
    }
    let mut draws = Stream::of_state(0);
    let mut sample = vec![0.0; values.len()];
    let mut medians = Vec::with_capacity(RESAMPLINGS);
    for _ in 0..RESAMPLINGS {
        for value in &mut sample {
            *value = values[draws.index(values.len())];
        }
        medians.push(median(&sample)?);
    }
    let medians = sorted(&medians);
    let tail = (1.0 - level) / 2.0;
    Ok(Bootstrap {
        median: median(values)?,
        low: quantile(&medians, tail)?,
        high: quantile(&medians, 1.0 - tail)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn five_differences_of_one_sign_are_no_proof() {
        let test = signed_rank(&[1.0, 2.0, 3.0, 4.0, 5.0, 0.0]).unwrap();
        assert_eq!((test.n, test.positive, test.p), (5, 15.0, 2.0 / 32.0));
        assert_eq!(test.p_above, 1.0 / 32.0);
        assert_eq!(signed_rank(&[-1.0, -2.0]).unwrap().p_above, 1.0);
    }

    #[test]
    fn the_exact_tail_and_its_limit_agree_for_many_differences() {
        let values: Vec<f64> = (1..=300)
            .map(|place| f64::from(place) * if place % 7 < 3 { -1.0 } else { 1.0 })
            .collect();
        let exact = signed_rank(&values).unwrap().p;
        let mut more = values;
        more.push(1e-9);
        let limit = signed_rank(&more).unwrap().p;
        assert!((exact - limit).abs() < 0.002, "{exact} {limit}");
    }

    proptest! {
        #[test]
        fn swapping_the_two_sides_changes_no_p_value(values in prop::collection::vec(-4i8..5, 1..40)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let swapped: Vec<f64> = values.iter().map(|value| -value).collect();
            let (ours, theirs) = (signed_rank(&values), signed_rank(&swapped));
            prop_assert_eq!(ours.is_ok(), theirs.is_ok());
            if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                prop_assert!((ours.p - theirs.p).abs() < 1e-12 && ours.p > 0.0 && ours.p <= 1.0);
            }
        }

        #[test]
        fn the_interval_of_a_median_lies_within_the_values(values in prop::collection::vec(-1e3f64..1e3, 2..30)) {
            let found = bootstrap_median(&values, 0.95).unwrap();
            let (least, most) = super::super::statistics::range(&values).unwrap();
            prop_assert!(least <= found.low && found.low <= found.high && found.high <= most);
        }
    }
}
