//! The page: one file that needs no network, no server and no other file.

mod answer;
mod baselines;
mod compact;
mod data;
mod drawing;
mod drivers;
mod extremes;
mod gallery;
mod grid;
mod html;
mod reasons;
mod record;
mod search;
mod site;
mod skill;
mod states;
mod uncertainty;

use efflux_analysis::baselines::Baseline;
use efflux_job::Part;

use super::Findings;
use super::caveats::caveats;
use super::chosen;
use super::comparison::Comparison;
use super::evaluation::{Measure, Series};
use super::figures::{self, Curve, Estimate, Figure, Ink};
use drawing::Drawing;
use html::escape;

/// The drawings of a page.
pub(crate) struct Figures {
    classes: Figure,
    search: Figure,
    /// None where the grid has no axis of several values.
    axes: Option<Figure>,
    /// None where no epoch is on file.
    training: Option<Figure>,
    nse: Figure,
    kge: Figure,
    baselines: Figure,
    extremes: Figure,
    uncertainty: Vec<Figure>,
    data: Vec<Drawing>,
    drivers: drivers::Drawings,
    /// Each with the role of its site: good, median, poor.
    series: Vec<(&'static str, Figure)>,
    /// Sites of each class.
    gallery: Drawing,
}

impl Figures {
    pub(crate) fn draw(findings: &Findings<'_>) -> Self {
        let (results, evaluation) = (findings.results, &findings.evaluation);
        let summary = &findings.summary;
        let curve = |name, ink, series, part, measure| Curve {
            name,
            ink,
            values: evaluation.defined(series, part, measure),
        };
        let skill = |name, score, measure| {
            let curves = [
                curve(
                    "test",
                    Ink::Simulated,
                    Series::Ensemble,
                    Part::Test,
                    measure,
                ),
                curve("train", Ink::Train, Series::Ensemble, Part::Train, measure),
                curve(
                    "training mean, test",
                    Ink::Baseline,
                    Series::Baseline(Baseline::TrainingMean),
                    Part::Test,
                    measure,
                ),
            ];
            figures::distribution(name, score, &curves)
        };
        let chosen = chosen::ranked_sites(evaluation);
        Self {
            classes: figures::classes(summary.classes, summary.classes_caption),
            search: figures::search(results.selection),
            axes: figures::axes(&findings.grid.axes, &search::score(results)),
            training: figures::training(&results.members_epochs()),
            nse: skill("skill-nse", "NSE", Measure::Nse),
            kge: skill("skill-kge", "KGE", Measure::Kge),
            baselines: baselines_figure(&findings.comparisons),
            extremes: extremes::drawing(&findings.extremes),
            uncertainty: uncertainty::figures(results, &findings.uncertainty),
            data: data::drawings(results, &findings.drivers, &findings.record),
            drivers: drivers::Drawings::new(results, evaluation, &findings.drivers),
            gallery: gallery::drawing(results, evaluation),
            series: chosen
                .iter()
                .map(|chosen| (chosen.role, figures::series(results, evaluation, chosen)))
                .collect(),
        }
    }

    /// Each of them, in the order of the page.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Figure> {
        let fixed = [&self.classes, &self.search];
        fixed
            .into_iter()
            .chain(&self.axes)
            .chain(&self.training)
            .chain([&self.nse, &self.kge, &self.baselines, &self.extremes])
            .chain(self.series.iter().map(|(_, figure)| figure))
            .chain(self.gallery.figure())
            .chain(self.data.iter().filter_map(Drawing::figure))
            .chain(&self.uncertainty)
            .chain(self.drivers.figures())
    }
}

fn baselines_figure(comparisons: &[Comparison]) -> Figure {
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

/// `index.html`.
pub(crate) fn page(findings: &Findings<'_>, figures: &Figures) -> String {
    let Findings {
        results,
        evaluation,
        extremes,
        comparisons,
        uncertainty,
        drivers,
        summary,
        ..
    } = findings;
    let caveats = caveats(results, evaluation);
    let sections = [
        answer::section(
            results,
            summary,
            comparisons,
            uncertainty,
            &caveats,
            figures,
        ),
        search::section(findings, figures),
        search::training(results, figures),
        data::section(figures),
        skill::scores(findings, figures),
        baselines::section(results, evaluation, comparisons, figures),
        skill::series(results, figures),
        extremes::section(results, extremes, figures),
        uncertainty::section(results, uncertainty, figures),
        drivers::section(results, drivers, &figures.drivers),
        skill::sites(results, evaluation),
        reasons::section(results, &findings.reasons),
        site::section(findings),
        search::failures(findings),
        record::methods(results),
        record::provenance(results),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; img-src data:\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title} · efflux report</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#answer\">To the results</a>\n{header}<main>\n{sections}</main>\n{footer}\
         <script>\n{script}</script>\n</body>\n</html>\n",
        title = escape(results.job_name),
        style = include_str!("page.css"),
        script = concat!(include_str!("page.js"), include_str!("site.js")),
        header = answer::header(results, figures),
        sections = sections.concat(),
        footer = record::footer(),
    )
}
