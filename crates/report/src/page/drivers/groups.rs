//! Sites by what they have in common, and every correlation, as tables.

use crate::drivers::{Drivers, Over};
use crate::page::html::{
    self, Cell, count, details, number_column, p_value, table, text, words_column,
};

pub(super) fn groups(drivers: &Drivers) -> String {
    let mut columns = vec![
        words_column("sites by"),
        words_column(""),
        number_column("sites"),
    ];
    columns.extend(
        [
            "median NSE",
            "median KGE",
            "median r",
            "mean NSE",
            "good",
            "poor",
        ]
        .map(number_column),
    );
    let rows: Vec<Vec<Cell>> = drivers
        .groups
        .iter()
        .map(|group| {
            let mut row = vec![text(&group.by), text(&group.name), count(group.sites)];
            row.extend(group.medians.map(|value| html::number(value.ok(), 2)));
            row.push(html::number(group.means[0].ok(), 2));
            row.extend([group.good, group.poor].map(count));
            row
        })
        .collect();
    table(
        "Groups of sites: ensemble mean on the test part",
        &columns,
        &rows,
        None,
    )
}

pub(super) fn correlations(drivers: &Drivers) -> String {
    let mut columns = vec![words_column("property"), words_column("test score")];
    columns.extend(
        [
            "n",
            "r",
            "p",
            "p, all tests",
            "r, places",
            "p, places, all tests",
        ]
        .map(number_column),
    );
    let over = |wanted: Over| {
        drivers
            .correlations
            .iter()
            .filter(move |row| row.over == wanted)
    };
    let rows: Vec<Vec<Cell>> = over(Over::SitesWithoutOutliers)
        .zip(over(Over::LocationsWithoutOutliers))
        .map(|(sites, places)| {
            let r = |found: &crate::drivers::CorrelationRow| {
                html::number(found.found.ok().map(|found| found.r), 2)
            };
            vec![
                text(&sites.name),
                text(sites.measure.label()),
                count(sites.found.map_or(0, |found| found.n)),
                r(sites),
                p_or_none(sites.found.ok().map(|found| found.p)),
                p_or_none(sites.adjusted_p),
                r(places),
                p_or_none(places.adjusted_p),
            ]
        })
        .collect();
    let caption = "Correlation of each property with each score over sites, scores beyond Tukey’s fences left out";
    details(
        "Correlations with properties of the sites",
        &format!(
            "{}<p class=\"caption\">Many are tested, so some are small by chance: “all tests” is the p value by Benjamini \
             and Hochberg over the whole table. Sites at one place are no independent evidence: “places” takes one mean \
             value a place. The table correlations.csv has the same with outliers.</p>\n",
            table(caption, &columns, &rows, Some(2))
        ),
    )
}

fn p_or_none(p: Option<f64>) -> Cell {
    p.map_or_else(|| html::number(None, 0), |p| p_value(Ok(p)))
}
