//! The sites at the ends, and why they may be there.

use efflux_analysis::measures::Measure;
use efflux_analysis::reasons::{End, Explains, LEAST_SITES, RULES, Reason, Rule, SiteProperty};

use crate::Findings;
use crate::cell::Cell;
use crate::markup::html;
use crate::numbers;
use crate::reasons::Explained;
use crate::results::Results;
use crate::section::{Frame, Part, Section};
use crate::table::{Column, Table};
use crate::tables;

pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let explained = &findings.reasons;
    let mut parts = Vec::new();
    let mut lead =
        html!("<p>Too few sites have a test score to tell the best from the worst.</p>\n");
    if !explained.is_empty() {
        lead = html!(
            "<p class=\"caption\">What the data suggest as the reason: a rule speaks for a site if its value lies beyond the \
             rule’s bound and within the quarter of all sites at that end. A suggestion is no proof, and the score of a site \
             with few test days is itself uncertain.</p>\n"
        );
        for measure in Measure::efficiencies() {
            for (is_poor, which) in [(true, "Worst"), (false, "Best")] {
                let rows = explained.iter();
                let rows = rows.filter(|one| one.measure == measure && one.is_poor == is_poor);
                let title = format!("{which} sites by test {}", measure.label);
                let table = Table::page(title, columns(findings.results, measure), rows.collect());
                parts.push(Part::table(table));
            }
        }
        parts.push(Part::Folded("The rules", vec![Part::table(rules())]));
    }
    parts.push(Part::table(tables::reasons::reasons(findings)));
    Section {
        id: "ends",
        title: "Best and worst sites",
        frame: Frame::Named("Best and worst"),
        lead,
        parts,
    }
}

fn columns<'a>(results: &'a Results<'_>, measure: Measure) -> Vec<Column<'a, &'a Explained>> {
    vec![
        Column::text("site", "site", |row: &&Explained| {
            tables::site(results, row.site, String::new())
        }),
        Column::text("igbp", "land cover", |row: &&Explained| {
            results.sites[row.site].igbp.clone()
        }),
        Column::number(
            "score",
            measure.label,
            measure.decimals - 1,
            |row: &&Explained| row.score,
        ),
        Column::text(
            "reasons",
            "suggested reasons",
            |row: &&Explained| match row.reasons.as_slice() {
                [] => "no reason found".into(),
                reasons => Cell::Lines(reasons.iter().map(said).collect()),
            },
        ),
    ]
}

/// `few training days: 213 (the lowest quarter of sites ends at 310)`
fn said(reason: &Reason) -> String {
    let rule = reason.rule;
    let quarter = match rule.end {
        End::Low => "the lowest quarter of sites ends",
        End::High => "the highest quarter of sites begins",
    };
    format!(
        "{}: {} ({quarter} at {})",
        rule.label,
        value(rule.about, reason.value),
        value(rule.about, reason.quartile)
    )
}

/// A value of a property, for people.
fn value(about: SiteProperty, value: f64) -> String {
    let (factor, decimals, behind) = about.shown();
    format!("{}{behind}", numbers::number(factor * value, decimals))
}

fn rules() -> Table<'static, Rule> {
    let columns = vec![
        Column::text("reason", "reason", |row: &Rule| row.label),
        Column::text("for", "for", |row: &Rule| match row.explains {
            Explains::Poor => "worst",
            Explains::Good => "best",
            Explains::Extreme => "both",
        }),
        Column::text("about", "what is looked at", |row: &Rule| {
            row.about.description()
        }),
        Column::text("bound", "bound", |row: &Rule| {
            let side = match row.end {
                End::Low => "at most",
                End::High => "at least",
            };
            format!("{side} {}", value(row.about, row.bound))
        }),
    ];
    let title = format!(
        "Besides its bound a value has to reach the quarter of all sites at its end; below {LEAST_SITES} sites no rule speaks"
    );
    Table::page(title, columns, RULES.to_vec())
}
