//! Where the sites are and how many there are of each land cover.

use super::canvas::{Anchor, Canvas, Figure};
use super::ink::Ink;
use super::map::{Place, SIZE, world};

/// The panels a and b: a map whose marks tell the land cover, and a bar for each with its mark, which is the map's key.
pub(crate) fn covers(places: &[Place], counts: &[(Ink, &str, usize)]) -> Figure {
    const ROW: f64 = 18.0;
    // Two columns of bars, so that the figure fits a screen.
    let lines = counts.len().div_ceil(2);
    let top = SIZE.1 + 34.0;
    let mut canvas = Canvas::new(SIZE.0, top + ROW * lines as f64 + 6.0);
    canvas.begin_panel("a");
    world(&mut canvas, 4.0, places, None);
    canvas.text(Ink::Strong, (4.0, 16.0), Anchor::Start, "a");
    canvas.end_panel();
    canvas.begin_panel("b");
    canvas.text(Ink::Strong, (4.0, top - 10.0), Anchor::Start, "b");
    let label = "sites of each land cover";
    canvas.text(Ink::Muted, (24.0, top - 10.0), Anchor::Start, label);
    let most = counts.iter().map(|(.., sites)| *sites).max().unwrap_or(1);
    for (place, (ink, name, sites)) in counts.iter().enumerate() {
        let left = if place < lines {
            4.0
        } else {
            SIZE.0 / 2.0 + 4.0
        };
        let y = top + ROW * (place % lines.max(1)) as f64;
        canvas.marker(*ink, (left + 8.0, y + 7.0), 4.6);
        canvas.text(Ink::Label, (left + 20.0, y + 11.0), Anchor::Start, name);
        let from = left + 226.0;
        let width = 200.0 * *sites as f64 / most.max(1) as f64;
        canvas.rect(*ink, (from, y + 1.0), width, 12.0);
        let end = (from + width + 6.0, y + 11.0);
        canvas.text(Ink::Label, end, Anchor::Start, &sites.to_string());
    }
    canvas.end_panel();
    let counted: Vec<String> = counts
        .iter()
        .map(|(_, name, sites)| format!("{name} {sites}"))
        .collect();
    canvas.finish(
        "sites",
        "Sites by land cover",
        &format!(
            "(a) {} sites on a map of the world, marked by land cover. (b) Sites of each: {}.",
            places.len(),
            counted.join(", ")
        ),
    )
}
