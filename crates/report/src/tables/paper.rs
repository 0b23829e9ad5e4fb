//! The paper beside a run.

use crate::Findings;
use crate::cell::Cell;
use crate::paper::{Compared, Setting};
use crate::table::{Column, Table};

/// Every number of the paper.
pub(crate) fn numbers<'a>(findings: &'a Findings<'_>) -> Table<'a, &'a Compared> {
    type Row<'a> = &'a Compared;
    let columns = vec![
        Column::text("id", "name of the number", |row: &Row<'_>| row.number.id).in_file(),
        Column::text("where", "where in the paper", |row: &Row<'_>| {
            row.number.place
        }),
        Column::text("quantity", "quantity", |row: &Row<'_>| row.number.quantity),
        Column::text("part", "part", |row: &Row<'_>| row.number.part),
        Column::text("statistic", "statistic", |row: &Row<'_>| {
            row.number.statistic
        }),
        Column::count("paper", "the paper", |row: &Row<'_>| {
            Cell::Named(row.number.value().to_string(), row.printed())
        }),
        Column::count("this_run", "this run", |row: &Row<'_>| match row.here {
            Ok(value) => Cell::Named(value.to_string(), row.shown(value)),
            Err(_) => Cell::Word(None),
        }),
        Column::text(
            "not_comparable",
            "why this run has no such number",
            |row: &Row<'_>| row.reason().unwrap_or_default(),
        )
        .in_file(),
        Column::text(
            "note",
            "what must be known of the number, and how it is read here",
            |row: &Row<'_>| row.number.note,
        )
        .in_file(),
        Column::text("remark", "remark", |row: &Row<'_>| {
            let note = Some(row.number.note.to_owned()).filter(|note| !note.is_empty());
            Cell::Lines(row.reason().into_iter().chain(note).collect())
        })
        .on_page(),
    ];
    Table::new(
        "paper",
        "Every number of the paper’s results, and of this run",
        "a number that the paper gives, with this run’s",
        columns,
        findings.paper.numbers.iter().collect(),
    )
}

/// What the numbers rest on.
pub(crate) fn settings<'a>(findings: &'a Findings<'_>) -> Table<'a, &'a Setting> {
    type Row<'a> = &'a Setting;
    Table::new(
        "paper_settings",
        "What was the same, and what not",
        "a thing that the numbers of the paper and of this run rest on",
        vec![
            Column::text("what", "what", |row: &Row<'_>| row.what),
            Column::text("same", "whether it is the same", |row: &Row<'_>| {
                row.same.name()
            }),
            Column::text("paper", "the paper", |row: &Row<'_>| row.paper.clone()),
            Column::text("this_run", "this run", |row: &Row<'_>| row.here.clone()),
        ],
        findings.paper.settings.iter().collect(),
    )
}
