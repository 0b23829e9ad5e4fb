//! Whether the simulation answers to temperature as the soil does: the paper's Figure 5, for people.

use efflux_analysis::Defined;
use efflux_analysis::baselines::Response;
use efflux_analysis::statistics::range;

use super::by_class;
use crate::Findings;
use crate::drivers::{Drivers, SiteProperties, record_days};
use crate::evaluation::Evaluation;
use crate::figures::{Chart, Ink, Layer, Panel, Shape, sheet};
use crate::markup::html;
use crate::numbers;
use crate::page::gallery;
use crate::results::Results;
use crate::section::{Drawing, Part};

/// Days of each kind in a panel, evenly taken: more hide each other.
const DAYS: usize = 400;

pub(super) fn parts<'a>(findings: &'a Findings<'_>) -> Vec<Part<'a>> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let drivers = &findings.drivers;
    let mut parts = vec![Part::figure(|| responses(results, evaluation, drivers))];
    if results.temperature.is_some() {
        parts.push(Part::figure(|| q10(results, evaluation, drivers)));
    }
    parts
}

fn responses(results: &Results<'_>, evaluation: &Evaluation, drivers: &Drivers) -> Drawing {
    let name = results.target.capital_name();
    let title = format!("{name} against temperature (Figure 5)");
    let Some(temperature) = results.temperature else {
        return Drawing::none(title, "the pack has no temperature");
    };
    let panels = gallery::panels(evaluation, |letter, site| {
        panel(results, evaluation, &drivers.sites[site], letter, site)
    });
    if panels.is_empty() {
        return Drawing::none(title, "no site has a class");
    }
    Drawing::new(
        title,
        sheet(
            "temperature-response",
            &format!("{name} against temperature at sites of each class"),
            3,
            (320.0, 270.0),
            &panels,
        ),
        html!(
            "{} against <code>{}</code> at the sites of Figure 4 (Figure 5 of the paper), with exponential fits by \
             least squares to the observed days, and to the simulation of these days. Of each kind at most {} \
             days are drawn, evenly taken; fits take all.",
            name,
            temperature.name,
            DAYS
        ),
    )
}

fn panel<'a>(
    results: &Results<'_>,
    evaluation: &Evaluation,
    properties: &SiteProperties,
    letter: &'a str,
    site: usize,
) -> Panel<'a> {
    let (observed, mean) = (results.observed(site), &evaluation.mean[site]);
    let points = |days: &[usize], flux: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
        let points = days
            .iter()
            .map(|&day| (results.temperature_on(site, day), flux(day)));
        points
            .filter(|(x, y)| x.is_finite() && y.is_finite())
            .collect()
    };
    // Outside the record a pack may hold the temperature of its ends.
    let all: Vec<usize> = record_days(observed).collect();
    let there: Vec<usize> = all
        .iter()
        .copied()
        .filter(|&day| observed[day].is_finite())
        .collect();
    let temperatures: Vec<f64> = points(&there, &|day| f64::from(observed[day]))
        .into_iter()
        .map(|(temperature, _)| temperature)
        .collect();
    let curve = |response: Defined<Response>| -> Vec<(f64, f64)> {
        let (Ok(response), Ok((low, high))) = (response, range(&temperatures)) else {
            return Vec::new();
        };
        (0..=60)
            .map(|step| low + (high - low) * f64::from(step) / 60.0)
            .map(|temperature| (temperature, response.flux(temperature)))
            .collect()
    };
    let mut notes = vec![
        gallery::named(results, site),
        gallery::scores(evaluation, site),
    ];
    notes.extend(q10_of(properties));
    Panel {
        letter: letter.into(),
        notes,
        ..Panel::of(Chart {
            x: "temperature, °C".into(),
            y: results.target.unit().into(),
            layers: vec![
                Layer::new(
                    "simulated, all days of the record",
                    Ink::Background,
                    Shape::Dots,
                    points(&evenly(&all), &|day| mean[day]),
                ),
                Layer::new(
                    "simulated, observed days",
                    Ink::SimulatedDays,
                    Shape::Dots,
                    points(&evenly(&there), &|day| mean[day]),
                ),
                Layer::new(
                    "observed",
                    Ink::Observed,
                    Shape::Dots,
                    points(&evenly(&there), &|day| f64::from(observed[day])),
                ),
                Layer::new(
                    "fit to observed",
                    Ink::Fit,
                    Shape::Line,
                    curve(properties.observed_response),
                ),
                Layer::new(
                    "fit to simulated",
                    Ink::SimulatedFit,
                    Shape::Line,
                    curve(properties.simulated_response),
                ),
            ],
            ..Chart::default()
        })
    }
}

/// Both Q10 in a line, or why there is none in two.
fn q10_of(properties: &SiteProperties) -> Vec<String> {
    let said =
        |value: Defined| value.map_or("not defined".to_owned(), |value| numbers::number(value, 2));
    match (properties.observed_q10(), properties.simulated_q10()) {
        (Err(reason), Err(_)) => vec!["Q10 not defined:".to_owned(), reason.to_string()],
        (observed, simulated) => vec![format!(
            "Q10 observed {}, simulated {}",
            said(observed),
            said(simulated)
        )],
    }
}

/// [`DAYS`] of these at most, the same distance apart.
fn evenly(days: &[usize]) -> Vec<usize> {
    let step = days.len().div_ceil(DAYS).max(1);
    days.iter().copied().step_by(step).collect()
}

/// How much more flux 10 °C more bring, observed and simulated, by class.
fn q10(results: &Results<'_>, evaluation: &Evaluation, drivers: &Drivers) -> Drawing {
    let name = results.target.name();
    // Beyond six a fit says little about soils.
    let shown = |value: Defined| value.ok().map(|value| value.clamp(0.0, 6.0));
    let mut layers = vec![Layer::new(
        "as observed",
        Ink::Baseline,
        Shape::Line,
        vec![(0.0, 0.0), (6.0, 6.0)],
    )];
    layers.extend(by_class(evaluation, &|site| {
        let site = &drivers.sites[site];
        Some((shown(site.observed_q10())?, shown(site.simulated_q10())?))
    }));
    let chart = Chart {
        x: format!("Q10 of observed {name}, those above 6 on the edge").into(),
        y: format!("Q10 of simulated {name}, those above 6 on the edge").into(),
        layers,
        ..Chart::default()
    };
    Drawing::new(
        "Response to temperature, observed and simulated",
        chart.draw("q10", "Response to temperature, observed and simulated"),
        html!(
            "Q10, the factor by which {} grows over 10 °C, of the exponential fits at every site that has them.",
            name
        ),
    )
}
