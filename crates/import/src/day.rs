//! The day rule: samples become days.
//!
//! A sample belongs to the day in which its interval begins. The day's flux is the mean of its kept values, all chambers
//! alike, and one suffices. Nothing is filled, and nothing is left out for its size. A driver's day is made of all its valid
//! values, also of samples without a flux.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::record::{Combine, Driver, Record, Sample};

/// One day of a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// The calendar day, in local standard time.
    pub date: Date,
    /// Mean of the kept values, µmol m⁻² s⁻¹.
    pub flux: Option<f64>,
    /// How many values it is the mean of.
    pub count: u32,
    /// A value of each driver of the record, in their order.
    pub drivers: Vec<Option<f64>>,
}

/// Every calendar day from the first to the last with a flux; none where there is no flux at all.
pub fn days(record: &Record) -> Vec<Day> {
    let mut by_date: BTreeMap<Date, Vec<&Sample>> = BTreeMap::new();
    for sample in &record.samples {
        by_date.entry(sample.begin.date()).or_default().push(sample);
    }
    let mut fluxes = record.samples.iter().filter(|s| s.flux.is_some());
    let Some(first) = fluxes.next().map(|sample| sample.begin.date()) else {
        return Vec::new();
    };
    let (first, last) = fluxes.fold((first, first), |(first, last), sample| {
        let date = sample.begin.date();
        (first.min(date), last.max(date))
    });
    let calendar = first.series(jiff::Span::new().days(1));
    calendar
        .take_while(|date| *date <= last)
        .map(|date| {
            let samples = by_date.get(&date).map_or(&[][..], Vec::as_slice);
            day(date, samples, &record.drivers)
        })
        .collect()
}

fn day(date: Date, samples: &[&Sample], drivers: &[Driver]) -> Day {
    let kept = samples.iter().filter_map(|s| Some((s.flux?, s.count)));
    let (sum, count) = kept.fold((0.0, 0), |(sum, total), (flux, count)| {
        (sum + flux * f64::from(count), total + count)
    });
    let driver = |(index, driver): (usize, &Driver)| {
        let values = samples.iter().map(|s| (*s, s.drivers[index]));
        combined(driver.combine, values.filter(|(_, value)| !value.is_nan()))
    };
    Day {
        date,
        flux: (count > 0).then(|| sum / f64::from(count)),
        count,
        drivers: drivers.iter().enumerate().map(driver).collect(),
    }
}

/// One value of the valid values of a day.
fn combined<'a>(how: Combine, values: impl Iterator<Item = (&'a Sample, f64)>) -> Option<f64> {
    match how {
        Combine::Mean => mean(values.map(|(_, value)| value)),
        Combine::Filled => {
            let filled = mean(values.map(|(_, value)| value))?;
            Some(if filled > 0.5 { 1.0 } else { 0.0 })
        }
        Combine::Sum { steps } => {
            let mut by_begin: BTreeMap<_, Vec<f64>> = BTreeMap::new();
            for (sample, value) in values {
                by_begin.entry(sample.begin).or_default().push(value);
            }
            let complete = by_begin.len() == steps as usize;
            let means = by_begin.into_values().filter_map(mean_of);
            complete.then(|| means.sum())
        }
    }
}

fn mean_of(values: Vec<f64>) -> Option<f64> {
    mean(values.into_iter())
}

/// None of no values.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
