//! What the ensemble has to beat.

use efflux_analysis::measures::{Measure, NSE};
use efflux_job::Part;

use crate::Findings;
use crate::cell::Cell;
use crate::comparison::Comparison;
use crate::evaluation::Series;
use crate::table::{Column, Table};

/// A row: a comparison, or none for the ensemble mean itself, which the page shows above.
type Row<'a> = Option<&'a Comparison>;

pub(crate) fn baselines<'a>(findings: &'a Findings<'_>) -> Table<'a, Row<'a>> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let series = |row: &Row<'a>| row.map_or(Series::Ensemble, |one| one.series);
    let temperature = results
        .temperature
        .map_or("", |temperature| temperature.name);
    let mut columns = vec![
        Column::text("series", "test part", move |row: &Row<'a>| {
            let label = row.map_or("ensemble mean", Comparison::label);
            Cell::Named(series(row).key(results), label.to_owned())
        }),
        Column::text(
            "temperature",
            "temperature that it takes",
            move |row: &Row<'a>| {
                let is_needed = row.is_some_and(Comparison::needs_temperature);
                if is_needed { temperature } else { "" }
            },
        )
        .in_file(),
        Column::count("sites", "sites", move |row: &Row<'a>| {
            let sites = evaluation.defined(series(row), Part::Test, NSE);
            row.map_or(sites.len(), |one| one.sites)
        }),
    ];
    columns.extend(Measure::headline().map(|measure| {
        let key = format!("median_test_{}", measure.column);
        Column::number(
            key,
            measure.label,
            measure.decimals,
            move |row: &Row<'a>| evaluation.median(series(row), Part::Test, measure),
        )
        .unit(measure.unit)
        .reason(measure.key)
    }));
    let compared =
        |value: fn(&Comparison) -> Cell| move |row: &Row<'a>| row.map_or(Cell::Bare(None), value);
    columns.extend([
        Column::count(
            "sites_compared",
            "sites compared",
            compared(|one| one.compared.into()),
        )
        .in_file(),
        Column::count(
            "sites_ensemble_better",
            "sites where the ensemble mean is better",
            compared(|one| one.won.into()),
        )
        .in_file(),
        Column::count(
            "",
            "ensemble better at",
            compared(|one| format!("{} of {}", one.won, one.compared).into()),
        )
        .on_page(),
        Column::number(
            "median_nse_difference",
            "median NSE difference",
            3,
            compared(|one| one.difference.map(|found| found.median).into()),
        )
        .reason("difference"),
        Column::number(
            "interval_0.95_low",
            "95 % interval, from",
            3,
            compared(|one| one.difference.map(|found| found.low).into()),
        ),
        Column::number(
            "interval_0.95_high",
            "to",
            3,
            compared(|one| one.difference.map(|found| found.high).into()),
        ),
        Column::number(
            "wilcoxon_p",
            "p (Wilcoxon)",
            4,
            compared(|one| Cell::P(one.test.map(|test| test.p))),
        )
        .reason("wilcoxon"),
    ]);
    let comparisons = || findings.comparisons.iter().map(Some);
    Table::new(
        "baselines",
        "Ensemble mean and what it has to beat: medians over sites; differences are ensemble mean minus the other",
        "a model of single sites, or a correction: how it does and how the ensemble mean compares, test part",
        columns,
        comparisons().collect(),
    )
    .page_rows(std::iter::once(None).chain(comparisons()).collect())
}
