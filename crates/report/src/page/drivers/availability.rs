//! Whether sites with more data are simulated better: the paper's Figure 6, for people.

use efflux_analysis::statistics::range;

use super::scatter::Along;
use crate::drivers::{Drivers, LONG_RECORD, OBSERVED_DAYS};
use crate::evaluation::{Evaluation, Measure};
use crate::figures::{Ink, Layer, Shape, sheet};
use crate::page::drawing::Drawing;

pub(super) fn drawings(evaluation: &Evaluation, drivers: &Drivers) -> Vec<Drawing> {
    const TITLE: &str = "Skill against the length of the record (Figure 6)";
    let Some(property) = drivers.property(&[OBSERVED_DAYS]) else {
        return vec![Drawing::none(TITLE, "no observed days")];
    };
    let along = Along {
        evaluation,
        drivers,
        property,
        label: "observed days",
    };
    // The values below which the paper calls a performance bad in this figure.
    let panels = [
        ("a", Measure::Nse, true, 0.5),
        ("a, inset", Measure::Nse, false, 0.5),
        ("b", Measure::Kge, true, 0.0),
        ("c", Measure::R, true, 0.5),
    ]
    .map(|(letter, measure, outliers, bad)| {
        let mut panel = along.panel(letter, measure, outliers);
        let most = property.values.iter().copied().fold(0.0, f64::max);
        let threshold = LONG_RECORD as f64;
        let line = |name, ink, from, to| Layer::new(name, ink, Shape::Line, vec![from, to]);
        let (low, high) = panel.chart.limits.unwrap_or_else(|| {
            let ys = panel.chart.layers.iter().flat_map(|layer| &layer.values);
            let ys: Vec<f64> = ys.map(|(_, y)| *y).collect();
            range(&ys).unwrap_or((0.0, 1.0))
        });
        panel.chart.layers.extend([
            line(
                format!("{LONG_RECORD} days"),
                Ink::Train,
                (threshold, low),
                (threshold, high),
            ),
            line(
                "bad below (NSE 0.5, KGE 0, r 0.5)".to_owned(),
                Ink::Baseline,
                (0.0, bad),
                (most, bad),
            ),
        ]);
        panel
    });
    let figure = sheet(
        "skill-days",
        "Skill against the length of the record",
        2,
        (480.0, 330.0),
        &panels,
    );
    vec![Drawing::new(
        TITLE,
        figure,
        format!(
            "Test NSE, KGE and r of each site against its observed days, as in Figure 6; the second panel is the paper’s \
             inset without the NSE beyond Tukey’s fences. The paper finds that sites with fewer than about {LONG_RECORD} \
             days are seldom simulated well."
        ),
    )]
}
