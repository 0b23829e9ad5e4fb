//! The configurations of the search, epoch by epoch.

use efflux_analysis::statistics::{Fences, range};

use super::canvas::Figure;
use super::chart::Chart;
use super::ink::Ink;
use super::layer::{Layer, Shape};
use super::sheet::{Panel, sheet};
use crate::curves::{Curve, Fate};

/// More lines than this hide each other.
const LINES: usize = 60;

/// Which of so many configurations, the best first, are drawn: all, or the best and others at equal distances by rank.
pub(crate) fn shown(count: usize) -> Vec<usize> {
    let lines = LINES.min(count);
    let last = count.saturating_sub(1);
    (0..lines)
        .map(|line| line * last / (lines - 1).max(1))
        .collect()
}

/// `curves`: the best first, one at least. `label`: what their scores are.
pub(crate) fn curves(curves: &[Curve<'_>], label: &str) -> Figure {
    let shown: Vec<&Curve<'_>> = shown(curves.len())
        .into_iter()
        .map(|place| &curves[place])
        .collect();
    let of_fate = |fate: Fate| {
        let of_fate = shown.iter().filter(|curve| curve.fate == fate);
        let values = of_fate.flat_map(|curve| {
            let points = curve.epochs.iter();
            let points = points.map(|(&epoch, &(_, score))| (f64::from(epoch), score));
            // A gap to the next configuration.
            points.chain([(f64::NAN, f64::NAN)])
        });
        Layer::new(fate.name(), ink(fate), Shape::Line, values.collect())
    };
    let layers = Fate::ALL.into_iter().map(of_fate);
    let mut layers: Vec<Layer> = layers.filter(|layer| !layer.values.is_empty()).collect();
    // A configuration that was stopped after its first epoch has no line.
    let stopped = shown.iter().filter(|curve| curve.fate == Fate::Stopped);
    let ends = stopped.filter_map(|curve| curve.epochs.last_key_value());
    let ends = ends.map(|(&epoch, &(_, score))| (f64::from(epoch), score));
    layers.push(Layer::new(
        "",
        ink(Fate::Stopped),
        Shape::Points,
        ends.collect(),
    ));
    let chart = Chart {
        x: "epoch".into(),
        y: format!("{label}, validation days").into(),
        limits: limits(&shown),
        layers,
        ..Chart::default()
    };
    let title = format!("Search, epoch by epoch: {label} on the validation days");
    sheet(
        "search-curves",
        &title,
        1,
        (780.0, 340.0),
        &[Panel::of(chart)],
    )
}

fn ink(fate: Fate) -> Ink {
    match fate {
        Fate::Stopped => Ink::Baseline,
        Fate::Lacking => Ink::Train,
        Fate::Finished => Ink::Simulated,
        Fate::Selected => Ink::Fit,
    }
}

/// The values to draw, without the outliers of the first epochs, which would leave no room for all others.
fn limits(curves: &[&Curve<'_>]) -> Option<(f64, f64)> {
    let scores = curves.iter().flat_map(|curve| curve.epochs.values());
    let scores: Vec<f64> = scores.map(|(_, score)| *score).collect();
    let fences = Fences::new(&scores).ok()?;
    let kept: Vec<f64> = scores
        .into_iter()
        .filter(|score| fences.hold(*score))
        .collect();
    range(&kept).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_drawn_all_and_of_thousands_the_first_and_others_evenly() {
        assert_eq!(shown(1), [0]);
        assert_eq!(shown(3), [0, 1, 2]);
        let many = shown(5000);
        assert_eq!((many.len(), many[0], many[LINES - 1]), (LINES, 0, 4999));
        assert!(many.windows(2).all(|two| two[1] - two[0] > 80));
    }
}
