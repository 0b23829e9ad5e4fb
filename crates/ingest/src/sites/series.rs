//! The daily file of one site: its days, its flux, and every other column as a predictor.

use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_data::{HELD, OBSERVED};
use efflux_numerics::single;
use jiff::civil::Date;

use super::SiteOptions;
use super::columns::{Columns, labels_by_value};
use super::target::Declared;
use crate::gaps::fill_gaps;
use crate::missing::{Missing, Sentinel};
use crate::table::{Cell, Table};

/// What a daily file holds, one entry a day from its first to its last.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) first: Date,
    /// In the unit of the target; NaN on a day without a value. Empty cells on all days if the file has no such column.
    pub(super) flux: Vec<f64>,
    pub(super) count: Vec<u32>,
    pub(super) predictors: Vec<Predictor>,
    /// Days whose flux is said not to be measured, so left out.
    pub(super) filled_fluxes: usize,
    /// Names of columns whose values are others in single precision.
    pub(super) imprecise: Vec<String>,
    /// Names of columns that are no input, and what they look like.
    pub(super) left_out: Vec<(String, &'static str)>,
}

/// One predictor column without gaps.
#[derive(Debug)]
pub(super) struct Predictor {
    pub(super) name: String,
    /// NaN on every day if the column is empty.
    pub(super) values: Vec<f64>,
    /// One of the flags of [`fill_gaps`] a day.
    pub(super) flags: Vec<u8>,
}

impl Series {
    /// Reads a daily file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read; [`Error::Data`] with the line if a date is out of order, a cell is not what
    /// its column says, or a number looks like a fill value.
    pub(super) fn read(path: &Path, declared: &Declared, options: &SiteOptions) -> Result<Self> {
        Self::of(
            path,
            &Table::read(path, &options.missing)?,
            declared,
            options,
        )
    }

    fn of(path: &Path, table: &Table, declared: &Declared, options: &SiteOptions) -> Result<Self> {
        let columns = Columns::of(table, declared, &options.keep_columns)?;
        let first = consecutive(path, table, columns.date)?;
        let days = table.rows();
        let mut found = FillValues::default();
        let mut flux = match columns.flux {
            Some(column) => numbers(table, column)?,
            None => vec![f64::NAN; days],
        };
        found.look(table, declared.column(), &flux, &options.missing);
        let mut count = match columns.count {
            Some(column) => counts(table, column)?,
            None => flux
                .iter()
                .map(|value| u32::from(!value.is_nan()))
                .collect(),
        };
        let mut filled_fluxes = 0;
        if let Some(column) = columns.flux_flags {
            for row in 0..days {
                if flag(&table.cell(row, column))? != OBSERVED && !flux[row].is_nan() {
                    (flux[row], count[row]) = (f64::NAN, 0);
                    filled_fluxes += 1;
                }
            }
        }
        let mut predictors = Vec::new();
        let mut left_out = columns.left_out;
        let mut imprecise = Vec::new();
        for (column, companion) in columns.predictors {
            let name = &table.columns()[column];
            let mut values = numbers(table, column)?;
            if !options.keep_columns.contains(name)
                && let Some(reason) = labels_by_value(name, &values, &dates(first, days))
            {
                left_out.push((name.clone(), reason));
                continue;
            }
            found.look(table, name, &values, &options.missing);
            if is_imprecise(&values) {
                imprecise.push(name.clone());
            }
            let mut flags = fill_gaps(&mut values);
            if let Some(companion) = companion {
                given_flags(table, companion, &mut flags)?;
            }
            predictors.push(Predictor {
                name: name.clone(),
                values,
                flags,
            });
        }
        found.refuse(path)?;
        Ok(Self {
            first,
            flux,
            count,
            predictors,
            filled_fluxes,
            imprecise,
            left_out,
        })
    }

    /// The last day.
    pub(super) fn last(&self) -> Date {
        day(self.first, self.flux.len().saturating_sub(1))
    }
}

/// Numbers of a file that look like fill values.
#[derive(Default)]
struct FillValues {
    /// Each with its line.
    first: Option<(Sentinel, u64)>,
    told: Vec<String>,
    remedy: Vec<String>,
}

impl FillValues {
    fn look(&mut self, table: &Table, name: &str, values: &[f64], missing: &Missing) {
        for sentinel in missing.sentinels(values) {
            let line = table.line(sentinel.first);
            let Sentinel { value, count, .. } = sentinel;
            let days = if count == 1 {
                "1 day".into()
            } else {
                format!("{count} days")
            };
            let others = sentinel.others.map_or(String::new(), |[least, greatest]| {
                format!(", the others are {} to {}", shown(least), shown(greatest))
            });
            self.told.push(format!(
                "`{name}` has {} on {days} (first in line {line}{others})",
                shown(value)
            ));
            let word = shown(value);
            if !self.remedy.contains(&word) {
                self.remedy.push(word);
            }
            self.first.get_or_insert((sentinel, line));
        }
    }

    fn refuse(self, path: &Path) -> Result<()> {
        let Some((_, line)) = self.first else {
            return Ok(());
        };
        let values = self.remedy.join(",");
        let reason = format!(
            "{}: expected an empty cell for a missing value, and this looks like a fill value (empty the cells, or pack \
             with `--missing {values}`; if it was measured, with `--measured {values}`)",
            self.told.join(", ")
        );
        Err(Error::line(path, line, reason))
    }
}

/// A number as short as it can be written.
fn shown(value: f64) -> String {
    if value.abs() >= 1e12 {
        format!("{value:e}")
    } else {
        format!("{value}")
    }
}

/// Whether single precision moves a value by more than a millionth of itself, or of what the values vary by.
fn is_imprecise(values: &[f64]) -> bool {
    let known = || values.iter().copied().filter(|value| !value.is_nan());
    let least = known().fold(f64::INFINITY, f64::min);
    let spread = known().fold(f64::NEG_INFINITY, f64::max) - least;
    let moved = |value: f64| (f64::from(single(value)) - value).abs();
    known().any(|value| {
        moved(value) > 1e-6 * value.abs() || (spread > 0.0 && moved(value) > 1e-3 * spread)
    })
}

fn day(first: Date, days: usize) -> Date {
    let hours = 24 * i64::from(i32::try_from(days).unwrap_or(i32::MAX));
    first.saturating_add(jiff::SignedDuration::from_hours(hours))
}

/// Year, month, day and day of the year from a date on.
fn dates(first: Date, days: usize) -> Vec<[i32; 4]> {
    let of = |date: Date| {
        let (month, day) = (i16::from(date.month()), i16::from(date.day()));
        [date.year(), month, day, date.day_of_year()].map(i32::from)
    };
    (0..days).map(|index| of(day(first, index))).collect()
}

/// The first date, if every row is the day after the one before.
fn consecutive(path: &Path, table: &Table, column: usize) -> Result<Date> {
    let mut previous: Option<Date> = None;
    for row in 0..table.rows() {
        let cell = table.cell(row, column);
        let date = date(&cell)?;
        if let Some(previous) = previous {
            let step = date.duration_since(previous).as_hours() / 24;
            match step {
                1 => {}
                0 => return Err(cell.wrong("each day once")),
                step if step < 0 => {
                    return Err(
                        cell.wrong(&format!("a day after {previous}: sort the rows by date"))
                    );
                }
                step => {
                    let missing = step - 1;
                    return Err(cell.wrong(&format!(
                        "the day after {previous}: {missing} missing (write them with empty cells)"
                    )));
                }
            }
        }
        previous = Some(date);
    }
    if previous.is_none() {
        return Err(Error::file(path, "has no rows, expected one for each day"));
    }
    date(&table.cell(0, column))
}

fn date(cell: &Cell<'_>) -> Result<Date> {
    // The parser also takes date and time, and shorter ways to write a date.
    let expected = "a date like 2009-01-31";
    if cell.text.len() != 10 {
        return Err(cell.wrong(expected));
    }
    cell.text.parse().map_err(|_| cell.wrong(expected))
}

fn numbers(table: &Table, column: usize) -> Result<Vec<f64>> {
    (0..table.rows())
        .map(|row| Ok(table.cell(row, column).number()?.unwrap_or(f64::NAN)))
        .collect()
}

fn counts(table: &Table, column: usize) -> Result<Vec<u32>> {
    (0..table.rows())
        .map(|row| Ok(table.cell(row, column).whole()?.unwrap_or(0)))
        .collect()
}

/// How the file says that a value came about: observed if it says nothing.
fn flag(cell: &Cell<'_>) -> Result<u8> {
    let flag = match cell.code() {
        Ok(flag) => u8::try_from(flag.unwrap_or(0)).ok(),
        Err(_) => None,
    };
    flag.filter(|flag| *flag <= HELD)
        .ok_or_else(|| cell.wrong("0 (observed), 1 (interpolated) or 2 (held)"))
}

/// Takes over how the file says its values came about. What was missing in the file keeps the flag of its filling.
fn given_flags(table: &Table, column: usize, flags: &mut [u8]) -> Result<()> {
    for (row, own) in flags.iter_mut().enumerate() {
        let given = flag(&table.cell(row, column))?;
        if *own == OBSERVED {
            *own = given;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Rows;
    use proptest::prelude::*;

    fn series(text: &str) -> Result<Series> {
        let path = Path::new("s.csv");
        let table = Table::of(Rows::new(path, text.as_bytes())?)?;
        Series::of(path, &table, &Declared::default(), &SiteOptions::default())
    }

    fn message(text: &str) -> String {
        series(text).unwrap_err().to_string()
    }

    #[test]
    fn dates_are_each_the_day_after_the_one_before() {
        let text = |dates: &[&str]| {
            let rows = dates.iter().map(|date| format!("{date},1\n"));
            format!("date,co2_flux_umol_m2_s\n{}", rows.collect::<String>())
        };
        assert!(series(&text(&["2008-02-28", "2008-02-29", "2008-03-01"])).is_ok());
        for (dates, expected) in [
            (["2008-02-28", "2008-02-28"], "each day once"),
            (["2008-02-28", "2008-02-27"], "a day after 2008-02-28: sort"),
            (
                ["2008-02-28", "2008-03-02"],
                "the day after 2008-02-28: 2 missing",
            ),
            (["2008-02-28", "2008-02-30"], "a date like"),
            (["2008-02-28", "29.02.2008"], "a date like"),
            (["2008-02-28", "20080229"], "a date like"),
        ] {
            let message = message(&text(&dates));
            assert!(
                message.starts_with(&format!("s.csv:3: `date` has `{}`", dates[1])),
                "{message}"
            );
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn gaps_inside_are_interpolated_and_given_flags_kept() {
        let series = series(
            "date,co2_flux_umol_m2_s,soil_temp_c,soil_temp_filled,rain_mm\n\
             2008-01-01,1,2,2,0\n2008-01-02,,4,1,\n2008-01-03,3,,,4\n2008-01-04,,8,0,\n",
        )
        .unwrap();
        let [temperature, rain] = &series.predictors[..] else {
            panic!()
        };
        assert_eq!(temperature.values, [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(temperature.flags, [2, 1, 1, 0]);
        assert_eq!(rain.values, [0.0, 2.0, 4.0, 4.0]);
        assert_eq!(rain.flags, [0, 1, 0, 2]);
        assert_eq!(series.count, [1, 0, 1, 0]);
        assert!(series.flux[1].is_nan());
    }

    #[test]
    fn bad_cells_are_named() {
        for (text, expected) in [
            ("date,co2_flux_umol_m2_s\n", "s.csv: has no rows"),
            (
                "date,flux\n2008-01-01,1\n",
                "s.csv:1: has no column `co2_flux_umol_m2_s`, but `flux`",
            ),
            ("co2_flux_umol_m2_s\n1\n", "s.csv:1: has no column `date`"),
            (
                "date,co2_flux_umol_m2_s\n2008-01-01,high\n",
                "s.csv:2: `co2_flux_umol_m2_s` has `high`, expected a number",
            ),
            (
                "date,co2_flux_umol_m2_s\n2008-01-01,inf\n",
                "s.csv:2: `co2_flux_umol_m2_s` has `inf`, expected a finite",
            ),
            (
                "date,co2_flux_umol_m2_s,t\n2008-01-01,1,NaN\n",
                "s.csv:2: `t` has `NaN`, expected a finite",
            ),
            (
                "date,co2_flux_umol_m2_s,n_flux_values\n2008-01-01,1,-1\n",
                "s.csv:2: `n_flux_values` has `-1`",
            ),
            (
                "date,co2_flux_umol_m2_s,t_c,t_filled\n2008-01-01,1,1,3\n",
                "s.csv:2: `t_filled` has `3`, expected 0",
            ),
            (
                "date,co2_flux_umol_m2_s,t_filled\n2008-01-01,1,0\n",
                "s.csv:1: `t_filled` belongs to no column",
            ),
        ] {
            let message = message(text);
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn what_single_precision_changes_is_told() {
        assert!(is_imprecise(&[20_100_101.0, 20_100_102.0]) && is_imprecise(&[1e-42, 1.0]));
        assert!(!is_imprecise(&[271.15, 293.27, f64::NAN]) && !is_imprecise(&[101_325.1]));
    }

    proptest! {
        #[test]
        fn any_rows_are_a_series_or_an_error(rows in "[-0-9a-z,.\n\"]{0,80}") {
            let _ = series(&format!("date,co2_flux_umol_m2_s,t_c,t_filled\n2008-01-01,1,2,0\n{rows}"));
        }
    }
}
