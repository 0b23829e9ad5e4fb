//! What of the test days was seen at the same place in training.

use crate::drivers::{Drivers, SeenWithin};
use crate::table::{Column, Table};

pub(crate) fn seen(drivers: &Drivers) -> Table<'_, &SeenWithin> {
    let columns = vec![
        Column::number(
            "within_km",
            "one place within, km",
            2,
            |row: &&SeenWithin| row.km,
        ),
        Column::count("sites", "sites that share one", |row: &&SeenWithin| {
            row.sites
        }),
        Column::count(
            "test_days",
            "test days of all sites",
            |row: &&SeenWithin| row.test_days,
        ),
        Column::count(
            "test_days_seen_in_training",
            "of these seen at the same place in training",
            |row: &&SeenWithin| row.seen,
        ),
    ];
    Table::new(
        "places",
        "Test days of which another site of the same place has a day in training, by the width of a place",
        "a width of places: test days that were seen at the same place in training",
        columns,
        drivers.seen.iter().collect(),
    )
}
