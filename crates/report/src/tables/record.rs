//! When the sites were observed.

use super::Table;
use crate::record::Record;

pub(super) fn record(record: &Record) -> Table {
    let mut table = Table::new("record.csv", "year sites observed_days");
    for year in &record.years {
        table.rows.push(vec![
            year.year.to_string(),
            year.sites.to_string(),
            year.observed_days.to_string(),
        ]);
    }
    table
}
