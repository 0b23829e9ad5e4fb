//! Where a model may be asked: points whose features are no further from those of the training sites than these are from
//! each other.

use super::statistics::{Fences, mean, sorted, standard_deviation};
use super::{Defined, Undefined};

/// The training sites of a model in the space of its features, with how far apart they are there.
///
/// # Source
///
/// Meyer and Pebesma (2021), *Methods Ecol. Evol.* 12, 1620–1633, doi:10.1111/2041-210X.13650; local points after Schumacher
/// et al. (2025), *Geosci. Model Dev.* 18, doi:10.5194/gmd-18-10185-2025.
#[derive(Clone, Debug, PartialEq)]
pub struct Applicability {
    /// The features that tell sites apart: of positive weight, and not the same at all sites. Ascending.
    pub features: Vec<usize>,
    /// Their means over the training sites.
    pub centre: Vec<f64>,
    /// Their standard deviations (divisor `n - 1`).
    pub scale: Vec<f64>,
    /// Mean distance over all pairs of training sites, in scaled features.
    pub mean_distance: f64,
    /// The dissimilarity index of each training site to those of other folds; none for a site that lacks a feature or has
    /// nobody to be compared with.
    pub training: Vec<Option<f64>>,
    /// The upper quartile of these, and the fence above which they are outliers.
    pub limits: Defined<Fences>,
    /// The largest that is no outlier: up to it a model may be asked.
    pub threshold: Defined,
    weights: Vec<f64>,
    folds: Option<Vec<usize>>,
    /// The scaled features of each training site that has all of them.
    sites: Vec<Option<Vec<f64>>>,
}

/// What the training sites say of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Dissimilarity index: distance to the nearest training site over the mean distance between training sites.
    pub dissimilarity: f64,
    /// Whether that is within the threshold.
    pub is_inside: Defined<bool>,
    /// How many training sites are within the threshold.
    pub local_points: Defined<usize>,
}

impl Applicability {
    /// Of training sites by feature, missing ones NaN; the weights of the features, negative ones as 0; and the fold of each
    /// site, if the model was judged by folds: none compares each site with all others.
    ///
    /// # Errors
    ///
    /// [`Undefined::Missing`] if no feature is used, [`Undefined::TooFew`] below two sites, [`Undefined::Constant`] if
    /// all sites that are left are alike.
    pub fn new(sites: &[Vec<f64>], weights: &[f64], folds: Option<&[usize]>) -> Defined<Self> {
        let weighs = |feature: &usize| weights[*feature] > 0.0;
        let weighing: Vec<usize> = (0..weights.len()).filter(weighs).collect();
        let is_whole = |site: &Vec<f64>| weighing.iter().all(|&feature| site[feature].is_finite());
        let whole: Vec<&Vec<f64>> = sites.iter().filter(|site| is_whole(site)).collect();
        let column =
            |feature: usize| -> Vec<f64> { whole.iter().map(|site| site[feature]).collect() };
        let varies = |feature: &usize| {
            let values = column(*feature);
            values.iter().any(|value| *value != values[0])
        };
        let features: Vec<usize> = weighing.iter().copied().filter(varies).collect();
        if features.is_empty() {
            return Err(Undefined::Missing("feature that weighs and varies"));
        }
        let columns = || features.iter().map(|&feature| column(feature));
        let mut applicability = Self {
            centre: columns()
                .map(|values| mean(&values))
                .collect::<Defined<_>>()?,
            scale: columns()
                .map(|values| standard_deviation(&values))
                .collect::<Defined<_>>()?,
            weights: features.iter().map(|&feature| weights[feature]).collect(),
            features,
            mean_distance: 0.0,
            training: Vec::new(),
            limits: Err(Undefined::Missing("sites of other folds")),
            threshold: Err(Undefined::Missing("sites of other folds")),
            folds: folds.map(<[usize]>::to_vec),
            sites: Vec::new(),
        };
        applicability.sites = sites
            .iter()
            .map(|site| is_whole(site).then(|| applicability.scaled(site)).flatten())
            .collect();
        applicability.mean_distance = applicability.mean_of_pairs()?;
        applicability.training = (0..sites.len())
            .map(|site| applicability.distances_to_others(site).reduce(f64::min))
            .collect();
        let known: Vec<f64> = applicability.training.iter().flatten().copied().collect();
        if !known.is_empty() {
            let limits = Fences::new(&known)?;
            let inside = sorted(&known)
                .into_iter()
                .rev()
                .find(|di| *di <= limits.high);
            applicability.threshold = inside.ok_or(Undefined::OutOfRange);
            applicability.limits = Ok(limits);
        }
        Ok(applicability)
    }

    /// A point by feature, as the training sites; none if it lacks a feature that is used.
    pub fn point(&self, features: &[f64]) -> Option<Point> {
        let point = self.scaled(features)?;
        let distances: Vec<f64> = self
            .sites
            .iter()
            .flatten()
            .map(|site| self.apart(site, &point))
            .collect();
        let dissimilarity = distances.iter().copied().fold(f64::INFINITY, f64::min);
        Some(Point {
            dissimilarity,
            is_inside: self.limit().map(|limit| dissimilarity <= limit),
            local_points: self
                .limit()
                .map(|limit| distances.iter().filter(|of| **of <= limit).count()),
        })
    }

    /// For each training site how many of other folds are within the threshold; none as for its dissimilarity.
    pub fn training_local_points(&self) -> Vec<Option<usize>> {
        let local = |site: usize| {
            let (limit, _) = (self.limit().ok()?, self.training[site]?);
            Some(
                self.distances_to_others(site)
                    .filter(|of| *of <= limit)
                    .count(),
            )
        };
        (0..self.sites.len()).map(local).collect()
    }

    /// The threshold with room for rounding errors.
    fn limit(&self) -> Defined {
        self.threshold.map(|threshold| threshold * (1.0 + 1e-12))
    }

    fn scaled(&self, features: &[f64]) -> Option<Vec<f64>> {
        let used = self.features.iter().zip(&self.weights);
        let used = used.zip(self.centre.iter().zip(&self.scale));
        used.map(|((&feature, weight), (centre, scale))| {
            let value = weight * (features[feature] - centre) / scale;
            value.is_finite().then_some(value)
        })
        .collect()
    }

    /// The distance of two places over the mean distance of training sites.
    fn apart(&self, one: &[f64], other: &[f64]) -> f64 {
        distance(one, other) / self.mean_distance
    }

    fn mean_of_pairs(&self) -> Defined {
        let sites: Vec<&Vec<f64>> = self.sites.iter().flatten().collect();
        let pairs = sites.iter().enumerate();
        let pairs =
            pairs.flat_map(|(place, one)| sites[..place].iter().map(|other| distance(one, other)));
        let mean = mean(&pairs.collect::<Vec<f64>>())?;
        if mean > 0.0 {
            Ok(mean)
        } else {
            Err(Undefined::Constant)
        }
    }

    /// From a training site to those that it is compared with; none from one that lacks a feature.
    fn distances_to_others(&self, site: usize) -> impl Iterator<Item = f64> {
        let from = self.sites[site].as_ref();
        let is_other = move |other: usize| match &self.folds {
            Some(folds) => folds[other] != folds[site],
            None => other != site,
        };
        let others = self.sites.iter().enumerate();
        others.filter_map(move |(other, to)| {
            let distance = self.apart(from?, to.as_ref()?);
            is_other(other).then_some(distance)
        })
    }
}

fn distance(one: &[f64], other: &[f64]) -> f64 {
    let squares = one.iter().zip(other).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f64>().sqrt()
}

/// Land covers as features: a column for each that a training site has, in the order of their names, with 1 at the sites that
/// have it. A point of another land cover, or of none, has 0 in all.
pub fn land_cover_columns(training: &[&str], points: &[&str]) -> Vec<Vec<f64>> {
    let mut covers = training.to_vec();
    covers.sort_unstable();
    covers.dedup();
    covers.retain(|cover| !cover.is_empty());
    let columns = |point: &&str| {
        covers
            .iter()
            .map(|cover| f64::from(cover == point))
            .collect()
    };
    points.iter().map(columns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_the_largest_that_is_no_outlier() {
        let sites: Vec<Vec<f64>> = [0.0, 1.0, 2.0, 3.0, 4.0, 30.0]
            .map(|at| vec![at, 7.0])
            .to_vec();
        let found = Applicability::new(&sites, &[1.0, 1.0], None).unwrap();
        assert_eq!(found.features, [0]);
        let threshold = found.threshold.unwrap();
        assert_eq!(Some(threshold), found.training[0]);
        assert!(found.training[5].unwrap() > found.limits.unwrap().high);
        let near = found.point(&[-1.0, f64::NAN]).unwrap();
        assert_eq!((near.is_inside, near.local_points), (Ok(true), Ok(1)));
        let far = found.point(&[12.0, 7.0]).unwrap();
        assert_eq!((far.is_inside, far.local_points), (Ok(false), Ok(0)));
        assert_eq!(found.point(&[f64::NAN, 7.0]), None);
    }

    #[test]
    fn sites_of_one_fold_say_nothing_of_each_other() {
        let sites: Vec<Vec<f64>> = [0.0, 1.0, 5.0].map(|at| vec![at]).to_vec();
        let found = Applicability::new(&sites, &[1.0], Some(&[0, 0, 1])).unwrap();
        let ratio = found.training[0].unwrap() / found.training[1].unwrap();
        assert!((ratio - 5.0 / 4.0).abs() < 1e-12);
        let alone = Applicability::new(&sites, &[1.0], Some(&[0, 0, 0])).unwrap();
        assert!(alone.threshold.is_err() && alone.point(&[1.0]).unwrap().is_inside.is_err());
        assert!(Applicability::new(&sites, &[0.0], None).is_err());
        assert!(Applicability::new(&sites[..1], &[1.0], None).is_err());
    }

    #[test]
    fn an_unknown_land_cover_has_no_column() {
        let columns = land_cover_columns(&["GRA", "CRO", "GRA"], &["CRO", "WET", ""]);
        assert_eq!(columns, [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]);
    }
}
