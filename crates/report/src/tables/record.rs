//! When the sites were observed.

use crate::record::{Record, Year};
use crate::table::{Column, Table};

pub(crate) fn record(record: &Record) -> Table<'_, &Year> {
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
