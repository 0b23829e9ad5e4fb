//! A chart: layers over two axes.

use std::borrow::Cow;

use efflux_analysis::statistics::range;

use super::super::numbers;
use super::canvas::{Anchor, Canvas};
use super::frame::{Axes, Frame, symlog};
use super::ink::Ink;
use super::layer::{self, Layer, Shape};
use super::scale::Scale;

/// A chart before it is drawn.
#[derive(Default)]
pub(crate) struct Chart<'a> {
    pub(crate) x: Cow<'a, str>,
    pub(crate) y: Cow<'a, str>,
    /// The values of y to draw; those beyond lie on the edge. None: all.
    pub(crate) limits: Option<(f64, f64)>,
    /// Whether y is drawn by its sign and the logarithm of its size plus 1.
    pub(crate) symlog: bool,
    /// Names along x in place of numbers.
    pub(crate) names: Vec<(f64, String)>,
    pub(crate) layers: Vec<Layer>,
}

impl Chart<'_> {
    /// The chart with its axes in a frame of a sheet.
    pub(super) fn draw_in(&self, canvas: &mut Canvas, frame: Frame) -> Axes {
        let Frame {
            left,
            right,
            top,
            bottom,
        } = frame;
        let axes = self.axes(frame);
        let spans = |layer: &&Layer| layer.shape == Shape::Span;
        for layer in self.layers.iter().filter(spans) {
            layer::draw(canvas, layer, &axes, frame);
        }
        let rows = fitting(bottom - top, 38.0);
        axes.y
            .rows(canvas, &ticks(&axes.y, self.symlog, rows), (left, right));
        let columns = fitting(right - left, 60.0);
        let along = if self.names.is_empty() {
            axes.x.ticks(columns)
        } else {
            self.names.clone()
        };
        axes.x.columns(canvas, &along, (bottom, bottom + 4.0));
        canvas.line(Ink::Axis, (left, bottom), (right, bottom));
        if axes.y.holds(0.0) && axes.y(0.0) < bottom - 0.5 {
            canvas.line(Ink::Axis, (left, axes.y(0.0)), (right, axes.y(0.0)));
        }
        for layer in self.layers.iter().filter(|layer| !spans(layer)) {
            layer::draw(canvas, layer, &axes, frame);
        }
        let middle = f64::midpoint(left, right);
        canvas.text(Ink::Label, (middle, bottom + 36.0), Anchor::Middle, &self.x);
        axes
    }

    fn axes(&self, frame: Frame) -> Axes {
        let across = (frame.left, frame.right);
        let up = (frame.bottom, frame.top);
        let finite = |pick: fn(&(f64, f64)) -> f64, spans: bool| -> Vec<f64> {
            let layers = self.layers.iter();
            let layers = layers.filter(|layer| spans || layer.shape != Shape::Span);
            let values = layers.flat_map(|layer| &layer.values).map(pick);
            values.filter(|value| value.is_finite()).collect()
        };
        let bars = self.layers.iter().find(|layer| layer.shape == Shape::Bars);
        let half = bars.map_or(0.0, |layer| step(&layer.values) / 2.0);
        let (first, last) = range(&finite(|(x, _)| *x, true)).unwrap_or((0.0, 1.0));
        let boxes = self.layers.iter().any(|layer| layer.shape == Shape::Boxes);
        let x = if half > 0.0 {
            Scale::new((first - half, last + half), across)
        } else if boxes {
            Scale::new((first - 0.6, last + 0.6), across)
        } else if self.names.is_empty() {
            Scale::nice((first, last), across, 5)
        } else {
            Scale::new((first, last), across)
        };
        let (low, high) = self.limits.unwrap_or_else(|| {
            let mut values = finite(|(_, y)| *y, false);
            values.extend(bars.map(|_| 0.0));
            range(&values).unwrap_or((0.0, 1.0))
        });
        let y = if self.symlog {
            Scale::new((symlog(low), symlog(high.max(1.0))), up)
        } else {
            Scale::nice((low, high), up, 5)
        };
        Axes {
            x,
            y,
            symlog: self.symlog,
            half,
        }
    }

    /// What is drawn, for those who do not see it.
    pub(super) fn described(&self) -> String {
        let counted: Vec<String> = self
            .layers
            .iter()
            .filter(|layer| layer.shape != Shape::Span)
            .map(|layer| {
                let drawn = layer.values.iter();
                let drawn = drawn.filter(|(x, y)| x.is_finite() && y.is_finite());
                match (layer.name.as_str(), drawn.count()) {
                    ("", drawn) => format!("{drawn} values"),
                    (name, drawn) => format!("{name}, {drawn} values"),
                }
            })
            .collect();
        format!("{} over {}: {}.", self.y, self.x, counted.join("; "))
    }
}

/// How many ticks fit, with so many pixels for each.
fn fitting(pixels: f64, each: f64) -> u32 {
    let fits = |count: &u32| f64::from(*count) * each <= pixels;
    [5, 4].into_iter().find(fits).unwrap_or(3)
}

/// Ticks of y with the values that they stand for.
fn ticks(y: &Scale, is_symlog: bool, count: u32) -> Vec<(f64, String)> {
    if !is_symlog {
        return y.ticks(count);
    }
    // Zero first, then the powers of ten that leave room for their labels.
    let values = [
        0.0, 1.0, -10.0, -100.0, -1e3, -1e4, -1e5, -1e6, -1.0, 10.0, 100.0,
    ];
    let mut ticks: Vec<(f64, String)> = Vec::new();
    for value in values {
        let at = symlog(value);
        let apart = |(other, _): &(f64, String)| (y.at(*other) - y.at(at)).abs() > 13.0;
        if y.holds(at) && ticks.iter().all(apart) {
            ticks.push((at, numbers::number(value, 0)));
        }
    }
    ticks
}

/// The least distance between two values of x.
fn step(values: &[(f64, f64)]) -> f64 {
    let apart = values.windows(2).map(|pair| (pair[1].0 - pair[0].0).abs());
    let apart = apart.filter(|apart| *apart > 0.0);
    apart.reduce(f64::min).unwrap_or(1.0)
}
