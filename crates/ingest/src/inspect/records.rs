//! Each site's record: when there is a flux, and where training ends.

use std::collections::BTreeMap;

use efflux_data::{Pack, Site, share};
use serde::Serialize;

/// The record of one site.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// The site.
    #[serde(flatten)]
    pub site: Site,
    /// Days with a flux.
    pub observed_days: usize,
    /// The first of them, ISO 8601.
    pub first: Option<String>,
    /// The last of them.
    pub last: Option<String>,
    /// Observed days that a model trains on (validation days included): the first ones.
    pub training_days: usize,
    /// Observed days that it is tested on: the others.
    pub test_days: usize,
    /// The first of those: the boundary of the split.
    pub first_test_day: Option<String>,
    /// Coverage of every year of the calendar.
    pub years: BTreeMap<i16, Coverage>,
}

/// How much of a year there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Days of the year that the calendar has.
    pub days: usize,
    /// Those with a flux.
    pub observed: usize,
}

/// The records of all sites.
pub(super) fn records(pack: &Pack, train: f64) -> Vec<Record> {
    let calendar = pack.calendar;
    let years: Vec<i16> = (0..calendar.days)
        .map(|day| calendar.date(day).year())
        .collect();
    let record = |(index, site): (usize, &Site)| {
        let flux = pack.flux_of(index);
        let observed: Vec<usize> = (0..flux.len()).filter(|&day| !flux[day].is_nan()).collect();
        let training_days = share(train, observed.len());
        let mut coverage: BTreeMap<i16, Coverage> = BTreeMap::new();
        for (year, flux) in years.iter().zip(flux) {
            let of = coverage.entry(*year).or_default();
            of.days += 1;
            of.observed += usize::from(!flux.is_nan());
        }
        let date = |day: Option<&usize>| day.map(|day| calendar.date(*day).to_string());
        Record {
            site: site.clone(),
            observed_days: observed.len(),
            first: date(observed.first()),
            last: date(observed.last()),
            training_days,
            test_days: observed.len() - training_days,
            first_test_day: date(observed.get(training_days)),
            years: coverage,
        }
    };
    pack.sites.iter().enumerate().map(record).collect()
}
