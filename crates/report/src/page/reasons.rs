//! The sites at the ends, and why they may be there.

use efflux_analysis::reasons::{End, Explains, LEAST_SITES, RULES, Reason};

use super::html::{self, Cell, details, number_column, table, text, words_column};
use crate::reasons::{Explained, SCORES};
use crate::results::Results;
use crate::words;

pub(super) fn section(results: &Results<'_>, explained: &[Explained]) -> String {
    if explained.is_empty() {
        return html::section(
            "ends",
            "Best and worst sites",
            "<p>Too few sites have a test score to tell the best from the worst.</p>\n",
        );
    }
    let mut content = String::from(
        "<p class=\"caption\">What the data suggest as the reason: a rule speaks for a site if its value lies beyond the \
         rule’s bound and within the quarter of all sites at that end. A suggestion is no proof, and the score of a site \
         with few test days is itself uncertain.</p>\n",
    );
    for measure in SCORES {
        for (is_poor, which) in [(true, "Worst"), (false, "Best")] {
            let rows = explained.iter();
            let rows = rows.filter(|one| one.measure == measure && one.is_poor == is_poor);
            let rows: Vec<Vec<Cell>> = rows.map(|one| row(results, one)).collect();
            let columns = [
                words_column("site"),
                words_column("land cover"),
                number_column(measure.label()),
                words_column("suggested reasons"),
            ];
            let caption = format!("{which} sites by test {}", measure.label());
            content.push_str(&table(&caption, &columns, &rows, None));
        }
    }
    content.push_str(&details("The rules", &rules()));
    html::section("ends", "Best and worst sites", &content)
}

fn row(results: &Results<'_>, one: &Explained) -> Vec<Cell> {
    let site = &results.sites[one.site];
    let reasons = match one.reasons.as_slice() {
        [] => text("no reason found"),
        reasons => html::lines(&reasons.iter().map(said).collect::<Vec<String>>()),
    };
    vec![
        html::site(one.site, &site.name, &site.id, ""),
        text(&site.igbp),
        html::number(Some(one.score), 2),
        reasons,
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
        words::reason(rule),
        words::reason_value(rule.about, reason.value),
        words::reason_value(rule.about, reason.quartile)
    )
}

fn rules() -> String {
    let columns = [
        words_column("reason"),
        words_column("for"),
        words_column("what is looked at"),
        words_column("bound"),
    ];
    let rows = RULES.map(|rule| {
        let side = match rule.end {
            End::Low => "at most",
            End::High => "at least",
        };
        let scores = match rule.explains {
            Explains::Poor => "worst",
            Explains::Good => "best",
            Explains::Extreme => "both",
        };
        let bound = words::reason_value(rule.about, rule.bound);
        vec![
            text(words::reason(rule)),
            text(scores),
            text(words::reason_about(rule.about)),
            text(&format!("{side} {bound}")),
        ]
    });
    let caption = format!(
        "Besides its bound a value has to reach the quarter of all sites at its end; below {LEAST_SITES} sites no rule speaks"
    );
    table(&caption, &columns, &rows, None)
}
