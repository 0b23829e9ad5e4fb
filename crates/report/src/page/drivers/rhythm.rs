//! Whether sites with a regular record are simulated better: the paper's Figures 3 and 9, for people.

use efflux_analysis::classes::Reading;
use efflux_analysis::measures::{Measure, said};
use efflux_analysis::rhythm::{CYCLICALITY, SEASONALITY, SMOOTHNESS};
use efflux_analysis::statistics::median;

use super::CLASSES;
use super::scatter::Along;
use crate::Findings;
use crate::drivers::{CORRELOGRAM_STEP, Correlogram, Drivers, RHYTHM, SiteProperties, record_days};
use crate::evaluation::Evaluation;
use crate::figures::{Chart, Figure, Ink, Layer, Panel, Shape, dates, sheet};
use crate::markup::html;
use crate::numbers;
use crate::results::Results;
use crate::section::{Drawing, Part};
use crate::tables;

pub(super) fn parts<'a>(findings: &'a Findings<'_>) -> Vec<Part<'a>> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let drivers = &findings.drivers;
    vec![
        Part::figure(|| correlograms(results, evaluation, drivers)),
        Part::figure(|| {
            Drawing::new(
                "Correlograms by class",
                correlogram(results, evaluation, drivers),
                html!(
                    "The median over the sites of each class, of those at which a lag has 30 pairs of observed days."
                ),
            )
        }),
        Part::figure(|| skill(evaluation, drivers)),
        Part::table(tables::drivers::seasons(findings)),
    ]
}

/// The record and the correlogram of the site with the strongest rhythm and of the one with the weakest.
fn correlograms(results: &Results<'_>, evaluation: &Evaluation, drivers: &Drivers) -> Drawing {
    const TITLE: &str = "Sites with the strongest and the weakest rhythm (Figure 3)";
    if drivers.correlograms.is_empty() {
        return Drawing::none(
            TITLE,
            "there are no two sites with 30 pairs of observed days at each of the lags 1, 182 and 365",
        );
    }
    let mut panels = Vec::new();
    for (correlogram, letter) in drivers.correlograms.iter().zip(["a", "b"]) {
        panels.push(record(results, evaluation, correlogram, letter));
    }
    for (correlogram, letter) in drivers.correlograms.iter().zip(["c", "d"]) {
        panels.push(lags(drivers, correlogram, letter));
    }
    let figure = sheet(
        "rhythm",
        "Sites with the strongest and the weakest rhythm",
        2,
        (480.0, 300.0),
        &panels,
    );
    Drawing::new(
        TITLE,
        figure,
        html!(
            "Record (above) and correlogram (below) of the site where smoothness less seasonality plus cyclicality is \
             greatest (left) and of the one where it is least (right), of those at which all three rest on 30 pairs of days; \
             as Figure 3. Vertical lines: the lags of 1, 182 and 365 days. The simulated correlogram takes the days that \
             were observed."
        ),
    )
}

fn record<'a>(
    results: &Results<'_>,
    evaluation: &Evaluation,
    correlogram: &Correlogram,
    letter: &'a str,
) -> Panel<'a> {
    let site = correlogram.site;
    let observed = results.observed(site);
    let days = record_days(observed);
    let mean = &evaluation.mean[site];
    let of = |value: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
        days.clone().map(|day| (day as f64, value(day))).collect()
    };
    Panel {
        letter: letter.into(),
        notes: vec![format!(
            "{}, {} rhythm",
            numbers::shortened(&results.sites[site].name, 44),
            correlogram.role
        )],
        ..Panel::of(Chart {
            y: results.target.unit().into(),
            names: dates(results.start, (days.start, days.end), 5),
            layers: vec![
                Layer::new(
                    "simulated",
                    Ink::Simulated,
                    Shape::Line,
                    of(&|day| mean[day]),
                ),
                Layer::new(
                    "observed",
                    Ink::Observed,
                    Shape::Dots,
                    of(&|day| f64::from(observed[day])),
                ),
            ],
            ..Chart::default()
        })
    }
}

fn lags<'a>(drivers: &Drivers, correlogram: &Correlogram, letter: &'a str) -> Panel<'a> {
    let of = |which: usize| -> Vec<(f64, f64)> {
        let lags = correlogram.lags.iter().enumerate();
        lags.map(|(place, found)| {
            let r = found[which].usable_r();
            ((place + 1) as f64, r.unwrap_or(f64::NAN))
        })
        .collect()
    };
    let site = &drivers.sites[correlogram.site];
    let named = |name: &str, values: [efflux_analysis::Defined; 3]| {
        let [smooth, season, cycle] = values
            .map(|value| value.map_or("not defined".to_owned(), |value| numbers::number(value, 2)));
        format!("{name}: smoothness {smooth}, seasonality {season}, cyclicality {cycle}")
    };
    let mut layers: Vec<Layer> = [SMOOTHNESS, SEASONALITY, CYCLICALITY]
        .map(|lag| {
            let lag = lag as f64;
            Layer::new(
                "lags 1, 182, 365",
                Ink::Train,
                Shape::Line,
                vec![(lag, -1.0), (lag, 1.0)],
            )
        })
        .into();
    layers.push(Layer::new("simulated", Ink::Simulated, Shape::Line, of(1)));
    layers.push(Layer::new("observed", Ink::Fit, Shape::Line, of(0)));
    let observed = [site.smoothness.r, site.seasonality.r, site.cyclicality.r];
    Panel {
        letter: letter.into(),
        notes: vec![
            named("observed", observed),
            named("simulated", site.simulated_rhythm.map(|found| found.r)),
        ],
        ..Panel::of(Chart {
            x: "lag, days".into(),
            y: "autocorrelation".into(),
            limits: Some((-1.0, 1.0)),
            layers,
            ..Chart::default()
        })
    }
}

/// The median over the sites of each class.
fn correlogram(results: &Results<'_>, evaluation: &Evaluation, drivers: &Drivers) -> Figure {
    let inks = [Ink::Simulated, Ink::Baseline, Ink::Train];
    let layers = CLASSES.iter().zip(inks).map(|((class, _, name), ink)| {
        let here: Vec<&SiteProperties> = (0..results.sites.len())
            .filter(|&site| evaluation.class(site, Reading::Text) == Some(*class))
            .map(|site| &drivers.sites[site])
            .collect();
        let points = here.first().map_or(0, |site| site.correlogram.len());
        let at = |step: usize| {
            let values: Vec<f64> = here
                .iter()
                .filter_map(|site| site.correlogram[step])
                .collect();
            Some(((step * CORRELOGRAM_STEP) as f64, median(&values).ok()?))
        };
        let values = (1..points).filter_map(at).collect();
        Layer::new(*name, ink, Shape::Line, values)
    });
    Chart {
        x: "lag, days".into(),
        y: "autocorrelation, median over sites".into(),
        limits: Some((-1.0, 1.0)),
        layers: layers.collect(),
        ..Chart::default()
    }
    .draw("correlogram", "Correlograms by class")
}

/// Each score against each part of the rhythm.
fn skill(evaluation: &Evaluation, drivers: &Drivers) -> Drawing {
    const LABELS: [&str; 3] = [
        "smoothness, autocorrelation at 1 day",
        "seasonality, autocorrelation at 182 days",
        "cyclicality, autocorrelation at 365 days",
    ];
    let mut panels = Vec::new();
    for (row, (name, label)) in RHYTHM.iter().zip(LABELS).enumerate() {
        if let Some(property) = drivers.property(&[name]) {
            let along = Along {
                evaluation,
                drivers,
                property,
                label,
            };
            panels.extend(along.row(row));
        }
    }
    Drawing::new(
        "Skill against rhythm (Figure 9)",
        sheet(
            "skill-rhythm",
            "Skill against rhythm",
            Measure::headline().count(),
            (320.0, 270.0),
            &panels,
        ),
        html!(
            "Test {} of each site against the rhythm of its record (Figure 9), at sites where the lag has 30 pairs \
             of observed days. Seasonality is raw: a strongly seasonal site is near −1. The paper’s positive correlation of \
             seasonality with skill has the other sign.",
            said(Measure::headline())
        ),
    )
}
