//! How well the unusual days are met, for people.

use efflux_analysis::bands::Band;
use efflux_analysis::events::TOLERANCE;

use super::Figures;
use super::html::{
    self, Cell, count, defined, details, figure, number_column, table, text, words_column,
};
use crate::evaluation::Measure;
use crate::extremes::{Extremes, Group};
use crate::figures::{Chart, Figure, Ink, Layer, Panel, Shape, sheet};
use crate::results::Results;
use crate::words::{self, UNIT};

const MEASURES: [Measure; 4] = [Measure::Nse, Measure::Kge, Measure::Rmse, Measure::Bias];

/// NSE and KGE of the sites on spikes and other days, and in the bands: the paper's Figures 7c and 7d.
pub(super) fn drawing(extremes: &Extremes) -> Figure {
    let spikes: [(usize, &str); 2] = [(3, "spikes"), (4, "other days")];
    let bands: [(usize, &str); 3] = [(0, "bottom"), (1, "middle"), (2, "top")];
    let panels = [
        panel(extremes, "c", &spikes, "test days"),
        panel(extremes, "d", &bands, "test days by observed flux"),
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
            .filter_map(|scores| measure.of(&scores[group]).ok())
            .collect()
    };
    let boxes = |measure: Measure, ink, beside: f64| Layer {
        name: measure.label().to_owned(),
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
        let medians = [Measure::Nse, Measure::Kge].map(|measure| {
            let (sites, found) = extremes.median(*group, measure);
            let found = found.map_or("not defined".to_owned(), |value| words::number(value, 2));
            format!("{} {found} ({sites})", measure.label())
        });
        format!("{name}: median {}", medians.join(", "))
    });
    Panel {
        letter,
        notes: notes.collect(),
        ..Panel::of(Chart {
            x,
            y: "score within these days, symmetric logarithm",
            symlog: true,
            names: groups
                .iter()
                .enumerate()
                .map(|(place, (_, name))| (place as f64, (*name).to_owned()))
                .collect(),
            layers: vec![
                boxes(Measure::Nse, Ink::Box, -0.2),
                boxes(Measure::Kge, Ink::OtherBox, 0.2),
            ],
            ..Chart::default()
        })
    }
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
        "{medians}{}<p class=\"caption\">{caption}</p>\n{}{}",
        figure(
            &figures.extremes.svg,
            "NSE and KGE of each site on spikes and other days (c) and within the bands (d), as in Figures 7c and 7d: \
             boxes from quartile to quartile with the median, whiskers to the last site inside Tukey’s fences, the \
             others as points. In brackets: sites at which the score is defined."
        ),
        pooled(extremes, &name),
        events(extremes)
    );
    html::section("extremes", "Extremes", &content)
}

/// The test days of all sites as one record.
fn pooled(extremes: &Extremes, name: &dyn Fn(Group) -> String) -> String {
    let mut columns = vec![words_column("test days"), number_column("days")];
    columns.extend(MEASURES.map(|measure| number_column(measure.label())));
    let rows: Vec<Vec<Cell>> = Group::ALL
        .into_iter()
        .zip(&extremes.pooled)
        .map(|(group, scores)| {
            let mut row = vec![text(&name(group)), count(scores.n)];
            row.extend(MEASURES.map(|measure| defined(measure.of(scores), 3)));
            row
        })
        .collect();
    let caption = format!(
        "The test days of all sites together, with bands taken over them all; errors in {UNIT}. The paper does not say \
         whether its bands are of a site or of all sites: the medians above take those of each site."
    );
    details(
        "All sites together",
        &table(&caption, &columns, &rows, None),
    )
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
