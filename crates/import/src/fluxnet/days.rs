//! Rows of days, hours or half hours as days: each with its flux, the quality of it, and drivers with theirs.

use std::path::Path;

use efflux_base::error::Result;
use jiff::civil::Date;

use super::names::Step;
use super::{DRIVERS, PRECIPITATION, WELL_FILLED, driver};
use crate::cells::{Head, Row};
use crate::fill_values::Seen;
use crate::mapping::Mapping;
use crate::record::Driver;
use crate::tower;

/// The columns of a file, by index.
pub(super) struct Columns {
    time: usize,
    flux: usize,
    quality: usize,
    drivers: Vec<Quantity>,
    names: Vec<String>,
}

struct Quantity {
    column: usize,
    quality: Option<usize>,
    factor: f64,
    is_sum: bool,
    /// Names of the value and of its flag.
    name: &'static str,
}

/// One day of a site, in the unit of its file.
pub(super) struct OneDay {
    pub(super) date: Date,
    /// Rows that it is made of.
    pub(super) rows: u32,
    /// Those that lack the flux.
    pub(super) without_flux: u32,
    /// None if one row lacks it.
    pub(super) flux: Option<f64>,
    /// Share of measured or well filled rows; none if no row tells it.
    pub(super) quality: Option<f64>,
    /// A value of each driver of [`Days`], NaN where it is missing.
    pub(super) drivers: Vec<f64>,
}

/// The days of one file.
pub(super) struct Days {
    step: Step,
    pub(super) drivers: Vec<Driver>,
    pub(super) days: Vec<OneDay>,
    open: Option<Open>,
    seen: Seen,
}

/// A day whose rows are still coming: flux first, then the drivers.
struct Open {
    date: Date,
    rows: u32,
    sums: Vec<Sum>,
}

/// One quantity of a day.
#[derive(Clone, Copy, Default)]
struct Sum {
    sum: f64,
    values: u32,
    /// Share of good rows, times the rows that tell it.
    good: f64,
    told: u32,
}

impl Columns {
    pub(super) fn find(mapping: &Mapping, head: &Head, step: Step) -> Result<Self> {
        let target = target(mapping, head)?;
        let flux = head.require(&target)?;
        let quality = head.require(&quality_of(&target))?;
        let time = head.require(if step == Step::Day {
            "TIMESTAMP"
        } else {
            "TIMESTAMP_START"
        })?;
        let mut drivers = Vec::new();
        for (pattern, name, factor) in DRIVERS {
            if !mapping.wants(name) {
                continue;
            }
            if let Some(column) = least(head, pattern) {
                drivers.push(Quantity {
                    column,
                    quality: head.find(&format!("{}_QC", head.names[column])),
                    factor,
                    is_sum: pattern == PRECIPITATION,
                    name,
                });
            }
        }
        let names = std::iter::once(flux).chain(drivers.iter().map(|quantity| quantity.column));
        Ok(Self {
            time,
            flux,
            quality,
            names: names.map(|index| head.names[index].clone()).collect(),
            drivers,
        })
    }
}

fn target(mapping: &Mapping, head: &Head) -> Result<String> {
    let Some(target) = &mapping.target.column else {
        let like: Vec<&str> = head
            .names
            .iter()
            .map(String::as_str)
            .filter(|name| name.starts_with("RECO_"))
            .collect();
        return Err(mapping.wrong(format!(
            "has no `target`. These files have no efflux of soil; their respiration of the whole ecosystem is modelled from tower \
             data. If that is what you want, name it: `target = \"RECO_NT_VUT_REF\"` ({} has {})",
            head.path.display(),
            if like.is_empty() { "none".to_owned() } else { like.join(", ") }
        )));
    };
    let is_flux = ["RECO_", "NEE_"]
        .iter()
        .any(|begin| target.starts_with(begin));
    if !is_flux || target.ends_with("_QC") {
        return Err(mapping.wrong(format!(
            "`target` has `{target}`, expected a respiration such as RECO_NT_VUT_REF (or a net exchange, NEE_VUT_REF)"
        )));
    }
    Ok(target.clone())
}

/// The column of quality that belongs to a target: that of the net exchange with the same threshold.
fn quality_of(target: &str) -> String {
    let threshold = ["RECO_NT_", "RECO_DT_", "RECO_SR_", "RECO_", "NEE_"]
        .iter()
        .find_map(|begin| target.strip_prefix(begin));
    format!("NEE_{}_QC", threshold.unwrap_or("VUT_REF"))
}

/// A column by its name, or the one with the least number, which is the shallowest in soil.
fn least(head: &Head, pattern: &str) -> Option<usize> {
    let Some(begin) = pattern.strip_suffix('#') else {
        return head.find(pattern);
    };
    let number = |name: &String| name.strip_prefix(begin)?.parse::<u32>().ok();
    let found = head
        .names
        .iter()
        .enumerate()
        .filter_map(|(index, name)| Some((number(name)?, index)));
    found.min().map(|(_, index)| index)
}

impl Days {
    pub(super) fn new(columns: &Columns, step: Step) -> Self {
        let names = columns.drivers.iter().flat_map(|quantity| {
            let flag = quantity.quality.map(|_| filled(quantity.name));
            std::iter::once(quantity.name.to_owned()).chain(flag)
        });
        let quality = std::iter::once("nee_qc".to_owned());
        Self {
            step,
            drivers: quality.chain(names).map(|name| driver(&name)).collect(),
            days: Vec::new(),
            open: None,
            seen: Seen::new(&columns.names),
        }
    }

    pub(super) fn add(&mut self, columns: &Columns, row: &Row<'_>) -> Result<()> {
        let date = tower::stamp(row, columns.time)?.date();
        if self.open.as_ref().is_some_and(|open| open.date != date) {
            self.close(columns);
        }
        let open = self.open.get_or_insert_with(|| Open {
            date,
            rows: 0,
            sums: vec![Sum::default(); 1 + columns.drivers.len()],
        });
        open.rows += 1;
        let quantities = columns
            .drivers
            .iter()
            .map(|quantity| (quantity.column, quantity.quality));
        let all = std::iter::once((columns.flux, Some(columns.quality))).chain(quantities);
        for (index, (column, quality)) in all.enumerate() {
            let sum = &mut open.sums[index];
            if let Some(value) = row.number(column)? {
                self.seen.push(index, value, row.line);
                sum.sum += value;
                sum.values += 1;
            }
            if let Some(column) = quality
                && let Some(quality) = row.number(column)?
            {
                sum.told += 1;
                sum.good += match self.step {
                    Step::Day => quality,
                    // Flags: 0 is measured, 1 filled well.
                    Step::HalfHour | Step::Hour => f64::from(u8::from(quality <= 1.0)),
                };
            }
        }
        Ok(())
    }

    fn close(&mut self, columns: &Columns) {
        let Some(open) = self.open.take() else {
            return;
        };
        let expected = self.step.rows_a_day();
        let whole = |sum: &Sum| sum.values == expected && open.rows == expected;
        let share = |sum: &Sum| (sum.told > 0).then(|| sum.good / f64::from(expected));
        let (flux, drivers) = (&open.sums[0], &open.sums[1..]);
        let mut values = vec![share(flux).unwrap_or(f64::NAN)];
        for (sum, quantity) in drivers.iter().zip(&columns.drivers) {
            let of = if quantity.is_sum {
                1.0
            } else {
                f64::from(expected)
            };
            let value = if whole(sum) {
                sum.sum / of * quantity.factor
            } else {
                f64::NAN
            };
            values.push(value);
            if quantity.quality.is_some() {
                let is_filled = share(sum).is_none_or(|share| share < WELL_FILLED);
                values.push(if value.is_nan() {
                    f64::NAN
                } else {
                    f64::from(u8::from(is_filled))
                });
            }
        }
        self.days.push(OneDay {
            date: open.date,
            rows: open.rows,
            without_flux: open.rows - flux.values,
            flux: whole(flux).then(|| flux.sum / f64::from(expected)),
            quality: share(flux),
            drivers: values,
        });
    }

    pub(super) fn finish(
        mut self,
        columns: &Columns,
        path: &Path,
        measured: &[f64],
    ) -> Result<Self> {
        self.close(columns);
        self.seen.check(path, measured)?;
        Ok(self)
    }
}

/// The flag of a driver: its name without its unit.
fn filled(name: &str) -> String {
    let base = ["_m3_m3", "_umol_m2_s", "_w_m2", "_hpa", "_mm", "_c"]
        .iter()
        .find_map(|unit| name.strip_suffix(unit));
    format!("{}_filled", base.unwrap_or(name))
}
