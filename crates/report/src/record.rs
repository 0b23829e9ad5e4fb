//! When the sites were observed: the calendar as the data cover it.

use std::ops::Range;

use efflux_job::Part;

use super::drivers::record_days;
use super::results::Results;

/// Days without an observation that a stretch may hold: a month, which no drawing of two decades would show.
const GAP: usize = 31;

/// The records of all sites.
pub(crate) struct Record {
    pub(crate) years: Vec<Year>,
    /// The sites by their first observed day.
    pub(crate) sites: Vec<Stretches>,
}

/// A calendar year.
pub(crate) struct Year {
    pub(crate) year: i16,
    /// Its days in the calendar of the pack.
    pub(crate) days: Range<usize>,
    /// Sites with an observed day in it.
    pub(crate) sites: usize,
    /// Observed days of all sites.
    pub(crate) observed_days: usize,
}

/// The stretches of days on which a site was observed, gaps of a month and less left out.
pub(crate) struct Stretches {
    /// Before the test part.
    pub(crate) fitted: Vec<Range<usize>>,
    /// Of the test part.
    pub(crate) judged: Vec<Range<usize>>,
}

impl Record {
    pub(crate) fn new(results: &Results<'_>) -> Self {
        let mut order: Vec<usize> = (0..results.sites.len()).collect();
        order.sort_by_key(|&site| (record_days(results.observed(site)).start, site));
        let sites = order.into_iter().map(|site| {
            let test = results.sites[site].part(Part::Test);
            let record = record_days(results.observed(site));
            let begins = if test.is_empty() {
                record.end
            } else {
                test.start.clamp(record.start, record.end)
            };
            Stretches {
                fitted: stretches(results.observed(site), record.start..begins),
                judged: stretches(results.observed(site), begins..record.end),
            }
        });
        Self {
            sites: sites.collect(),
            years: years(results),
        }
    }
}

fn years(results: &Results<'_>) -> Vec<Year> {
    let mut years: Vec<Year> = Vec::new();
    let mut date = results.start;
    for day in 0..results.days {
        match years.last_mut() {
            Some(year) if year.year == date.year() => year.days.end = day + 1,
            _ => years.push(Year {
                year: date.year(),
                days: day..day + 1,
                sites: 0,
                observed_days: 0,
            }),
        }
        date = date.tomorrow().unwrap_or(date);
    }
    for site in 0..results.sites.len() {
        let observed = results.observed(site);
        for year in &mut years {
            let days = observed[year.days.clone()].iter();
            let count = days.filter(|flux| flux.is_finite()).count();
            year.observed_days += count;
            year.sites += usize::from(count > 0);
        }
    }
    years
}

fn stretches(observed: &[f32], days: Range<usize>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for day in days.filter(|&day| observed[day].is_finite()) {
        match found.last_mut() {
            Some(stretch) if day - stretch.end < GAP => stretch.end = day + 1,
            _ => found.push(day..day + 1),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_of_more_than_a_month_ends_a_stretch() {
        let mut observed = vec![f32::NAN; 120];
        for day in [3, 4, 30, 80, 81] {
            observed[day] = 1.0;
        }
        assert_eq!(stretches(&observed, 0..120), [3..31, 80..82]);
        assert_eq!(stretches(&observed, 0..81), [3..31, 80..81]);
    }
}
