//! What is known of a predictor: its range, and how much of it was filled.

use efflux_data::{HELD, INTERPOLATED, OBSERVED, Pack};
use serde::Serialize;

/// One daily variable or static attribute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariableSummary {
    /// Its name.
    pub name: String,
    /// Its unit; empty if unknown.
    pub units: String,
    /// Least and greatest value over all sites and days, by which a job scales it; `None` if it is known nowhere.
    pub range: Option<[f64; 2]>,
    /// Share of its known values that were interpolated or held.
    pub filled: f64,
    /// The longest run of days that were interpolated between two observed ones.
    pub longest_interpolated: Option<Run>,
    /// The longest run of days on which the value at an end of the record was held.
    pub longest_held: Option<Run>,
    /// Ids of the sites without it.
    pub absent_at: Vec<String>,
}

/// Successive days at one site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// How many.
    pub days: usize,
    /// The site.
    pub site: String,
    /// The first of them, ISO 8601.
    pub first: String,
}

/// All daily variables.
pub(super) fn dynamic(pack: &Pack) -> Vec<VariableSummary> {
    let summary = |variable: usize| {
        let absent = pack.sites_without(variable);
        let present: Vec<usize> = (0..pack.sites.len())
            .filter(|site| !absent.contains(site))
            .collect();
        let flags = present.iter().flat_map(|&site| pack.flags(site, variable));
        let filled = flags.filter(|flag| *flag != OBSERVED).count();
        let known = present.len() * pack.calendar.days;
        VariableSummary {
            name: pack.dynamic[variable].name.clone(),
            units: pack.dynamic[variable].units.clone(),
            range: range(present.iter().flat_map(|&site| pack.series(site, variable))),
            filled: filled as f64 / known.max(1) as f64,
            longest_interpolated: longest(pack, &present, variable, INTERPOLATED),
            longest_held: longest(pack, &present, variable, HELD),
            absent_at: ids(pack, &absent),
        }
    };
    (0..pack.dynamic.len()).map(summary).collect()
}

/// All static attributes.
pub(super) fn statics(pack: &Pack) -> Vec<VariableSummary> {
    let summary = |attribute: usize| VariableSummary {
        name: pack.statics[attribute].name.clone(),
        units: pack.statics[attribute].units.clone(),
        range: range((0..pack.sites.len()).map(|site| pack.attribute(site, attribute))),
        filled: 0.0,
        longest_interpolated: None,
        longest_held: None,
        absent_at: ids(pack, &pack.sites_without_attribute(attribute)),
    };
    (0..pack.statics.len()).map(summary).collect()
}

/// The longest run of a flag, the first one of several.
fn longest(pack: &Pack, sites: &[usize], variable: usize, flag: u8) -> Option<Run> {
    // Length, site and day after the last.
    let mut found: (usize, usize, usize) = (0, 0, 0);
    for &site in sites {
        let mut run = 0;
        for (day, of) in pack.flags(site, variable).enumerate() {
            run = if of == flag { run + 1 } else { 0 };
            if run > found.0 {
                found = (run, site, day + 1);
            }
        }
    }
    let (days, site, end) = found;
    (days > 0).then(|| Run {
        days,
        site: pack.sites[site].id.clone(),
        first: pack.calendar.date(end - days).to_string(),
    })
}

fn ids(pack: &Pack, sites: &[usize]) -> Vec<String> {
    sites
        .iter()
        .map(|&site| pack.sites[site].id.clone())
        .collect()
}

/// Least and greatest of the values that are known.
pub(super) fn range(values: impl Iterator<Item = f32>) -> Option<[f64; 2]> {
    let known = values.filter(|value| !value.is_nan());
    let (low, high) = known.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    (low <= high).then(|| [low.into(), high.into()])
}
