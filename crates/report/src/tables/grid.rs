//! What the search says of its axes, its failures and its cost.

use efflux_analysis::effects::Shares;
use efflux_analysis::units::Unit;
use efflux_analysis::{Defined, Undefined};

use efflux_run::Choice;

use super::configuration;
use crate::cell::Cell;
use crate::grid::{Axis, Cost, Failed, Grid};
use crate::table::{Column, Table};

/// A value of an axis.
type Value<'a> = (&'a Axis, usize);

pub(crate) fn axes(grid: &Grid) -> Table<'_, Value<'_>> {
    fn level(row: &Value<'_>, of: impl Fn(&efflux_analysis::effects::Level) -> Defined) -> Defined {
        let effect = row.0.effect.as_ref().map_err(|reason| *reason);
        effect.and_then(|effect| of(&effect.levels[row.1]))
    }
    let columns = vec![
        Column::text("axis", "axis", |row: &Value<'_>| {
            Cell::Named(row.0.key.to_owned(), row.0.name.to_owned())
        }),
        Column::text("value", "value", |row: &Value<'_>| {
            row.0.values[row.1].clone()
        }),
        Column::count("combinations", "combinations", |row: &Value<'_>| {
            let effect = row.0.effect.as_ref();
            effect.map_or(0, |effect| effect.combinations)
        }),
        Column::number("mean", "mean", 3, |row: &Value<'_>| {
            level(row, |level| Ok(level.mean))
        })
        .reason("mean"),
        Column::number(
            "lowest_configuration",
            "lowest configuration",
            3,
            |row: &Value<'_>| level(row, |level| Ok(level.range.0)).ok(),
        ),
        Column::number(
            "highest_configuration",
            "highest configuration",
            3,
            |row: &Value<'_>| level(row, |level| Ok(level.range.1)).ok(),
        ),
        // In the file the reason why there is no mean is said once.
        Column::number(
            "sd_between_seeds",
            "standard deviation between seeds",
            3,
            |row: &Value<'_>| match level(row, |level| Ok(level.mean)) {
                Ok(_) => Cell::Number(level(row, |level| level.seed_spread)),
                Err(_) => Cell::Bare(None),
            },
        )
        .reason("sd_between_seeds")
        .in_file(),
        Column::number("", "sd between seeds", 3, |row: &Value<'_>| {
            level(row, |level| level.seed_spread)
        })
        .on_page(),
    ];
    let axes = grid.axes.iter();
    let rows = axes.flat_map(|axis| (0..axis.values.len()).map(move |place| (axis, place)));
    Table::new(
        "axes",
        "Effect of each axis",
        "a value of an axis of the grid: the score of the search over the other axes and seeds",
        columns,
        rows.collect(),
    )
}

pub(crate) fn shares(grid: &Grid) -> Table<'_, (&str, Defined)> {
    let of = |share: &dyn Fn(&Shares) -> f64| grid.shares.as_ref().map(share).map_err(|why| *why);
    let axes = grid.axes.iter().enumerate();
    let mut rows: Vec<(&str, Result<f64, Undefined>)> = axes
        .map(|(place, axis)| (axis.key, of(&|shares| shares.axes[place])))
        .collect();
    rows.push(("axes-together", of(&|shares| shares.together)));
    rows.push(("seeds", of(&|shares| shares.seeds)));
    Table::file(
        "axes_shares",
        "an axis, the axes together, or seeds: what the score of the search varies with",
        vec![
            Column::text("source", "what it varies with", |row: &(&str, Defined)| {
                row.0
            }),
            Column::number(
                "share_of_variation",
                "share of the variation",
                2,
                |row: &(&str, Defined)| row.1,
            )
            .reason("share"),
        ],
        rows,
    )
}

pub(crate) fn failures(grid: &Grid) -> Table<'_, &Failed> {
    Table::new(
        "failures",
        "Failures by class",
        "a class of failure: trials whose newest attempt failed so",
        vec![
            Column::text("failure_class", "class", |row: &&Failed| row.class.label()),
            Column::count("search_trials", "search trials", |row: &&Failed| row.search),
            Column::count("members", "members", |row: &&Failed| row.members),
            Column::count("configurations", "configurations", |row: &&Failed| {
                row.configurations
            }),
        ],
        grid.failures.iter().collect(),
    )
    .in_file_alone_if(grid.failures.is_empty())
}

/// Sorted on the page by what a trial took, the longest first.
pub(crate) fn costs<'a>(grid: &'a Grid, choice: &Choice) -> Table<'a, &'a Cost> {
    let mut columns =
        vec![Column::text("", "configuration", |row: &&Cost| row.params.to_string()).on_page()];
    columns.extend(
        configuration(choice, |row: &&Cost| &row.params)
            .into_iter()
            .map(Column::in_file),
    );
    columns.extend([
        Column::count("finished", "finished", |row: &&Cost| row.finished),
        Column::count("failed", "failed", |row: &&Cost| row.failed),
        Column::number("median_duration", "seconds a trial", 1, |row: &&Cost| {
            Cell::Quiet(row.seconds)
        })
        .unit(Unit::SECONDS)
        .reason("median_duration"),
        Column::number(
            "median_updates_per_s",
            "updates a second",
            0,
            |row: &&Cost| Cell::Quiet(row.speed),
        )
        .reason("median_updates_per_s"),
    ]);
    let mut sorted: Vec<&Cost> = grid.costs.iter().collect();
    sorted.sort_by(|a, b| {
        let seconds = |cost: &Cost| cost.seconds.unwrap_or(f64::NEG_INFINITY);
        seconds(b).total_cmp(&seconds(a))
    });
    Table::new(
        "costs",
        "What a search trial took, medians over seeds",
        "a configuration: what its search trials took",
        columns,
        grid.costs.iter().collect(),
    )
    .page_rows(sorted)
    .sorted_by("median_duration")
}
