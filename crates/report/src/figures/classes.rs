//! How many sites are good, fair and poor: one bar per reading of the classes.

use super::super::evaluation::ClassCounts;
use super::canvas::{Anchor, Canvas, Figure};
use super::ink::Ink;

pub(crate) fn classes(text: ClassCounts, captions: ClassCounts) -> Figure {
    const LEFT: f64 = 150.0;
    const BAR: f64 = 22.0;
    let mut canvas = Canvas::new(640.0, 66.0);
    let right = canvas.width - 8.0;
    let mut described = Vec::new();
    for (row, (counts, label)) in [
        (text, "text’s thresholds"),
        (captions, "captions’ thresholds"),
    ]
    .iter()
    .enumerate()
    {
        let y = 4.0 + row as f64 * (BAR + 12.0);
        canvas.text(Ink::Label, (LEFT - 10.0, y + 15.0), Anchor::End, label);
        let segments = [
            (counts.good, Ink::Good, "good"),
            (counts.fair, Ink::Fair, "fair"),
            (counts.poor, Ink::Poor, "poor"),
            (counts.undefined, Ink::Unclassed, "not defined"),
        ];
        let total: usize = segments.iter().map(|(count, ..)| count).sum();
        let mut x = LEFT;
        for (count, ink, name) in segments {
            if count == 0 {
                continue;
            }
            let width = (right - LEFT) * count as f64 / total as f64;
            canvas.rect(ink, (x, y), width - 1.5, BAR);
            let label = format!("{count} {name}");
            // A label that does not fit is left to the table of classes and to the description.
            for label in [label.as_str(), &count.to_string()] {
                if 6.6 * label.chars().count() as f64 + 8.0 < width {
                    let ink = if ink == Ink::Good {
                        Ink::OnDark
                    } else {
                        Ink::OnLight
                    };
                    canvas.text(ink, (x + 7.0, y + 15.0), Anchor::Start, label);
                    break;
                }
            }
            x += width;
        }
        described.push(format!("By the {label}: {counts}."));
    }
    canvas.finish(
        "classes",
        "Performance classes of the ensemble mean on the test part",
        &described.join(" "),
    )
}
