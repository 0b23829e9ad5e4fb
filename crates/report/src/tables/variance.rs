//! What the score of the search varies with: axes, axes together, and seeds.

use efflux_analysis::factorial::Source;
use efflux_analysis::{Defined, Undefined};

use crate::cell::Cell;
use crate::groups::Group;
use crate::table::{Column, Table};
use crate::variance::Variance;

/// What variation goes along with.
pub(crate) struct Row {
    name: String,
    source: Source,
}

impl Row {
    fn of(variance: &Variance, source: &Source) -> Self {
        Self {
            name: variance.name(source),
            source: source.clone(),
        }
    }
}

fn columns<'a>() -> Vec<Column<'a, Row>> {
    vec![
        Column::text("source", "varies with", |row: &Row| row.name.clone()),
        Column::count("df", "degrees of freedom", |row: &Row| row.source.df),
        Column::number("sum_of_squares", "sum of squares", 4, |row: &Row| {
            row.source.squares
        })
        .reason("sum_of_squares"),
        Column::number("f", "F", 2, |row: &Row| row.source.f).reason("f"),
        Column::number("p", "p", 4, |row: &Row| Cell::P(row.source.p)),
        Column::number("share", "share of the variation (η²)", 3, |row: &Row| {
            row.source.share
        })
        .reason("share"),
        Column::number("partial_share", "partial η²", 3, |row: &Row| {
            row.source.partial_share
        })
        .reason("partial_share"),
    ]
}

/// The axes, what is beyond them and pairs of them, and seeds.
pub(crate) fn variance(variance: &Variance) -> Table<'_, Row> {
    let mut rows: Vec<Row> = variance
        .axes()
        .into_iter()
        .map(|of| Row::of(variance, of))
        .collect();
    rows.push(Row::of(variance, &variance.analysis.rest));
    let undefined = || Err(Undefined::Missing("test of chance against itself"));
    let share: Defined = match variance.analysis.total {
        total if total > 0.0 => Ok(variance.analysis.error / total),
        _ => Err(Undefined::Constant),
    };
    rows.push(Row {
        name: "seeds".to_owned(),
        source: Source {
            axes: Vec::new(),
            df: variance.analysis.error_df,
            squares: Ok(variance.analysis.error),
            f: undefined(),
            p: undefined(),
            share,
            partial_share: undefined(),
        },
    });
    Table::new(
        "variance",
        "What the score of the search varies with",
        "an axis, more axes together, or seeds: analysis of variance of the score (type II)",
        columns(),
        rows,
    )
    .in_file_alone_if(variance.factors.is_empty())
}

/// Pairs of axes.
pub(crate) fn interactions(variance: &Variance) -> Table<'_, Row> {
    let pairs = variance.pairs();
    let is_empty = pairs.is_empty();
    Table::new(
        "interactions",
        "Pairs of axes, beyond what each does alone",
        "two axes: what their combination adds to the analysis of variance",
        columns(),
        pairs.into_iter().map(|of| Row::of(variance, of)).collect(),
    )
    .in_file_alone_if(is_empty)
}

/// What groups of inputs are worth.
pub(crate) fn groups(groups: &[Group]) -> Table<'_, &Group> {
    Table::new(
        "input_groups",
        "What the score loses without a group of inputs",
        "a group of inputs: trials with it beside trials that differ in nothing else",
        vec![
            Column::text("group", "group", |row: &&Group| row.name.clone()),
            Column::count(
                "configurations",
                "pairs of configurations",
                |row: &&Group| row.configurations,
            ),
            Column::count("trials", "pairs of trials", |row: &&Group| {
                row.importance.falls.iter().flatten().count()
            }),
            Column::number("median_fall", "median fall", 3, |row: &&Group| {
                row.importance.median
            })
            .reason("median_fall"),
            Column::number("mean_fall", "mean fall", 3, |row: &&Group| {
                row.importance.mean
            }),
            Column::number("share_worse", "share that is worse", 2, |row: &&Group| {
                row.importance.share_worse
            }),
            Column::number("p", "p (Wilcoxon)", 4, |row: &&Group| {
                let test = row.importance.test.as_ref();
                Cell::P(test.map(|test| test.p).map_err(|reason| *reason))
            })
            .reason("p"),
        ],
        groups.iter().collect(),
    )
    .in_file_alone_if(groups.is_empty())
}
