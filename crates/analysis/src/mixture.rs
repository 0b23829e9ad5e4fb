//! Models of unlike kinds taken together, and how wide an interval around them must be.

use super::{Defined, Undefined, finite};

/// The weighted mean of fluxes, taken in asinh units, in the unit of the fluxes.
///
/// * `members`: pairs of weight and flux; weights need not add up to 1.
///
/// # Errors
///
/// [`Undefined::TooFew`] without a positive weight, [`Undefined::OutOfRange`] if a flux is not finite.
pub fn mix(members: impl IntoIterator<Item = (f64, f64)>) -> Defined {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (weight, flux) in members {
        sum += weight * flux.asinh();
        weights += weight;
    }
    if weights <= 0.0 {
        let needed = 1;
        return Err(Undefined::TooFew { found: 0, needed });
    }
    finite((sum / weights).sinh())
}

/// The factor that makes intervals of errors hold a `level` of the days: the smallest score whose cumulated share of weight
/// is at least the level, where a site's n scores weigh n^−½ each.
///
/// * `sites`: the scores of each site, errors divided by their scales, without sign.
///
/// # Errors
///
/// [`Undefined::TooFew`] without scores, [`Undefined::OutOfRange`] if one is not finite.
///
/// # Source
///
/// Split conformal prediction, Vovk et al. (2005), *Algorithmic Learning in a Random World*; the weights are between those
/// of days that count alike and of sites that do.
pub fn interval_factor(sites: &[Vec<f64>], level: f64) -> Defined {
    let weighted = sites.iter().flat_map(|scores| {
        let weight = (scores.len() as f64).powf(-0.5);
        scores.iter().map(move |&score| (score, weight))
    });
    let mut weighted: Vec<(f64, f64)> = weighted.collect();
    if weighted.iter().any(|(score, _)| !score.is_finite()) {
        return Err(Undefined::OutOfRange);
    }
    weighted.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut cumulated = 0.0;
    for (score, weight) in &weighted {
        cumulated += weight;
        if cumulated / total >= level {
            return Ok(*score);
        }
    }
    let needed = 1;
    let last = weighted.last().map(|(score, _)| *score);
    last.ok_or(Undefined::TooFew { found: 0, needed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_taken_where_errors_are_alike() {
        let mixed = mix([(1.0, 1_f64.sinh()), (3.0, 2_f64.sinh())]).unwrap();
        assert!((mixed - 1.75_f64.sinh()).abs() < 1e-12);
        assert!(mix([]).is_err());
        assert_eq!(mix([(1.0, f64::NAN)]), Err(Undefined::OutOfRange));
    }

    #[test]
    fn a_long_record_counts_more_than_a_short_one_but_not_by_its_days() {
        let long: Vec<f64> = vec![1.0; 100];
        let factor =
            |short: usize, level| interval_factor(&[long.clone(), vec![2.0; short]], level);
        // Weights of 10 and 1.
        assert_eq!(factor(1, 0.9), Ok(1.0));
        assert_eq!(factor(1, 0.92), Ok(2.0));
        assert_eq!(factor(100, 0.51), Ok(2.0));
        assert!(interval_factor(&[], 0.9).is_err());
    }
}
