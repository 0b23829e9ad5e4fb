//! The best and the worst sites, with what their data suggest as the reason.

use efflux_analysis::Defined;
use efflux_analysis::measures::Measure;
use efflux_analysis::metrics::Pairs;
use efflux_analysis::reasons::{Reason, SiteProperty, reasons};
use efflux_analysis::statistics::{mean, standard_deviation};
use efflux_job::Part;

use super::drivers::Drivers;
use super::evaluation::{Evaluation, Series, pairs_on};
use super::extremes::{Extremes, Group};
use super::results::Results;

/// How many sites are looked at from either end; of few sites a third.
const SITES: usize = 5;

/// A site near an end of a score.
pub(crate) struct Explained {
    pub(crate) measure: Measure,
    pub(crate) is_poor: bool,
    /// From 1, counted from its end.
    pub(crate) rank: usize,
    pub(crate) site: usize,
    /// The score of the ensemble mean on the test part.
    pub(crate) score: f64,
    pub(crate) reasons: Vec<Reason>,
}

/// The worst sites by each score, then the best, each from its end inwards.
pub(crate) fn explained(
    results: &Results<'_>,
    evaluation: &Evaluation,
    extremes: &Extremes,
    drivers: &Drivers,
) -> Vec<Explained> {
    let all = SiteProperty::ALL.map(|about| {
        let values = of_sites(about, results, evaluation, extremes, drivers);
        (about, values)
    });
    let known = |about| {
        let found = all.iter().find(|(one, _)| *one == about);
        found.map_or_else(Vec::new, |(_, values)| values.clone())
    };
    let mut explained = Vec::new();
    for measure in Measure::efficiencies() {
        let scores = evaluation.scores(Series::Ensemble, Part::Test).iter();
        let scores = scores.map(|scores| scores[measure].ok()).enumerate();
        let mut order: Vec<(usize, f64)> = scores
            .filter_map(|(site, score)| Some((site, score?)))
            .collect();
        order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let count = SITES.min(order.len() / 3);
        for is_poor in [true, false] {
            for (rank, &(site, score)) in (1..).zip(&order[..count]) {
                explained.push(Explained {
                    measure,
                    is_poor,
                    rank,
                    site,
                    score,
                    reasons: reasons(site, is_poor, &known),
                });
            }
            order.reverse();
        }
    }
    explained
}

/// A property of each site, where it is known.
fn of_sites(
    about: SiteProperty,
    results: &Results<'_>,
    evaluation: &Evaluation,
    extremes: &Extremes,
    drivers: &Drivers,
) -> Vec<Option<f64>> {
    let sites = 0..results.sites.len();
    let of_site = |site: usize| -> Option<f64> {
        let properties = &drivers.sites[site];
        let test = || observed(results, site, results.part_days(site, Part::Test));
        let training = || observed(results, site, results.fitted_days(site));
        let share = |days: usize| {
            let all = test().len();
            (all > 0).then(|| days as f64 / all as f64)
        };
        match about {
            SiteProperty::TrainingDays => Some(training().len() as f64),
            SiteProperty::TestDays => Some(test().len() as f64),
            SiteProperty::LevelShift => level_shift(&training(), &test()).ok(),
            SiteProperty::BiasShare => {
                let days = results.part_days(site, Part::Test);
                let pairs = pairs_on(results, site, days, &evaluation.mean[site]);
                let pairs: Pairs = pairs.into_iter().collect();
                let error = pairs.mse().ok().filter(|error| *error > 0.0)?;
                Some(pairs.bias().ok()?.powi(2) / error)
            }
            SiteProperty::Variation => {
                let all = standard_deviation(&training())
                    .ok()
                    .filter(|sd| *sd > 0.0)?;
                Some(standard_deviation(&test()).ok()? / all)
            }
            SiteProperty::Outside => results.outside_training[site],
            SiteProperty::Spikes => {
                let place = Group::ALL.iter().position(|group| *group == Group::Spike)?;
                share(extremes.sites()[site][place].n)
            }
            SiteProperty::Relatives => relatives(results, site),
            SiteProperty::Seasonality => properties.seasonality.usable_r(),
            SiteProperty::Smoothness => properties.smoothness.usable_r(),
            SiteProperty::Gap => {
                let test = results.part_days(site, Part::Test).next()?;
                let before = results.fitted_days(site).take_while(|&day| day < test);
                Some((test - before.last()?) as f64)
            }
            SiteProperty::Seen => share(properties.test_days_seen),
        }
    };
    sites.map(of_site).collect()
}

/// The observed fluxes on these days.
fn observed(results: &Results<'_>, site: usize, days: impl IntoIterator<Item = usize>) -> Vec<f64> {
    let flux = results.observed(site);
    let days = days.into_iter().map(|day| f64::from(flux[day]));
    days.filter(|flux| flux.is_finite()).collect()
}

fn level_shift(training: &[f64], test: &[f64]) -> Defined {
    let shift = (mean(test)? - mean(training)?).abs();
    efflux_analysis::finite(shift / standard_deviation(training)?)
}

/// Other sites of the same land cover that members were fitted on; none if its land cover is not known.
fn relatives(results: &Results<'_>, site: usize) -> Option<f64> {
    let cover = &results.sites[site].igbp;
    if cover.is_empty() {
        return None;
    }
    let others = results.sites.iter().enumerate();
    let others = others.filter(|(other, about)| *other != site && about.igbp == *cover);
    let fitted = others.filter(|(other, _)| results.fitted_days(*other).next().is_some());
    Some(fitted.count() as f64)
}
