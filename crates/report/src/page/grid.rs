//! The grid in view: what each axis does, and the best configurations.

use efflux_analysis::significance::welch;
use efflux_analysis::statistics::standard_deviation;
use efflux_run::Candidate;

use crate::Findings;
use crate::cell::Cell;
use crate::figures;
use crate::grid::{Cost, Grid};
use crate::markup::html;
use crate::numbers;
use crate::section::{Drawing, Part};
use crate::table::{Column, Table};
use crate::tables;

/// How many of the best configurations are listed.
const TOP: usize = 10;

/// What each axis does; on the page nothing where the grid has no axis of several values.
pub(super) fn axes<'a>(findings: &'a Findings<'_>) -> Vec<Part<'a>> {
    let grid = &findings.grid;
    let shares_table = Part::table(tables::grid::shares(grid));
    let axes = tables::grid::axes(grid);
    if grid.axes.is_empty() {
        return vec![Part::table(axes.in_file_alone_if(true)), shares_table];
    }
    let drawing = || {
        let caption = html!(
            "The mean of each value over the other axes and all search seeds, among the combinations of the other axes \
             that all values have. The band is one standard deviation between the seeds of a configuration: a difference \
             within it may be luck.{}",
            shares(grid)
        );
        let score = findings.results.selection.compared_by();
        Drawing::new("Axes", figures::axes(&grid.axes, &score), caption)
    };
    vec![
        Part::heading("Axes"),
        Part::figure(drawing),
        Part::Folded("The same as a table", vec![Part::table(axes)]),
        shares_table,
    ]
}

/// ` Of the variation between all trials 62 % goes along with hidden size, …`
fn shares(grid: &Grid) -> String {
    let shares = match &grid.shares {
        Ok(shares) => shares,
        Err(reason) => return format!(" Shares of the variation are not defined: {reason}."),
    };
    let percent = |share: f64| format!("{} %", numbers::number(100.0 * share, 0));
    let axes = grid.axes.iter().zip(&shares.axes);
    let axes =
        axes.map(|(axis, share)| format!("{} goes along with {}", percent(*share), axis.name));
    format!(
        " Of the variation between all trials {}, {} with axes together beyond that, and {} with seeds.",
        axes.collect::<Vec<String>>().join(", "),
        percent(shares.together),
        percent(shares.seeds)
    )
}

/// A configuration that can be selected, its mean, and what its trials cost.
type Row<'a> = (&'a Candidate, f64, Option<&'a Cost>);

/// The best configurations, each against the best one.
pub(super) fn top<'a>(findings: &'a Findings<'_>) -> Vec<Part<'a>> {
    let choice = findings.results.selection;
    let measure = choice.rule.metric.measure();
    let ranked = choice.ranked().into_iter();
    let selectable: Vec<Row<'a>> = ranked
        .filter_map(|one| {
            let mut costs = findings.grid.costs.iter();
            let cost = costs.find(|cost| cost.params == one.params);
            Some((one, one.mean?, cost))
        })
        .collect();
    let [(best, highest, _), _, ..] = selectable[..] else {
        return Vec::new();
    };
    let is_best = move |row: &Row<'a>| row.0.params == best.params;
    let decimals = measure.decimals;
    let columns = vec![
        Column::text("configuration", "configuration", |row: &Row<'a>| {
            row.0.params.to_string()
        }),
        Column::number("mean", "mean", decimals, |row: &Row<'a>| row.1),
        Column::number("sd", "sd between seeds", decimals, |row: &Row<'a>| {
            standard_deviation(&row.0.known())
        }),
        Column::number(
            "behind",
            "behind the best",
            decimals,
            move |row: &Row<'a>| {
                let behind = measure.goodness(highest) - measure.goodness(row.1);
                (!is_best(row)).then_some(behind)
            },
        ),
        Column::number("p", "p (Welch)", 4, move |row: &Row<'a>| {
            if is_best(row) {
                return Cell::Bare(None);
            }
            let test = welch(&best.known(), &row.0.known());
            Cell::P(test.map(|test| test.p))
        }),
        Column::number("seconds", "seconds a trial", 1, |row: &Row<'a>| {
            row.2.and_then(|cost| cost.seconds.ok())
        }),
        Column::number("speed", "updates a second", 0, |row: &Row<'a>| {
            row.2.and_then(|cost| cost.speed.ok())
        }),
    ];
    let count = selectable.len();
    let rows = selectable.into_iter().take(TOP).collect();
    let title = "Best configurations by the score of the search";
    vec![
        Part::heading("Best configurations"),
        Part::table(Table::page(title, columns, rows).sorted_by("mean")),
        Part::caption(html!(
            "The best of {} selectable configurations. The p value asks \
             whether the seeds of the best one score higher than those of another by more than chance (Welch’s t test, not \
             corrected for the number of configurations). Seconds are medians over search trials, of their newest attempt, and \
             what trials in the lanes of one trainer had in common; updates a second leave out trials that needed several \
             attempts.",
            count
        )),
    ]
}
