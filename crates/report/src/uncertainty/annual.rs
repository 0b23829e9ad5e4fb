//! Annual sums: of each member before the spread is taken, for errors of single days do not average out over members.

use std::ops::Range;

use efflux_analysis::Defined;
use efflux_analysis::ensemble::{mean, spread};
use efflux_analysis::statistics::{quantile, sorted};

use crate::filled;
use crate::results::Results;

/// g C m⁻² d⁻¹ in 1 µmol m⁻² s⁻¹: seconds of a day, mol in a µmol, g of carbon in a mol.
pub(crate) const GRAMS: f64 = 86_400.0 * 1e-6 * 12.011;

/// A whole year at a site, sums in g C m⁻² yr⁻¹.
pub(crate) struct Year {
    pub(crate) site: usize,
    pub(crate) year: i16,
    /// Days with an observation.
    pub(crate) observed_days: usize,
    /// Days with an input that repeats its nearest measured value.
    pub(crate) held_days: usize,
    pub(crate) mean: Defined,
    /// Standard deviation over members.
    pub(crate) spread: Defined,
    /// The lower and upper quartile over members.
    pub(crate) quartiles: Defined<(f64, f64)>,
}

/// Every whole year of the calendar at every site; without sums where nothing is known of it.
pub(super) fn years(results: &Results<'_>) -> Vec<Year> {
    if results.members.is_empty() {
        return Vec::new();
    }
    let calendar = whole_years(results);
    let mut found = Vec::new();
    for site in 0..results.sites.len() {
        let observed = results.observed(site);
        for (year, days) in &calendar {
            let sums: Vec<f64> = results
                .members
                .iter()
                .map(|member| {
                    let simulated = &member.site(site, results.days)[days.clone()];
                    GRAMS * simulated.iter().map(|&flux| f64::from(flux)).sum::<f64>()
                })
                .collect();
            let ordered = sorted(&sums);
            let known = filled::known(results, site, days);
            found.push(Year {
                site,
                year: *year,
                observed_days: observed[days.clone()]
                    .iter()
                    .filter(|flux| flux.is_finite())
                    .count(),
                held_days: filled::held(results, site, days),
                mean: known.and_then(|()| mean(&sums)),
                spread: known.and_then(|()| spread(&sums)),
                quartiles: known
                    .and_then(|()| Ok((quantile(&ordered, 0.25)?, quantile(&ordered, 0.75)?))),
            });
        }
    }
    found
}

fn whole_years(results: &Results<'_>) -> Vec<(i16, Range<usize>)> {
    let calendar = results.days_of_year();
    let starts: Vec<usize> = (0..calendar.len())
        .filter(|&day| calendar[day].0 == 1)
        .collect();
    let first = results.start.year() + i16::from(results.start.day_of_year() > 1);
    let mut years = Vec::new();
    for ((place, &start), year) in starts.iter().enumerate().zip(first..) {
        let leap = results.start.with().year(year).day(1).month(1).build();
        let length = leap.map_or(365, |date| usize::from(date.days_in_year().unsigned_abs()));
        let end = starts.get(place + 1).copied().unwrap_or(start + length);
        if end <= calendar.len() {
            years.push((year, start..end));
        }
    }
    years
}
