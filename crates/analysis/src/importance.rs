//! What a score loses when a model does without some of its inputs, paired by site.

use super::Defined;
use super::paired::{SignedRank, signed_rank};
use super::statistics::{mean, median};

/// What leaving something out costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// For each site the fall of the score, mean over replications, to 12 decimals; none where a score is missing.
    pub falls: Vec<Option<f64>>,
    /// Median over sites.
    pub median: Defined,
    /// Mean over sites.
    pub mean: Defined,
    /// Share of the sites where the score falls.
    pub share_worse: Defined,
    /// Whether the falls lie symmetrically around zero.
    pub test: Defined<SignedRank>,
}

impl Importance {
    /// Of scores by replication and site, higher ones better: of the full model, and of the one that does without. As many
    /// replications of both; sites with a score that is not finite are left out.
    pub fn of(base: &[Vec<f64>], variant: &[Vec<f64>]) -> Self {
        let sites = base.first().map_or(0, Vec::len);
        let fall = |site: usize| {
            let pairs = base.iter().zip(variant);
            let sum: f64 = pairs
                .map(|(base, variant)| base[site] - variant[site])
                .sum();
            // Ties are ties whatever the rounding errors of the scores.
            let mean = (sum / base.len() as f64 * 1e12).round() / 1e12;
            mean.is_finite().then_some(mean)
        };
        let falls: Vec<Option<f64>> = (0..sites).map(fall).collect();
        let known: Vec<f64> = falls.iter().flatten().copied().collect();
        let worse: Vec<f64> = known.iter().map(|&fall| f64::from(fall > 0.0)).collect();
        Self {
            median: median(&known),
            mean: mean(&known),
            share_worse: mean(&worse),
            test: signed_rank(&known),
            falls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_that_lacks_a_score_once_is_left_out() {
        let base = [vec![0.5, 0.6, 0.7], vec![0.5, f64::NAN, 0.9]];
        let variant = [vec![0.4, 0.1, 0.7], vec![0.3, 0.1, 0.9]];
        let found = Importance::of(&base, &variant);
        assert_eq!(found.falls, [Some(0.15), None, Some(0.0)]);
        assert_eq!((found.share_worse, found.test.unwrap().n), (Ok(0.5), 1));
    }

    #[test]
    fn without_sites_nothing_is_defined() {
        let found = Importance::of(&[], &[]);
        assert!(found.median.is_err() && found.share_worse.is_err() && found.test.is_err());
    }
}
