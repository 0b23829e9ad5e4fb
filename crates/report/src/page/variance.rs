//! Which axes matter beyond seeds.

use efflux_analysis::factorial::Source;

use crate::Findings;
use crate::figures;
use crate::markup::{Html, html};
use crate::numbers;
use crate::section::{Drawing, Part};
use crate::tables;
use crate::variance::Variance;

/// A smaller p value is said to be more than chance.
const CHANCE: f64 = 0.05;

pub(super) fn parts<'a>(findings: &'a Findings<'_>) -> Vec<Part<'a>> {
    let (variance, choice) = (&findings.variance, findings.results.selection);
    let tables = [
        Part::table(tables::variance::variance(variance)),
        Part::table(tables::variance::interactions(variance)),
        Part::table(tables::variance::groups(&findings.groups)),
    ];
    if variance.factors.is_empty() && variance.left_out.is_empty() {
        return tables.into();
    }
    let drawing = || {
        let caption = html!(
            "Every configuration is a line through its values to its score, mean over seeds. Those of the best tenth are \
             drawn strong."
        );
        let score = choice.compared_by();
        Drawing::new("Configurations", figures::parallel(choice, &score), caption)
    };
    let [of_axes, of_pairs, of_groups] = tables;
    vec![
        Part::heading("Which axes matter"),
        Part::Text(html!("<p>{}</p>\n", answer(variance))),
        of_axes,
        Part::Folded("Pairs of axes", vec![of_pairs]),
        of_groups,
        Part::figure(drawing),
    ]
}

/// `Beyond what seeds do, the score varies with loss (partial η² 0.42, p < 0.001); not with dropout.`
fn answer(variance: &Variance) -> Html {
    let mut axes = variance.axes();
    let share = |source: &Source| source.partial_share.unwrap_or(f64::NEG_INFINITY);
    axes.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let said = |source: &&Source| {
        let share = numbers::number(source.partial_share.unwrap_or(f64::NAN), 2);
        let p = source.p.unwrap_or(1.0);
        let p = if p < 0.001 {
            "p < 0.001".to_owned()
        } else {
            format!("p = {}", numbers::number(p, 3))
        };
        format!("{} (partial η² {share}, {p})", variance.name(source))
    };
    let (known, unknown): (Vec<&Source>, Vec<&Source>) =
        axes.into_iter().partition(|source| source.p.is_ok());
    let (matter, idle): (Vec<&Source>, Vec<&Source>) = known
        .into_iter()
        .partition(|source| source.p.is_ok_and(|p| p < CHANCE));
    let list = |sources: &[&Source]| sources.iter().map(said).collect::<Vec<String>>().join(", ");
    let mut sentences = Vec::new();
    if !matter.is_empty() {
        sentences.push(format!(
            "Beyond what seeds do, the score varies with {}.",
            list(&matter)
        ));
    }
    if !idle.is_empty() {
        sentences.push(format!(
            "It does not vary by more than chance with {}.",
            list(&idle)
        ));
    }
    let names = |sources: &[&Source]| {
        let names = sources.iter().map(|source| variance.name(source));
        names.collect::<Vec<String>>().join(", ")
    };
    if let Some(reason) = unknown.first().and_then(|source| source.p.err()) {
        sentences.push(format!(
            "Of {} it cannot be told: {reason}.",
            names(&unknown)
        ));
    }
    if !variance.left_out.is_empty() {
        sentences.push(format!(
            "{} took too many values to be compared by.",
            variance.left_out.join(", ")
        ));
    }
    html!(
        "{} Each is what an axis adds to all that does not contain it (type II), with seeds as replications; p values are not \
         corrected for the number of axes.",
        sentences.join(" ")
    )
}
