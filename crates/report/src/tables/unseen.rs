//! How good models are at sites that they have not seen.

use efflux_analysis::measures::{Measure, NSE};

use super::site;
use crate::Findings;
use crate::cell::Cell;
use crate::results::Results;
use crate::table::{Column, Table};
use crate::unseen::{AtUnseen, Interval, Model, Unseen};

pub(crate) fn models(unseen: &Unseen) -> Table<'_, &AtUnseen> {
    type Row<'a> = &'a AtUnseen;
    let others = |value: fn(&AtUnseen) -> Cell| {
        move |row: &Row<'_>| match row.model {
            Model::Unseen => Cell::Bare(None),
            _ => value(row),
        }
    };
    let mut columns = vec![
        Column::text(
            "model",
            "test days of sites that a fold holds out",
            |row: &Row<'_>| Cell::Named(row.model.key().to_owned(), row.model.label().to_owned()),
        ),
        Column::count("sites", "sites", |row: &Row<'_>| {
            row.scores
                .iter()
                .filter(|scores| scores[NSE].is_ok())
                .count()
        }),
    ];
    columns.extend(Measure::headline().map(|measure| {
        let key = format!("median_test_{}", measure.column);
        Column::number(
            key,
            measure.label,
            measure.decimals,
            move |row: &Row<'_>| row.median(measure),
        )
        .unit(measure.unit)
        .reason(measure.key)
    }));
    columns.extend([
        Column::count(
            "sites_compared",
            "sites compared",
            others(|row| row.compared.into()),
        )
        .in_file(),
        Column::count(
            "sites_unseen_better",
            "sites where the members that have not seen the site are better",
            others(|row| row.won.into()),
        )
        .in_file(),
        Column::count(
            "",
            "unseen better at",
            others(|row| format!("{} of {}", row.won, row.compared).into()),
        )
        .on_page(),
        Column::number(
            "median_nse_difference",
            "median NSE difference",
            3,
            others(|row| row.difference.map(|found| found.median).into()),
        )
        .reason("difference"),
        Column::number(
            "interval_0.95_low",
            "95 % interval, from",
            3,
            others(|row| row.difference.map(|found| found.low).into()),
        ),
        Column::number(
            "interval_0.95_high",
            "to",
            3,
            others(|row| row.difference.map(|found| found.high).into()),
        ),
        Column::number(
            "wilcoxon_p",
            "p (Wilcoxon)",
            4,
            others(|row| Cell::P(row.test.map(|test| test.p))),
        )
        .reason("wilcoxon"),
    ]);
    Table::new(
        "unseen",
        "Unseen sites beside unseen time: medians over sites; differences are members at unseen sites minus the other",
        "a model of the test days of sites that folds hold out: how it does, and how members that have not seen them compare",
        columns,
        unseen.models.iter().collect(),
    )
}

/// How far a site is from those of other folds, if that is known, and how wrong members that have not seen it are.
fn distance<'a>(results: &'a Results<'_>, unseen: &'a Unseen) -> Vec<Column<'a, usize>> {
    let mut columns = Vec::new();
    columns.extend(results.distances.into_iter().flat_map(super::distances));
    columns.push(Column::number(
        "unseen-site_rmse_asinh",
        "root mean square error at the unseen site, asinh units",
        2,
        |&row: &usize| unseen.rmse[row],
    ));
    columns
}

/// A row is a site's place among the sites.
pub(crate) fn far<'a>(findings: &'a Findings<'_>, unseen: &'a Unseen) -> Table<'a, usize> {
    let results = findings.results;
    let mut columns = vec![Column::text("site", "site", move |&row: &usize| {
        site(results, row, String::new())
    })];
    columns.extend(distance(results, unseen));
    let rows = (0..results.sites.len()).filter(|&row| unseen.fold_of[row].is_some());
    Table::page(
        "How far each site is from those of other folds, and how wrong members are there that have not seen it",
        columns,
        rows.collect(),
    )
    .sorted_by("dissimilarity_index")
}

/// A row is a level.
pub(crate) fn intervals(unseen: &Unseen) -> Table<'_, &Interval> {
    let columns = vec![
        Column::number("level", "level", 2, |row: &&Interval| row.level),
        Column::number(
            "factor_asinh",
            "to either side, asinh units",
            2,
            |row: &&Interval| row.factor,
        )
        .reason("factor"),
        Column::number(
            "coverage_by_other_sites",
            "holds at a site, calibrated on the others",
            3,
            |row: &&Interval| row.coverage,
        )
        .reason("coverage"),
    ];
    Table::new(
        "unseen_intervals",
        "Intervals at unseen sites: about the mean of the members, as wide as their errors at sites that they have not seen ask for",
        "a level: how far an interval reaches about members at a site that they have not seen, in asinh units, and the mean \
         over sites of the share of test days that the interval of the other sites holds",
        columns,
        unseen.intervals.iter().collect(),
    )
}

/// A row is a site's place among the sites.
pub(crate) fn sites<'a>(findings: &'a Findings<'_>, unseen: &'a Unseen) -> Table<'a, usize> {
    let results = findings.results;
    let mut columns = vec![
        Column::text("site", "site", move |&row: &usize| {
            site(results, row, String::new())
        }),
        Column::count("fold", "fold that holds it out", |&row: &usize| {
            Cell::Word(unseen.fold_of[row].map(|fold| results.contract.folds[fold].name.clone()))
        }),
    ];
    columns.extend(distance(results, unseen));
    for model in &unseen.models {
        columns.extend(Measure::headline().map(|measure| {
            let key = format!("{}_{}", model.model.key(), measure.column);
            let label = format!("{}, {}", measure.label, model.model.label());
            Column::number(key, label, measure.decimals, move |&row: &usize| {
                model.scores[row][measure]
            })
            .unit(measure.unit)
        }));
    }
    Table::file(
        "unseen_sites",
        "a site: scores on its test days by models that have not seen it, and by members that were trained on its earlier days",
        columns,
        (0..results.sites.len()).collect(),
    )
}
