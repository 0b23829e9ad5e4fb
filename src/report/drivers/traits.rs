//! What a site's record is like.

use crate::analysis::Defined;
use crate::analysis::baselines::{Day, Response};
use crate::analysis::rhythm::{
    self, Autocorrelation, CYCLICALITY, SEASONALITY, SMOOTHNESS, autocorrelation,
};
use crate::job::Part;
use crate::report::evaluation::{self, Evaluation};
use crate::report::results::Results;

/// Days between two points of a correlogram.
pub(crate) const CORRELOGRAM_STEP: usize = 14;
/// The longest lag of a correlogram, days.
const CORRELOGRAM_END: usize = 730;

/// A site's record.
pub(crate) struct SiteTraits {
    /// Days with an observation, all parts.
    pub(crate) observed_days: usize,
    pub(crate) smoothness: Autocorrelation,
    /// Raw: near -1 at a strongly seasonal site.
    pub(crate) seasonality: Autocorrelation,
    pub(crate) cyclicality: Autocorrelation,
    pub(crate) seasons: rhythm::Seasons,
    /// Autocorrelation at multiples of [`CORRELOGRAM_STEP`] days, where it rests on enough pairs.
    pub(crate) correlogram: Vec<Option<f64>>,
    /// The response of observed flux to temperature.
    pub(crate) observed_q10: Defined,
    /// The response of simulated flux on the same days.
    pub(crate) simulated_q10: Defined,
    /// Other sites at the same place.
    pub(crate) neighbours: Vec<usize>,
    /// Observed test days on which one of them has a day that members were fitted on.
    pub(crate) test_days_seen: usize,
}

pub(super) fn of_site(
    results: &Results<'_>,
    evaluation: &Evaluation,
    calendar: &[(u16, u8)],
    site: usize,
) -> SiteTraits {
    let record = results.observed(site);
    let present = |flux: &f32| flux.is_finite();
    let first = record.iter().position(present).unwrap_or(0);
    let last = record
        .iter()
        .rposition(present)
        .map_or(first, |last| last + 1);
    // Lags need the record, not the years around it.
    let series: Vec<f64> = record[first..last]
        .iter()
        .map(|&flux| f64::from(flux))
        .collect();
    let at = |lag| autocorrelation(&series, lag);
    let months = calendar[first..last].iter().map(|(_, month)| *month);
    let response = |flux: &dyn Fn(usize) -> f64| {
        let days = (first..last).filter(|&day| record[day].is_finite());
        let days: Vec<Day> = days
            .map(|day| evaluation::day(results, calendar, site, day, flux(day)))
            .filter(|day| day.temperature.is_finite() && day.flux.is_finite())
            .collect();
        if days.is_empty() {
            return Err(crate::analysis::Undefined::Missing(
                "temperature on an observed day",
            ));
        }
        Response::fit(&days).map(|response| response.q10())
    };
    let neighbours = neighbours(results, site);
    let is_seen = |day: usize| {
        neighbours.iter().any(|&other| {
            results.observed(other)[day].is_finite() && is_fitted(results, other, day)
        })
    };
    let mut test = results.sites[site].part(Part::Test);
    let simulated = &evaluation.mean[site];
    SiteTraits {
        observed_days: series.iter().filter(|flux| flux.is_finite()).count(),
        smoothness: at(SMOOTHNESS),
        seasonality: at(SEASONALITY),
        cyclicality: at(CYCLICALITY),
        seasons: rhythm::seasons(
            months.zip(series.iter().copied()),
            results.sites[site].latitude,
        ),
        correlogram: (0..=CORRELOGRAM_END / CORRELOGRAM_STEP)
            .map(|step| {
                let found = at(step * CORRELOGRAM_STEP);
                found.r.ok().filter(|_| found.usable())
            })
            .collect(),
        observed_q10: response(&|day| f64::from(record[day])),
        simulated_q10: response(&|day| simulated[day]),
        test_days_seen: if neighbours.is_empty() {
            0
        } else {
            let seen = test
                .by_ref()
                .filter(|&day| record[day].is_finite() && is_seen(day));
            seen.count()
        },
        neighbours,
    }
}

fn is_fitted(results: &Results<'_>, site: usize, day: usize) -> bool {
    let parts = &results.sites[site];
    parts.part(Part::Train).contains(&day)
        || (results.fit == crate::job::Fit::TrainValidation
            && parts.part(Part::Validation).contains(&day))
}

/// The other sites whose coordinates are the same to a hundredth of a degree.
fn neighbours(results: &Results<'_>, site: usize) -> Vec<usize> {
    let place = |index: usize| {
        let site = &results.sites[index];
        [site.latitude, site.longitude].map(|degrees| (degrees * 100.0).round())
    };
    (0..results.sites.len())
        .filter(|&other| other != site && place(other) == place(site))
        .collect()
}
