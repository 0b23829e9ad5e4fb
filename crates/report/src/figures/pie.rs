//! Shares of a whole.

use std::f64::consts::TAU;

use super::canvas::{Anchor, Canvas, px};
use super::ink::Ink;

/// Slices clockwise from the top, each with its count and name beside it: what colours tell is said in words.
pub(super) fn pie(
    canvas: &mut Canvas,
    (x, y): (f64, f64),
    radius: f64,
    slices: &[(usize, Ink, &str)],
) {
    let total: usize = slices.iter().map(|(count, ..)| count).sum();
    let mut begun = 0;
    for &(count, ink, name) in slices.iter().filter(|(count, ..)| *count > 0) {
        let at = |sites: f64, far: f64| {
            let (sin, cos) = (TAU * sites / total as f64).sin_cos();
            (x + far * sin, y - far * cos)
        };
        if count == total {
            canvas.circle(ink, (x, y), radius);
        } else {
            let (from, to) = (at(begun as f64, radius), at((begun + count) as f64, radius));
            let large = u8::from(2 * count > total);
            canvas.path(
                ink,
                &format!(
                    "M{} {}L{} {}A{radius} {radius} 0 {large} 1 {} {}Z",
                    px(x),
                    px(y),
                    px(from.0),
                    px(from.1),
                    px(to.0),
                    px(to.1)
                ),
            );
        }
        let label = at(begun as f64 + count as f64 / 2.0, radius + 9.0);
        let anchor = if label.0 < x - 2.0 {
            Anchor::End
        } else {
            Anchor::Start
        };
        let said = format!("{count} {name}");
        canvas.text(Ink::Label, (label.0, label.1 + 4.0), anchor, &said);
        begun += count;
    }
    // Slices meet in lines of the paper's colour.
    let mut begun = 0;
    for &(count, ..) in slices {
        begun += count;
        if count > 0 && count < total {
            let (sin, cos) = (TAU * begun as f64 / total as f64).sin_cos();
            let rim = (x + radius * sin, y - radius * cos);
            canvas.line(Ink::Paper, (x, y), rim);
        }
    }
}
