//! Which inputs were not measured, and on how many days.

use crate::filled::{self, FilledAt};
use crate::results::Results;
use crate::table::{Column, Table};

pub(crate) fn inputs<'a>(results: &'a Results<'_>) -> Table<'a, FilledAt<'a>> {
    type Row<'a> = FilledAt<'a>;
    let columns = vec![
        Column::text("site", "site", |row: &Row<'a>| {
            super::site(results, row.site, String::new())
        }),
        Column::text("input", "input", |row: &Row<'a>| row.input),
        Column::count("days", "days of the calendar", |row: &Row<'a>| {
            row.calendar.days
        }),
        Column::count(
            "interpolated",
            "of them between two measured values",
            |row: &Row<'a>| row.calendar.interpolated,
        ),
        Column::count(
            "held",
            "of them with the nearest measured value",
            |row: &Row<'a>| row.calendar.held,
        ),
        Column::count("test_days", "observed test days", |row: &Row<'a>| {
            row.test.days
        }),
        Column::count(
            "test_interpolated",
            "of them between two measured values",
            |row: &Row<'a>| row.test.interpolated,
        ),
        Column::count(
            "test_held",
            "of them with the nearest measured value",
            |row: &Row<'a>| row.test.held,
        ),
    ];
    Table::file(
        "inputs_filled",
        "a site and a daily input: days on which it was not measured",
        columns,
        filled::by_site(results),
    )
}
