//! The pooled Gaussian process of a run's own pack: what a network has to beat, and a member of a mixed ensemble.

use std::borrow::Cow;

use efflux_data::{Pack, ProcessSite, ProcessVariables};
use efflux_numerics::{SiteByDay, single};
use efflux_process::{Effects, Pooled, Singular, Site, SiteNumbers};

/// Sites up to which the process is computed without being asked for: its cost grows with their number, and with the cube
/// of their days.
pub(super) const MOST_SITES: usize = 300;

/// The flux that the process expects on every day of the record of each site, `[S, D]`, µmol m⁻² s⁻¹; NaN elsewhere, and at
/// sites without the temperature.
///
/// * `temperature`: the daily variable that it takes; `fitted`: the days of each site that members fit on.
///
/// # Errors
///
/// [`Singular`] if the values of a site are beyond what can be computed with.
pub(super) fn simulate(
    pack: &Pack,
    temperature: &str,
    fitted: &dyn Fn(usize) -> Vec<usize>,
) -> Result<SiteByDay<f32>, Singular> {
    let mut flux = SiteByDay::filled(pack.sites.len(), pack.calendar.days, f32::NAN);
    let Some(variables) = ProcessVariables::of(pack, temperature) else {
        return Ok(flux);
    };
    let days_of_year = pack.days_of_year();
    let records: Vec<(usize, ProcessSite)> = (0..pack.sites.len())
        .filter_map(|site| {
            let record = variables.site(pack, site, &days_of_year, fitted(site))?;
            Some((site, record))
        })
        .collect();
    let sites: Vec<Site<'_>> = records
        .iter()
        .map(|(_, record)| Site {
            days: &record.days,
            training: Cow::Borrowed(&record.training),
            target: Cow::Borrowed(&record.target),
        })
        .collect();
    let process = Effects::default();
    let numbers = SiteNumbers::fit(&process, &sites)?;
    let pooled = Pooled::fit(&process, &sites, &numbers)?;
    for (((site, record), seen), &numbers) in records.iter().zip(&sites).zip(&numbers) {
        let expected = pooled.posterior(seen, numbers, false)?;
        for (day, mean) in record.span.clone().zip(expected.mean) {
            flux[(*site, day)] = single(mean.sinh());
        }
    }
    Ok(flux)
}
