//! Where scores and sums rest on inputs that were not measured.

use std::ops::Range;

use efflux_analysis::{Defined, Undefined};
use efflux_data::{FilledDays, FilledInput, HELD};
use efflux_job::Part;

use super::numbers::counted;
use super::results::Results;

/// Days of a year from which on an input that repeats its nearest measured value is no weather of that year: more than
/// the longest step of a product, a month.
const HELD_TOO_LONG: usize = 31;
/// Sites that a sentence lists.
const LISTED: usize = 5;

/// An input at a site.
pub(crate) struct FilledAt<'a> {
    pub(crate) site: usize,
    pub(crate) input: &'a str,
    /// Of all days.
    pub(crate) calendar: FilledDays,
    /// Of the observed test days.
    pub(crate) test: FilledDays,
}

/// Every input that is not measured on some day of a site.
pub(crate) fn by_site<'a>(results: &Results<'a>) -> Vec<FilledAt<'a>> {
    let mut found = Vec::new();
    for site in 0..results.sites.len() {
        for input in &results.filled.inputs {
            let flags = input.flags.site(site);
            let calendar = FilledDays::among(flags, 0..flags.len());
            if calendar.filled() > 0 {
                found.push(FilledAt {
                    site,
                    input: &input.name,
                    calendar,
                    test: FilledDays::among(flags, observed_test_days(results, site)),
                });
            }
        }
    }
    found
}

/// How many observed test days of a site have an input that was not measured.
pub(crate) fn test_days(results: &Results<'_>, site: usize) -> FilledDays {
    let flags = results.filled.least_known.site(site);
    FilledDays::among(flags, observed_test_days(results, site))
}

fn observed_test_days<'a>(
    results: &'a Results<'_>,
    site: usize,
) -> impl Iterator<Item = usize> + use<'a> {
    let observed = results.observed(site);
    let days = results.part_days(site, Part::Test);
    days.filter(move |&day| observed[day].is_finite())
}

/// The inputs that are not measured on any test day of a site.
fn never_measured<'a>(results: &'a Results<'_>, site: usize) -> Vec<&'a FilledInput> {
    let is_never = |input: &&FilledInput| {
        let test = FilledDays::among(input.flags.site(site), observed_test_days(results, site));
        test.days > 0 && test.filled() == test.days
    };
    results.filled.inputs.iter().filter(is_never).collect()
}

/// `all 144 test days have filled soil_temp_c`, or nothing.
pub(crate) fn remark(results: &Results<'_>, site: usize) -> Option<String> {
    let inputs = never_measured(results, site);
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let days = observed_test_days(results, site).count();
    (!names.is_empty()).then(|| {
        format!(
            "all {} have filled {}",
            counted(days, "test day"),
            names.join(", ")
        )
    })
}

/// Nothing, or why a sum of these days says nothing of them: nobody observed the flux, and the weather is that of other
/// days.
pub(crate) fn known(results: &Results<'_>, site: usize, days: &Range<usize>) -> Defined<()> {
    let is_observed = results.observed(site)[days.clone()]
        .iter()
        .any(|flux| flux.is_finite());
    if !is_observed && held(results, site, days) > HELD_TOO_LONG {
        return Err(Undefined::Missing("observed day while inputs are held"));
    }
    Ok(())
}

/// The stretches of these days on which an input is between two measured values, or repeats its nearest one.
pub(crate) fn stretches(
    results: &Results<'_>,
    site: usize,
    days: &Range<usize>,
    flag: u8,
) -> Vec<Range<usize>> {
    let flags = &results.filled.least_known.site(site)[days.clone()];
    let mut stretches = Vec::new();
    let mut day = days.start;
    for stretch in flags.chunk_by(|one, next| one == next) {
        if stretch[0] == flag {
            stretches.push(day..day + stretch.len());
        }
        day += stretch.len();
    }
    stretches
}

/// How many of these days have an input that repeats its nearest measured value.
pub(crate) fn held(results: &Results<'_>, site: usize, days: &Range<usize>) -> usize {
    let flags = &results.filled.least_known.site(site)[days.clone()];
    flags.iter().filter(|flag| **flag == HELD).count()
}

/// What a reader must know of it before believing a score.
pub(crate) fn caveats(results: &Results<'_>) -> Vec<String> {
    let sites = || 0..results.sites.len();
    let mut caveats = Vec::new();
    for input in &results.filled.inputs {
        let of_site = |site: usize| {
            let never = never_measured(results, site);
            let days = observed_test_days(results, site).count();
            let is_never = never.iter().any(|of| of.name == input.name);
            is_never.then(|| (site, counted(days, "day")))
        };
        let found: Vec<(usize, String)> = sites().filter_map(of_site).collect();
        if !found.is_empty() {
            caveats.push(format!(
                "{} was measured on no test day at {}: {}. Scores there rest on filled values of it.",
                input.name,
                counted(found.len(), "site"),
                listed(results, &found)
            ));
        }
    }
    let of_site = |site: usize| {
        let FilledDays { days, held, .. } = test_days(results, site);
        (held > 0).then_some((site, held, days))
    };
    let held: Vec<(usize, usize, usize)> = sites().filter_map(of_site).collect();
    if !held.is_empty() {
        let days: usize = held.iter().map(|(_, held, _)| held).sum();
        let said = held
            .iter()
            .map(|(site, held, days)| (*site, format!("{held} of {days} days")));
        caveats.push(format!(
            "On {} an input repeats its nearest measured value, at {}: {}.",
            counted(days, "test day"),
            counted(held.len(), "site"),
            listed(results, &said.collect::<Vec<_>>())
        ));
    }
    caveats
}

/// The first of some sites, each with what is said of it.
fn listed(results: &Results<'_>, found: &[(usize, String)]) -> String {
    let named = found.iter().take(LISTED);
    let mut named: Vec<String> = named
        .map(|(site, said)| format!("{} ({said})", results.sites[*site].id))
        .collect();
    let more = found.len().saturating_sub(LISTED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join(", ")
}
