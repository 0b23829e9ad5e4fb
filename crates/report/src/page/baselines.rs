//! What the ensemble has to beat, for people.

use crate::Findings;
use crate::comparison::Comparison;
use crate::figures::{self, Estimate, Figure};
use crate::markup::{Html, html};
use crate::section::{Drawing, Frame, Part, Section};
use crate::tables;

pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let results = findings.results;
    let temperature = match results.temperature {
        Some(temperature) => html!(
            "The models of temperature take <code>{}</code>.",
            temperature.name
        ),
        None => html!("The pack has no temperature, so models of temperature are not defined."),
    };
    let caption = html!(
        "Each baseline is fitted at each site to the days that members were fitted on ({}), by \
         least squares, and judged on the same test days. {} A median over sites is uncertain because sites \
         are few and differ; the difference at each site is less so: its interval comes from drawing sites again. The \
         last two rows are no baselines: they correct the ensemble mean at each site by its residuals in asinh units \
         over the days fitted on, by their mean (site level) or by their scatter around it (smearing, Duan 1983). The \
         ensemble of this report is not corrected.",
        results.fit.name(),
        temperature
    );
    Section {
        id: "baselines",
        title: "Baselines",
        frame: Frame::Named("Baselines"),
        lead: Html::default(),
        parts: vec![
            Part::table(tables::baselines::baselines(findings)),
            Part::figure(|| {
                let figure = differences(&findings.comparisons);
                Drawing::new("Baselines", figure, Html::default())
            }),
            Part::caption(caption),
        ],
    }
}

fn differences(comparisons: &[Comparison]) -> Figure {
    let rows: Vec<Estimate> = comparisons
        .iter()
        .filter_map(|comparison| {
            let found = comparison.difference.ok()?;
            Some(Estimate {
                label: comparison.label().to_owned(),
                low: found.low,
                value: found.median,
                high: found.high,
            })
        })
        .collect();
    figures::forest(
        "baselines",
        "Ensemble mean against what it has to beat",
        "median over sites of test NSE, ensemble mean minus the other, with its 95 % interval",
        0.0,
        &rows,
    )
}
