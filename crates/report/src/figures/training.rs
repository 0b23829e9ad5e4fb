//! How the members were trained: loss and validation score, epoch by epoch.

use efflux_analysis::measures::NSE;
use efflux_analysis::statistics::{self, Fences};
use efflux_run::EpochLine;

use super::super::numbers;
use super::canvas::{Anchor, Canvas, Figure, px};
use super::ink::Ink;
use super::scale::Scale;

/// A panel: what is drawn, and of each epoch the value, if it has one.
struct Panel {
    label: &'static str,
    value: fn(&EpochLine) -> Option<f64>,
}

const PANELS: [Panel; 2] = [
    Panel {
        label: "training loss, dropout at work",
        value: |epoch| Some(epoch.loss),
    },
    Panel {
        label: "median NSE, validation days",
        value: |epoch| epoch.validation[NSE],
    },
];

/// One line a member. `members`: each one's epochs in order, one at least.
pub(crate) fn training(members: &[Vec<&EpochLine>]) -> Figure {
    let epochs = members.iter().flatten().map(|epoch| epoch.epoch);
    let last = epochs.max().unwrap_or(0);
    let panels: Vec<&Panel> = PANELS
        .iter()
        .filter(|panel| {
            members
                .iter()
                .flatten()
                .any(|epoch| (panel.value)(epoch).is_some())
        })
        .collect();
    let mut canvas = Canvas::new(800.0, 300.0);
    let width = canvas.width / panels.len() as f64;
    for (place, panel) in panels.iter().enumerate() {
        let left = place as f64 * width + 52.0;
        let right = (place + 1) as f64 * width - 16.0;
        draw(&mut canvas, panel, members, last, (left, right));
    }
    let described = panels
        .iter()
        .map(|panel| {
            let ends = members
                .iter()
                .filter_map(|member| (panel.value)(member.last()?));
            let ends: Vec<f64> = ends.collect();
            match statistics::range(&ends) {
                Ok((low, high)) => format!(
                    "{}: {} to {} after the last epoch",
                    panel.label,
                    numbers::number(low, 4),
                    numbers::number(high, 4)
                ),
                Err(_) => panel.label.to_owned(),
            }
        })
        .collect::<Vec<_>>()
        .join("; ");
    let description = format!(
        "{} over {last} epochs. {described}.",
        numbers::counted(members.len(), "member")
    );
    canvas.finish("training", "Training of the members", &description)
}

fn draw(
    canvas: &mut Canvas,
    panel: &Panel,
    members: &[Vec<&EpochLine>],
    last: u32,
    (left, right): (f64, f64),
) {
    let (top, bottom) = (34.0, canvas.height - 44.0);
    let x = Scale::new((0.0, f64::from(last)), (left, right));
    let y = Scale::nice(range(panel, members), (bottom, top), 5);
    y.rows(canvas, &y.ticks(5), (left, right));
    for (value, label) in x.ticks(5) {
        canvas.text(
            Ink::Label,
            (x.at(value), bottom + 16.0),
            Anchor::Middle,
            &label,
        );
    }
    canvas.line(Ink::Axis, (left, bottom), (right, bottom));
    canvas.text(
        Ink::Label,
        (f64::midpoint(left, right), bottom + 34.0),
        Anchor::Middle,
        "epoch",
    );
    canvas.text(
        Ink::Muted,
        (left - 44.0, top - 16.0),
        Anchor::Start,
        panel.label,
    );
    for member in members {
        let mut path = String::new();
        for epoch in member {
            // A value beyond the range runs along its edge.
            if let Some(value) = (panel.value)(epoch) {
                let command = if path.is_empty() { 'M' } else { 'L' };
                let at = (x.at(f64::from(epoch.epoch)), y.clamped(value));
                path.push_str(&format!("{command}{} {}", px(at.0), px(at.1)));
            }
        }
        canvas.path(Ink::Simulated, &path);
    }
}

/// The values to draw, without the outliers of the first epochs, which would leave no room for all others.
fn range(panel: &Panel, members: &[Vec<&EpochLine>]) -> (f64, f64) {
    let values: Vec<f64> = members
        .iter()
        .flatten()
        .filter_map(|epoch| (panel.value)(epoch))
        .collect();
    let inside: Vec<f64> = match Fences::new(&values) {
        Ok(fences) => {
            let reach = 1.5 * (fences.q3 - fences.q1);
            let wide = (fences.low - reach)..=(fences.high + reach);
            values
                .into_iter()
                .filter(|value| wide.contains(value))
                .collect()
        }
        Err(_) => values,
    };
    statistics::range(&inside).unwrap_or((0.0, 1.0))
}
