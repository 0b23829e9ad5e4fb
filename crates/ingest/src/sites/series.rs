//! The daily file of one site: its days, its flux, and every other column as a predictor.

use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_data::{HELD, OBSERVED};
use jiff::civil::Date;

use crate::gaps::fill_gaps;
use crate::table::{Cell, Table};

/// Target column.
const FLUX: &str = "co2_flux_umol_m2_s";
/// Companion of the target: measurements in the daily mean.
const COUNT: &str = "n_flux_values";
/// Ending of a column that tells how the values of another came about.
const FLAGS: &str = "_filled";

/// What a daily file holds, one entry a day from its first to its last.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) first: Date,
    /// µmol m⁻² s⁻¹; NaN on a day without a value.
    pub(super) flux: Vec<f64>,
    pub(super) count: Vec<u32>,
    pub(super) predictors: Vec<Predictor>,
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
    /// its column says, or there is no observation.
    pub(super) fn read(path: &Path) -> Result<Self> {
        Self::of(path, &Table::read(path)?)
    }

    fn of(path: &Path, table: &Table) -> Result<Self> {
        let (date, flux) = (table.require("date")?, table.require(FLUX)?);
        let first = consecutive(path, table, date)?;
        let flux = numbers(table, flux)?;
        if flux.iter().all(|value| value.is_nan()) {
            let reason = format!("has no value in `{FLUX}`: leave the site out of sites.csv");
            return Err(Error::file(path, reason));
        }
        let count = match table.find(COUNT) {
            Some(column) => counts(table, column)?,
            None => flux
                .iter()
                .map(|value| u32::from(!value.is_nan()))
                .collect(),
        };
        let mut predictors = Vec::new();
        for (column, name) in table.columns().iter().enumerate() {
            if name == "date" || name == FLUX || name == COUNT || name.ends_with(FLAGS) {
                continue;
            }
            let mut values = numbers(table, column)?;
            let mut flags = fill_gaps(&mut values);
            if let Some(companion) = companion(table, name) {
                given_flags(table, companion, &mut flags)?;
            }
            predictors.push(Predictor {
                name: name.clone(),
                values,
                flags,
            });
        }
        for (column, name) in table.columns().iter().enumerate() {
            let used = |other: &String| companion(table, other) == Some(column);
            if name.ends_with(FLAGS) && !table.columns().iter().any(used) {
                let reason = format!(
                    "`{name}` belongs to no column, expected one called `{}`",
                    base(name)
                );
                return Err(Error::line(path, 1, reason));
            }
        }
        Ok(Self {
            first,
            flux,
            count,
            predictors,
        })
    }
}

fn base(flags: &str) -> &str {
    flags.strip_suffix(FLAGS).unwrap_or(flags)
}

/// The column of flags that belongs to a column: called as it with `_filled` for its ending, which may be its unit
/// (`soil_temp_c`, `soil_temp_filled`). Of several the longest.
fn companion(table: &Table, name: &str) -> Option<usize> {
    let columns = table.columns().iter().enumerate();
    columns
        .filter(|(_, flags)| flags.ends_with(FLAGS) && !name.ends_with(FLAGS))
        .filter(|(_, flags)| {
            let rest = name.strip_prefix(base(flags));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        })
        .max_by_key(|(_, flags)| flags.len())
        .map(|(column, _)| column)
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
        .map(|row| {
            let cell = table.cell(row, column);
            if cell.text.is_empty() {
                return Ok(0);
            }
            cell.text.parse().map_err(|_| cell.wrong("a whole number"))
        })
        .collect()
}

/// Takes over how the file says its values came about. What was missing in the file keeps the flag of its filling.
fn given_flags(table: &Table, column: usize, flags: &mut [u8]) -> Result<()> {
    for (row, flag) in flags.iter_mut().enumerate() {
        let cell = table.cell(row, column);
        let given = match cell.text {
            "" => OBSERVED,
            text => text
                .parse()
                .ok()
                .filter(|given| *given <= HELD)
                .ok_or_else(|| cell.wrong("0 (observed), 1 (interpolated) or 2 (held)"))?,
        };
        if *flag == OBSERVED {
            *flag = given;
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
        Series::of(path, &Table::of(Rows::new(path, text.as_bytes())?)?)
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
            (
                "date,co2_flux_umol_m2_s\n2008-01-01,\n",
                "s.csv: has no value in `co2_flux_umol_m2_s`",
            ),
            ("date,co2_flux_umol_m2_s\n", "s.csv: has no rows"),
            (
                "date,flux\n2008-01-01,1\n",
                "s.csv:1: has no column `co2_flux_umol_m2_s`",
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

    proptest! {
        #[test]
        fn any_rows_are_a_series_or_an_error(rows in "[-0-9a-z,.\n\"]{0,80}") {
            let _ = series(&format!("date,co2_flux_umol_m2_s,t_c,t_filled\n2008-01-01,1,2,0\n{rows}"));
        }
    }
}
