//! Points, lines and bars over two numbers.

use super::super::words;
use super::canvas::{Anchor, Canvas, Figure, Ink, px};
use super::scale::Scale;
use crate::analysis::statistics::range;

/// How a layer is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Points,
    Line,
    /// From zero, as wide as the values lie apart.
    Bars,
}

/// What is drawn in one way.
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) ink: Ink,
    pub(crate) shape: Shape,
    pub(crate) values: Vec<(f64, f64)>,
}

/// A chart before it is drawn.
pub(crate) struct Chart<'a> {
    /// Name of its file and stem of its ids.
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
    /// The values of y to draw; those beyond lie on the edge. None: all.
    pub(crate) limits: Option<(f64, f64)>,
    /// Whether y is drawn by its sign and the logarithm of its size plus 1.
    pub(crate) symlog: bool,
    /// Names along x in place of numbers.
    pub(crate) names: Vec<(f64, String)>,
    pub(crate) layers: Vec<Layer>,
}

impl Chart<'_> {
    pub(crate) fn draw(mut self) -> Figure {
        if self.symlog {
            let values = self.layers.iter_mut().flat_map(|layer| &mut layer.values);
            for (_, y) in values {
                *y = symlog(*y);
            }
        }
        let mut canvas = Canvas::new(470.0, 330.0);
        let (left, right, top, bottom) = (54.0, canvas.width - 14.0, 52.0, canvas.height - 48.0);
        let all = || self.layers.iter().flat_map(|layer| &layer.values);
        let span = |values: Vec<f64>| range(&values).unwrap_or((0.0, 1.0));
        let bars = self.layers.iter().find(|layer| layer.shape == Shape::Bars);
        let half = bars.map_or(0.0, |layer| step(&layer.values) / 2.0);
        let (first, last) = span(all().map(|(x, _)| *x).collect());
        let x = if half > 0.0 {
            Scale::new((first - half, last + half), (left, right))
        } else {
            Scale::nice((first, last), (left, right), 5)
        };
        let zero = bars.map(|_| 0.0);
        let (low, high) = self
            .limits
            .unwrap_or_else(|| span(all().map(|(_, y)| *y).chain(zero).collect()));
        let y = if self.symlog {
            Scale::new((low, high.max(symlog(1.0))), (bottom, top))
        } else {
            Scale::nice((low, high), (bottom, top), 5)
        };
        y.rows(&mut canvas, &ticks(&y, self.symlog), (left, right));
        let along = if self.names.is_empty() {
            x.ticks(5)
        } else {
            self.names.clone()
        };
        x.columns(&mut canvas, &along, (bottom, bottom));
        canvas.line(Ink::Axis, (left, bottom), (right, bottom));
        if y.holds(0.0) && low < 0.0 {
            canvas.line(Ink::Axis, (left, y.at(0.0)), (right, y.at(0.0)));
        }
        for layer in &self.layers {
            let place = |&(a, b): &(f64, f64)| (x.clamped(a), y.clamped(b));
            match layer.shape {
                Shape::Points => {
                    for at in layer.values.iter().map(place) {
                        canvas.marker(layer.ink, at, 3.4);
                    }
                }
                Shape::Line => {
                    let mut path = String::new();
                    for (px_x, px_y) in layer.values.iter().map(place) {
                        let pen = if path.is_empty() { 'M' } else { 'L' };
                        path.push_str(&format!("{pen}{} {}", px(px_x), px(px_y)));
                    }
                    canvas.path(layer.ink, &path);
                }
                Shape::Bars => {
                    for &(a, b) in &layer.values {
                        let (from, to) = (x.clamped(a - half * 0.86), x.clamped(a + half * 0.86));
                        let head = y.clamped(b);
                        canvas.rect(layer.ink, (from, head), to - from, bottom - head);
                    }
                }
            }
        }
        let middle = f64::midpoint(left, right);
        canvas.text(Ink::Label, (middle, bottom + 36.0), Anchor::Middle, self.x);
        canvas.text(Ink::Muted, (4.0, top - 12.0), Anchor::Start, self.y);
        let named = self.layers.iter().filter(|layer| !layer.name.is_empty());
        let key: Vec<(Ink, String)> = named.map(|layer| (layer.ink, layer.name.clone())).collect();
        canvas.key((4.0, 16.0), &key);
        let counted: Vec<String> = self
            .layers
            .iter()
            .map(|layer| match layer.name.as_str() {
                "" => format!("{} values", layer.values.len()),
                name => format!("{name}, {} values", layer.values.len()),
            })
            .collect();
        let description = format!("{} over {}: {}.", self.y, self.x, counted.join("; "));
        canvas.finish(self.name, self.title, &description)
    }
}

fn symlog(value: f64) -> f64 {
    value.signum() * value.abs().ln_1p()
}

/// Ticks of y with the values that they stand for.
fn ticks(y: &Scale, is_symlog: bool) -> Vec<(f64, String)> {
    if !is_symlog {
        return y.ticks(5);
    }
    let powers = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];
    let values = powers[1..].iter().map(|power| -power).chain([0.0, 1.0]);
    values
        .map(|value| (symlog(value), words::number(value, 0)))
        .filter(|(at, _)| y.holds(*at))
        .collect()
}

/// The least distance between two values of x.
fn step(values: &[(f64, f64)]) -> f64 {
    let apart = values.windows(2).map(|pair| (pair[1].0 - pair[0].0).abs());
    let apart = apart.filter(|apart| *apart > 0.0);
    apart.reduce(f64::min).unwrap_or(1.0)
}
