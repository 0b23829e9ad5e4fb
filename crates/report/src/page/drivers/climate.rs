//! Whether place and climate go along with skill: the paper's Figures 7a, 7b and 8, for people.

use efflux_analysis::classes::Reading;
use efflux_analysis::measures::{Measure, said};

use super::scatter::Along;
use super::{CLASSES, by_class};
use crate::Findings;
use crate::chosen;
use crate::drivers::{ARIDITY, Climate, Drivers, PRECIPITATION, Property, TEMPERATE, TEMPERATURE};
use crate::evaluation::Evaluation;
use crate::figures::{Chart, Figure, Ink, Layer, Panel, Place, Shape, sheet, skill_map};
use crate::markup::html;
use crate::numbers;
use crate::results::Results;
use crate::section::{Drawing, Part};
use crate::tables;

/// What may go along with skill, by the beginnings of its names and with its name for people.
const PROPERTIES: [(&[&str], &str); 5] = [
    (&TEMPERATURE, "mean annual temperature"),
    (&PRECIPITATION, "mean annual precipitation"),
    (&["mean pet"], "mean potential evapotranspiration"),
    (&[ARIDITY], "aridity, PET / precipitation"),
    (&["soil_organic_carbon", "soc"], "soil organic carbon"),
];

pub(super) fn parts<'a>(findings: &'a Findings<'_>) -> Vec<Part<'a>> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let drivers = &findings.drivers;
    vec![
        Part::figure(|| {
            Drawing::new(
                "Sites and how well they are simulated (Figure 7a)",
                places(results, evaluation),
                html!(
                    "Where sites are simulated well, by the text’s thresholds, and the share of each class (Figure 7a). \
                     Shaded: the latitudes in which the paper finds the good sites."
                ),
            )
        }),
        Part::figure(|| climate_space(results, evaluation, drivers)),
        Part::figure(|| attributes(evaluation, drivers)),
        Part::table(tables::drivers::climate_tests(drivers, label)),
    ]
}

/// The sites on a map, with the classes of the text.
fn places(results: &Results<'_>, evaluation: &Evaluation) -> Figure {
    let ink = |site: usize| {
        let class = evaluation.class(site, Reading::Text);
        let known = CLASSES.iter().find(|(one, ..)| Some(*one) == class);
        known.map_or(Ink::Unclassed, |(_, ink, _)| *ink)
    };
    let sites = results.sites.iter().enumerate();
    let mut places: Vec<Place> = sites
        .map(|(index, site)| Place {
            latitude: site.latitude,
            longitude: site.longitude,
            ink: ink(index),
        })
        .collect();
    // The good lie on top where sites share a place.
    places.sort_by_key(|place| {
        CLASSES
            .iter()
            .rev()
            .position(|(_, ink, _)| *ink == place.ink)
    });
    let counts = evaluation.classes(Reading::Text);
    let slices = [
        (counts.good, Ink::Good, "good"),
        (counts.fair, Ink::Fair, "fair"),
        (counts.poor, Ink::Poor, "poor"),
        (counts.undefined, Ink::Unclassed, "not defined"),
    ];
    skill_map(&places, TEMPERATE, &slices)
}

/// The classes in climate space, and the share of good sites in each step of temperature and precipitation.
fn climate_space(results: &Results<'_>, evaluation: &Evaluation, drivers: &Drivers) -> Drawing {
    const TITLE: &str = "Skill in climate space (Figure 7b)";
    if drivers.climates.is_empty() {
        return Drawing::none(
            TITLE,
            "the pack has neither mean annual temperature nor mean annual precipitation of the sites",
        );
    }
    let labels: Vec<String> = drivers
        .climates
        .iter()
        .map(|climate| label(&climate.name))
        .collect();
    let mut panels = Vec::new();
    let both = (
        results.attribute(&TEMPERATURE),
        results.attribute(&PRECIPITATION),
    );
    if let (Some(temperature), Some(precipitation), [x, y]) = (both.0, both.1, &labels[..]) {
        let place = |site: usize| {
            let at = (temperature.values[site], precipitation.values[site]);
            (at.0.is_finite() && at.1.is_finite()).then_some(at)
        };
        let mut layers = by_class(evaluation, &place);
        let shown = chosen::of_each_class(evaluation);
        layers.push(Layer::new(
            "sites of Figures 4 and 5",
            Ink::Ring,
            Shape::Points,
            shown
                .iter()
                .flatten()
                .filter_map(|&site| place(site))
                .collect(),
        ));
        panels.push(Panel {
            letter: "b".into(),
            ..Panel::of(Chart {
                x: x.into(),
                y: y.into(),
                layers,
                ..Chart::default()
            })
        });
    }
    let letters = ["b, temperature", "b, precipitation"];
    for ((climate, x), letter) in drivers.climates.iter().zip(&labels).zip(letters) {
        panels.push(bars(climate, x, letter));
    }
    let width = 960.0 / panels.len() as f64;
    let figure = sheet(
        "skill-climate-space",
        "Skill in climate space",
        panels.len(),
        (width.min(480.0), 330.0),
        &panels,
    );
    Drawing::new(
        TITLE,
        figure,
        html!(
            "The classes in climate space, and the share of good sites in each step of temperature or precipitation, with \
             the number of sites in it (Figure 7b)."
        ),
    )
}

/// The share of good sites in each step, with its sites.
fn bars<'a>(climate: &Climate, x: &'a str, letter: &'a str) -> Panel<'a> {
    let bins = || climate.bins.iter();
    let middle = |from: f64, to: f64| f64::midpoint(from, to);
    Panel {
        letter: letter.into(),
        texts: bins()
            .map(|bin| {
                let at = (bin.from + 0.12 * (bin.to - bin.from), bin.good_share());
                (at, bin.sites.to_string())
            })
            .collect(),
        ..Panel::of(Chart {
            x: x.into(),
            y: "good sites, %; above: sites".into(),
            limits: Some((0.0, 100.0)),
            layers: vec![Layer::new(
                "",
                Ink::Good,
                Shape::Bars,
                bins()
                    .map(|bin| (middle(bin.from, bin.to), bin.good_share()))
                    .collect(),
            )],
            ..Chart::default()
        })
    }
}

/// Each score against each property that is known.
fn attributes(evaluation: &Evaluation, drivers: &Drivers) -> Drawing {
    const TITLE: &str = "Skill against climate and soil (Figure 8)";
    let mut known: Vec<(&Property, String)> = Vec::new();
    let mut missing = Vec::new();
    for (begins, name) in PROPERTIES {
        match drivers.property(begins) {
            Some(property) => known.push((property, label(&property.name))),
            None => missing.push(name),
        }
    }
    if known.is_empty() {
        return Drawing::none(
            TITLE,
            format!("the pack has none of: {}", missing.join("; ")),
        );
    }
    let mut panels = Vec::new();
    for (row, (property, label)) in known.iter().enumerate() {
        let along = Along {
            evaluation,
            drivers,
            property,
            label,
        };
        panels.extend(along.row(row));
    }
    let figure = sheet(
        "skill-climate",
        "Skill against climate and soil",
        Measure::headline().count(),
        (320.0, 270.0),
        &panels,
    );
    let absent = if missing.is_empty() {
        String::new()
    } else {
        format!(
            " Not defined, because the pack has none of them: {}.",
            missing.join("; ")
        )
    };
    Drawing::new(
        TITLE,
        figure,
        html!(
            "Test {} of each site against its climate and soil. Figure 8 of the paper has r against PET and \
             aridity, and KGE against precipitation and organic carbon. The p values are raw: the table of correlations \
             has them for all tests together.{}",
            said(Measure::headline()),
            absent
        ),
    )
}

/// `mat_c (degC)` as `mean annual temperature (°C)`, where the name is a known one.
fn label(name: &str) -> String {
    let known = PROPERTIES
        .iter()
        .find(|(begins, _)| begins.iter().any(|begin| name.starts_with(begin)));
    match known {
        // Its unit is what it is a ratio of, and said already.
        Some((_, said)) if name == ARIDITY => (*said).to_owned(),
        // A mean of the daily inputs is no annual mean of the climate.
        Some((_, said)) if !name.starts_with("mean soil") => numbers::quantity(name, said),
        _ => numbers::quantity(name, name.split(" (").next().unwrap_or(name)),
    }
}
