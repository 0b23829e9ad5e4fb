//! Where the mapping's columns are in one file, and what a row says.

use efflux_base::error::Result;
use jiff::civil::DateTime;

use super::keys::{Choose, DriverKeys, FluxKeys, OfDay, QualityKeys, TableKeys};
use crate::cells::{Head, Row};
use crate::driver_unit::{self, Conversion};
use crate::fill_values::Seen;
use crate::mapping::Mapping;
use crate::record::{Combine, Driver};
use crate::stamp::Clock;

/// The columns of one file, by index.
pub(super) struct Columns {
    time: Vec<usize>,
    site: Option<usize>,
    chamber: Option<usize>,
    fluxes: Vec<usize>,
    factor: f64,
    quality: Option<Quality>,
    drivers: Vec<Sensors>,
    /// Names of the fluxes, then of all sensors.
    names: Vec<String>,
}

/// The columns of one driver.
struct Sensors {
    /// Which driver of the record it is.
    driver: usize,
    columns: Vec<usize>,
    choose: Choose,
    conversion: Conversion,
    quality: Option<Quality>,
}

/// Which rows are kept.
struct Quality {
    column: usize,
    words: Option<Vec<String>>,
    range: Option<[f64; 2]>,
}

impl Columns {
    pub(super) fn find(
        table: &TableKeys,
        head: &Head,
        mapping: &Mapping,
        drivers: &[Driver],
    ) -> Result<Self> {
        let all = |names: &[String]| {
            names
                .iter()
                .map(|name| head.require(name))
                .collect::<Result<Vec<_>>>()
        };
        let (fluxes, factor, quality) = match &table.flux {
            None => (Vec::new(), 1.0, None),
            Some(FluxKeys {
                columns,
                unit,
                quality,
            }) => {
                let factor = mapping.target.factor(unit);
                let factor = factor
                    .map_err(|reason| mapping.wrong(format!("`table.flux.unit`: {reason}")))?;
                let quality = Quality::find(quality.as_ref(), head, mapping)?;
                (all(columns)?, factor, quality)
            }
        };
        let sensors = |keys: &DriverKeys| {
            let conversion = match &keys.unit {
                None => Ok(Conversion::NONE),
                Some(unit) => driver_unit::conversion(&keys.name, unit),
            };
            Ok(Sensors {
                driver: drivers
                    .iter()
                    .position(|driver| driver.name == keys.name)
                    .unwrap_or(0),
                columns: all(&keys.columns)?,
                choose: keys.choose,
                conversion: conversion
                    .map_err(|reason| mapping.wrong(format!("`drivers`: {reason}")))?,
                quality: Quality::find(keys.quality.as_ref(), head, mapping)?,
            })
        };
        let drivers = table
            .drivers
            .iter()
            .map(sensors)
            .collect::<Result<Vec<_>>>()?;
        let numbers = fluxes
            .iter()
            .chain(drivers.iter().flat_map(|sensors| &sensors.columns));
        Ok(Self {
            time: all(&table.time.columns)?,
            site: table
                .site
                .as_ref()
                .map(|name| head.require(name))
                .transpose()?,
            chamber: table
                .chamber
                .as_ref()
                .map(|name| head.require(name))
                .transpose()?,
            names: numbers.map(|index| head.names[*index].clone()).collect(),
            fluxes,
            factor,
            quality,
            drivers,
        })
    }

    /// A place for the numbers of these columns, as they are written.
    pub(super) fn seen(&self) -> Seen {
        Seen::new(&self.names)
    }

    pub(super) fn fluxes(&self) -> usize {
        self.fluxes.len()
    }

    /// The site that a row tells, as an index of the mapping's.
    pub(super) fn site(&self, row: &Row<'_>, mapping: &Mapping) -> Result<usize> {
        let Some(column) = self.site else {
            return Ok(0);
        };
        let id = row.cell(column);
        let found = mapping.sites.iter().position(|site| site.id == id);
        found.ok_or_else(|| {
            row.wrong(
                column,
                "the `id` of one of [[sites]] in the mapping (add the site there)",
            )
        })
    }

    /// The chamber that a row tells.
    pub(super) fn chamber<'a>(&self, row: &Row<'a>) -> &'a str {
        self.chamber.map_or("", |column| row.cell(column))
    }

    /// When the row's interval begins; `None` if the clock never showed it.
    pub(super) fn begin(&self, row: &Row<'_>, clock: &mut Clock) -> Result<Option<DateTime>> {
        let cells: Vec<&str> = self.time.iter().map(|column| row.cell(*column)).collect();
        let begin = clock.begin(&cells.join(" "));
        begin.map_err(|reason| row.wrong(self.time[0], &reason))
    }

    /// A value of the flux as it is written.
    pub(super) fn flux(&self, row: &Row<'_>, index: usize) -> Result<Option<f64>> {
        row.number(self.fluxes[index])
    }

    /// A value of the flux that is kept, in the unit of the target.
    pub(super) fn kept(&self, row: &Row<'_>, index: usize, value: f64, seen: &mut Seen) -> f64 {
        seen.push(index, value, row.line);
        value * self.factor
    }

    /// Whether the row's fluxes are good enough.
    pub(super) fn is_good(&self, row: &Row<'_>) -> Result<bool> {
        self.quality
            .as_ref()
            .map_or(Ok(true), |quality| quality.keeps(row))
    }

    /// A value of each driver of the record, NaN where it is missing.
    pub(super) fn drivers(
        &self,
        row: &Row<'_>,
        seen: &mut Seen,
        drivers: usize,
    ) -> Result<Vec<f64>> {
        let mut values = vec![f64::NAN; drivers];
        let mut number = self.fluxes.len();
        for sensors in &self.drivers {
            let is_kept = sensors
                .quality
                .as_ref()
                .map_or(Ok(true), |quality| quality.keeps(row))?;
            let (mut sum, mut count) = (0.0, 0_u32);
            for &column in &sensors.columns {
                let value = row.number(column)?.filter(|_| is_kept);
                if let Some(value) = value {
                    seen.push(number, value, row.line);
                    if sensors.choose == Choose::Mean || count == 0 {
                        sum += value;
                        count += 1;
                    }
                }
                number += 1;
            }
            if count > 0 {
                values[sensors.driver] = sensors.conversion.of(sum / f64::from(count));
            }
        }
        Ok(values)
    }
}

impl Quality {
    fn find(keys: Option<&QualityKeys>, head: &Head, mapping: &Mapping) -> Result<Option<Self>> {
        let Some(QualityKeys {
            column,
            keep,
            range,
        }) = keys
        else {
            return Ok(None);
        };
        if keep.is_some() == range.is_some() {
            return Err(mapping.wrong(format!(
                "`quality` of `{column}` expects either `keep = [0, 1]` or `range = [0.8, 1.0]`"
            )));
        }
        let word = |value: &toml::Value| match value {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Ok(Some(Self {
            column: head.require(column)?,
            words: keep.as_ref().map(|words| words.iter().map(word).collect()),
            range: *range,
        }))
    }

    fn keeps(&self, row: &Row<'_>) -> Result<bool> {
        if let Some([least, greatest]) = self.range {
            let number = row.number(self.column)?;
            return Ok(number.is_some_and(|number| (least..=greatest).contains(&number)));
        }
        let text = row.cell(self.column);
        let same = |word: &String| {
            let numbers = (word.parse::<f64>(), text.parse::<f64>());
            word == text || matches!(numbers, (Ok(word), Ok(text)) if word == text)
        };
        Ok(self.words.iter().flatten().any(same))
    }
}

/// How a driver's days are made.
pub(super) fn combine(keys: &DriverKeys) -> Result<Combine, String> {
    let name = &keys.name;
    match (keys.day, keys.values_a_day) {
        (OfDay::Sum, Some(steps)) if (1..=86_400).contains(&steps) => Ok(Combine::Sum { steps }),
        (OfDay::Sum, _) => Err(format!(
            "`{name}` is a sum, expected `values_a_day`: how many values a complete day has, 48 for half hours"
        )),
        (_, Some(_)) => Err(format!(
            "`{name}` has `values_a_day`, which belongs to `day = \"sum\"` alone"
        )),
        (OfDay::Mean, None) => Ok(Combine::Mean),
        (OfDay::Filled, None) => Ok(Combine::Filled),
    }
}
