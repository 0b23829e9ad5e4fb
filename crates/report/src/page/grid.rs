//! The grid in view: what each axis does, the best configurations, what a trial costs.

use efflux_analysis::significance::welch;
use efflux_analysis::statistics::standard_deviation;

use super::Figures;
use super::html::{
    self, Cell, count, defined, details, figure, number_column, table, text, words_column,
};
use crate::figures::ranked;
use crate::grid::{Axis, Cost, Grid};
use crate::results::{Configuration, Results};
use crate::words;

/// How many of the best configurations are listed.
const TOP: usize = 10;

/// What each axis does; nothing where the grid has no axis of several values.
pub(super) fn axes(grid: &Grid, figures: &Figures) -> String {
    let Some(drawn) = &figures.axes else {
        return String::new();
    };
    let columns = [
        words_column("axis"),
        words_column("value"),
        number_column("combinations"),
        number_column("mean"),
        number_column("lowest configuration"),
        number_column("highest configuration"),
        number_column("sd between seeds"),
    ];
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for Axis {
        name,
        values,
        effect,
        ..
    } in &grid.axes
    {
        for (place, value) in values.iter().enumerate() {
            let level = effect.as_ref().map(|effect| &effect.levels[place]);
            let level = level.map_err(|reason| *reason);
            rows.push(vec![
                text(name),
                text(value),
                count(effect.as_ref().map_or(0, |effect| effect.combinations)),
                defined(level.map(|level| level.mean), 3),
                html::number(level.ok().map(|level| level.range.0), 3),
                html::number(level.ok().map(|level| level.range.1), 3),
                defined(level.and_then(|level| level.seed_spread), 3),
            ]);
        }
    }
    let caption = format!(
        "The mean of each value over the other axes and all search seeds, among the combinations of the other axes that \
         all values have. The band is one standard deviation between the seeds of a configuration: a difference within \
         it may be luck.{}",
        shares(grid)
    );
    format!(
        "<h3>Axes</h3>\n{}{}",
        figure(&drawn.svg, &caption),
        details(
            "The same as a table",
            &table("Effect of each axis", &columns, &rows, None)
        )
    )
}

/// ` Of the variation between all trials 62 % goes along with hidden size, …`
fn shares(grid: &Grid) -> String {
    let shares = match &grid.shares {
        Ok(shares) => shares,
        Err(reason) => return format!(" Shares of the variation are not defined: {reason}."),
    };
    let percent = |share: f64| format!("{} %", words::number(100.0 * share, 0));
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

/// The best configurations, each against the best one.
pub(super) fn top(results: &Results<'_>, grid: &Grid) -> String {
    let ranked = ranked(results.selection);
    let selectable: Vec<(&Configuration, f64)> = ranked
        .into_iter()
        .filter_map(|one| Some((one, *one.mean.as_ref().ok()?)))
        .collect();
    let [(best, highest), _, ..] = selectable[..] else {
        return String::new();
    };
    let seeds = |one: &Configuration| -> Vec<f64> {
        one.seeds.iter().filter_map(|(_, score)| *score).collect()
    };
    let columns = [
        words_column("configuration"),
        number_column("mean"),
        number_column("sd between seeds"),
        number_column("behind the best"),
        number_column("p (Welch)"),
        number_column("seconds a trial"),
        number_column("updates a second"),
    ];
    let rows = selectable.iter().take(TOP).map(|(one, mean)| {
        let behind = (one.params != best.params).then_some(highest - mean);
        let test = welch(&seeds(best), &seeds(one)).map(|test| test.p);
        let cost = grid.costs.iter().find(|cost| cost.params == one.params);
        let cost = |of: fn(&Cost) -> Option<f64>| cost.and_then(of);
        vec![
            text(&one.params.to_string()),
            html::number(Some(*mean), 3),
            defined(standard_deviation(&seeds(one)), 3),
            html::number(behind, 3),
            match behind {
                Some(_) => html::p_value(test),
                None => html::number(None, 0),
            },
            html::number(cost(|cost| cost.seconds.ok()), 1),
            html::number(cost(|cost| cost.speed.ok()), 0),
        ]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    format!(
        "<h3>Best configurations</h3>\n{}<p class=\"caption\">The best of {} selectable configurations. The p value asks \
         whether the seeds of the best one score higher than those of another by more than chance (Welch’s t test, not \
         corrected for the number of configurations). Seconds are medians over search trials, of their newest attempt, and \
         what trials in the lanes of one trainer had in common; updates a second leave out trials that needed several \
         attempts.</p>\n",
        table(
            "Best configurations by the score of the search",
            &columns,
            &rows,
            Some(1)
        ),
        selectable.len()
    )
}

/// What the trials of every configuration cost.
pub(super) fn costs(grid: &Grid) -> String {
    let columns = [
        words_column("configuration"),
        number_column("finished"),
        number_column("failed"),
        number_column("seconds a trial"),
        number_column("updates a second"),
    ];
    let mut costs: Vec<_> = grid.costs.iter().collect();
    costs.sort_by(|a, b| {
        let seconds = |cost: &Cost| cost.seconds.unwrap_or(f64::NEG_INFINITY);
        seconds(b).total_cmp(&seconds(a))
    });
    let rows = costs.into_iter().map(|cost| {
        vec![
            text(&cost.params.to_string()),
            count(cost.finished),
            count(cost.failed),
            html::number(cost.seconds.ok(), 1),
            html::number(cost.speed.ok(), 0),
        ]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let caption = "What a search trial took, medians over seeds";
    details(
        "Cost of every configuration",
        &table(caption, &columns, &rows, Some(3)),
    )
}

/// The failed trials by class; nothing if none failed.
pub(super) fn failures(grid: &Grid) -> String {
    if grid.failures.is_empty() {
        return String::new();
    }
    let columns = [
        words_column("class"),
        number_column("search trials"),
        number_column("members"),
        number_column("configurations"),
    ];
    let rows = grid.failures.iter().map(|failed| {
        vec![
            text(words::failure(failed.class)),
            count(failed.search),
            count(failed.members),
            count(failed.configurations),
        ]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    table("Failures by class", &columns, &rows, None)
}
