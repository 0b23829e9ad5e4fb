//! Sites of each class side by side: the paper's Figure 4, for people, and what it has in common with Figure 5.

use efflux_analysis::measures::Measure;
use efflux_job::Part;

use crate::chosen;
use crate::drivers::record_days;
use crate::evaluation::{Evaluation, Series};
use crate::figures::{Chart, Ink, Layer, Panel, Shape, dates, sheet};
use crate::markup::html;
use crate::numbers;
use crate::results::Results;
use crate::section::Drawing;

/// Points of a line in a panel, which is 250 pixels wide.
const POINTS: usize = 600;

/// A panel for each chosen site, the classes in columns: `of` draws one from its letter and its site.
pub(super) fn panels<'a>(
    evaluation: &Evaluation,
    of: impl Fn(&'a str, usize) -> Panel<'a>,
) -> Vec<Panel<'a>> {
    const LETTERS: [[&str; 3]; 3] = [
        ["good 1", "fair 1", "poor 1"],
        ["good 2", "fair 2", "poor 2"],
        ["good 3", "fair 3", "poor 3"],
    ];
    let chosen = chosen::of_each_class(evaluation);
    let mut panels = Vec::new();
    for (row, letters) in LETTERS.into_iter().enumerate() {
        for (class, letter) in chosen.iter().zip(letters) {
            match class.get(row) {
                Some(&site) => panels.push(of(letter, site)),
                // Its place stays, so that a column is a class.
                None => panels.push(Panel::empty(letter, "no such site")),
            }
        }
    }
    let rows = chosen.iter().map(Vec::len).max().unwrap_or(0);
    panels.truncate(3 * rows);
    panels
}

/// The site's name and land cover, as short as a panel is wide.
pub(super) fn named(results: &Results<'_>, site: usize) -> String {
    numbers::shortened(&results.sites[site].name, 36)
}

/// Its scores on the test part.
pub(super) fn scores(evaluation: &Evaluation, site: usize) -> String {
    let scores = &evaluation.scores(Series::Ensemble, Part::Test)[site];
    let said = numbers::scores(Measure::headline(), |measure| scores[measure]);
    format!("test {said}")
}

/// The series of the chosen sites.
pub(super) fn drawing(results: &Results<'_>, evaluation: &Evaluation) -> Drawing {
    const TITLE: &str = "Series of sites of each class (Figure 4)";
    let panels = panels(evaluation, |letter, site| {
        panel(results, evaluation, letter, site)
    });
    if panels.is_empty() {
        return Drawing::none(TITLE, "no site has a class");
    }
    Drawing::new(
        TITLE,
        sheet(
            "series-classes",
            &format!(
                "Observed and simulated {} at sites of each class",
                results.target.name()
            ),
            3,
            (320.0, 212.0),
            &panels,
        ),
        html!(
            "Good, fair and poor sites (left to right, the text’s thresholds), those ranked nearest to 1/6, 1/2 and 5/6 of \
             their class by test NSE (Figure 4 of the paper, which drew lots). The bar below each is the calendar of the \
             pack, with the part that the record covers."
        ),
    )
}

fn panel<'a>(
    results: &Results<'_>,
    evaluation: &Evaluation,
    letter: &'a str,
    site: usize,
) -> Panel<'a> {
    let observed = results.observed(site);
    let days = record_days(observed);
    let mean = &evaluation.mean[site];
    let test = results.parts.stretches(site, Part::Test);
    let ends = test.iter().flat_map(|days| [days.start, days.end]);
    let mut spans: Vec<(f64, f64)> = ends.map(|day| (day as f64, 0.0)).collect();
    if spans.is_empty() {
        // A site without test days has an empty span.
        spans = vec![(0.0, 0.0); 2];
    }
    let step = days.len().div_ceil(POINTS).max(1);
    let line: Vec<(f64, f64)> = days
        .clone()
        .step_by(step)
        .map(|day| (day as f64, mean[day]))
        .collect();
    let dots: Vec<(f64, f64)> = days
        .clone()
        .filter(|&day| observed[day].is_finite())
        .map(|day| (day as f64, f64::from(observed[day])))
        .collect();
    let whole = results.days.max(1) as f64;
    Panel {
        letter: letter.into(),
        notes: vec![named(results, site), scores(evaluation, site)],
        covered: Some((days.start as f64 / whole, days.end as f64 / whole)),
        ..Panel::of(Chart {
            y: results.target.unit().into(),
            names: dates(results.start, (days.start, days.end), 3),
            layers: vec![
                Layer::new("test part", Ink::Test, Shape::Span, spans),
                Layer::new("observed", Ink::Observed, Shape::Dots, dots),
                Layer::new("ensemble mean", Ink::Simulated, Shape::Line, line),
            ],
            ..Chart::default()
        })
    }
}
