//! What goes along with skill, for people: a module for each thing that may.

mod availability;
mod climate;
mod groups;
mod places;
mod rhythm;
mod scatter;
mod temperature;

use efflux_analysis::classes::{Class, Reading};

use crate::Findings;
use crate::evaluation::Evaluation;
use crate::figures::{Ink, Layer, Shape};
use crate::markup::html;
use crate::section::{Frame, Part, Section};
use crate::tables;

const CLASSES: [(Class, Ink, &str); 3] = [
    (Class::Good, Ink::Good, "good"),
    (Class::Fair, Ink::Fair, "fair"),
    (Class::Poor, Ink::Poor, "poor"),
];

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

pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let drivers = &findings.drivers;
    let mut parts = vec![Part::table(tables::drivers::groups(drivers))];
    parts.push(Part::heading("How much was observed"));
    parts.push(availability::part(findings));
    parts.push(Part::heading("Place and climate"));
    parts.extend(climate::parts(findings));
    parts.push(Part::heading("Rhythm of the record"));
    parts.extend(rhythm::parts(findings));
    parts.push(Part::heading("Response to temperature"));
    parts.extend(temperature::parts(findings));
    parts.push(Part::heading(
        "All correlations, and sites at the same place",
    ));
    parts.extend([
        groups::correlations(drivers),
        places::neighbours(findings),
        Part::table(tables::drivers::properties(findings)),
        Part::table(tables::drivers::correlations(findings)),
        Part::table(tables::drivers::climate_bins(drivers)),
        Part::table(tables::drivers::correlograms(findings)),
    ]);
    Section {
        id: "drivers",
        title: "What goes along with skill",
        frame: Frame::Named("Drivers"),
        lead: html!(
            "<p class=\"caption\">Classes by the text’s thresholds. Every figure draws the ensemble mean on the test part of \
             each site.</p>\n"
        ),
        parts,
    }
}
