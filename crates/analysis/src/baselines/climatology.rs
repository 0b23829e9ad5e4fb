//! The usual flux of each day of the year.

use super::Day;
use crate::{Defined, Undefined};

const DAYS: usize = 366;
/// Days on each side that count as the same time of the year.
const REACH: usize = 7;

/// A flux for each day of the year.
#[derive(Clone, Debug, PartialEq)]
pub struct Climatology(Vec<f64>);

impl Climatology {
    /// The mean over the days within a week of the same day of the year, the year being a circle and each observation
    /// having the same weight; days of the year that have none lie on a line between their neighbours.
    pub(super) fn fit(days: &[Day]) -> Defined<Self> {
        let mut sums = [(0.0, 0.0); DAYS];
        for day in days {
            let (sum, count) = &mut sums[place(day.of_year)];
            *sum += day.flux;
            *count += 1.0;
        }
        let around = |center: usize| {
            let near = (0..=2 * REACH).map(|step| sums[(center + DAYS + step - REACH) % DAYS]);
            let (sum, count) = near.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
            (count > 0.0).then(|| sum / count)
        };
        let known: Vec<Option<f64>> = (0..DAYS).map(around).collect();
        let value = |day: usize| {
            if let Some(value) = known[day] {
                return Some(value);
            }
            let seek = |step: &dyn Fn(usize) -> usize| {
                (1..DAYS).find_map(|distance| {
                    known[step(distance) % DAYS].map(|value| (distance as f64, value))
                })
            };
            let (back, earlier) = seek(&|distance| day + DAYS - distance)?;
            let (ahead, later) = seek(&|distance| day + distance)?;
            Some(earlier + (later - earlier) * back / (back + ahead))
        };
        let values: Option<Vec<f64>> = (0..DAYS).map(value).collect();
        values.map(Self).ok_or(Undefined::TooFew {
            found: 0,
            needed: 1,
        })
    }

    pub(super) fn flux(&self, of_year: u16) -> f64 {
        self.0[place(of_year)]
    }
}

fn place(of_year: u16) -> usize {
    (usize::from(of_year).max(1) - 1).min(DAYS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(of_year: u16, flux: f64) -> Day {
        Day {
            of_year,
            temperature: f64::NAN,
            flux,
        }
    }

    #[test]
    fn new_year_is_in_the_middle_of_a_fortnight() {
        let climatology = Climatology::fit(&[day(365, 1.0), day(3, 3.0), day(200, 9.0)]).unwrap();
        assert_eq!(climatology.flux(1), 2.0);
        assert_eq!(climatology.flux(200), 9.0);
    }

    #[test]
    fn a_gap_is_bridged_by_a_line() {
        let climatology = Climatology::fit(&[day(100, 1.0), day(120, 3.0)]).unwrap();
        assert!((climatology.flux(110) - 2.0).abs() < 1e-12);
    }
}
