//! From the values of hours, days, composites, scenes or months to one value a day.

use efflux_data::{Calendar, INTERPOLATED, OBSERVED};

use super::products::{Product, StandsFor};
use super::rows::Record;
use super::steps::days_of;
use crate::gaps::fill_gaps;

/// Days before and after the calendar from which values are still interpolated into it: the longest step.
pub(super) const MARGIN: usize = 31;

/// A variable at a site, day by day.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    /// NaN on every day if nothing is known inside the calendar.
    pub(super) values: Vec<f64>,
    /// One of the flags of [`fill_gaps`] a day.
    pub(super) flags: Vec<u8>,
}

impl Series {
    /// The daily values of a record: hours are summed or averaged where all 24 are there, values of longer steps stand
    /// on one of their days, and whatever is left open is filled linearly.
    pub(super) fn of(product: &Product, record: &Record, calendar: Calendar) -> Self {
        let days = calendar.days + 2 * MARGIN;
        let index = |day: i64| {
            let index = usize::try_from(day + MARGIN as i64).ok();
            index.filter(|index| *index < days)
        };
        let mut values = vec![f64::NAN; days];
        let mut filled = vec![false; days];
        for (&day, hours) in &record.hours {
            if let (Some(index), Some(value)) = (index(day), hours.daily(product.daily)) {
                values[index] = value;
                filled[index] = hours.is_filled();
            }
        }
        let mut counts = vec![0u32; days];
        for (&(first, _), value) in &record.values {
            let Some(index) = index(middle(product, first, calendar)) else {
                continue;
            };
            if value.value.is_nan() {
                continue;
            }
            let sum = if counts[index] == 0 {
                0.0
            } else {
                values[index]
            };
            values[index] = sum + whole_step(product, first, value.value, calendar);
            counts[index] += 1;
            filled[index] |= value.filled;
        }
        // Scenes of one day are averaged.
        for (value, count) in values.iter_mut().zip(&counts) {
            *value /= f64::from((*count).max(1));
        }
        let inside = MARGIN..MARGIN + calendar.days;
        if values[inside.clone()].iter().all(|value| value.is_nan()) {
            return Self {
                values: vec![f64::NAN; calendar.days],
                flags: vec![OBSERVED; calendar.days],
            };
        }
        let mut flags = fill_gaps(&mut values);
        for (flag, filled) in flags.iter_mut().zip(filled) {
            if *flag == OBSERVED && filled {
                *flag = INTERPOLATED;
            }
        }
        Self {
            values: values[inside.clone()].to_vec(),
            flags: flags[inside].to_vec(),
        }
    }

    /// Whether nothing is known.
    pub(super) fn is_absent(&self) -> bool {
        self.values.first().is_none_or(|value| value.is_nan())
    }
}

/// The day, counted from the calendar's start, that a value stands for whose step begins on the day `first`.
fn middle(product: &Product, first: i64, calendar: Calendar) -> i64 {
    match product.stands_for {
        StandsFor::First => first,
        StandsFor::Middle => first + i64::from(length(product, first, calendar)) / 2,
    }
}

/// A total of a short step, scaled up to the days of a full one; any other value as it is.
fn whole_step(product: &Product, first: i64, value: f64, calendar: Calendar) -> f64 {
    match product.total_days {
        Some(full) => value * f64::from(full) / f64::from(length(product, first, calendar)),
        None => value,
    }
}

/// Days of the step that begins on the day `first`.
fn length(product: &Product, first: i64, calendar: Calendar) -> u16 {
    let date = calendar
        .start
        .saturating_add(jiff::SignedDuration::from_hours(24 * first));
    days_of(product.step, date)
}
