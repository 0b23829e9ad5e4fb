//! Estimates with their intervals, one below the other.

use efflux_analysis::statistics::range;

use super::super::numbers;
use super::canvas::{Anchor, Canvas, Figure};
use super::ink::Ink;
use super::scale::Scale;

/// An estimate.
pub(crate) struct Estimate {
    pub(crate) label: String,
    pub(crate) low: f64,
    pub(crate) value: f64,
    pub(crate) high: f64,
}

/// A row each, with a line at `neutral`, where there is nothing to tell.
pub(crate) fn forest(
    name: &str,
    title: &str,
    axis: &str,
    neutral: f64,
    rows: &[Estimate],
) -> Figure {
    const ROW: f64 = 24.0;
    let mut canvas = Canvas::new(760.0, 56.0 + ROW * rows.len().max(1) as f64);
    let (left, right, top, bottom) = (270.0, canvas.width - 14.0, 8.0, canvas.height - 44.0);
    let ends = rows.iter().flat_map(|row| [row.low, row.high]);
    let (low, high) = range(&ends.chain([neutral]).collect::<Vec<f64>>()).unwrap_or((0.0, 1.0));
    let x = Scale::nice((low, high), (left, right), 6);
    x.columns(&mut canvas, &x.ticks(6), (top, bottom));
    canvas.line(Ink::Axis, (x.at(neutral), top), (x.at(neutral), bottom));
    canvas.text(
        Ink::Label,
        (canvas.width / 2.0, bottom + 34.0),
        Anchor::Middle,
        axis,
    );
    let mut described = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let y = top + ROW * (place as f64 + 0.5);
        canvas.text(Ink::Label, (left - 12.0, y + 4.0), Anchor::End, &row.label);
        canvas.line(Ink::Simulated, (x.at(row.low), y), (x.at(row.high), y));
        canvas.circle(Ink::Good, (x.at(row.value), y), 4.5);
        described.push(format!(
            "{}: {} ({} to {})",
            row.label,
            numbers::number(row.value, 2),
            numbers::number(row.low, 2),
            numbers::number(row.high, 2)
        ));
    }
    canvas.finish(name, title, &format!("{axis}. {}.", described.join("; ")))
}
