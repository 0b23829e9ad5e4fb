//! The first screen: what was selected, how good it is, against what, and what to keep in mind.

use efflux_analysis::Defined;
use efflux_analysis::measures::{Measure, NSE};
use efflux_analysis::paired::{Bootstrap, SignedRank};
use efflux_job::Part as RecordPart;

use crate::Findings;
use crate::caveats::caveats;
use crate::cell::defined;
use crate::comparison::Comparison;
use crate::evaluation::Series;
use crate::figures;
use crate::markup::{Html, html};
use crate::numbers;
use crate::section::{Drawing, Frame, Part, Section};
use crate::tables;

/// The simplest baseline, as it is called in the cards.
const MEAN: &str = "training mean";

pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let summary = &findings.summary;
    let test = summary.test();
    let strongest = strongest(&findings.comparisons).map(|(baseline, ..)| baseline);
    let headlines = Measure::headline().map(|measure| {
        let evaluation = &findings.evaluation;
        let of_strongest = strongest.map(|baseline| {
            let median = evaluation.median(baseline.series, RecordPart::Test, measure);
            (baseline.label(), median)
        });
        // Of other measures a constant has no value.
        let of_mean = (measure == NSE).then_some((MEAN, summary.training_mean_nse));
        let of_mean = of_mean.filter(|_| of_strongest.is_none_or(|(label, _)| label != MEAN));
        let median = test.map(|test| test.medians[measure]);
        let range = summary.members_test[measure];
        headline(measure, median, range, [of_strongest, of_mean])
    });
    let mut parts = vec![
        Part::Text(html!(
            "<dl class=\"headline\">\n{}</dl>\n",
            headlines.collect::<Html>()
        )),
        Part::figure(|| {
            Drawing::new(
                "Performance classes",
                figures::classes(summary.classes, summary.classes_caption),
                html!(
                    "Performance classes of the ensemble mean on the test part, in the two readings of the paper. Text, \
                     good above NSE 0.5 and KGE 0.3, poor below NSE 0.3 or KGE 0: {}. Captions, good above 0.3 and 0, poor \
                     below 0 or −0.4: {}.",
                    summary.classes.to_string(),
                    summary.classes_caption.to_string()
                ),
            )
        }),
    ];
    let caveats = caveats(findings.results, &findings.evaluation);
    if !caveats.is_empty() {
        let items = caveats.iter().map(|caveat| html!("<li>{}</li>\n", caveat));
        parts.push(Part::Text(html!(
            "<aside aria-labelledby=\"caveats-title\">\n<h2 id=\"caveats-title\">To keep in mind</h2>\n\
             <ul>\n{}</ul>\n</aside>\n",
            items.collect::<Html>()
        )));
    }
    parts.extend([
        Part::table(tables::skill::summary(findings)),
        Part::table(tables::skill::classes(findings)),
    ]);
    Section {
        id: "answer",
        title: "Answer",
        frame: Frame::First,
        lead: html!("<p class=\"lead\">{}</p>\n", lead(findings)),
        parts,
    }
}

fn lead(findings: &Findings<'_>) -> Html {
    let (results, summary) = (findings.results, &findings.summary);
    let selection = results.selection;
    let Some(winner) = &summary.selected else {
        return html!("No configuration could be selected, so there is no ensemble.");
    };
    let field = match selection.candidates.len() {
        1 => "is the only configuration of the search".to_owned(),
        count => format!(
            "was selected from {count} configurations by the {}",
            selection.compared_by()
        ),
    };
    let is_judged = summary.members > 0 && summary.sites_compared > 0;
    let standing = is_judged.then(|| hardest(&findings.comparisons)).flatten();
    let ensemble = if summary.members == 0 {
        html!("None of its members has simulated the calendar yet.")
    } else {
        let who = match (summary.members, summary.members_planned) {
            (1, 1) => "Its one member".to_owned(),
            (all, planned) if all == planned => format!("The mean of {all} members"),
            (some, planned) => format!("The mean of {some} of {planned} members"),
        };
        let better = if !is_judged || standing.is_some() {
            Html::default()
        } else {
            html!(
                " At {} of {} its NSE is above that of the site’s mean over the training days.",
                summary.sites_better,
                numbers::counted(summary.sites_compared, "site")
            )
        };
        html!(
            "{} reaches these medians over sites on the test part, the last {} % of each site’s \
             observed days.{}{}",
            who,
            numbers::number(100.0 * (1.0 - results.contract.split.train), 0),
            better,
            super::uncertainty::headline(&findings.uncertainty).unwrap_or_default()
        )
    };
    html!(
        "{}<strong class=\"selected\">{}</strong> {}. {}",
        standing.unwrap_or_default(),
        winner.to_string(),
        field,
        ensemble
    )
}

/// The strongest baseline: the one with the lowest median of the differences, which it is compared by.
fn strongest(comparisons: &[Comparison]) -> Option<(&Comparison, Bootstrap, SignedRank)> {
    let baselines = comparisons.iter().filter(|comparison| {
        let series = comparison.series;
        matches!(
            series,
            Series::Baseline(_) | Series::Pooled | Series::External
        )
    });
    baselines
        .filter_map(|one| Some((one, one.difference.ok()?, one.test.ok()?)))
        .min_by(|(_, a, _), (_, b, _)| a.median.total_cmp(&b.median))
}

/// Where the ensemble stands against it.
fn hardest(comparisons: &[Comparison]) -> Option<Html> {
    let (hardest, found, test) = strongest(comparisons)?;
    let verdict = match (test.p < 0.05, found.median > 0.0) {
        (true, true) => "better than",
        (true, false) => "worse than",
        (false, _) => "not told apart from",
    };
    Some(html!(
        "Site by site the ensemble is {} the strongest baseline, {}: its NSE is higher at {} of {} \
         (<a href=\"#baselines\">baselines</a>). ",
        verdict,
        hardest.label(),
        hardest.won,
        numbers::counted(hardest.compared, "site")
    ))
}

/// One number of the headline, with the range over members and the same number of baselines.
fn headline(
    measure: Measure,
    median: Option<Defined>,
    members: Defined<(f64, f64)>,
    baselines: [Option<(&str, Defined)>; 2],
) -> Html {
    let decimals = measure.decimals;
    let value = match median {
        Some(Ok(value)) => html!(
            "<data id=\"headline-{}\" value=\"{}\">{}</data>",
            measure.key,
            value,
            numbers::number(value, decimals)
        ),
        Some(undefined) => defined(undefined, decimals),
        None => html!("<span class=\"none\">not defined</span>"),
    };
    let mut notes = Html::default();
    // A single member is the ensemble.
    if let Some((low, high)) = members.ok().filter(|(low, high)| low < high) {
        notes.push(&html!(
            "<dd class=\"note\">single members {} to {}</dd>",
            numbers::number(low, decimals),
            numbers::number(high, decimals)
        ));
    }
    for (label, baseline) in baselines.into_iter().flatten() {
        let Ok(baseline) = baseline else { continue };
        notes.push(&html!(
            "<dd class=\"note\">{} {}</dd>",
            label,
            numbers::number(baseline, decimals)
        ));
    }
    html!(
        "<div><dt>median {} {}</dt><dd class=\"value\">{}</dd>{}</div>\n",
        RecordPart::Test.name(),
        measure.name,
        value,
        notes
    )
}
