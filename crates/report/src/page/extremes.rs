//! How well the unusual days are met, for people.

use efflux_analysis::bands::Band;
use efflux_analysis::events::TOLERANCE;
use efflux_analysis::measures::{Detail, Measure, RMSE, said};

use crate::Findings;
use crate::extremes::{Extremes, Group};
use crate::figures::{Chart, Figure, Ink, Layer, Panel, Shape, sheet};
use crate::markup::{Html, html};
use crate::numbers;
use crate::results::Results;
use crate::section::{Drawing, Frame, Part, Section};
use crate::table::{Column, Table};
use crate::tables;

pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let (results, extremes) = (findings.results, &findings.extremes);
    let analysis = results.analysis;
    let caption = html!(
        "Bands are quantiles of each site’s observed test days; a spike lies more than {} standard deviations off the \
         mean of the {} days around it. NSE within a band divides by the band’s own small variance, so it is low even \
         for a model that is equally good everywhere; and bands chosen by the observation make the bias of the tails \
         point to the middle even for a perfect mean, while bands chosen by the simulation are free of that. Compare \
         RMSE and bias.",
        analysis.spike_z,
        analysis.spike_window_days
    );
    let skill = || {
        let caption = html!(
            "{} of each site on spikes and other days (c) and within the bands (d), as in Figures 7c and 7d: \
             boxes from quartile to quartile with the median, whiskers to the last site inside Tukey’s fences, the \
             others as points. In brackets: sites at which the score is defined.",
            said(Measure::efficiencies())
        );
        Drawing::new(
            "Skill on spikes and within bands",
            drawing(findings),
            caption,
        )
    };
    Section {
        id: "extremes",
        title: "Extremes",
        frame: Frame::Named("Extremes"),
        lead: Html::default(),
        parts: vec![
            Part::table(medians(results, extremes)),
            Part::figure(skill),
            Part::caption(caption),
            Part::Folded(
                "All sites together",
                vec![Part::table(tables::extremes::pooled(findings, |group| {
                    name(results, group)
                }))],
            ),
            Part::table(tables::extremes::events(findings)),
            Part::caption(html!(
                "A spike is hit if the simulation, on the observed days, has one in the same direction \
                 within {} days. The peak ratio is the highest simulated flux within these days over the observed peak, \
                 median over peaks.",
                TOLERANCE
            )),
            Part::table(tables::extremes::extremes(findings)),
        ],
    }
}

/// What the page calls a group.
fn name(results: &Results<'_>, group: Group) -> String {
    let percent = |share: f64| format!("{} %", (share * 1000.0).round() / 10.0);
    let [low, high] = results.analysis.bands;
    match group {
        Group::Band(Band::Bottom) => format!("bottom {}", percent(low)),
        Group::Band(Band::Middle) => format!("middle {}", percent(high - low)),
        Group::Band(Band::Top) => format!("top {}", percent(1.0 - high)),
        Group::Predicted(Band::Bottom) => format!("bottom {} of the simulation", percent(low)),
        Group::Predicted(Band::Middle) => {
            format!("middle {} of the simulation", percent(high - low))
        }
        Group::Predicted(Band::Top) => format!("top {} of the simulation", percent(1.0 - high)),
        Group::Spike => "spikes".to_owned(),
        Group::NoSpike => "all other days".to_owned(),
    }
}

/// A row is a group's place in [`Group::ALL`].
fn medians<'a>(results: &'a Results<'_>, extremes: &'a Extremes) -> Table<'a, usize> {
    let mut columns = vec![
        Column::text("group", "test days", |&row: &usize| {
            name(results, Group::ALL[row])
        }),
        Column::count("days", "days", |&row: &usize| extremes.days(row)),
        Column::count("sites", "sites", |&row: &usize| {
            extremes.median(row, RMSE).0
        }),
    ];
    columns.extend(Measure::listed(Detail::Brief).map(|measure| {
        let median = move |&row: &usize| extremes.median(row, measure).1;
        Column::number(measure.key, measure.label, measure.decimals, median)
    }));
    let unit = results.target.unit();
    Table::page(
        format!("Ensemble mean on the test part: medians over sites; errors in {unit}"),
        columns,
        (0..Group::ALL.len()).collect(),
    )
}

/// The efficiencies of the sites on spikes and other days, and in the bands: the paper's Figures 7c and 7d.
fn drawing(findings: &Findings<'_>) -> Figure {
    let extremes = &findings.extremes;
    let by_flux = format!("test days by observed {}", findings.results.target.name());
    let spikes: [(usize, &str); 2] = [(3, "spikes"), (4, "other days")];
    let bands: [(usize, &str); 3] = [(0, "bottom"), (1, "middle"), (2, "top")];
    let panels = [
        panel(extremes, "c", &spikes, "test days"),
        panel(extremes, "d", &bands, &by_flux),
    ];
    sheet(
        "extremes",
        "Skill on spikes and within bands",
        2,
        (480.0, 340.0),
        &panels,
    )
}

fn panel<'a>(
    extremes: &Extremes,
    letter: &'a str,
    groups: &[(usize, &str)],
    x: &'a str,
) -> Panel<'a> {
    let of = |group: usize, measure: Measure| -> Vec<f64> {
        let sites = extremes.sites().iter();
        sites
            .filter_map(|scores| scores[group][measure].ok())
            .collect()
    };
    let boxes = |measure: Measure, ink, beside: f64| Layer {
        name: measure.label.to_owned(),
        ink,
        shape: Shape::Boxes,
        values: groups
            .iter()
            .enumerate()
            .flat_map(|(place, (group, _))| {
                let values = of(*group, measure).into_iter();
                values.map(move |value| (place as f64 + beside, value))
            })
            .collect(),
    };
    let notes = groups.iter().map(|(group, name)| {
        let medians = Measure::efficiencies().map(|measure| {
            let (sites, found) = extremes.median(*group, measure);
            let found = found.map_or("not defined".to_owned(), |value| numbers::number(value, 2));
            format!("{} {found} ({sites})", measure.label)
        });
        format!(
            "{name}: median {}",
            medians.collect::<Vec<String>>().join(", ")
        )
    });
    // From a fifth left of the place to a fifth right of it.
    let step = 0.4 / (Measure::efficiencies().count().saturating_sub(1).max(1)) as f64;
    let inks = [Ink::Box, Ink::OtherBox].into_iter().cycle();
    let layers = Measure::efficiencies().zip(inks).enumerate();
    Panel {
        letter: letter.into(),
        notes: notes.collect(),
        ..Panel::of(Chart {
            x: x.into(),
            y: "score within these days, symmetric logarithm".into(),
            symlog: true,
            names: groups
                .iter()
                .enumerate()
                .map(|(place, (_, name))| (place as f64, (*name).to_owned()))
                .collect(),
            layers: layers
                .map(|(place, (measure, ink))| boxes(measure, ink, step * place as f64 - 0.2))
                .collect(),
            ..Chart::default()
        })
    }
}
