//! How a score is distributed over sites: the share of sites at or below each value.

use super::super::numbers;
use super::canvas::{Anchor, Canvas, Figure, px};
use super::ink::Ink;
use super::scale::Scale;

/// One curve.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    pub(crate) ink: Ink,
    /// The score of each site at which it is defined.
    pub(crate) values: Vec<f64>,
}

/// Cumulative distributions of a score whose best value is 1. Values below -1 are not drawn but counted: one site of
/// -30 would leave no room for all others.
pub(crate) fn distribution(name: &str, score: &str, curves: &[Curve]) -> Figure {
    const LOWEST: f64 = -1.0;
    let curves: Vec<&Curve> = curves
        .iter()
        .filter(|curve| !curve.values.is_empty())
        .collect();
    let mut canvas = Canvas::new(470.0, 368.0);
    let (left, right, top, bottom) = (44.0, canvas.width - 12.0, 52.0, canvas.height - 90.0);
    let x = Scale::new((LOWEST, 1.0), (left, right));
    let y = Scale::new((0.0, 100.0), (bottom, top));

    let shares: Vec<(f64, String)> = y
        .ticks(5)
        .into_iter()
        .map(|(value, label)| (value, format!("{label} %")))
        .collect();
    y.rows(&mut canvas, &shares, (left, right));
    x.columns(&mut canvas, &x.ticks(4), (top, bottom));
    canvas.line(Ink::Axis, (x.at(0.0), top), (x.at(0.0), bottom));
    canvas.line(Ink::Axis, (left, bottom), (right, bottom));
    canvas.text(
        Ink::Label,
        (f64::midpoint(left, right), bottom + 33.0),
        Anchor::Middle,
        score,
    );
    canvas.text(
        Ink::Muted,
        (4.0, top - 12.0),
        Anchor::Start,
        "share of sites at or below",
    );

    let mut described = Vec::new();
    let mut tails = Vec::new();
    for curve in &curves {
        let mut sorted = curve.values.clone();
        sorted.sort_by(f64::total_cmp);
        let below = sorted.iter().filter(|&&value| value < LOWEST).count();
        let share = |count: usize| 100.0 * count as f64 / sorted.len() as f64;
        let mut path = format!("M{} {}", px(left), px(y.at(share(below))));
        for (rank, &value) in sorted.iter().enumerate().skip(below) {
            let (x, y) = (px(x.clamped(value)), px(y.at(share(rank + 1))));
            path.push_str(&format!("H{x}V{y}"));
        }
        path.push_str(&format!("H{}", px(right)));
        canvas.path(curve.ink, &path);
        let sites = numbers::counted(sorted.len(), "site");
        described.push(format!("{}, {sites}", curve.name));
        if below > 0 {
            let (lowest, of) = (numbers::number(sorted[0], 1), sorted.len());
            tails.push(format!(
                "{}: {below} of {of} below −1, lowest {lowest}",
                curve.name
            ));
        }
    }
    for (place, tail) in tails.iter().enumerate() {
        let y = bottom + 53.0 + 15.0 * place as f64;
        canvas.text(Ink::Muted, (left, y), Anchor::Start, tail);
    }
    described.append(&mut tails);
    let key: Vec<(Ink, String)> = curves
        .iter()
        .map(|curve| (curve.ink, curve.name.to_owned()))
        .collect();
    canvas.key((4.0, 16.0), &key);
    let title = format!("Distribution of {score} over sites");
    canvas.finish(name, &title, &format!("{}.", described.join("; ")))
}
