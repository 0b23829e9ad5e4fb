//! The pooled Gaussian process: what a network has to beat, a member of a mixed ensemble, and the scale
//! of that ensemble's intervals.

use std::borrow::Cow;

use efflux_data::{Pack, ProcessVariables, SeenSite, SeenSites};
use efflux_job::MemberKind;
use efflux_numerics::{SiteByDay, single};
use efflux_process::{Climate, Effects, Pooled, Singular, Site, SiteNumbers};

use super::forecast::ForecastSpread;
use super::inputs::Run;

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

/// The pooled process of a run's own pack.
pub(super) struct PooledHere {
    /// What it expects, `[S, D]`, in the unit of the target.
    pub(super) flux: SiteByDay<f32>,
    /// What it has seen, where it is a member.
    pub(super) seen: Option<SeenSites>,
    /// Standard deviation of an observation, as in [`Expected`], where it is a member.
    sd: Option<SiteByDay<f32>>,
}

impl PooledHere {
    /// As far as it is wanted and can be computed.
    pub(super) fn of(
        run: &Run<'_>,
        variables: &ProcessVariables,
        fitted: &dyn Fn(usize) -> Vec<usize>,
        caveats: &mut Vec<String>,
    ) -> Option<Self> {
        let is_member = run.job.ensemble.has(MemberKind::Gp);
        let sites = run.pack.sites.len();
        if sites > MOST_SITES && !is_member {
            caveats.push(format!(
                "The pooled Gaussian process is left out: it is compared with up to {MOST_SITES} sites, of which there are {sites}.",
            ));
            return None;
        }
        let of_now = || {
            let seen = seen(run.pack, variables, fitted)?;
            let expected = expected(run.pack, &seen, is_member, &|_| true)?;
            Ok((seen, expected))
        };
        let (seen, Expected { flux, sd }) = match of_now() {
            Ok(now) => now,
            Err(error) => {
                let error: Singular = error;
                let left = if is_member {
                    "and the ensemble is without it"
                } else {
                    "and not compared with"
                };
                caveats.push(format!(
                    "The pooled Gaussian process could not be computed, {left}: {error}."
                ));
                return None;
            }
        };
        Some(Self {
            flux,
            seen: is_member.then_some(seen),
            sd: is_member.then_some(sd),
        })
    }

    /// How sure it is, where it is a member: by the errors of the ensemble's own forecasts, or else by its own, from `known`,
    /// the observed days of each site before the test part.
    pub(super) fn spread(
        &self,
        run: &Run<'_>,
        variables: &ProcessVariables,
        of_ensemble: Option<Vec<Vec<f64>>>,
        known: &dyn Fn(usize) -> Vec<usize>,
        caveats: &mut Vec<String>,
    ) -> Option<ForecastSpread> {
        let sd = self.sd.clone()?;
        if let Some(errors) = of_ensemble {
            return Some(ForecastSpread {
                sd,
                errors,
                of_ensemble: true,
            });
        }
        let failed = |error: &Singular| {
            caveats.push(format!(
                "Errors of forecasts of earlier days could not be computed, and there are no intervals of them: {error}."
            ));
        };
        let found = ForecastSpread::of(run.pack, variables, sd, known);
        found.inspect_err(failed).ok()
    }
}
