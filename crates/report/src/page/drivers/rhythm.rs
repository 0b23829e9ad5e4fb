//! Whether sites with a regular record are simulated better: the paper's Figures 3 and 9, for people.

use efflux_analysis::Undefined;
use efflux_analysis::classes::Reading;
use efflux_analysis::rhythm::{CYCLICALITY, SEASONALITY, SMOOTHNESS};
use efflux_analysis::significance::TTest;
use efflux_analysis::statistics::median;

use super::CLASSES;
use super::scatter::Along;
use crate::drivers::{CORRELOGRAM_STEP, Correlogram, Drivers, RHYTHM, SiteTraits, record_days};
use crate::evaluation::Evaluation;
use crate::figures::{Chart, Figure, Ink, Layer, Panel, Shape, dates, sheet};
use crate::page::drawing::Drawing;
use crate::page::html::{Cell, count, defined, number_column, table, text, words_column};
use crate::results::Results;
use crate::words::{self, UNIT};

pub(super) fn drawings(
    results: &Results<'_>,
    evaluation: &Evaluation,
    drivers: &Drivers,
) -> Vec<Drawing> {
    vec![
        correlograms(results, evaluation, drivers),
        Drawing::new(
            "Correlograms by class",
            correlogram(results, evaluation, drivers),
            "The median over the sites of each class, of those at which a lag has 30 pairs of observed days.",
        ),
        skill(evaluation, drivers),
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
        "Record (above) and correlogram (below) of the site where smoothness less seasonality plus cyclicality is \
         greatest (left) and of the one where it is least (right), of those at which all three rest on 30 pairs of days; \
         as Figure 3. Vertical lines: the lags of 1, 182 and 365 days. The simulated correlogram takes the days that \
         were observed.",
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
        letter,
        notes: vec![format!(
            "{}, {} rhythm",
            words::shortened(&results.sites[site].name, 44),
            correlogram.role
        )],
        ..Panel::of(Chart {
            y: UNIT,
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
    let said = |name: &str, values: [efflux_analysis::Defined; 3]| {
        let [smooth, season, cycle] = values
            .map(|value| value.map_or("not defined".to_owned(), |value| words::number(value, 2)));
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
        letter,
        notes: vec![
            said("observed", observed),
            said("simulated", site.simulated_rhythm.map(|found| found.r)),
        ],
        ..Panel::of(Chart {
            x: "lag, days",
            y: "autocorrelation",
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
        let here: Vec<&SiteTraits> = (0..results.sites.len())
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
        x: "lag, days",
        y: "autocorrelation, median over sites",
        limits: Some((-1.0, 1.0)),
        layers: layers.collect(),
        ..Chart::default()
    }
    .draw("correlogram", "Correlograms by class")
}

/// Each score against each part of the rhythm.
fn skill(evaluation: &Evaluation, drivers: &Drivers) -> Drawing {
    const LETTERS: [[&str; 3]; 3] = [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]];
    const LABELS: [&str; 3] = [
        "smoothness, autocorrelation at 1 day",
        "seasonality, autocorrelation at 182 days",
        "cyclicality, autocorrelation at 365 days",
    ];
    let known = RHYTHM.iter().zip(LABELS).zip(LETTERS);
    let panels: Vec<Panel<'_>> = known
        .flat_map(|((name, label), letters)| {
            let along = drivers.property(&[name]).map(|property| Along {
                evaluation,
                drivers,
                property,
                label,
            });
            along.into_iter().flat_map(move |along| along.row(letters))
        })
        .collect();
    Drawing::new(
        "Skill against rhythm (Figure 9)",
        sheet(
            "skill-rhythm",
            "Skill against rhythm",
            3,
            (320.0, 270.0),
            &panels,
        ),
        "Test NSE, KGE and r of each site against the rhythm of its record (Figure 9), at sites where the lag has 30 pairs \
         of observed days. Seasonality is raw: a strongly seasonal site is near −1. The paper’s positive correlation of \
         seasonality with skill has the other sign.",
    )
}

/// Whether good sites have stronger seasons.
pub(super) fn seasons(drivers: &Drivers) -> String {
    let mut columns = vec![words_column("classes"), words_column("test")];
    columns.extend(
        [
            "good sites",
            "mean difference",
            "poor sites",
            "mean difference",
            "t",
            "degrees of freedom",
            "p",
        ]
        .map(number_column),
    );
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for seasons in &drivers.seasons {
        let tests: [(&str, Result<TTest, Undefined>); 2] =
            [("Welch", seasons.welch), ("Student", seasons.student)];
        for (name, found) in tests {
            rows.push(vec![
                text(words::reading(seasons.reading)),
                text(name),
                count(seasons.good),
                defined(seasons.good_mean, 2),
                count(seasons.poor),
                defined(seasons.poor_mean, 2),
                defined(found.map(|found| found.t), 2),
                defined(found.map(|found| found.df), 1),
                crate::page::html::p_value(found.map(|found| found.p)),
            ]);
        }
    }
    table(
        &format!("Difference of mean summer and mean winter flux, {UNIT}: good against poor sites"),
        &columns,
        &rows,
        None,
    )
}
