//! Sites at one place: what of a site's test days was trained on there.

use efflux_job::{Part, SAME_PLACE_KM};

use crate::results::Results;

/// Test days that were seen at the same place in training, with places of a certain width.
pub(crate) struct SeenWithin {
    /// Sites at most this far apart, also through others, are one place.
    pub(crate) km: f64,
    /// Sites that share their place.
    pub(crate) sites: usize,
    /// Observed test days of all sites.
    pub(crate) test_days: usize,
    /// Those of them on which another site of the place was fitted on.
    pub(crate) seen: usize,
}

/// The other sites at the place of each site.
pub(super) fn neighbours(results: &Results<'_>, within_km: f64) -> Vec<Vec<usize>> {
    let sites = results.sites.iter();
    let points: Vec<[f64; 2]> = sites.map(|site| [site.latitude, site.longitude]).collect();
    let mut others = vec![Vec::new(); points.len()];
    for place in efflux_data::places(&points, within_km) {
        for &site in &place {
            others[site] = place.iter().copied().filter(|of| *of != site).collect();
        }
    }
    others
}

/// Observed test days of a site on which one of these others has a day that members were fitted on.
pub(super) fn test_days_seen(results: &Results<'_>, site: usize, neighbours: &[usize]) -> usize {
    let is_fitted = |other: usize, day: usize| {
        results.observed(other)[day].is_finite() && results.fit.holds(results.parts[(other, day)])
    };
    let observed = results.observed(site);
    let days = results.part_days(site, Part::Test);
    days.filter(|&day| observed[day].is_finite())
        .filter(|&day| neighbours.iter().any(|&other| is_fitted(other, day)))
        .count()
}

/// The same at 150 m, at a kilometre, and at the width that the job says.
pub(super) fn seen_by_distance(results: &Results<'_>) -> Vec<SeenWithin> {
    const NEAR_KM: f64 = 0.15;
    let mut widths = vec![NEAR_KM, SAME_PLACE_KM, results.analysis.same_place_km];
    widths.sort_by(f64::total_cmp);
    widths.dedup();
    let seen = |km: f64| {
        let neighbours = neighbours(results, km);
        let of_sites = neighbours.iter().enumerate();
        SeenWithin {
            km,
            sites: neighbours
                .iter()
                .filter(|others| !others.is_empty())
                .count(),
            test_days: (0..neighbours.len())
                .map(|site| results.observed_days(site, Part::Test))
                .sum(),
            seen: of_sites
                .map(|(site, others)| test_days_seen(results, site, others))
                .sum(),
        }
    };
    widths.into_iter().map(seen).collect()
}
