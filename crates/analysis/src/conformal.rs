//! How wide an interval must be to hold what it should, from errors on data that nothing was fitted on.

use super::statistics::sorted;
use super::{Defined, Undefined};

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

/// The factor on a scale that makes an interval around the prediction hold a share `level` of the days of a site that no
/// model has seen. `scores` has for each site `|observed - predicted| / scale` on days of it, by a model that never saw the
/// site: each site counts once, however many days it has. Scores that are not finite are left out, and sites without any.
///
/// # Errors
///
/// [`Undefined::TooFew`] where so few sites say nothing about this level.
///
/// # Source
///
/// Lee, Barber and Willett (2023), *Distribution-free inference with hierarchical data*, arXiv:2306.06342, with sites as
/// groups: each score of site j has the weight `1 / ((K + 1) N_j)`, and a score of infinity `1 / (K + 1)`.
pub fn unseen_site_factor(scores: &[Vec<f64>], level: f64) -> Defined {
    let sites: Vec<Vec<f64>> = scores
        .iter()
        .map(|of| finite_sorted(of))
        .filter(|of| !of.is_empty())
        .collect();
    let exact = (sites.len() as f64 + 1.0) * level - 1e-9;
    let too_few = Undefined::TooFew {
        found: sites.len(),
        needed: calibration_days(level),
    };
    if (sites.len() as f64) < exact {
        return Err(too_few);
    }
    let mut candidates = sorted(&sites.concat());
    candidates.dedup();
    let reached = |factor: f64| sites.iter().map(|of| share_within(of, factor)).sum::<f64>();
    let first = candidates.partition_point(|&factor| reached(factor) < exact);
    candidates.get(first).copied().ok_or(too_few)
}

/// The factor for an unseen site of a group, such as a land cover: [`unseen_site_factor`] over the sites of that group, or
/// over all where those are too few; and whether it is the group's own. `groups` has the group of each site.
///
/// # Errors
///
/// As [`unseen_site_factor`] over all sites.
///
/// # Source
///
/// Vovk, Gammerman and Shafer (2005), *Algorithmic Learning in a Random World*, section 4.5: Mondrian prediction.
pub fn unseen_site_factor_of_group(
    scores: &[Vec<f64>],
    groups: &[&str],
    group: &str,
    level: f64,
) -> Defined<(f64, bool)> {
    let sites = scores.iter().zip(groups);
    let of_group = sites.filter(|(_, of)| **of == group);
    let of_group: Vec<Vec<f64>> = of_group.map(|(scores, _)| scores.clone()).collect();
    match unseen_site_factor(&of_group, level) {
        Ok(own) => Ok((own, true)),
        Err(_) => unseen_site_factor(scores, level).map(|of_all| (of_all, false)),
    }
}

/// How well [`unseen_site_factor`] does at sites that have scores: for each of them the share of its days within the factor of
/// the other sites, none where the site has no days or the others no factor.
pub fn coverage_by_the_others(scores: &[Vec<f64>], level: f64) -> Vec<Option<f64>> {
    let at = |site: usize| {
        let mut others = scores.to_vec();
        let own = finite_sorted(&others.remove(site));
        let factor = unseen_site_factor(&others, level).ok()?;
        (!own.is_empty()).then(|| share_within(&own, factor))
    };
    (0..scores.len()).map(at).collect()
}

fn finite_sorted(scores: &[f64]) -> Vec<f64> {
    let mut scores = sorted(scores);
    scores.retain(|score| score.is_finite());
    scores
}

fn share_within(sorted: &[f64], factor: f64) -> f64 {
    sorted.partition_point(|&score| score <= factor) as f64 / sorted.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_site_counts_once_however_many_days_it_has() {
        let mut sites: Vec<Vec<f64>> = (1..=9).map(|site| vec![f64::from(site)]).collect();
        assert_eq!(unseen_site_factor(&sites, 0.9), Ok(9.0));
        assert!(unseen_site_factor(&sites, 0.95).is_err());
        sites[0] = vec![1.0; 1000];
        sites.push(vec![f64::NAN]);
        assert_eq!(unseen_site_factor(&sites, 0.5), Ok(5.0));
        assert_eq!(coverage_by_the_others(&sites, 0.5)[9], None);
    }
}
