//! Every correlation, as a table.

use crate::cell::Cell;
use crate::drivers::{CorrelationRow, Drivers, Over};
use crate::markup::html;
use crate::section::Part;
use crate::table::{Column, Table};

/// A correlation over sites, and the same over places.
type Row<'a> = (&'a CorrelationRow, &'a CorrelationRow);

pub(super) fn correlations(drivers: &Drivers) -> Part<'_> {
    fn r(row: &CorrelationRow) -> Option<f64> {
        row.found.ok().map(|found| found.r)
    }
    let columns = vec![
        Column::text("property", "property", |row: &Row<'_>| row.0.name.clone()),
        Column::text("score", "test score", |row: &Row<'_>| row.0.measure.label),
        Column::count("n", "n", |row: &Row<'_>| {
            row.0.found.map_or(0, |found| found.n)
        }),
        Column::number("r", "r", 2, |row: &Row<'_>| r(row.0)),
        Column::number("p", "p", 4, |row: &Row<'_>| {
            Cell::BareP(row.0.found.ok().map(|found| found.p))
        }),
        Column::number("adjusted_p", "p, all tests", 4, |row: &Row<'_>| {
            Cell::BareP(row.0.adjusted_p)
        }),
        Column::number("places_r", "r, places", 2, |row: &Row<'_>| r(row.1)),
        Column::number("places_p", "p, places, all tests", 4, |row: &Row<'_>| {
            Cell::BareP(row.1.adjusted_p)
        }),
    ];
    let over = |wanted: Over| {
        drivers
            .correlations
            .iter()
            .filter(move |row| row.over == wanted)
    };
    let rows = over(Over::SitesWithoutOutliers).zip(over(Over::LocationsWithoutOutliers));
    let title = "Correlation of each property with each score over sites, scores beyond Tukey’s fences left out";
    Part::Folded(
        "Correlations with properties of the sites",
        vec![
            Part::table(Table::page(title, columns, rows.collect()).sorted_by("n")),
            Part::caption(html!(
                "Many are tested, so some are small by chance: “all tests” is the p value by Benjamini \
                 and Hochberg over the whole table. Sites at one place are no independent evidence: “places” takes one mean \
                 value a place. The table correlations.csv has the same with outliers."
            )),
        ],
    )
}
