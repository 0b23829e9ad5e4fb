//! Points, lines, bars and boxes over two numbers.

use std::borrow::Cow;

use efflux_analysis::statistics::range;

use super::super::numbers;
use super::canvas::{Anchor, Canvas, Figure};
use super::ink::Ink;
use super::layer;
use super::scale::Scale;
use super::sheet::{Panel, sheet};

/// How a layer is drawn. A value that is not finite leaves a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A marker each.
    Points,
    /// A small dot each: for days, of which there are thousands.
    Dots,
    Line,
    /// From zero, as wide as the values lie apart.
    Bars,
    /// Of the values at each x: quartiles and median, whiskers to the last value inside Tukey's fences, those beyond as
    /// dots.
    Boxes,
    /// From the first x to the second, over the whole height.
    Span,
}

/// What is drawn in one way.
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) ink: Ink,
    pub(crate) shape: Shape,
    pub(crate) values: Vec<(f64, f64)>,
}

impl Layer {
    pub(crate) fn new(
        name: impl Into<String>,
        ink: Ink,
        shape: Shape,
        values: Vec<(f64, f64)>,
    ) -> Self {
        Self {
            name: name.into(),
            ink,
            shape,
            values,
        }
    }
}

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

/// Where a chart has its axes, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// The two scales of a chart, y by its symmetric logarithm if the chart is.
pub(super) struct Axes {
    pub(super) x: Scale,
    y: Scale,
    symlog: bool,
    /// Half of what lies between two bars; 0 without bars.
    pub(super) half: f64,
}

impl Axes {
    /// The pixel of a value; that of the edge for one beyond.
    pub(super) fn y(&self, value: f64) -> f64 {
        self.y.clamped(self.drawn(value))
    }

    pub(super) fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x.clamped(x), self.y(y))
    }

    fn drawn(&self, value: f64) -> f64 {
        if self.symlog { symlog(value) } else { value }
    }
}

impl Chart<'_> {
    /// As a figure of its own; `name` is that of its file and the stem of its ids.
    pub(crate) fn draw(self, name: &str, title: &str) -> Figure {
        sheet(name, title, 1, (470.0, 306.0), &[Panel::of(self)])
    }

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
            .map(|layer| match layer.name.as_str() {
                "" => format!("{} values", layer.values.len()),
                name => format!("{name}, {} values", layer.values.len()),
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

fn symlog(value: f64) -> f64 {
    value.signum() * value.abs().ln_1p()
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
