//! Sites at one place, which know each other's weather.

use efflux_job::Part;

use crate::drivers::Drivers;
use crate::page::html::{self, Cell, count, defined, details, number_column, table, words_column};
use crate::results::Results;

pub(super) fn neighbours(results: &Results<'_>, drivers: &Drivers) -> String {
    let mut columns = vec![words_column("site"), number_column("test days")];
    columns.extend(
        [
            "of these seen at the same place in training",
            "Q10 observed",
            "Q10 simulated",
        ]
        .map(number_column),
    );
    let rows: Vec<Vec<Cell>> = results
        .sites
        .iter()
        .enumerate()
        .filter(|(index, _)| !drivers.sites[*index].neighbours.is_empty())
        .map(|(index, site)| {
            let traits = &drivers.sites[index];
            vec![
                html::site(index, &site.name, &site.id, ""),
                count(results.observed_days(index, Part::Test)),
                count(traits.test_days_seen),
                defined(traits.observed_q10(), 2),
                defined(traits.simulated_q10(), 2),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "<p>No two sites are at the same place.</p>\n".to_owned();
    }
    let caption = "Sites that share their place with others: weather of their test days was seen in training there";
    details(
        "Sites at the same place",
        &table(caption, &columns, &rows, Some(2)),
    )
}
