//! Points, lines, bars and boxes over two numbers.

use std::fmt::Write;

use efflux_analysis::statistics::{Fences, median, sorted};

use super::canvas::{Canvas, px};
use super::frame::{Axes, Frame};
use super::ink::Ink;

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

pub(super) fn draw(canvas: &mut Canvas, layer: &Layer, axes: &Axes, frame: Frame) {
    let finite = |(x, y): &&(f64, f64)| x.is_finite() && y.is_finite();
    let there = || layer.values.iter().filter(finite);
    match layer.shape {
        Shape::Points => {
            let radius = if layer.ink == Ink::Ring { 6.4 } else { 3.6 };
            for &value in there() {
                canvas.marker(layer.ink, axes.place(value), radius);
            }
        }
        Shape::Dots => {
            let mut path = String::new();
            for &value in there() {
                let (x, y) = axes.place(value);
                let _ = write!(path, "M{} {}h0", px(x), px(y));
            }
            canvas.path(layer.ink, &path);
        }
        Shape::Line => {
            let (mut path, mut pen) = (String::new(), 'M');
            for value in &layer.values {
                if finite(&value) {
                    let (x, y) = axes.place(*value);
                    let _ = write!(path, "{pen}{} {}", px(x), px(y));
                    pen = 'L';
                } else {
                    pen = 'M';
                }
            }
            canvas.path(layer.ink, &path);
        }
        Shape::Bars => {
            for &(x, y) in there() {
                let reach = axes.half * 0.86;
                let (from, to) = (axes.x.clamped(x - reach), axes.x.clamped(x + reach));
                let head = axes.y(y);
                canvas.rect(layer.ink, (from, head), to - from, frame.bottom - head);
            }
        }
        Shape::Boxes => {
            let mut places: Vec<f64> = there().map(|(x, _)| *x).collect();
            places.sort_by(f64::total_cmp);
            places.dedup();
            for place in places {
                let here = there().filter(|(x, _)| *x == place);
                let values: Vec<f64> = here.map(|(_, y)| *y).collect();
                distribution(canvas, layer.ink, axes, place, &values);
            }
        }
        Shape::Span => {
            for ends in layer.values.as_chunks::<2>().0 {
                let [(from, _), (to, _)] = *ends;
                let (from, to) = (axes.x.clamped(from), axes.x.clamped(to));
                let height = frame.bottom - frame.top;
                canvas.rect(layer.ink, (from, frame.top), to - from, height);
            }
        }
    }
}

/// A box with whiskers around `x`.
fn distribution(canvas: &mut Canvas, ink: Ink, axes: &Axes, x: f64, values: &[f64]) {
    let (Ok(fences), Ok(middle)) = (Fences::new(values), median(values)) else {
        return;
    };
    let at = axes.x.at(x);
    let half = (axes.x.at(x + 0.17) - at).min(26.0);
    let inside: Vec<f64> = sorted(values)
        .into_iter()
        .filter(|value| fences.hold(*value))
        .collect();
    let ends = [(inside.first(), fences.q1), (inside.last(), fences.q3)];
    for (end, quartile) in ends {
        if let Some(&end) = end {
            let end = axes.y(end);
            canvas.line(Ink::Fit, (at, axes.y(quartile)), (at, end));
            canvas.line(Ink::Fit, (at - half / 2.0, end), (at + half / 2.0, end));
        }
    }
    let (top, base) = (axes.y(fences.q3), axes.y(fences.q1));
    canvas.rect(ink, (at - half, top), 2.0 * half, (base - top).max(1.0));
    let middle = axes.y(middle);
    canvas.line(Ink::Fit, (at - half, middle), (at + half, middle));
    let mut beyond = String::new();
    for value in values.iter().filter(|value| !fences.hold(**value)) {
        let _ = write!(beyond, "M{} {}h0", px(at), px(axes.y(*value)));
    }
    canvas.path(Ink::Observed, &beyond);
}
