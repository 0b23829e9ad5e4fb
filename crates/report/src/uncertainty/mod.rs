//! How sure the ensemble is, and how sure it should be: spread, intervals, scores of the distribution, and what more
//! members would bring.
//!
//! Members differ by their seed alone: raw intervals tell how far seeds disagree. Calibrated ones are widened by what
//! the validation days, on which nothing was fitted, say of the errors. Where the pooled process is a member its own standard
//! deviation is the scale, and errors of forecasts of earlier days say how many of them.

mod annual;
mod forecast;
mod intervals;
mod size;

use efflux_analysis::significance::{Variance, variance};
use efflux_analysis::verification::{Rank, crps};
use efflux_analysis::{Defined, Undefined, statistics};
use efflux_job::Part;
use efflux_run::Candidate;

use super::evaluation::{Evaluation, members_on};
use super::results::Results;

pub(crate) use annual::Year;
pub(crate) use forecast::{ByLead, Forecast};
pub(crate) use intervals::{Coverage, HEADLINE, Interval, LEVELS};
pub(crate) use size::Size;

/// Everything about uncertainty that the report tells.
pub(crate) struct Uncertainty {
    /// Coverage and width on the test part, by level.
    pub(crate) intervals: Vec<Interval>,
    /// Those from forecasts, by how far ahead days are; none where the pooled process is no member.
    pub(crate) by_lead: Vec<ByLead>,
    /// The score of the distribution that these are intervals of, by site.
    pub(crate) crps_forecast: Option<Vec<Defined>>,
    /// What each site's test days say.
    pub(crate) sites: Vec<Defined<SiteSpread>>,
    /// On how many test days so many members lay below the observation, 0 to all of them. A day whose observation equals
    /// members is shared evenly by the ranks that it may have.
    pub(crate) ranks: Vec<f64>,
    /// Test days of all sites in ten parts of equal size by their spread.
    pub(crate) spread_error: Vec<SpreadError>,
    /// How skill grows with the number of members.
    pub(crate) sizes: Vec<Size>,
    /// Sums of whole years.
    pub(crate) years: Vec<Year>,
    /// The scores of the search: between configurations against between seeds.
    pub(crate) luck: Defined<Variance>,
}

/// Errors and spread at a site, in flux units, means over its test days.
#[derive(Clone, Copy)]
pub(crate) struct SiteSpread {
    pub(crate) days: usize,
    pub(crate) spread: f64,
    pub(crate) rmse: f64,
    pub(crate) mae: f64,
    pub(crate) crps: f64,
    pub(crate) crps_fair: f64,
}

/// Days of about the same spread.
pub(crate) struct SpreadError {
    pub(crate) days: usize,
    pub(crate) spread: f64,
    pub(crate) rmse: f64,
}

/// One observed day with what the members say of it.
struct Day {
    observed: f64,
    members: Vec<f64>,
    mean: f64,
    spread: f64,
}

impl Day {
    fn error(&self) -> f64 {
        (self.observed - self.mean).abs()
    }
}

impl Uncertainty {
    pub(crate) fn new(results: &Results<'_>, evaluation: &Evaluation) -> Self {
        let test: Vec<Vec<Day>> = days(results, evaluation, Part::Test);
        let validation = days(results, evaluation, Part::Validation);
        let mut ranks = vec![0.0; results.members.len() + 1];
        for day in test.iter().flatten() {
            let rank = Rank::of(&day.members, day.observed);
            for days in &mut ranks[rank.all()] {
                *days += 1.0 / (rank.equal as f64 + 1.0);
            }
        }
        let candidates = results.selection.candidates.iter();
        let forecast = Forecast::new(results, evaluation);
        let forecast = forecast.as_ref();
        Self {
            intervals: intervals::intervals(results, &test, &validation, forecast),
            by_lead: forecast.map_or_else(Vec::new, |of| of.by_lead(&intervals::LEVELS)),
            crps_forecast: forecast.map(Forecast::crps),
            sites: test.iter().map(|days| site_spread(days)).collect(),
            ranks,
            spread_error: spread_error(&test),
            sizes: size::sizes(&test, results.members.len()),
            years: annual::years(results),
            luck: variance(&candidates.map(Candidate::known).collect::<Vec<_>>()),
        }
    }

    /// The median over sites of the score of the distribution from forecasts, if there are such.
    pub(crate) fn crps_forecast(&self) -> Option<Defined> {
        let sites = self.crps_forecast.as_ref()?.iter().flatten();
        Some(statistics::median(&sites.copied().collect::<Vec<f64>>()))
    }

    /// Medians over the sites at which they are defined: spread, error and both scores.
    pub(crate) fn over_sites(&self, of: fn(&SiteSpread) -> f64) -> Defined {
        let values: Vec<f64> = self.sites.iter().flatten().map(of).collect();
        statistics::median(&values)
    }
}

/// The observed days of a part at each site, where every member has a value and there are two of them.
fn days(results: &Results<'_>, evaluation: &Evaluation, part: Part) -> Vec<Vec<Day>> {
    let at_site = |site: usize| {
        let observed = results.observed(site);
        let days = results.part_days(site, part);
        days.filter_map(|day| {
            let value = f64::from(observed[day]);
            let (mean, spread) = (evaluation.mean[site][day], evaluation.spread[site][day]);
            let is_known = value.is_finite() && mean.is_finite() && spread.is_finite();
            is_known.then(|| Day {
                observed: value,
                members: members_on(results, site, day),
                mean,
                spread,
            })
        })
        .collect()
    };
    (0..results.sites.len()).map(at_site).collect()
}

fn site_spread(days: &[Day]) -> Defined<SiteSpread> {
    if days.is_empty() {
        return Err(Undefined::Missing("test days with two members or more"));
    }
    let mean_of = |of: &dyn Fn(&Day) -> f64| days.iter().map(of).sum::<f64>() / days.len() as f64;
    let scores: Vec<(f64, f64)> = days
        .iter()
        .map(|day| {
            let score = crps(&day.members, day.observed)?;
            Ok((score.ordinary, score.fair?))
        })
        .collect::<Defined<_>>()?;
    let share = 1.0 / scores.len() as f64;
    Ok(SiteSpread {
        days: days.len(),
        spread: mean_of(&|day| day.spread),
        rmse: mean_of(&|day| day.error().powi(2)).sqrt(),
        mae: mean_of(&Day::error),
        crps: share * scores.iter().map(|(ordinary, _)| ordinary).sum::<f64>(),
        crps_fair: share * scores.iter().map(|(_, fair)| fair).sum::<f64>(),
    })
}

fn spread_error(test: &[Vec<Day>]) -> Vec<SpreadError> {
    let mut days: Vec<&Day> = test.iter().flatten().collect();
    days.sort_by(|a, b| a.spread.total_cmp(&b.spread));
    let size = days.len().div_ceil(10).max(1);
    days.chunks(size)
        .map(|days| {
            let n = days.len() as f64;
            let mean_square =
                |of: &dyn Fn(&Day) -> f64| days.iter().map(|day| of(day).powi(2)).sum::<f64>() / n;
            SpreadError {
                days: days.len(),
                spread: mean_square(&|day| day.spread).sqrt(),
                rmse: mean_square(&Day::error).sqrt(),
            }
        })
        .collect()
}
