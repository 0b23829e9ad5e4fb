//! What else can serve a site without a record: fitted in each fold to the sites that its members train on, from the same
//! days.

use efflux_data::{Pack, ProcessVariables};
use efflux_job::{Contract, Fold};
use efflux_numerics::{SiteByDay, single};
use efflux_process::{Day, Singular, ridge};

use super::pooled;

/// Fits of the pooled process to a site, over all folds, up to which it is computed.
const MOST_FITS: usize = 2 * pooled::MOST_SITES;

/// Draws the weights of the regression towards zero: as much as one day of so many thousand.
const PENALTY: f64 = 1.0;

/// At each site what a fold says that holds it out, `[S, D]`, in the unit of the target, NaN where it says nothing.
#[derive(Clone, Debug)]
pub struct Contenders {
    /// One regression of asinh(flux) for all sites: temperature and its square, the season, latitude, moisture.
    pub regression: SiteByDay<f32>,
    /// What the pooled Gaussian process knows of all sites together; none where it is too costly.
    pub pooled: Option<SiteByDay<f32>>,
}

impl Contenders {
    /// * `fitted`: the observed days of each site that members of folds are fitted on.
    ///
    /// # Errors
    ///
    /// [`Singular`] if the values of a site are beyond what can be computed with.
    pub(super) fn of(
        pack: &Pack,
        contract: &Contract,
        variables: &ProcessVariables,
        fitted: &dyn Fn(usize) -> Vec<usize>,
    ) -> Result<Self, Singular> {
        let unknown = || SiteByDay::filled(pack.sites.len(), pack.calendar.days, f32::NAN);
        let is_cheap = contract.folds.len() * pack.sites.len() <= MOST_FITS;
        let mut said = Self {
            regression: unknown(),
            pooled: is_cheap.then(unknown),
        };
        for fold in &contract.folds {
            regression(pack, variables, fold, fitted, &mut said.regression)?;
            let Some(of_process) = &mut said.pooled else {
                continue;
            };
            let trained = |site: usize| match fold.trains(site) {
                true => fitted(site),
                false => Vec::new(),
            };
            let mut seen = pooled::seen(pack, variables, &trained)?;
            // Whatever the others are, the process has not seen them.
            seen.sites.retain(|of| !of.site.seen.is_empty());
            let is_judged = |site: usize| fold.test.contains(&site);
            let expected = pooled::expected(pack, &seen, false, &is_judged)?;
            for &site in &fold.test {
                of_process
                    .site_mut(site)
                    .copy_from_slice(expected.flux.site(site));
            }
        }
        Ok(said)
    }
}

fn regression(
    pack: &Pack,
    variables: &ProcessVariables,
    fold: &Fold,
    fitted: &dyn Fn(usize) -> Vec<usize>,
    said: &mut SiteByDay<f32>,
) -> Result<(), Singular> {
    let days_of_year = pack.days_of_year();
    let (mut rows, mut target) = (Vec::new(), Vec::new());
    for site in (0..pack.sites.len()).filter(|&site| fold.trains(site)) {
        let days = fitted(site);
        let Some(record) = variables.site(pack, site, &days_of_year, &days, None) else {
            continue;
        };
        rows.extend(record.seen.iter().map(|day| terms(&day.inputs)));
        target.extend(record.seen.iter().map(|day| day.target));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let weights = ridge(&rows, &target, PENALTY)?;
    for &site in &fold.test {
        let Some(record) = variables.site(pack, site, &days_of_year, &[], None) else {
            continue;
        };
        for (day, inputs) in record.span.clone().zip(&record.days) {
            let terms = terms(inputs);
            let sum: f64 = terms
                .iter()
                .zip(&weights)
                .map(|(x, weight)| x * weight)
                .sum();
            said[(site, day)] = single(sum.sinh());
        }
    }
    Ok(())
}

fn terms(day: &Day) -> Vec<f64> {
    let Day {
        t, s, c, sn, lat, ..
    } = *day;
    vec![1.0, t, t * t, c, sn, lat, s]
}
