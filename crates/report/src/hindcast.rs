//! Forecasts of days whose flux is known, by every kind of member: of the validation days, from the days before them.

use efflux_analysis::measures::{KGE, Measure, NSE};
use efflux_analysis::metrics::Pairs;
use efflux_analysis::mixture::least_error_weights;
use efflux_analysis::statistics::median;
use efflux_analysis::{Defined, Undefined};
use efflux_base::error::Result;
use efflux_data::{Member, Pack, Parts, ProcessVariables};
use efflux_job::{MemberKind, Part, VALIDATION_DAYS};
use efflux_numerics::SiteByDay;
use efflux_process::Singular;
use efflux_run::{Ledger, Winner};

use super::inputs::{Run, observed};
use super::mean::MeanRule;
use super::members::gather;
use super::mixed::{Kinds, SiteRecords};
use super::pooled::{self, Expected};

/// What each kind of members forecast: networks of the selected configuration as the search trained them, the others fitted
/// on the same days.
pub(super) struct Hindcast<'a> {
    pack: &'a Pack,
    networks: Vec<Member>,
    pooled: Option<Expected>,
    site_fits: Option<SiteByDay<f64>>,
    /// The observed days of each site that the kinds were fitted on.
    earlier: Vec<Vec<usize>>,
    /// Those that they forecast; none at a site without an earlier one.
    later: Vec<Vec<usize>>,
}

/// How good some forecasts are, medians over the sites with enough days.
pub(super) struct Skill {
    pub(super) sites: usize,
    pub(super) nse: Defined,
    pub(super) kge: Defined,
}

impl<'a> Hindcast<'a> {
    /// Or why there is none.
    ///
    /// # Errors
    ///
    /// As [`gather`], where simulations were kept.
    pub(super) fn of(
        run: &Run<'a>,
        ledger: &Ledger,
        winner: &Winner,
        parts: &Parts,
        variables: Option<&ProcessVariables>,
        records: Option<&SiteRecords<'_>>,
    ) -> Result<std::result::Result<Self, String>> {
        if !run.job.keeps_forecasts() {
            return Ok(Err("no day is forecast".to_owned()));
        }
        let trials = run.job.forecast_trials(run.contract, &winner.params)?;
        let mut gone = trials
            .iter()
            .filter(|trial| run.directory.simulation(&trial.id).is_none());
        if let Some(trial) = gone.next() {
            return Ok(Err(format!(
                "the simulation by trial {} of the search is not there, as in runs of versions that did not keep it",
                trial.id
            )));
        }
        let networks = gather(run, ledger, &trials)?;
        let of_part = |site, part| observed(run.pack, parts, site, &|of| of == part);
        let sites = 0..run.pack.sites.len();
        let (earlier, later): (Vec<Vec<usize>>, Vec<Vec<usize>>) = sites
            .map(|site| {
                let earlier = of_part(site, Part::Train);
                // Without an earlier day it is no forecast of a site that is known.
                let later = match earlier.is_empty() {
                    true => Vec::new(),
                    false => of_part(site, Part::Validation),
                };
                (earlier, later)
            })
            .unzip();
        let has = |kind| run.job.ensemble.has(kind);
        let fitted = |site: usize| earlier[site].clone();
        let process = |variables: &ProcessVariables| -> std::result::Result<Expected, Singular> {
            let seen = pooled::seen(run.pack, variables, &fitted)?;
            pooled::expected(run.pack, &seen, true, &|_| true)
        };
        let pooled = match variables.filter(|_| has(MemberKind::Gp)).map(process) {
            Some(Err(error)) => return Ok(Err(format!("the pooled process has none: {error}"))),
            Some(Ok(expected)) => Some(expected),
            None => None,
        };
        let records = records.filter(|_| has(MemberKind::SiteFit));
        let site_fits = records.map(|records| records.flux(&records.fit(&fitted)));
        Ok(Ok(Self {
            pack: run.pack,
            networks,
            pooled,
            site_fits,
            earlier,
            later,
        }))
    }

    /// Such a mean over these kinds, about the level that the earlier days have, `[S, D]`, in the unit of the target.
    pub(super) fn mean(&self, weights: &[(MemberKind, f64)], inflation: f64) -> SiteByDay<f32> {
        let earlier = |site: usize| self.earlier[site].clone();
        let rule = MeanRule::new(weights.to_vec(), inflation, self.pack, &earlier);
        self.kinds().mean(&rule, self.pack)
    }

    /// The weights of these kinds whose mean has the least error, each site's n days counting n^−½.
    ///
    /// # Errors
    ///
    /// As [`least_error_weights`], of the days on which all of them say something.
    pub(super) fn fit(&self, members: &[MemberKind]) -> Defined<Vec<(MemberKind, f64)>> {
        let kinds = self.kinds();
        let of_day = |site: usize, day: usize| {
            let observed = f64::from(self.pack.flux[(site, day)]).asinh();
            let errors = members.iter().map(|&kind| {
                let said = kinds.said(kind, (site, day), self.pack.calendar.days);
                observed - said.asinh()
            });
            let errors: Vec<f64> = errors.collect();
            errors
                .iter()
                .all(|error| error.is_finite())
                .then_some(errors)
        };
        let sites = self.later.iter().enumerate();
        let sites = sites.map(|(site, days)| {
            let days = days.iter().filter_map(|&day| of_day(site, day));
            days.collect()
        });
        let weights = least_error_weights(&sites.collect::<Vec<_>>())?;
        Ok(members.iter().copied().zip(weights).collect())
    }

    /// Of each site the errors of such a mean, in standard deviations that the pooled process has there and without sign;
    /// none where the process is no member.
    pub(super) fn scaled_errors(&self, mean: &SiteByDay<f32>) -> Option<Vec<Vec<f64>>> {
        let sd = &self.pooled.as_ref()?.sd;
        let of_site = |(site, days): (usize, &Vec<usize>)| {
            let scaled = days.iter().map(|&day| {
                let observed = f64::from(self.pack.flux[(site, day)]).asinh();
                let error = observed - f64::from(mean[(site, day)]).asinh();
                error.abs() / f64::from(sd[(site, day)])
            });
            scaled.filter(|error| error.is_finite()).collect()
        };
        Some(self.later.iter().enumerate().map(of_site).collect())
    }

    /// How good such a mean is.
    pub(super) fn skill(&self, mean: &SiteByDay<f32>) -> Skill {
        let of_site = |(site, days): (usize, &Vec<usize>)| {
            let pairs = days.iter().map(|&day| {
                let observed = f64::from(self.pack.flux[(site, day)]);
                (observed, f64::from(mean[(site, day)]))
            });
            let pairs: Pairs = pairs.collect();
            (pairs.len() >= VALIDATION_DAYS).then(|| pairs.scores())
        };
        let sites = self.later.iter().enumerate().filter_map(of_site);
        let scores: Vec<_> = sites.collect();
        let of = |measure: Measure| -> Defined {
            let known = scores.iter().filter_map(|scores| scores[measure].ok());
            let known: Vec<f64> = known.collect();
            median(&known).map_err(|_| Undefined::Missing("sites with enough forecast days"))
        };
        Skill {
            sites: scores.len(),
            nse: of(NSE),
            kge: of(KGE),
        }
    }

    fn kinds(&self) -> Kinds<'_> {
        Kinds {
            networks: &self.networks,
            pooled: self.pooled.as_ref().map(|of| &of.flux),
            site_fits: self.site_fits.as_ref(),
        }
    }
}
