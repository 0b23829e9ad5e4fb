//! The configurations of the search: each search seed a ring, their mean a bar.

use super::super::results::{Configuration, Selection};
use super::super::words;
use super::canvas::{Anchor, Canvas, Figure, Ink};
use super::scale::Scale;

/// More rows than this are no longer a figure; the rest is in the table.
const ROWS: usize = 40;
/// What lies further below the best mean is drawn at the edge.
const DEPTH: f64 = 1.5;

pub(crate) fn search(selection: &Selection) -> Figure {
    let rows = ranked(selection);
    let shown = &rows[..rows.len().min(ROWS)];
    let values = || {
        shown
            .iter()
            .flat_map(|row| row.seeds.iter().filter_map(|(_, value)| *value))
    };
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let low = values().fold(f64::INFINITY, f64::min).max(high - DEPTH);
    let (low, high) = if high.is_finite() {
        (low, high)
    } else {
        (0.0, 1.0)
    };

    let mut canvas = Canvas::new(800.0, 62.0 + 20.0 * shown.len() as f64 + 40.0);
    let (left, right, top) = (286.0, canvas.width - 20.0, 44.0);
    let bottom = canvas.height - 42.0;
    // A single value has no range of its own.
    let margin = (0.04 * (high - low)).max(0.02);
    let x = Scale::nice((low - margin, high + margin), (left, right), 6);
    for (value, label) in x.ticks(6) {
        canvas.line(Ink::Grid, (x.at(value), top), (x.at(value), bottom));
        canvas.text(
            Ink::Label,
            (x.at(value), bottom + 16.0),
            Anchor::Middle,
            &label,
        );
    }
    canvas.line(Ink::Axis, (left, bottom), (right, bottom));
    let score = format!(
        "{} over sites, {} part",
        words::metric(selection.metric),
        words::part(selection.on)
    );
    canvas.text(
        Ink::Label,
        (f64::midpoint(left, right), bottom + 34.0),
        Anchor::Middle,
        &score,
    );

    for (place, row) in shown.iter().enumerate() {
        let y = top + 16.0 + 20.0 * place as f64;
        let selected = selection.winner == Some(row.params);
        let ink = match (&row.mean, selected) {
            (_, true) => Ink::Strong,
            (Ok(_), false) => Ink::Label,
            (Err(_), false) => Ink::Muted,
        };
        canvas.text(
            ink,
            (left - 14.0, y + 4.0),
            Anchor::End,
            &row.params.to_string(),
        );
        canvas.line(Ink::Grid, (left, y), (right, y));
        for value in row.seeds.iter().filter_map(|(_, value)| *value) {
            canvas.circle(Ink::Seed, (x.clamped(value), y), 4.0);
            if value < low {
                let label = format!("◂ {}", words::number(value, 1));
                canvas.text(Ink::Muted, (left + 8.0, y + 4.0), Anchor::Start, &label);
            }
        }
        // Over the rings, which would hide it.
        if let Ok(mean) = row.mean {
            canvas.line(
                Ink::Mean,
                (x.clamped(mean), y - 7.0),
                (x.clamped(mean), y + 7.0),
            );
        }
        if row.mean.is_err() {
            canvas.text(Ink::Muted, (right, y + 4.0), Anchor::End, "not selectable");
        }
    }
    canvas.key(
        (left, 18.0),
        &[
            (Ink::Seed, "one search seed".to_owned()),
            (Ink::Mean, "mean of the seeds".to_owned()),
        ],
    );
    let description = format!(
        "{}, best mean first, {}. {}",
        words::counted(rows.len(), "configuration"),
        words::counted(shown.len(), "row"),
        selection
            .winner
            .map_or("None is selectable.".to_owned(), |winner| format!(
                "Selected: {winner}."
            ))
    );
    canvas.finish("search", &format!("Search: {score}"), &description)
}

/// The configurations, best mean first, those that cannot be selected last.
pub(crate) fn ranked(selection: &Selection) -> Vec<&Configuration> {
    let mut rows: Vec<&Configuration> = selection.configurations.iter().collect();
    let key = |row: &Configuration| row.mean.as_ref().copied().unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| key(b).total_cmp(&key(a)));
    rows
}
