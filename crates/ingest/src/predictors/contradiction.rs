//! Two rows of a table that say different things of the same site and time.

use std::path::PathBuf;

use efflux_base::error::Error;
use efflux_data::Calendar;

use super::products::Product;
use super::rows::{Origin, Shared};
use super::stamp::Stamp;
use super::steps::key;
use crate::table::{Cell, Rows};

/// Where the first row of a site and step of a product stands: the files are read again, for no memory should hold the
/// lines of all hours. None if they cannot be read any more.
pub(super) fn first_row(
    paths: &[PathBuf],
    (site, wanted, product): (&str, i64, &Product),
    calendar: Calendar,
) -> Option<Origin> {
    for (file, path) in paths.iter().enumerate() {
        let mut rows = Rows::open(path).ok()?;
        let columns = Shared::of(&rows.header, true).ok()?;
        while let Some(row) = rows.next().ok()? {
            let id = row.cell(columns.site);
            let cell = row.cell(columns.time?);
            let is_wanted = |stamp| key(&cell, stamp, product, calendar).ok() == Some(wanted);
            if id.text == site && Stamp::parse(cell.text).is_some_and(is_wanted) {
                return Some(Origin {
                    file,
                    line: id.line,
                });
            }
        }
    }
    None
}

/// Two rows that say different things of one site and time.
pub(super) fn contradiction(
    cell: &Cell<'_>,
    before: Option<Origin>,
    file: usize,
    files: &[String],
) -> Error {
    let other = match before {
        None => "an earlier one".into(),
        Some(before) if before.file == file => format!("the one in line {}", before.line),
        Some(before) => format!("the one in line {} of {}", before.line, files[before.file]),
    };
    cell.wrong(&format!(
        "one row for a site and time, but {other} has another value for them (export the table again, or remove one)"
    ))
}
