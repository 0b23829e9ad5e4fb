//! What a trained network leaves over at each site, and what a Gaussian process makes of it.

use efflux_data::{Pack, ProcessVariables, SeenSite, SeenSites};
use efflux_numerics::single;
use efflux_process::{Climate, Residual, Seen, Singular, Site, SiteNumbers};

/// What a simulation, `[S, D]` in the unit of the target, leaves over on the days of each site that were fitted on, in asinh units.
/// Sites without a temperature or without such a day are not in it.
pub(crate) fn left_over(
    pack: &Pack,
    variables: &ProcessVariables,
    fitted: &dyn Fn(usize) -> Vec<usize>,
    flux: &[f32],
) -> Vec<SeenSite> {
    let days_of_year = pack.days_of_year();
    let sites = flux.chunks_exact(pack.calendar.days).enumerate();
    let sites = sites.filter_map(|(site, flux)| {
        let fitted = fitted(site);
        if fitted.is_empty() {
            return None;
        }
        let record = variables.site(pack, site, &days_of_year, &fitted, None)?;
        let seen = record.seen.iter().zip(&fitted).map(|(seen, &day)| Seen {
            target: seen.target - f64::from(flux[day]).asinh(),
            ..*seen
        });
        Some(SeenSite {
            id: pack.sites[site].id.clone(),
            numbers: SiteNumbers::default(),
            site: Site {
                seen: seen.collect(),
                climate: Climate::of(&record.days),
            },
            statistics: record.statistics,
        })
    });
    sites.collect()
}

/// Adds to a simulation of a pack what the process expects of its errors, at sites that it has seen errors of.
///
/// # Errors
///
/// [`Singular`] if the values of a site are beyond what can be computed with.
pub(crate) fn correct(pack: &Pack, left: &SeenSites, flux: &mut [f32]) -> Result<(), Singular> {
    let days_of_year = pack.days_of_year();
    let sites = pack.sites.iter().enumerate();
    for ((site, named), flux) in sites.zip(flux.chunks_exact_mut(pack.calendar.days)) {
        let Some(SeenSite {
            statistics,
            site: errors,
            ..
        }) = left.site(&named.id)
        else {
            continue;
        };
        let known = Some(statistics);
        let Some(record) = left.variables.site(pack, site, &days_of_year, &[], known) else {
            continue;
        };
        let seen = Residual::default().condition(&errors.seen)?;
        for (day, expected) in record.span.clone().zip(seen.mean(record.stretch())) {
            flux[day] = single((f64::from(flux[day]).asinh() + expected).sinh());
        }
    }
    Ok(())
}
