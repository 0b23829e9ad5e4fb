//! When the sites were observed.

use crate::report::record::{Record, Year};
use crate::report::table::{Column, Table};

pub(in crate::report) fn record(record: &Record) -> Table<'_, &Year> {
    Table::file(
        "record",
        "a calendar year: sites observed in it and their days",
        vec![
            Column::count("year", "calendar year", |row: &&Year| row.year.to_string()),
            Column::count("sites", "sites with an observed day", |row: &&Year| {
                row.sites
            }),
            Column::count(
                "observed_days",
                "observed days of all sites",
                |row: &&Year| row.observed_days,
            ),
        ],
        record.years.iter().collect(),
    )
}
