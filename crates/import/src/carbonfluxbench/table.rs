//! The benchmark's tables as CSV. They are published as parquet, of which a line of Python makes CSV.

use std::path::Path;

use efflux_base::error::{Error, Result};
use jiff::civil::Date;

use crate::cells::{Cells as Text, Dialect, Row};

/// The wanted cells of a row.
pub(super) struct Cells<'a> {
    row: Row<'a>,
    /// The column of each wanted one; none of one that may be absent and is.
    columns: &'a [Option<usize>],
}

impl Cells<'_> {
    /// None where it is missing.
    pub(super) fn text(&self, wanted: usize) -> Option<&str> {
        let column = self.columns[wanted]?;
        (!self.row.is_missing(column)).then(|| self.row.cell(column))
    }

    /// None where it is missing.
    pub(super) fn number(&self, wanted: usize) -> Result<Option<f64>> {
        self.columns[wanted].map_or(Ok(None), |column| self.row.number(column))
    }
}

pub(super) fn is_readable(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "csv")
}

/// The names of a table's columns.
pub(super) fn names(path: &Path) -> Result<Vec<String>> {
    Ok(open(path, &[])?.head().names.clone())
}

fn open(path: &Path, missing: &[String]) -> Result<Text> {
    if is_readable(path) {
        return Text::open(path, &Dialect::with_missing(&["-9999"], missing));
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let reason = format!(
        "is no CSV: parquet is not read here. In its folder run\n\n    python3 -c \"import pandas; pandas.read_parquet('{stem}.parquet')\
         .to_csv('{stem}.csv', index=False)\"\n\nand import that"
    );
    Err(Error::file(path, reason))
}

/// Reads the rows of a table.
///
/// # Arguments
///
/// * `wanted`: columns, in the order in which `each` is given their cells.
/// * `optional`: those of them that may be absent.
pub(super) fn read(
    path: &Path,
    wanted: &[&str],
    optional: &[&str],
    missing: &[String],
    mut each: impl FnMut(&Cells<'_>) -> Result<()>,
) -> Result<()> {
    let mut text = open(path, missing)?;
    let head = text.head();
    let find = |name: &&str| {
        if optional.contains(name) {
            Ok(head.find(name))
        } else {
            head.require(name).map(Some)
        }
    };
    let columns: Vec<Option<usize>> = wanted.iter().map(find).collect::<Result<_>>()?;
    while let Some(row) = text.next()? {
        each(&Cells {
            row,
            columns: &columns,
        })?;
    }
    Ok(())
}

/// A day as a number (`20090301`), a date (`2009-03-01`) or a time of that date.
pub(super) fn day(cells: &Cells<'_>, wanted: usize) -> Result<Date> {
    let text = cells.text(wanted).unwrap_or_default();
    let plain = text.strip_suffix(".0").unwrap_or(text);
    let plain = plain.split([' ', 'T']).next().unwrap_or_default();
    let wrong = || {
        let column = cells.columns[wanted].unwrap_or(0);
        cells
            .row
            .wrong(column, "a day such as 20090301 or 2009-03-01")
    };
    plain.parse().map_err(|_| wrong())
}
