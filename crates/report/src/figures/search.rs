//! The configurations of the search: each search seed a ring, their mean a bar.

use efflux_analysis::statistics::{self, Fences};
use efflux_run::{Candidate, Choice};

use super::super::numbers;
use super::canvas::{Anchor, Canvas, Figure};
use super::ink::Ink;
use super::scale::Scale;

/// More rows than this are no longer a figure; the rest is in the table.
const ROWS: usize = 40;

pub(crate) fn search(selection: &Choice) -> Figure {
    let rows = selection.ranked();
    let shown = &rows[..rows.len().min(ROWS)];
    let (low, high) = range(shown);
    let mut canvas = Canvas::new(800.0, 62.0 + 20.0 * shown.len() as f64 + 40.0);
    let (left, right, top) = (286.0, canvas.width - 20.0, 44.0);
    let bottom = canvas.height - 42.0;
    // A single value has no range of its own.
    let margin = (0.04 * (high - low)).max(0.02);
    let x = Scale::nice((low - margin, high + margin), (left, right), 6);
    x.columns(&mut canvas, &x.ticks(6), (top, bottom));
    canvas.line(Ink::Axis, (left, bottom), (right, bottom));
    let score = format!(
        "{} over sites, {} part",
        selection.rule.metric.label(),
        selection.rule.on.name()
    );
    canvas.text(
        Ink::Label,
        (f64::midpoint(left, right), bottom + 34.0),
        Anchor::Middle,
        &score,
    );

    for (place, row) in shown.iter().enumerate() {
        let y = top + 16.0 + 20.0 * place as f64;
        let selected = selection.selects(&row.params);
        let ink = match (row.mean, selected) {
            (_, true) => Ink::Strong,
            (Some(_), false) => Ink::Label,
            (None, false) => Ink::Muted,
        };
        canvas.text(
            ink,
            (left - 14.0, y + 4.0),
            Anchor::End,
            &row.params.to_string(),
        );
        canvas.line(Ink::Grid, (left, y), (right, y));
        let seeds = row.known();
        for &value in seeds.iter().filter(|&&value| x.holds(value)) {
            canvas.circle(Ink::Seed, (x.at(value), y), 4.0);
        }
        let lowest = seeds.iter().copied().fold(f64::INFINITY, f64::min);
        if lowest.is_finite() && !x.holds(lowest) {
            let label = format!("◂ {}", numbers::number(lowest, 1));
            canvas.text(Ink::Muted, (left + 6.0, y + 4.0), Anchor::Start, &label);
        }
        // Over the rings, which would hide it.
        if let Some(mean) = row.mean.filter(|&mean| x.holds(mean)) {
            canvas.line(Ink::Mean, (x.at(mean), y - 7.0), (x.at(mean), y + 7.0));
        }
        if row.mean.is_none() {
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
        numbers::counted(rows.len(), "configuration"),
        numbers::counted(shown.len(), "row"),
        selection
            .winner
            .as_ref()
            .map_or("None is selectable.".to_owned(), |winner| format!(
                "Selected: {}.",
                winner.params
            ))
    );
    canvas.finish("search", &format!("Search: {score}"), &description)
}

/// The values to draw. Those beyond the lower fence are named at the edge: one configuration that failed to learn would
/// leave no room to compare the others.
fn range(rows: &[&Candidate]) -> (f64, f64) {
    let values: Vec<f64> = rows.iter().flat_map(|row| row.known()).collect();
    let Ok(fences) = Fences::new(&values) else {
        return (0.0, 1.0);
    };
    let kept: Vec<f64> = values
        .into_iter()
        .filter(|&value| value >= fences.low)
        .collect();
    statistics::range(&kept).unwrap_or((0.0, 1.0))
}
