//! The tables: what each has for columns and rows. Sections list them; [`docs/columns.md`](../../../docs/columns.md) says
//! what each column is.
//!
//! Units stand in the names of columns; scores without one are dimensionless. What is not defined is an empty cell, with
//! the reason in the column `not_defined`. A series is `ensemble-mean`, `member-SEED`, either with the state that the job did
//! not ask for, the ensemble mean with a correction, or a baseline. The column `state` says how a series was run: `carried`
//! through the calendar, or from zero over a `window` for each day.

pub(super) mod baselines;
pub(super) mod drivers;
pub(super) mod extremes;
pub(super) mod filled;
pub(super) mod grid;
pub(super) mod paper;
pub(super) mod places;
pub(super) mod prediction;
pub(super) mod reasons;
pub(super) mod record;
pub(super) mod search;
pub(super) mod skill;
pub(super) mod uncertainty;
pub(super) mod unseen;
pub(super) mod variance;
pub(super) mod weighing;

use efflux_analysis::measures::{Detail, Measure, Scores};
use efflux_data::{INSIDE_AREA, OUTSIDE_AREA, SiteDistances};
use efflux_job::{Configuration, Key};
use efflux_run::Choice;

use super::cell::Cell;
use super::results::Results;
use super::table::Column;

/// The days that were compared and their scores: as detailed as this in the file, and on the page.
fn scores<'a, Row: 'a>(
    file: Detail,
    page: Detail,
    of: impl Fn(&Row) -> &Scores + Copy + 'a,
) -> Vec<Column<'a, Row>> {
    let mut columns = vec![Column::count("days", "days", move |row| of(row).n)];
    columns.extend(Measure::listed(file).map(|measure| {
        let column = Column::number(
            measure.column,
            measure.label,
            measure.decimals,
            move |row| of(row)[measure],
        );
        let column = column.unit(measure.unit).in_file_if(measure.detail > page);
        // Why a measure is not defined says it of its parts.
        match measure.detail {
            Detail::Parts => column,
            _ => column.reason(measure.label),
        }
    }));
    columns
}

/// How far a site is from those of a training; a row is its place among the sites.
fn distances<'a>(of: &'a SiteDistances) -> [Column<'a, usize>; 4] {
    let known = |value: f64| value.is_finite().then_some(value);
    [
        Column::number(
            "dissimilarity_index",
            "dissimilarity index",
            3,
            move |&row: &usize| known(of.index[row]),
        ),
        Column::number(
            "threshold",
            "index up to which it is inside",
            3,
            move |_: &usize| known(of.threshold),
        )
        .in_file(),
        Column::text(
            "area_of_applicability",
            "area of applicability",
            move |&row: &usize| match of.area[row] {
                INSIDE_AREA => "inside",
                OUTSIDE_AREA => "outside",
                _ => "unknown",
            },
        ),
        Column::number(
            "near_training_sites",
            "training sites within the threshold",
            0,
            move |&row: &usize| known(of.near[row]),
        ),
    ]
}

/// The keys that the configurations of a search set: the three that every grid has, then those of this one.
fn configuration<'a, Row: 'a>(
    choice: &Choice,
    of: impl for<'r> Fn(&'r Row) -> &'r Configuration + Copy + 'a,
) -> Vec<Column<'a, Row>> {
    let mut columns = vec![
        Column::count("hidden_size", "hidden size", move |row| {
            of(row).text(Key::HIDDEN_SIZE)
        }),
        Column::number("dropout", "dropout", 2, move |row| {
            of(row).number(Key::DROPOUT)
        }),
        Column::count("window_days", "window, days", move |row| {
            of(row).text(Key::WINDOW_DAYS)
        }),
    ];
    let keys = choice.keys().filter(|key| !Key::ALWAYS.contains(key));
    columns.extend(
        keys.map(|key| Column::text(key.short(), key.short(), move |row| of(row).text(key))),
    );
    columns
}

/// A site's name, with its id in files and its own page.
pub(super) fn site(results: &Results<'_>, place: usize, remark: String) -> Cell {
    let site = &results.sites[place];
    Cell::Site {
        id: site.id.clone(),
        name: site.name.clone(),
        remark,
    }
}
