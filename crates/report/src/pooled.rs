//! The pooled Gaussian process: what a network has to beat, a member of a mixed ensemble, and the scale
//! of that ensemble's intervals.

use std::borrow::Cow;

use efflux_data::{Pack, ProcessVariables, SeenSite, SeenSites};
use efflux_numerics::{SiteByDay, single};
use efflux_process::{Climate, Effects, Pooled, Singular, Site, SiteNumbers};

/// Sites up to which the process is computed without being asked for: its cost grows with their number, and with the cube
/// of their days.
pub(super) const MOST_SITES: usize = 300;

/// What the process expects on every day of the record of each site, `[S, D]`; NaN elsewhere, and at sites without the
/// temperature.
pub(super) struct Expected {
    /// In the unit of the target.
    pub(super) flux: SiteByDay<f32>,
    /// Standard deviation of an observation about it, asinh units; NaN everywhere if it was not asked for.
    pub(super) sd: SiteByDay<f32>,
}

/// What the process sees of some days of a pack, with the two numbers of each site that are fitted.
///
/// * `fitted`: the days of each site, all observed.
///
/// # Errors
///
/// [`Singular`] if the values of a site are beyond what can be computed with.
pub(super) fn seen(
    pack: &Pack,
    variables: &ProcessVariables,
    fitted: &dyn Fn(usize) -> Vec<usize>,
) -> Result<SeenSites, Singular> {
    let days_of_year = pack.days_of_year();
    let sites = 0..pack.sites.len();
    let sites =
        sites.filter_map(|place| site(pack, variables, place, &days_of_year, &fitted(place)));
    let mut seen = SeenSites {
        sites: sites.collect(),
        variables: variables.clone(),
    };
    let sites: Vec<Site<'_>> = seen.sites.iter().map(|of| of.site.clone()).collect();
    let numbers = SiteNumbers::fit(&Effects::default(), &sites)?;
    for (of, numbers) in seen.sites.iter_mut().zip(numbers) {
        of.numbers = numbers;
    }
    Ok(seen)
}

/// A site as the process sees some days of it, all observed; none if it has no temperature.
pub(super) fn site(
    pack: &Pack,
    variables: &ProcessVariables,
    site: usize,
    days_of_year: &[f64],
    fitted: &[usize],
) -> Option<SeenSite> {
    let record = variables.site(pack, site, days_of_year, fitted, None)?;
    Some(SeenSite {
        id: pack.sites[site].id.clone(),
        numbers: SiteNumbers::default(),
        site: Site {
            climate: Climate::of(&record.days),
            seen: record.seen.into(),
        },
        statistics: record.statistics,
    })
}

/// What the process expects of the sites of a pack that are wanted: at those that it has seen, and at others by what all have in
/// common.
///
/// # Errors
///
/// As [`seen`].
pub(super) fn expected(
    pack: &Pack,
    seen: &SeenSites,
    with_sd: bool,
    wanted: &dyn Fn(usize) -> bool,
) -> Result<Expected, Singular> {
    let unknown = || SiteByDay::filled(pack.sites.len(), pack.calendar.days, f32::NAN);
    let mut said = Expected {
        flux: unknown(),
        sd: unknown(),
    };
    let process = Effects::default();
    let sites: Vec<Site<'_>> = seen.sites.iter().map(|of| of.site.clone()).collect();
    let numbers: Vec<SiteNumbers> = seen.sites.iter().map(|of| of.numbers).collect();
    let pooled = Pooled::fit(&process, &sites, &numbers)?;
    let days_of_year = pack.days_of_year();
    let sites = pack.sites.iter().enumerate();
    for (site, named) in sites.filter(|(site, _)| wanted(*site)) {
        let known = seen.site(&named.id);
        let statistics = known.map(|of| &of.statistics);
        let Some(record) = (seen.variables).site(pack, site, &days_of_year, &[], statistics) else {
            continue;
        };
        let new = || Site {
            seen: Cow::Borrowed(&[]),
            climate: Climate::of(&record.days),
        };
        let at = known.map_or_else(new, |of| of.site.clone());
        let numbers = known.map_or_else(SiteNumbers::default, |of| of.numbers);
        let posterior = pooled.posterior(&at, numbers, record.stretch(), with_sd)?;
        for (day, mean) in record.span.clone().zip(&posterior.mean) {
            said.flux[(site, day)] = single(mean.sinh());
        }
        for (day, variance) in record.span.clone().zip(&posterior.variance) {
            said.sd[(site, day)] = single((variance + posterior.noise_variance).sqrt());
        }
    }
    Ok(said)
}
