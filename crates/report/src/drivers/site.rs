//! What a site's record is like.

use std::ops::Range;

use efflux_analysis::Defined;
use efflux_analysis::baselines::{Day, Response};
use efflux_analysis::rhythm::{
    self, Autocorrelation, CYCLICALITY, SEASONALITY, SMOOTHNESS, autocorrelation,
};

use super::neighbours::test_days_seen;
use crate::evaluation::{self, Evaluation};
use crate::results::Results;

/// Days between two points of a correlogram.
pub(crate) const CORRELOGRAM_STEP: usize = 14;
/// The longest lag of a correlogram, days.
const CORRELOGRAM_END: usize = 730;

/// A site's record.
pub(crate) struct SiteProperties {
    /// Days with an observation, all parts.
    pub(crate) observed_days: usize,
    pub(crate) smoothness: Autocorrelation,
    /// Raw: near -1 at a strongly seasonal site.
    pub(crate) seasonality: Autocorrelation,
    pub(crate) cyclicality: Autocorrelation,
    pub(crate) seasons: rhythm::Seasons,
    /// Autocorrelation at multiples of [`CORRELOGRAM_STEP`] days, where it rests on enough pairs.
    pub(crate) correlogram: Vec<Option<f64>>,
    /// Smoothness, seasonality and cyclicality of the simulated flux, on the days that were observed.
    pub(crate) simulated_rhythm: [Autocorrelation; 3],
    /// The response of observed flux to temperature.
    pub(crate) observed_response: Defined<Response>,
    /// The response of simulated flux on the same days.
    pub(crate) simulated_response: Defined<Response>,
    /// Other sites at the same place.
    pub(crate) neighbours: Vec<usize>,
    /// Observed test days on which one of them has a day that members were fitted on.
    pub(crate) test_days_seen: usize,
}

impl SiteProperties {
    pub(crate) fn observed_q10(&self) -> Defined {
        self.observed_response.map(|response| response.q10())
    }

    pub(crate) fn simulated_q10(&self) -> Defined {
        self.simulated_response.map(|response| response.q10())
    }
}

pub(super) fn of_site(
    results: &Results<'_>,
    evaluation: &Evaluation,
    calendar: &[(u16, u8)],
    site: usize,
    neighbours: Vec<usize>,
) -> SiteProperties {
    let record = results.observed(site);
    let [series, simulated_series] = record_series(results, evaluation, site);
    let at = |lag| autocorrelation(&series, lag);
    let days = record_days(record);
    let (first, last) = (days.start, days.end);
    let months = calendar[first..last].iter().map(|(_, month)| *month);
    let response = |flux: &dyn Fn(usize) -> f64| {
        let days = (first..last).filter(|&day| record[day].is_finite());
        let days: Vec<Day> = days
            .map(|day| evaluation::day(results, calendar, site, day, flux(day)))
            .filter(|day| day.temperature.is_finite() && day.flux.is_finite())
            .collect();
        if days.is_empty() {
            return Err(efflux_analysis::Undefined::Missing(
                "temperature on an observed day",
            ));
        }
        Response::fit(&days)
    };
    let simulated = &evaluation.mean[site];
    SiteProperties {
        observed_days: series.iter().filter(|flux| flux.is_finite()).count(),
        smoothness: at(SMOOTHNESS),
        seasonality: at(SEASONALITY),
        cyclicality: at(CYCLICALITY),
        seasons: rhythm::seasons(
            months.zip(series.iter().copied()),
            results.sites[site].latitude,
        ),
        correlogram: (0..=CORRELOGRAM_END / CORRELOGRAM_STEP)
            .map(|step| at(step * CORRELOGRAM_STEP).usable_r())
            .collect(),
        simulated_rhythm: [SMOOTHNESS, SEASONALITY, CYCLICALITY]
            .map(|lag| autocorrelation(&simulated_series, lag)),
        observed_response: response(&|day| f64::from(record[day])),
        simulated_response: response(&|day| simulated[day]),
        test_days_seen: test_days_seen(results, site, &neighbours),
        neighbours,
    }
}

/// From the first observed day to the one after the last.
pub(crate) fn record_days(record: &[f32]) -> Range<usize> {
    let present = |flux: &f32| flux.is_finite();
    let first = record.iter().position(present).unwrap_or(0);
    let last = record.iter().rposition(present);
    first..last.map_or(first, |last| last + 1)
}

/// Observed and simulated flux of a site over its record, since lags need that and not the years around it; the
/// simulated one on the days that were observed, so that both have the same pairs.
pub(super) fn record_series(
    results: &Results<'_>,
    evaluation: &Evaluation,
    site: usize,
) -> [Vec<f64>; 2] {
    let (record, simulated) = (results.observed(site), &evaluation.mean[site]);
    let days = record_days(record);
    let observed: Vec<f64> = record[days.clone()]
        .iter()
        .copied()
        .map(f64::from)
        .collect();
    let there = observed.iter().zip(&simulated[days]);
    let simulated = there
        .map(|(observed, simulated)| {
            if observed.is_finite() {
                *simulated
            } else {
                f64::NAN
            }
        })
        .collect();
    [observed, simulated]
}
