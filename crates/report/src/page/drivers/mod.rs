//! What goes along with skill, for people: a part for each thing that may.

mod availability;
mod climate;
mod groups;
mod places;
mod rhythm;
mod scatter;
mod temperature;

use efflux_analysis::classes::{Class, Reading};

use super::drawing::{self, Drawing};
use super::html::{self, escape};
use crate::drivers::Drivers;
use crate::evaluation::Evaluation;
use crate::figures::{Figure, Ink, Layer, Shape};
use crate::results::Results;

const CLASSES: [(Class, Ink, &str); 3] = [
    (Class::Good, Ink::Good, "good"),
    (Class::Fair, Ink::Fair, "fair"),
    (Class::Poor, Ink::Poor, "poor"),
];

/// The drawings of this section, by its parts.
pub(crate) struct Drawings {
    availability: Vec<Drawing>,
    climate: Vec<Drawing>,
    rhythm: Vec<Drawing>,
    temperature: Vec<Drawing>,
}

impl Drawings {
    pub(super) fn new(results: &Results<'_>, evaluation: &Evaluation, drivers: &Drivers) -> Self {
        Self {
            availability: availability::drawings(evaluation, drivers),
            climate: climate::drawings(results, evaluation, drivers),
            rhythm: rhythm::drawings(results, evaluation, drivers),
            temperature: temperature::drawings(results, evaluation, drivers),
        }
    }

    /// What is drawn, in the order of the page.
    pub(super) fn figures(&self) -> impl Iterator<Item = &Figure> {
        let parts = [
            &self.availability,
            &self.climate,
            &self.rhythm,
            &self.temperature,
        ];
        parts.into_iter().flatten().filter_map(Drawing::figure)
    }
}

/// A layer of sites for each class of the text.
fn by_class(evaluation: &Evaluation, point: &dyn Fn(usize) -> Option<(f64, f64)>) -> Vec<Layer> {
    let layers = CLASSES.map(|(class, ink, name)| Layer {
        name: name.to_owned(),
        ink,
        shape: Shape::Points,
        values: (0..evaluation.mean.len())
            .filter(|&site| evaluation.class(site, Reading::Text) == Some(class))
            .filter_map(point)
            .filter(|(x, y)| x.is_finite() && y.is_finite())
            .collect(),
    });
    layers.into()
}

pub(super) fn section(results: &Results<'_>, drivers: &Drivers, drawings: &Drawings) -> String {
    let part = |title: &str, content: String| format!("<h3>{title}</h3>\n{content}");
    let content = [
        "<p class=\"caption\">Classes by the text’s thresholds. Every figure draws the ensemble mean on the test part of \
         each site.</p>\n"
            .to_owned(),
        groups::groups(drivers),
        part("How much was observed", drawing::html(&drawings.availability)),
        part("Place and climate", drawing::html(&drawings.climate) + &climate::tests(drivers)),
        part(
            "Rhythm of the record",
            drawing::html(&drawings.rhythm) + &rhythm::seasons(drivers),
        ),
        part(
            "Response to temperature",
            drawing::html(&drawings.temperature),
        ),
        part(
            "All correlations, and sites at the same place",
            groups::correlations(drivers) + &places::neighbours(results, drivers),
        ),
    ];
    html::section("drivers", "What goes along with skill", &content.concat())
}
