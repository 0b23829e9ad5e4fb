//! Folds that are as far from the sites that train as the points to be predicted are.

use super::{Folds, Sites, renumbered};
use crate::places::distance_km;

/// What cutting the tree of places into so many clusters gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Clusters.
    pub clusters: usize,
    /// Sites in the largest fold.
    pub largest_fold: usize,
    /// By how many kilometres the distances of the folds differ from those of the points; none if a fold is too large.
    pub separation: Option<f64>,
}

/// The search for folds by distance.
#[derive(Clone, Debug, PartialEq)]
pub struct DistanceFolds {
    /// Places joined one after the other: names of the clusters, which are their least sites, and kilometres between.
    pub tree: Vec<(usize, usize, f64)>,
    /// By number of clusters, ascending.
    pub candidates: Vec<Candidate>,
    /// The candidate whose distances come closest, the one of fewest clusters if there are several, and its folds; none if
    /// all have a fold that is too large.
    pub best: Option<(usize, Folds)>,
}

/// Folds by nearest-neighbour distance matching: of all ways to cut the tree of places (average linkage) and to deal its
/// clusters into folds, the one whose distances from a site to the nearest of another fold are distributed most like those
/// from a point to the nearest site. No fold has more than a share `most` of the sites.
///
/// # Errors
///
/// Unless there are at least 2 folds and as many places, one point, and `most` lies between `1 / folds` and 1.
///
/// # Source
///
/// Linnenbrink, Milà, Ludwig and Meyer (2024), *Geosci. Model Dev.* 17, 5897–5912, doi:10.5194/gmd-17-5897-2024 (kNNDM), made
/// deterministic: all cuts instead of some, average linkage, and clusters ordered by their distance from an end of the
/// longest pair.
pub fn by_distance(
    sites: &Sites,
    points: &[[f64; 2]],
    folds: usize,
    most: f64,
) -> Result<DistanceFolds, String> {
    sites.enough(folds)?;
    if !(1.0 / (folds as f64) < most && most < 1.0) {
        return Err(format!(
            "a largest share of {most}, expected above 1/{folds} and below 1"
        ));
    }
    if points.is_empty() {
        return Err("no point to be predicted, expected at least 1".into());
    }
    let count = sites.points.len();
    let apart = Apart::of(&sites.points);
    let target = nearest_sites(&sites.points, points);
    let origin = apart.origin();
    let mut clusters: Vec<Vec<usize>> = sites.places.clone();
    let mut found = DistanceFolds {
        tree: Vec::new(),
        candidates: Vec::new(),
        best: None,
    };
    let mut least: Option<u128> = None;
    loop {
        if clusters.len() >= folds {
            let fold_of = deal(&clusters, &apart, origin, folds, count);
            let size = |fold: usize| fold_of.iter().filter(|of| **of == fold).count();
            let largest_fold = (0..folds).map(size).max().unwrap_or_default();
            let is_valid = largest_fold as f64 <= most * count as f64;
            let area = is_valid.then(|| area(&nearest_of_others(&apart, &fold_of), &target));
            if area.is_some_and(|area| least.is_none_or(|least| area <= least)) {
                least = area;
                found.best = Some((clusters.len(), renumbered(&fold_of)));
            }
            found.candidates.push(Candidate {
                clusters: clusters.len(),
                largest_fold,
                separation: area.map(|area| kilometres(area, count * points.len())),
            });
        }
        let Some((first, second, mean)) = apart.closest(&clusters) else {
            break;
        };
        found
            .tree
            .push((clusters[first][0], clusters[second][0], mean));
        let joined = clusters.remove(second);
        clusters[first].extend(joined);
        clusters[first].sort_unstable();
    }
    found.candidates.reverse();
    Ok(found)
}

/// By how many kilometres the distances of folds differ from those of points to the nearest site: the area between their
/// distribution functions (Wasserstein's distance).
///
/// # Source
///
/// Milà, Mateu, Pebesma and Meyer (2022), *Methods Ecol. Evol.* 13, 1304–1316, doi:10.1111/2041-210X.13851.
pub fn separation(sites: &[[f64; 2]], fold_of: &[usize], points: &[[f64; 2]]) -> f64 {
    let own = nearest_of_others(&Apart::of(sites), fold_of);
    kilometres(
        area(&own, &nearest_sites(sites, points)),
        sites.len() * points.len(),
    )
}

/// From each point to the nearest site, millimetres.
pub fn nearest_sites(sites: &[[f64; 2]], points: &[[f64; 2]]) -> Vec<u64> {
    let nearest = |point: &[f64; 2]| sites.iter().map(|site| millimetres(*point, *site)).min();
    points.iter().filter_map(nearest).collect()
}

/// From each site to the nearest other site, millimetres.
pub fn nearest_other_sites(sites: &[[f64; 2]]) -> Vec<u64> {
    let alone: Vec<usize> = (0..sites.len()).collect();
    nearest_of_others(&Apart::of(sites), &alone)
}

fn millimetres(one: [f64; 2], other: [f64; 2]) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and half the Earth's circumference"
    )]
    let whole = (1e6 * distance_km(one, other)).round() as u64;
    whole
}

/// From each site to the nearest of another fold, millimetres.
fn nearest_of_others(apart: &Apart, fold_of: &[usize]) -> Vec<u64> {
    let sites = 0..fold_of.len();
    let nearest = |site: usize| {
        let others = sites
            .clone()
            .filter(|&other| fold_of[other] != fold_of[site]);
        others.map(|other| apart.get(site, other)).min()
    };
    sites.clone().filter_map(nearest).collect()
}

/// The area between two empirical distribution functions, times both numbers of values: whole.
fn area(a: &[u64], b: &[u64]) -> u128 {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    a.sort_unstable();
    b.sort_unstable();
    let mut steps: Vec<u64> = a.iter().chain(&b).copied().collect();
    steps.sort_unstable();
    steps.dedup();
    let reached = |of: &[u64], value: u64| of.partition_point(|&other| other <= value) as u128;
    let between = steps.windows(2).map(|pair| {
        let (in_a, in_b) = (reached(&a, pair[0]), reached(&b, pair[0]));
        let difference = (in_a * b.len() as u128).abs_diff(in_b * a.len() as u128);
        difference * u128::from(pair[1] - pair[0])
    });
    between.sum()
}

fn kilometres(area: u128, counts: usize) -> f64 {
    area as f64 / counts as f64 / 1e6
}

/// Distances between sites, millimetres.
struct Apart {
    sites: usize,
    values: Vec<u64>,
}

impl Apart {
    fn of(points: &[[f64; 2]]) -> Self {
        let pairs = points
            .iter()
            .flat_map(|one| points.iter().map(|other| millimetres(*one, *other)));
        Self {
            sites: points.len(),
            values: pairs.collect(),
        }
    }

    fn get(&self, one: usize, other: usize) -> u64 {
        self.values[one * self.sites + other]
    }

    /// The first site of the pair that is farthest apart.
    fn origin(&self) -> usize {
        let (mut origin, mut farthest) = (0, 0);
        for one in 0..self.sites {
            for other in one + 1..self.sites {
                if self.get(one, other) > farthest {
                    (origin, farthest) = (one, self.get(one, other));
                }
            }
        }
        origin
    }

    fn sum(&self, one: &[usize], other: &[usize]) -> u128 {
        let pairs = one.iter().flat_map(|&a| other.iter().map(move |&b| (a, b)));
        pairs.map(|(a, b)| u128::from(self.get(a, b))).sum()
    }

    /// The places of the two clusters with the least mean distance, the first such pair, and that mean in kilometres.
    fn closest(&self, clusters: &[Vec<usize>]) -> Option<(usize, usize, f64)> {
        let mut closest: Option<(usize, usize, u128, u128)> = None;
        for (first, one) in clusters.iter().enumerate() {
            for (second, other) in clusters.iter().enumerate().skip(first + 1) {
                let (sum, pairs) = (self.sum(one, other), (one.len() * other.len()) as u128);
                if closest.is_none_or(|(_, _, least, of)| sum * of < least * pairs) {
                    closest = Some((first, second, sum, pairs));
                }
            }
        }
        closest.map(|(first, second, sum, pairs)| (first, second, sum as f64 / pairs as f64 / 1e6))
    }
}

/// The fold of each site: clusters in the order of their distance from the origin, large ones alone, the others in turn.
fn deal(
    clusters: &[Vec<usize>],
    apart: &Apart,
    origin: usize,
    folds: usize,
    count: usize,
) -> Vec<usize> {
    let mut order: Vec<(u128, &Vec<usize>)> = clusters
        .iter()
        .map(|cluster| (apart.sum(&[origin], cluster), cluster))
        .collect();
    order.sort_by(|(a, one), (b, other)| {
        let (a, b) = (a * other.len() as u128, b * one.len() as u128);
        a.cmp(&b).then(one[0].cmp(&other[0]))
    });
    let is_large = |cluster: &Vec<usize>| folds * cluster.len() >= count;
    let (large, small): (Vec<_>, Vec<_>) = order.iter().partition(|(_, cluster)| is_large(cluster));
    let rest = folds - large.len();
    let mut fold_of = vec![0; count];
    for (fold, (_, cluster)) in large.iter().enumerate() {
        cluster.iter().for_each(|&site| fold_of[site] = fold);
    }
    for (turn, (_, cluster)) in small.iter().enumerate() {
        let fold = large.len() + turn % rest;
        cluster.iter().for_each(|&site| fold_of[site] = fold);
    }
    fold_of
}
