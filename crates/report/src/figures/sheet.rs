//! Charts side by side: the panels of one figure, with one key.

use std::borrow::Cow;

use super::canvas::{Anchor, Canvas, Figure, key_height};
use super::chart::Chart;
use super::frame::Frame;
use super::ink::Ink;
use super::layer::{Layer, Shape};

/// A chart as a panel.
pub(crate) struct Panel<'a> {
    /// What captions call it; empty for a chart that stands alone.
    pub(crate) letter: Cow<'a, str>,
    /// What is said above it, line by line.
    pub(crate) notes: Vec<String>,
    /// Words inside it: where they begin in the units of the axes, and what they are.
    pub(crate) texts: Vec<((f64, f64), String)>,
    /// Which share of the calendar the chart covers, from and to, drawn as a bar below it.
    pub(crate) covered: Option<(f64, f64)>,
    pub(crate) chart: Chart<'a>,
}

impl<'a> Panel<'a> {
    /// A panel of nothing but the chart.
    pub(crate) fn of(chart: Chart<'a>) -> Self {
        Self {
            letter: "".into(),
            notes: Vec::new(),
            texts: Vec::new(),
            covered: None,
            chart,
        }
    }

    /// The place of a panel for which there is nothing, and why.
    pub(crate) fn empty(letter: &'a str, note: &str) -> Self {
        Self {
            letter: letter.into(),
            notes: vec![note.to_owned()],
            ..Self::of(Chart::default())
        }
    }
}

impl Chart<'_> {
    /// As a figure of its own; `name` is that of its file and the stem of its ids.
    pub(crate) fn draw(self, name: &str, title: &str) -> Figure {
        sheet(name, title, 1, (470.0, 306.0), &[Panel::of(self)])
    }
}

/// From one note to the next.
const LINE: f64 = 14.0;

/// Panels in rows of `columns`, each of `size` pixels, with one key of what has a name.
pub(crate) fn sheet(
    name: &str,
    title: &str,
    columns: usize,
    (width, height): (f64, f64),
    panels: &[Panel<'_>],
) -> Figure {
    let mut key: Vec<(Ink, String)> = Vec::new();
    for layer in panels.iter().flat_map(|panel| &panel.chart.layers) {
        let entry = (layer.ink, layer.name.clone());
        if !layer.name.is_empty() && !key.contains(&entry) {
            key.push(entry);
        }
    }
    let whole = width * columns.max(1) as f64;
    let head = match key_height(whole, 4.0, &key) {
        0.0 => 2.0,
        lines => lines + 6.0,
    };
    let rows = panels.len().div_ceil(columns.max(1)).max(1);
    let mut canvas = Canvas::new(whole, head + height * rows as f64);
    canvas.key((4.0, 16.0), &key);
    let mut described = Vec::new();
    for (place, panel) in panels.iter().enumerate() {
        let corner = (
            width * (place % columns.max(1)) as f64,
            head + height * (place / columns.max(1)) as f64,
        );
        draw(&mut canvas, panel, corner, (width, height));
        let mut said = panel.notes.clone();
        if !panel.chart.layers.is_empty() {
            said.push(panel.chart.described());
        }
        let said = said.join("; ");
        described.push(match &*panel.letter {
            "" => said,
            letter => format!("({letter}) {said}"),
        });
    }
    canvas.finish(name, title, &described.join(" "))
}

fn draw(canvas: &mut Canvas, panel: &Panel<'_>, (x, y): (f64, f64), (width, height): (f64, f64)) {
    if !panel.letter.is_empty() {
        canvas.begin_panel(&panel.letter);
        canvas.text(
            Ink::Strong,
            (x + 4.0, y + 16.0),
            Anchor::Start,
            &panel.letter,
        );
    }
    // Text is not measured: bold letters are 7.6 px wide at most, on average.
    let indent = match panel.letter.chars().count() {
        0 => 4.0,
        count => 16.0 + 7.6 * count as f64,
    };
    let mut line = y + 16.0;
    for (place, note) in panel.notes.iter().enumerate() {
        let ink = if place == 0 { Ink::Label } else { Ink::Muted };
        canvas.text(ink, (x + indent, line), Anchor::Start, note);
        line += LINE;
    }
    if !panel.chart.y.is_empty() {
        canvas.text(
            Ink::Muted,
            (x + indent, line),
            Anchor::Start,
            &panel.chart.y,
        );
        line += LINE;
    }
    let below = if panel.chart.x.is_empty() { 26.0 } else { 48.0 };
    let frame = Frame {
        left: x + 54.0,
        right: x + width - 20.0,
        // Words stand above their point: those of the highest need room too.
        top: line - if panel.texts.is_empty() { 2.0 } else { -12.0 },
        bottom: y + height - below - if panel.covered.is_some() { 12.0 } else { 0.0 },
    };
    if !panel.chart.layers.is_empty() {
        let axes = panel.chart.draw_in(canvas, frame);
        for (at, text) in &panel.texts {
            let (x, y) = axes.place(*at);
            canvas.text(Ink::Muted, (x, y - 4.0), Anchor::Start, text);
        }
        let has_values = |layer: &Layer| layer.shape != Shape::Span && !layer.values.is_empty();
        if !panel.chart.layers.iter().any(has_values) {
            let middle = (
                f64::midpoint(frame.left, frame.right),
                f64::midpoint(frame.top, frame.bottom),
            );
            canvas.text(Ink::Muted, middle, Anchor::Middle, "no site has both");
        }
    }
    if let Some((from, to)) = panel.covered {
        coverage(canvas, frame, y + height - 10.0, (from, to));
    }
    if !panel.letter.is_empty() {
        canvas.end_panel();
    }
}

/// The calendar as a bar, with the part that is covered.
fn coverage(canvas: &mut Canvas, frame: Frame, y: f64, (from, to): (f64, f64)) {
    let width = frame.right - frame.left;
    canvas.rect(Ink::Calendar, (frame.left, y), width, 5.0);
    let part = ((to - from) * width).max(1.5);
    canvas.rect(Ink::Record, (frame.left + from * width, y), part, 5.0);
}
