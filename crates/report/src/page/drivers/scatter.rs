//! A score of every site against a property of it, with what their correlation is.

use efflux_analysis::Defined;
use efflux_analysis::measures::{Kind, Measure};
use efflux_analysis::significance::{Correlation, line};
use efflux_analysis::statistics::{Fences, range};
use efflux_job::Part;

use super::by_class;
use crate::drivers::{Drivers, Over, Property};
use crate::evaluation::{Evaluation, Series};
use crate::figures::{Chart, Ink, Layer, Panel, Shape};
use crate::numbers;

/// Chance below which a correlation is called significant, and its line is drawn.
const SIGNIFICANT: f64 = 0.05;

/// A property along x.
pub(super) struct Along<'a> {
    pub(super) evaluation: &'a Evaluation,
    pub(super) drivers: &'a Drivers,
    pub(super) property: &'a Property,
    /// Its name for people, with the unit.
    pub(super) label: &'a str,
}

/// What captions call the panel at this place: `a`, `b`, … `z`, `aa`, ….
pub(super) fn letter(place: usize) -> String {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    let last = char::from(LETTERS[place % LETTERS.len()]).to_string();
    match place / LETTERS.len() {
        0 => last,
        before => letter(before - 1) + &last,
    }
}

impl Along<'_> {
    /// A panel for each score that a report opens with, all sites drawn. `row`: how many such rows are above.
    pub(super) fn row(&self, row: usize) -> Vec<Panel<'static>> {
        let first = row * Measure::headline().count();
        let panels = Measure::headline().zip(first..);
        panels
            .map(|(measure, place)| self.panel(letter(place), measure, true))
            .collect()
    }

    /// A panel: scores below -1 lie on the edge, or with `outliers` left out those beyond Tukey's fences are not drawn.
    pub(super) fn panel(&self, letter: String, measure: Measure, outliers: bool) -> Panel<'static> {
        let scores = self.evaluation.scores(Series::Ensemble, Part::Test);
        let score = |site: usize| scores[site][measure].ok();
        let defined: Vec<f64> = (0..scores.len()).filter_map(score).collect();
        let fences = Fences::new(&defined).ok();
        let inside = |site: &usize| {
            score(*site).is_some_and(|score| fences.is_none_or(|fences| fences.hold(score)))
        };
        let values = &self.property.values;
        let mut layers = by_class(self.evaluation, &|site| {
            let is_shown = outliers || inside(&site);
            Some((values[site], score(site)?)).filter(|_| is_shown)
        });
        let kept: Vec<(f64, f64)> = (0..scores.len())
            .filter(inside)
            .filter_map(|site| Some((values[site], score(site)?)))
            .filter(|(x, _)| x.is_finite())
            .collect();
        let without = self.correlation(measure, Over::SitesWithoutOutliers);
        let is_significant = without.is_ok_and(|found| found.p < SIGNIFICANT);
        if is_significant {
            layers.push(Layer::new(
                format!("line of p < {SIGNIFICANT}, outliers left out"),
                Ink::Fit,
                Shape::Line,
                fitted(&kept),
            ));
        }
        let mut notes = vec![format!(
            "all sites: {}",
            said(self.correlation(measure, Over::Sites))
        )];
        notes.push(format!("without outliers: {}", said(without)));
        let how = match (measure.kind, outliers) {
            (Kind::Efficiency, true) => ", those below −1 on the edge",
            (Kind::Efficiency, false) => ", outliers left out",
            _ => "",
        };
        Panel {
            letter: letter.into(),
            notes,
            ..Panel::of(Chart {
                x: self.label.to_owned().into(),
                y: format!("test {}{how}", measure.label).into(),
                limits: outliers.then_some((-1.0, 1.0)),
                layers,
                ..Chart::default()
            })
        }
    }

    fn correlation(&self, measure: Measure, over: Over) -> Defined<Correlation> {
        let mut rows = self.drivers.correlations.iter();
        let found = rows.find(|row| {
            row.name == self.property.name && row.measure == measure && row.over == over
        });
        let none = efflux_analysis::Undefined::Missing("such property");
        found.map_or(Err(none), |row| row.found)
    }
}

/// `r = 0.24, p = 0.051, n = 66`, or why not.
fn said(found: Defined<Correlation>) -> String {
    match found {
        Err(reason) => format!("not defined: {reason}"),
        Ok(Correlation { n, r, p }) => {
            let p = if p < 0.001 {
                "p < 0.001".to_owned()
            } else {
                format!("p = {}", numbers::number(p, 3))
            };
            format!("r = {}, {p}, n = {n}", numbers::number(r, 2))
        }
    }
}

/// The line of least squares, where it lies between -1 and 1.
fn fitted(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let xs: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
    let (Ok((level, slope)), Ok((low, high))) = (line(points), range(&xs)) else {
        return Vec::new();
    };
    (0..=100)
        .map(|step| low + (high - low) * f64::from(step) / 100.0)
        .map(|x| (x, level + slope * x))
        .filter(|(_, y)| y.abs() <= 1.0)
        .collect()
}
