//! Sites at one place, which know each other's weather.

use efflux_job::Part as RecordPart;

use crate::Findings;
use crate::section::Part;
use crate::table::{Column, Table};
use crate::tables;

pub(super) fn neighbours<'a>(findings: &'a Findings<'_>) -> Part<'a> {
    let (results, sites) = (findings.results, &findings.drivers.sites);
    let columns = vec![
        Column::text("site", "site", |&row: &usize| {
            tables::site(results, row, String::new())
        }),
        Column::count("test_days", "test days", |&row: &usize| {
            results.observed_days(row, RecordPart::Test)
        }),
        Column::count(
            "seen",
            "of these seen at the same place in training",
            |&row: &usize| sites[row].test_days_seen,
        ),
        Column::number("q10_observed", "Q10 observed", 2, |&row: &usize| {
            sites[row].observed_q10()
        }),
        Column::number("q10_simulated", "Q10 simulated", 2, |&row: &usize| {
            sites[row].simulated_q10()
        }),
    ];
    let rows = (0..sites.len()).filter(|&site| !sites[site].neighbours.is_empty());
    let rows: Vec<usize> = rows.collect();
    let seen = Part::table(tables::places::seen(&findings.drivers));
    if rows.is_empty() {
        return Part::Folded("Sites at the same place", vec![seen]);
    }
    let title = "Sites that share their place with others: weather of their test days was seen in training there";
    Part::Folded(
        "Sites at the same place",
        vec![
            seen,
            Part::table(Table::page(title, columns, rows).sorted_by("seen")),
        ],
    )
}
