//! Why sites may be at the ends.

use efflux_analysis::reasons::{End, Reason};

use crate::Findings;
use crate::cell::Cell;
use crate::reasons::Explained;
use crate::table::{Column, Table};

/// A site with one of its reasons, or with none.
type Row<'a> = (&'a Explained, Option<&'a Reason>);

pub(crate) fn reasons<'a>(findings: &'a Findings<'_>) -> Table<'a, Row<'a>> {
    let unit = findings.results.target.unit_in_columns();
    let of_rule = |value: fn(&Reason) -> f64| move |row: &Row<'a>| row.1.map(value);
    let columns = vec![
        Column::text("score", "score", move |row: &Row<'a>| {
            row.0.measure.column_name(&unit)
        }),
        Column::text("end", "`worst` or `best`", |row: &Row<'a>| {
            if row.0.is_poor { "worst" } else { "best" }
        }),
        Column::count("rank", "rank from that end", |row: &Row<'a>| row.0.rank),
        Column::text("site", "site", |row: &Row<'a>| {
            findings.results.sites[row.0.site].id.as_str()
        }),
        Column::number(
            "test_score",
            "the score on the test part",
            2,
            |row: &Row<'a>| row.0.score,
        ),
        Column::text("reason", "suggested reason", |row: &Row<'a>| {
            row.1.map_or("none-found", |reason| reason.rule.key)
        }),
        Column::number(
            "value",
            "the site’s value of what the rule looks at",
            2,
            of_rule(|reason| reason.value),
        ),
        Column::text(
            "end_of_rule",
            "`at-most` or `at-least` the bound",
            |row: &Row<'a>| {
                Cell::Word(row.1.map(|reason| {
                    let side = match reason.rule.end {
                        End::Low => "at-most",
                        End::High => "at-least",
                    };
                    side.to_owned()
                }))
            },
        ),
        Column::number(
            "bound",
            "bound of the rule",
            2,
            of_rule(|reason| reason.rule.bound),
        ),
        Column::number(
            "quarter_of_sites",
            "where the quarter of all sites at that end begins",
            2,
            of_rule(|reason| reason.quartile),
        ),
    ];
    let rows = findings.reasons.iter().flat_map(|one| {
        let none = one.reasons.is_empty().then_some((one, None));
        let found = one.reasons.iter().map(move |reason| (one, Some(reason)));
        found.chain(none)
    });
    Table::file(
        "reasons",
        "a reason that the data suggest for one of the best or worst sites; `none-found` where there is none",
        columns,
        rows.collect(),
    )
}
