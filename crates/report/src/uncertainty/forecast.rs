//! What intervals from forecasts of earlier days hold of the test part, and how far ahead.

use efflux_analysis::verification::crps;
use efflux_analysis::{Defined, Undefined};
use efflux_job::Part;

use super::intervals::{Coverage, Hold};
use crate::evaluation::Evaluation;
use crate::forecast::ForecastSpread;
use crate::results::Results;

/// Days since the last day that the site was fitted on, by which tests are told apart: up to and with each of these, and
/// beyond.
const LEADS: [usize; 3] = [30, 90, 180];
/// So many quantiles stand for a distribution in its score.
const QUANTILES: usize = 50;

/// Intervals from forecasts: around the ensemble mean, in standard deviations of the pooled process.
pub(crate) struct Forecast<'a> {
    spread: &'a ForecastSpread,
    /// Test days on which the ensemble and the process say something, by site.
    days: Vec<Vec<Day>>,
}

/// One observed day of the test part.
struct Day {
    /// In the calendar.
    number: usize,
    observed: f64,
    mean: f64,
    /// Days since the last one that the site was fitted on.
    lead: usize,
}

/// What intervals of a level hold of the days so far ahead.
pub(crate) struct ByLead {
    pub(crate) level: f64,
    /// The first and the last such day; none where there is no last.
    pub(crate) lead: (usize, Option<usize>),
    pub(crate) found: Defined<Coverage>,
}

impl<'a> Forecast<'a> {
    /// None where the process is no member of the ensemble.
    pub(super) fn new(results: &Results<'a>, evaluation: &Evaluation) -> Option<Self> {
        let spread = results.forecast?;
        let of_site = |site: usize| {
            let observed = results.observed(site);
            let mut fitted = results.fitted_days(site).rev();
            let last = fitted.find(|&day| observed[day].is_finite());
            let days = results.part_days(site, Part::Test);
            let days = days.filter_map(|number| {
                let (value, mean) = (f64::from(observed[number]), evaluation.mean[site][number]);
                let is_known = spread.away(mean, (site, number), 0.0).is_some();
                (value.is_finite() && is_known).then_some(Day {
                    number,
                    observed: value,
                    mean,
                    lead: number.saturating_sub(last?),
                })
            });
            days.collect()
        };
        Some(Self {
            spread,
            days: (0..results.sites.len()).map(of_site).collect(),
        })
    }

    /// The standard deviations that hold a level.
    pub(super) fn factor(&self, level: f64) -> Defined {
        self.spread.factor(level)
    }

    /// On all test days.
    pub(super) fn coverage(&self, level: f64) -> Defined<Coverage> {
        self.held(self.factor(level)?, |_| true)
    }

    /// The same, by how far ahead the days are.
    pub(super) fn by_lead(&self, levels: &[f64]) -> Vec<ByLead> {
        let firsts = std::iter::once(1).chain(LEADS.map(|last| last + 1));
        let lasts = LEADS.map(Some).into_iter().chain([None]);
        let leads: Vec<(usize, Option<usize>)> = firsts.zip(lasts).collect();
        let of_level = |&level: &f64| {
            let factor = self.factor(level);
            leads.clone().into_iter().map(move |(first, last)| {
                let is_there = |lead| lead >= first && last.is_none_or(|last| lead <= last);
                ByLead {
                    level,
                    lead: (first, last),
                    found: factor.and_then(|factor| self.held(factor, is_there)),
                }
            })
        };
        levels.iter().flat_map(of_level).collect()
    }

    /// The mean continuous ranked probability score of each site's test days, in the unit of the target.
    pub(super) fn crps(&self) -> Vec<Defined> {
        let deviations = (0..QUANTILES).map(|place| {
            let level = (2.0 * place as f64 + 1.0) / QUANTILES as f64 - 1.0;
            Ok(level.signum() * self.factor(level.abs())?)
        });
        let deviations: Defined<Vec<f64>> = deviations.collect();
        let of_site = |(site, days): (usize, &Vec<Day>)| {
            let (deviations, mut sum) = (deviations.as_ref().map_err(|reason| *reason)?, 0.0);
            if days.is_empty() {
                return Err(Undefined::Missing("test days with a forecast"));
            }
            for day in days {
                let quantiles = deviations.iter().filter_map(|deviations| {
                    self.spread.away(day.mean, (site, day.number), *deviations)
                });
                sum += crps(&quantiles.collect::<Vec<f64>>(), day.observed)?.ordinary;
            }
            Ok(sum / days.len() as f64)
        };
        self.days.iter().enumerate().map(of_site).collect()
    }

    fn held(&self, factor: f64, is_there: impl Fn(usize) -> bool) -> Defined<Coverage> {
        let mut hold = Hold::default();
        for (site, days) in self.days.iter().enumerate() {
            for day in days.iter().filter(|day| is_there(day.lead)) {
                let end = |factor| self.spread.away(day.mean, (site, day.number), factor);
                let ends = end(-factor).zip(end(factor));
                hold.add(ends.ok_or(Undefined::OutOfRange)?, day.observed);
            }
        }
        hold.coverage("test days with a forecast")
    }
}
