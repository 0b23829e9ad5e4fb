//! What the state that a simulation begins with is worth.

use efflux_analysis::measures::{Measure, NSE};
use efflux_job::{Part as RecordPart, State};

use crate::Findings;
use crate::cell::p_value;
use crate::evaluation::Series;
use crate::markup::html;
use crate::numbers;
use crate::section::Part;
use crate::states::States;
use crate::table::{Column, Table};

/// Of the section on scores: the ensemble mean with either state.
pub(super) fn parts<'a>(findings: &'a Findings<'_>) -> Vec<Part<'a>> {
    let found = findings
        .states
        .iter()
        .find(|found| found.part == RecordPart::Test);
    match found {
        Some(found) => vec![
            Part::table(medians(findings, found)),
            Part::caption(html!(
                "{} Training knows no state older than a window; hydroDL, and so the paper, carries \
                 it through the calendar.",
                comparison(found)
            )),
        ],
        None if findings.results.members.is_empty() => Vec::new(),
        None => vec![Part::caption(html!(
            "Some member was simulated with one state alone, by an earlier version of efflux, so \
             a carried state and that of a window are not compared. A run in a new directory has both."
        ))],
    }
}

fn medians<'a>(findings: &'a Findings<'_>, found: &States) -> Table<'a, (State, Series)> {
    type Row = (State, Series);
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let mut columns = vec![
        Column::text("state", "state", move |row: &Row| {
            let how = match row.0 {
                State::Carried => "carried through the calendar",
                State::Window => "from zero over a window for each day",
            };
            let is_ours = row.0 == results.contract.evaluation.state;
            let ours = if is_ours { " (this report)" } else { "" };
            format!("{how}{ours}")
        }),
        Column::count("sites", "sites", |row: &Row| {
            evaluation.defined(row.1, RecordPart::Test, NSE).len()
        }),
    ];
    columns.extend(Measure::headline().map(|measure| {
        let median = move |row: &Row| evaluation.median(row.1, RecordPart::Test, measure);
        Column::number(measure.key, measure.label, measure.decimals, median)
    }));
    Table::page(
        "The ensemble mean with either state: medians over sites on the test part",
        columns,
        found.series.into(),
    )
}

/// How the two differ, site by site.
fn comparison(found: &States) -> String {
    let mut said = format!(
        "With the state of a window the NSE is higher at {} of {}",
        found.gained,
        numbers::counted(found.compared, "site")
    );
    if let (Ok(difference), Ok(test)) = (found.difference, found.test) {
        said.push_str(&format!(
            "; the median difference is {} ({} to {}, p {})",
            numbers::number(difference.median, 3),
            numbers::number(difference.low, 3),
            numbers::number(difference.high, 3),
            p_value(test.p)
        ));
    }
    said + "."
}
