//! How well the unusual days are met, for people.

use super::Figures;
use super::html::{self, Cell, count, defined, figure, number_column, table, text, words_column};
use crate::analysis::bands::Band;
use crate::analysis::events::TOLERANCE;
use crate::analysis::statistics::median;
use crate::report::evaluation::Measure;
use crate::report::extremes::{Extremes, Group};
use crate::report::figures::{Chart, Figure, Ink, Layer, Shape};
use crate::report::results::Results;
use crate::report::words::UNIT;

const MEASURES: [Measure; 4] = [Measure::Nse, Measure::Kge, Measure::Rmse, Measure::Bias];

/// NSE of every site in every group, and the median.
pub(super) fn drawing(extremes: &Extremes) -> Figure {
    const SHOWN: [(usize, &str); 5] = [
        (0, "bottom"),
        (1, "middle"),
        (2, "top"),
        (3, "spikes"),
        (4, "other days"),
    ];
    let of = |group: usize| -> Vec<f64> {
        let sites = extremes.sites().iter();
        sites
            .filter_map(|scores| Measure::Nse.of(&scores[group]).ok())
            .collect()
    };
    let mut points = Vec::new();
    let mut medians = Vec::new();
    for (place, (group, _)) in SHOWN.iter().enumerate() {
        let values = of(*group);
        let count = values.len().max(2) - 1;
        // Side by side, so that they hide each other less.
        let beside = |rank: usize| place as f64 - 0.25 + 0.5 * rank as f64 / count as f64;
        points.extend(
            values
                .iter()
                .enumerate()
                .map(|(rank, value)| (beside(rank), *value)),
        );
        medians.extend(median(&values).map(|median| (place as f64, median)));
    }
    let names = SHOWN.iter().enumerate();
    let names = names.map(|(place, (_, name))| (place as f64, (*name).to_owned()));
    Chart {
        name: "extremes",
        title: "Skill within bands and on spikes",
        x: "test days by what was observed",
        y: "NSE within these days, symmetric logarithm",
        limits: None,
        symlog: true,
        names: names.collect(),
        layers: vec![
            Layer {
                name: "a site".to_owned(),
                ink: Ink::Fair,
                shape: Shape::Points,
                values: points,
            },
            Layer {
                name: "median".to_owned(),
                ink: Ink::Poor,
                shape: Shape::Points,
                values: medians,
            },
        ],
    }
    .draw()
}

pub(super) fn section(results: &Results<'_>, extremes: &Extremes, figures: &Figures) -> String {
    let analysis = results.analysis;
    let percent = |share: f64| format!("{} %", (share * 1000.0).round() / 10.0);
    let [low, high] = analysis.bands;
    let name = |group| match group {
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
    };
    let mut columns = vec![words_column("test days"), number_column("days")];
    columns.push(number_column("sites"));
    columns.extend(MEASURES.map(|measure| number_column(measure.label())));
    let rows: Vec<Vec<Cell>> = Group::ALL
        .into_iter()
        .enumerate()
        .map(|(index, group)| {
            let (sites, _) = extremes.median(index, Measure::Rmse);
            let mut row = vec![
                text(&name(group)),
                count(extremes.days(index)),
                count(sites),
            ];
            row.extend(MEASURES.map(|measure| defined(extremes.median(index, measure).1, 3)));
            row
        })
        .collect();
    let medians = table(
        &format!("Ensemble mean on the test part: medians over sites; errors in {UNIT}"),
        &columns,
        &rows,
        None,
    );
    let caption = format!(
        "Bands are quantiles of each site’s observed test days; a spike lies more than {} standard deviations off the \
         mean of the {} days around it. NSE within a band divides by the band’s own small variance, so it is low even \
         for a model that is equally good everywhere; and bands chosen by the observation make the bias of the tails \
         point to the middle even for a perfect mean, while bands chosen by the simulation are free of that. Compare \
         RMSE and bias.",
        analysis.spike_z, analysis.spike_window_days
    );
    let content = format!(
        "{medians}{}<p class=\"caption\">{caption}</p>\n{}",
        figure(&figures.extremes.svg, ""),
        events(extremes)
    );
    html::section("extremes", "Extremes", &content)
}

/// Whether spikes are simulated as spikes.
fn events(extremes: &Extremes) -> String {
    let all = extremes.all_events();
    let mut columns = vec![words_column("spikes of the test part")];
    columns.extend(
        [
            "hits",
            "misses",
            "false alarms",
            "detected",
            "false alarm ratio",
            "peak ratio",
            "timing error, days",
        ]
        .map(number_column),
    );
    let row = vec![
        text("all sites"),
        count(all.hits),
        count(all.misses),
        count(all.false_alarms),
        defined(all.detection(), 2),
        defined(all.false_alarm_ratio(), 2),
        defined(all.peak_ratio(), 2),
        defined(all.timing_error(), 1),
    ];
    format!(
        "{}<p class=\"caption\">A spike is hit if the simulation, on the observed days, has one in the same direction \
         within {TOLERANCE} days. The peak ratio is the highest simulated flux within these days over the observed peak, \
         median over peaks.</p>\n",
        table("Spikes as events", &columns, &[row], None)
    )
}
