//! What the search says of its axes, its failures and its cost.

use efflux_analysis::Defined;
use efflux_analysis::effects::Shares;

use super::skill::reasons;
use super::{Table, cell, number};
use crate::grid::{Axis, Grid};
use crate::words;

pub(super) fn all(grid: &Grid) -> Vec<Table> {
    vec![axes(grid), shares(grid), failures(grid), costs(grid)]
}

fn axes(grid: &Grid) -> Table {
    let mut table = Table::new(
        "axes.csv",
        "axis value combinations mean lowest_configuration highest_configuration sd_between_seeds not_defined",
    );
    for Axis {
        key,
        values,
        effect,
        ..
    } in &grid.axes
    {
        for (place, value) in values.iter().enumerate() {
            let start = [(*key).to_owned(), value.clone()];
            let rest = match effect {
                Ok(effect) => {
                    let level = &effect.levels[place];
                    let (lowest, highest) = level.range;
                    [
                        effect.combinations.to_string(),
                        number(level.mean),
                        number(lowest),
                        number(highest),
                        cell(level.seed_spread),
                        reasons(&[("sd_between_seeds", level.seed_spread)]),
                    ]
                }
                Err(reason) => {
                    let none = String::new;
                    let reason = format!("mean: {reason}");
                    ["0".to_owned(), none(), none(), none(), none(), reason]
                }
            };
            table.rows.push(start.into_iter().chain(rest).collect());
        }
    }
    table
}

fn shares(grid: &Grid) -> Table {
    let mut table = Table::new("axes_shares.csv", "source share_of_variation not_defined");
    let mut add = |source: &str, share: Defined| {
        let row = vec![source.to_owned(), cell(share), reasons(&[("share", share)])];
        table.rows.push(row);
    };
    let of = |share: &dyn Fn(&Shares) -> f64| grid.shares.as_ref().map(share).map_err(|why| *why);
    for (place, axis) in grid.axes.iter().enumerate() {
        add(axis.key, of(&|shares| shares.axes[place]));
    }
    add("axes-together", of(&|shares| shares.together));
    add("seeds", of(&|shares| shares.seeds));
    table
}

fn failures(grid: &Grid) -> Table {
    let mut table = Table::new(
        "failures.csv",
        "failure_class search_trials members configurations",
    );
    for failed in &grid.failures {
        let mut row = vec![words::failure(failed.class).to_owned()];
        let counts = [failed.search, failed.members, failed.configurations];
        row.extend(counts.map(|count| count.to_string()));
        table.rows.push(row);
    }
    table
}

fn costs(grid: &Grid) -> Table {
    let mut table = Table::new(
        "costs.csv",
        "hidden_size dropout window_days finished failed median_duration_s median_updates_per_s not_defined",
    );
    for cost in &grid.costs {
        table.rows.push(vec![
            cost.params.hidden_size.to_string(),
            number(cost.params.dropout),
            cost.params.window_days.to_string(),
            cost.finished.to_string(),
            cost.failed.to_string(),
            cell(cost.seconds),
            cell(cost.speed),
            reasons(&[
                ("median_duration", cost.seconds),
                ("median_updates_per_s", cost.speed),
            ]),
        ]);
    }
    table
}
