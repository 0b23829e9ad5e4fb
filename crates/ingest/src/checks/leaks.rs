//! Ways in which what is known of test days comes into training.

use efflux_data::{Pack, Parts, Site};
use efflux_job::{Part, SAME_PLACE_KM};
use serde::Serialize;

use super::{Finding, Kind, parts};
use crate::cosore::{CosoreOptions, Filter};

/// Several sites at one place: each is near another of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Degrees north, of the first site.
    pub latitude: f64,
    /// Degrees east, of the first site.
    pub longitude: f64,
    /// Kilometres from the first site to the farthest.
    pub extent_km: f64,
    /// Their ids.
    pub sites: Vec<String>,
    /// Their test days, all together.
    pub test_days: usize,
    /// Those of them on which another site of the place trains.
    pub test_days_trained_on: usize,
}

/// The range of the flux in the parts of all sites, in the unit of the target; `None` without a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ranges {
    /// Over the training days: what a job scales the target by, unless it says `scaling = "all"`.
    pub training: Option<[f64; 2]>,
    /// Over the test days.
    pub test: Option<[f64; 2]>,
    /// Over all days: what the paper scales the target by.
    pub all: Option<[f64; 2]>,
}

/// Test days on which another site of the same place trains, with places of a certain width.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SeenWithin {
    /// Sites nearer to each other are one place, kilometres.
    pub km: f64,
    /// Those days, of all sites.
    pub test_days: usize,
}

/// How many test days are seen by neighbours, by distance: at 150 m, and at the width that places have.
pub(crate) fn seen_by_distance(pack: &Pack, train: f64, within_km: f64) -> Vec<SeenWithin> {
    const NEAR_KM: f64 = 0.15;
    let mut widths = vec![NEAR_KM, SAME_PLACE_KM, within_km];
    widths.sort_by(f64::total_cmp);
    widths.dedup();
    let seen = |km: f64| SeenWithin {
        km,
        test_days: places(pack, train, km)
            .iter()
            .map(|place| place.test_days_trained_on)
            .sum(),
    };
    widths.into_iter().map(seen).collect()
}

fn point(site: &Site) -> [f64; 2] {
    [site.latitude, site.longitude]
}

/// The places with more than one site, in the order of their first sites.
pub(crate) fn places(pack: &Pack, train: f64, within_km: f64) -> Vec<Place> {
    let parts = parts(pack, train);
    let points: Vec<[f64; 2]> = pack.sites.iter().map(point).collect();
    let trains = |site: usize, day: usize| {
        parts[(site, day)] == Part::Train && !pack.flux[(site, day)].is_nan()
    };
    let all = efflux_data::places(&points, within_km);
    all.into_iter()
        .filter(|sites| sites.len() > 1)
        .map(|sites| {
            let from_first =
                |&site: &usize| efflux_data::distance_km(points[sites[0]], points[site]);
            let tests = || {
                sites
                    .iter()
                    .flat_map(|&site| test_days(pack, &parts, site).map(move |day| (site, day)))
            };
            let seen = tests().filter(|&(site, day)| {
                sites
                    .iter()
                    .any(|&other| other != site && trains(other, day))
            });
            Place {
                latitude: points[sites[0]][0],
                longitude: points[sites[0]][1],
                extent_km: sites.iter().map(from_first).fold(0.0, f64::max),
                test_days: tests().count(),
                test_days_trained_on: seen.count(),
                sites: sites
                    .iter()
                    .map(|&site| pack.sites[site].id.clone())
                    .collect(),
            }
        })
        .collect()
}

/// The ranges of the flux.
pub(crate) fn ranges(pack: &Pack, train: f64) -> Ranges {
    let extremes = Extremes::of(pack, train);
    let range = |[low, high]: [Option<(f32, usize)>; 2]| Some([low?.0.into(), high?.0.into()]);
    let [training, test] = [range(extremes.training), range(extremes.test)];
    let all = match (training, test) {
        (Some([a, b]), Some([c, d])) => Some([f64::min(a, c), f64::max(b, d)]),
        (one, other) => one.or(other),
    };
    Ranges {
        training,
        test,
        all,
    }
}

/// Least and greatest flux of the parts, and the site of each.
struct Extremes {
    training: [Option<(f32, usize)>; 2],
    test: [Option<(f32, usize)>; 2],
}

impl Extremes {
    fn of(pack: &Pack, train: f64) -> Self {
        let parts = parts(pack, train);
        let of = |part: Part| {
            let fluxes = || {
                (0..pack.sites.len()).flat_map(|site| {
                    let fluxes = parts
                        .days(site, part)
                        .map(move |day| pack.flux[(site, day)]);
                    let known = fluxes.filter(|flux| !flux.is_nan());
                    known.map(move |flux| (flux, site))
                })
            };
            let order = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0);
            [fluxes().min_by(order), fluxes().max_by(order)]
        };
        Self {
            training: of(Part::Train),
            test: of(Part::Test),
        }
    }
}

pub(super) fn findings(pack: &Pack, train: f64, within_km: f64) -> Vec<Finding> {
    let mut findings: Vec<Finding> = places(pack, train, within_km)
        .into_iter()
        .filter(|place| place.test_days_trained_on > 0)
        .map(|place| same_place(place, within_km))
        .collect();
    findings.extend(filtered_by_test_days(pack));
    findings.extend(scaled_by_test_days(pack, train));
    findings
}

fn same_place(place: Place, within_km: f64) -> Finding {
    let Place {
        latitude,
        longitude,
        extent_km,
        sites,
        test_days,
        test_days_trained_on,
    } = place;
    Finding {
        kind: Kind::SamePlace,
        message: format!(
            "sites `{}` lie at the same place ({latitude}, {longitude}; {:.0} m wide, each at most {within_km} km from \
             the next): on {test_days_trained_on} of their {test_days} \
             test days another of them trains, so a model has seen that place on that very day (pack one of them, or \
             judge without these days)",
            sites.join("`, `"),
            1000.0 * extent_km
        ),
        sites,
    }
}

fn filtered_by_test_days(pack: &Pack) -> Option<Finding> {
    let options = CosoreOptions::of(&pack.origin.as_ref()?.account)?;
    (options.filter == Filter::All).then(|| Finding {
        kind: Kind::TestFilter,
        sites: Vec::new(),
        message: "test days have a say in the percentiles by which measurements were dropped, as in the paper (pack with \
                  `--filter training` to keep them out)"
            .into(),
    })
}

fn scaled_by_test_days(pack: &Pack, train: f64) -> Option<Finding> {
    let Extremes { training, test } = Extremes::of(pack, train);
    let ([Some(low), Some(high)], [Some(least), Some(greatest)]) = (training, test) else {
        return None;
    };
    let mut beyond = Vec::new();
    if least.0 < low.0 {
        beyond.push(least);
    }
    if greatest.0 > high.0 {
        beyond.push(greatest);
    }
    if beyond.is_empty() {
        return None;
    }
    let told: Vec<String> = beyond
        .iter()
        .map(|(flux, site)| format!("{flux:.3} at site `{}`", pack.sites[*site].id))
        .collect();
    Some(Finding {
        kind: Kind::TestRange,
        sites: beyond
            .iter()
            .map(|(_, site)| pack.sites[*site].id.clone())
            .collect(),
        message: format!(
            "test days reach {}, beyond the {:.3} to {:.3} {} of training days: a job with `scaling = \"all\"` in \
             [transform], the paper's way, would scale by them (leave `scaling = \"training\"`, the default)",
            told.join(" and "),
            low.0,
            high.0,
            pack.target.unit()
        ),
    })
}

fn test_days<'a>(
    pack: &'a Pack,
    parts: &'a Parts,
    site: usize,
) -> impl Iterator<Item = usize> + 'a {
    let flux = pack.flux_of(site);
    let days = parts.days(site, Part::Test);
    days.filter(|&day| !flux[day].is_nan())
}
