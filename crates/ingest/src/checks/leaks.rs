//! Ways in which what is known of test days comes into training.

use std::collections::BTreeMap;

use efflux_data::{Pack, SiteParts};
use serde::Serialize;

use super::place::place;
use super::{Finding, Kind, parts};
use crate::cosore::{CosoreOptions, Filter};

/// Several sites at one place: their coordinates are the same when rounded to hundredths of a degree.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Their ids.
    pub sites: Vec<String>,
    /// Their test days, all together.
    pub test_days: usize,
    /// Those of them on which another site of the place trains.
    pub test_days_trained_on: usize,
}

/// The range of the flux in the parts of all sites, µmol m⁻² s⁻¹; `None` without a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ranges {
    /// Over the training days: what a job scales the target by, unless it says `scaling = "all"`.
    pub training: Option<[f64; 2]>,
    /// Over the test days.
    pub test: Option<[f64; 2]>,
    /// Over all days: what the paper scales the target by.
    pub all: Option<[f64; 2]>,
}

/// The places with more than one site, from south to north.
pub(crate) fn places(pack: &Pack, train: f64) -> Vec<Place> {
    let parts = parts(pack, train);
    let mut sites: BTreeMap<(i64, i64), Vec<usize>> = BTreeMap::new();
    for (site, of) in pack.sites.iter().enumerate() {
        sites.entry(place(of)).or_default().push(site);
    }
    let trains = |site: usize, day: usize| {
        parts[site].train.contains(&day) && !pack.flux_of(site)[day].is_nan()
    };
    let several = sites.into_iter().filter(|(_, sites)| sites.len() > 1);
    several
        .map(|((latitude, longitude), sites)| {
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
                latitude: latitude as f64 / 100.0,
                longitude: longitude as f64 / 100.0,
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
        let of = |days: &dyn Fn(&SiteParts) -> std::ops::Range<usize>| {
            let fluxes = || {
                (0..pack.sites.len()).flat_map(|site| {
                    let fluxes = &pack.flux_of(site)[days(&parts[site])];
                    let known = fluxes.iter().filter(|flux| !flux.is_nan());
                    known.map(move |flux| (*flux, site))
                })
            };
            let order = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0);
            [fluxes().min_by(order), fluxes().max_by(order)]
        };
        Self {
            training: of(&|parts| parts.train.clone()),
            test: of(&|parts| parts.test.clone()),
        }
    }
}

pub(super) fn findings(pack: &Pack, train: f64) -> Vec<Finding> {
    let mut findings: Vec<Finding> = places(pack, train)
        .into_iter()
        .filter(|place| place.test_days_trained_on > 0)
        .map(same_place)
        .collect();
    findings.extend(filtered_by_test_days(pack));
    findings.extend(scaled_by_test_days(pack, train));
    findings
}

fn same_place(place: Place) -> Finding {
    let Place {
        latitude,
        longitude,
        sites,
        test_days,
        test_days_trained_on,
    } = place;
    Finding {
        kind: Kind::SamePlace,
        message: format!(
            "sites `{}` lie at the same place ({latitude}, {longitude}): on {test_days_trained_on} of their {test_days} \
             test days another of them trains, so a model has seen that place on that very day (pack one of them, or \
             judge without these days)",
            sites.join("`, `")
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
            "test days reach {}, beyond the {:.3} to {:.3} µmol m⁻² s⁻¹ of training days: a job with `scaling = \"all\"` in \
             [transform], the paper's way, would scale by them (leave `scaling = \"training\"`, the default)",
            told.join(" and "),
            low.0,
            high.0
        ),
    })
}

fn test_days<'a>(
    pack: &'a Pack,
    parts: &'a [SiteParts],
    site: usize,
) -> impl Iterator<Item = usize> + 'a {
    let flux = pack.flux_of(site);
    parts[site].test.clone().filter(|&day| !flux[day].is_nan())
}
