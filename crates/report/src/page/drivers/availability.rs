//! Whether sites with more data are simulated better: the paper's Figure 6, for people.

use efflux_analysis::classes::BAD_BELOW;
use efflux_analysis::measures::{Measure, said};
use efflux_analysis::statistics::range;

use super::scatter::{Along, letter};
use crate::Findings;
use crate::drivers::{LONG_RECORD, OBSERVED_DAYS};
use crate::figures::{Ink, Layer, Panel, Shape, sheet};
use crate::markup::html;
use crate::section::{Drawing, Part};

pub(super) fn part<'a>(findings: &'a Findings<'_>) -> Part<'a> {
    Part::figure(|| drawing(findings))
}

fn drawing(findings: &Findings<'_>) -> Drawing {
    const TITLE: &str = "Skill against the length of the record (Figure 6)";
    let drivers = &findings.drivers;
    let Some(property) = drivers.property(&[OBSERVED_DAYS]) else {
        return Drawing::none(TITLE, "no observed days");
    };
    let along = Along {
        evaluation: &findings.evaluation,
        drivers,
        property,
        label: "observed days",
    };
    let bad: Vec<String> = BAD_BELOW
        .iter()
        .map(|(measure, bad)| format!("{} {bad}", measure.label))
        .collect();
    let bad = format!("bad below ({})", bad.join(", "));
    let most = property.values.iter().copied().fold(0.0, f64::max);
    let with_lines = |mut panel: Panel<'static>, measure: Measure| {
        let threshold = LONG_RECORD as f64;
        let line = |name, ink, from, to| Layer::new(name, ink, Shape::Line, vec![from, to]);
        let (low, high) = panel.chart.limits.unwrap_or_else(|| {
            let ys = panel.chart.layers.iter().flat_map(|layer| &layer.values);
            let ys: Vec<f64> = ys.map(|(_, y)| *y).collect();
            range(&ys).unwrap_or((0.0, 1.0))
        });
        panel.chart.layers.push(line(
            format!("{LONG_RECORD} days"),
            Ink::Train,
            (threshold, low),
            (threshold, high),
        ));
        let known = BAD_BELOW.iter().find(|(one, _)| *one == measure);
        panel.chart.layers.extend(known.map(|&(_, value)| {
            let (from, to) = ((0.0, value), (most, value));
            line(bad.clone(), Ink::Baseline, from, to)
        }));
        panel
    };
    let mut panels = Vec::new();
    for (place, measure) in Measure::headline().enumerate() {
        let letter = letter(place);
        let panel = along.panel(letter.clone(), measure, true);
        panels.push(with_lines(panel, measure));
        if place == 0 {
            let panel = along.panel(format!("{letter}, inset"), measure, false);
            panels.push(with_lines(panel, measure));
        }
    }
    let figure = sheet(
        "skill-days",
        "Skill against the length of the record",
        2,
        (480.0, 330.0),
        &panels,
    );
    Drawing::new(
        TITLE,
        figure,
        html!(
            "Test {} of each site against its observed days, as in Figure 6; the second panel is the paper’s \
             inset without the NSE beyond Tukey’s fences. The paper finds that sites with fewer than about {} \
             days are seldom simulated well.",
            said(Measure::headline()),
            LONG_RECORD
        ),
    )
}
