//! Whether an ensemble is as sure as it should be.

use std::ops::RangeInclusive;

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

/// Where an observation lies among the members of its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Members below it.
    pub below: usize,
    /// Members that equal it.
    pub equal: usize,
    /// All members.
    pub members: usize,
}

impl Rank {
    /// Of an observation among these members.
    pub fn of(members: &[f64], observed: f64) -> Self {
        let count = |is: fn(&f64, &f64) -> bool| {
            members.iter().filter(|value| is(value, &observed)).count()
        };
        Self {
            below: count(f64::lt),
            equal: count(f64::eq),
            members: members.len(),
        }
    }

    /// The ranks that the observation may be said to have, 0 to the number of members: several where it equals members.
    pub fn all(&self) -> RangeInclusive<usize> {
        self.below..=self.below + self.equal
    }

    /// The stretch of `[0, 1]` over which the probability integral transform spreads the day evenly.
    pub fn transform(&self) -> (f64, f64) {
        let ranks = self.members as f64 + 1.0;
        let behind = self.all().end() + 1;
        (self.below as f64 / ranks, behind as f64 / ranks)
    }
}

/// The share of the days that have each rank, 0 to the number of members. A day whose observation equals members belongs
/// evenly to all ranks that it may be said to have. Groups, such as sites, count equally, and in each its days.
///
/// # Errors
///
/// [`Undefined::TooFew`] without days, [`Undefined::Missing`] if the number of members differs.
///
/// # Source
///
/// Hamill and Colucci (1997), *Mon. Weather Rev.* 125(6), 1312–1327: ranks of verification shared among ties.
pub fn rank_histogram(groups: &[Vec<Rank>]) -> Defined<Vec<f64>> {
    let mut all = groups.iter().flatten();
    let members = all.next().map_or(0, |first| first.members);
    if all.any(|rank| rank.members != members) {
        return Err(Undefined::Missing("number of members that all days have"));
    }
    histogram(groups, members + 1)
}

/// The share of the days in each of so many equal parts of `[0, 1]` by the probability integral transform; groups as in
/// [`rank_histogram`], but the number of members may differ.
///
/// # Errors
///
/// [`Undefined::TooFew`] without days.
///
/// # Source
///
/// Czado, Gneiting and Held (2009), *Biometrics* 65(4), 1254–1261, doi:10.1111/j.1541-0420.2009.01191.x: the non-randomised
/// transform of discrete forecasts.
pub fn histogram(groups: &[Vec<Rank>], parts: usize) -> Defined<Vec<f64>> {
    let groups: Vec<&Vec<Rank>> = groups.iter().filter(|group| !group.is_empty()).collect();
    if groups.is_empty() {
        return Err(Undefined::TooFew {
            found: 0,
            needed: 1,
        });
    }
    let mut shares = vec![0.0; parts];
    for group in &groups {
        let each = 1.0 / (groups.len() * group.len()) as f64;
        for rank in *group {
            let (low, high) = rank.transform();
            for (part, share) in shares.iter_mut().enumerate() {
                let (from, to) = (part as f64 / parts as f64, (part + 1) as f64 / parts as f64);
                let inside = (high.min(to) - low.max(from)).max(0.0);
                *share += each * inside / (high - low);
            }
        }
    }
    Ok(shares)
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
    fn a_tied_day_belongs_evenly_to_the_ranks_that_it_may_have() {
        let days = [3.0, 2.0, 9.0].map(|observed| Rank::of(&[1.0, 2.0, 2.0], observed));
        let third = 1.0 / 3.0;
        let shares = rank_histogram(&[days.to_vec()]).unwrap();
        let expected = [0.0, third / 3.0, third / 3.0, 2.0 * third + third / 3.0];
        for (share, expected) in shares.iter().zip(expected) {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
        let by_site = rank_histogram(&[days[..1].to_vec(), days[1..2].to_vec(), vec![]]).unwrap();
        assert!((by_site[3] - (0.5 + 0.5 * third)).abs() < 1e-12);
        assert!(rank_histogram(&[vec![], vec![]]).is_err());
        let fewer = Rank::of(&[1.0], 0.0);
        assert!(rank_histogram(&[vec![fewer, days[0]]]).is_err());
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
