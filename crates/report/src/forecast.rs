//! How sure a forecast is: intervals around the mean of a mixed ensemble, from the pooled process's own spread and the
//! errors of forecasts of earlier days.
//!
//! A network that was fitted on the days before and after a validation day knows its level; in a forecast it does not. So
//! intervals are calibrated on forecasts: on those of the ensemble itself where the search kept them and they reach as far ahead
//! as the test part does; else on those of the process alone, from the first three quarters of what was observed before the
//! test part, of the last quarter.

use efflux_analysis::Defined;
use efflux_analysis::mixture::interval_factor;
use efflux_data::{Interval, Pack, ProcessVariables};
use efflux_numerics::{SiteByDay, single};
use efflux_process::Singular;

use super::pooled;
use super::uncertainty::LEVELS;

/// How sure the pooled process is of an observation, and how sure it should have been.
#[derive(Clone, Debug, PartialEq)]
pub struct ForecastSpread {
    /// Standard deviation of an observation about what is expected, its noise included: asinh units, `[S, D]`, NaN where the
    /// process says nothing.
    pub sd: SiteByDay<f32>,
    /// Of each site the errors of forecasts of earlier days, in such standard deviations and without sign; none where there
    /// were none.
    pub errors: Vec<Vec<f64>>,
    /// Whether these forecasts are the ensemble's own; else they are the process's.
    pub of_ensemble: bool,
}

impl ForecastSpread {
    /// By forecasts of the process alone, which no network has to be trained for.
    ///
    /// * `sd`: as the process has it with all that the ensemble was fitted on; `known`: the observed days of each site before
    ///   the test part.
    ///
    /// # Errors
    ///
    /// [`Singular`] if the values of a site are beyond what can be computed with.
    pub(super) fn of(
        pack: &Pack,
        variables: &ProcessVariables,
        sd: SiteByDay<f32>,
        known: &dyn Fn(usize) -> Vec<usize>,
    ) -> Result<Self, Singular> {
        let split = |site: usize| {
            let mut earlier = known(site);
            let later = earlier.split_off(earlier.len() * 3 / 4);
            (earlier, later)
        };
        let seen = pooled::seen(pack, variables, &|site| split(site).0)?;
        let then = pooled::expected(pack, &seen, true, &|_| true)?;
        let errors = (0..pack.sites.len()).map(|site| {
            let (earlier, later) = split(site);
            // Without an earlier day it is no forecast of a site that is known.
            let later = later.iter().filter(|_| !earlier.is_empty());
            let scaled = later.map(|&day| {
                let observed = f64::from(pack.flux[(site, day)]).asinh();
                let error = observed - f64::from(then.flux[(site, day)]).asinh();
                error.abs() / f64::from(then.sd[(site, day)])
            });
            scaled.filter(|error| error.is_finite()).collect()
        });
        Ok(Self {
            errors: errors.collect(),
            of_ensemble: false,
            sd,
        })
    }

    /// The standard deviations that hold a share `level` of the days.
    ///
    /// # Errors
    ///
    /// As [`interval_factor`].
    pub(super) fn factor(&self, level: f64) -> Defined {
        interval_factor(&self.errors, level)
    }

    /// The levels that are judged, as far as they have a factor, and that factor.
    pub(super) fn factors(&self) -> Vec<(f64, f64)> {
        let levels = LEVELS.iter();
        levels
            .filter_map(|&level| Some((level, self.factor(level).ok()?)))
            .collect()
    }

    /// The flux so many standard deviations from a mean, all in asinh units but the fluxes, which are in that of the target; none
    /// where the process says nothing.
    pub(super) fn away(&self, mean: f64, place: (usize, usize), deviations: f64) -> Option<f64> {
        away(mean, self.sd[place], deviations)
    }
}

/// The interval that so many standard deviations `[S, D]` in asinh units make about a mean in the unit of the target.
pub(super) fn interval(mean: &[f32], sd: &SiteByDay<f32>, level: f64, factor: f64) -> Interval {
    let end = |deviations: f64| -> Vec<f32> {
        let days = mean.iter().zip(sd.values());
        days.map(|(&mean, &sd)| {
            let flux = away(mean.into(), sd, deviations);
            flux.map_or(f32::NAN, single)
        })
        .collect()
    };
    Interval {
        level,
        lower: end(-factor),
        upper: end(factor),
    }
}

fn away(mean: f64, sd: f32, deviations: f64) -> Option<f64> {
    let flux = (mean.asinh() + deviations * f64::from(sd)).sinh();
    flux.is_finite().then_some(flux)
}
