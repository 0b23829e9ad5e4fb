//! What each axis of the grid does to the score of the search: small panels with one scale.

use efflux_analysis::statistics::{Fences, range};

use super::super::grid::Axis;
use super::super::numbers;
use super::canvas::{Anchor, Canvas, Figure, shortened};
use super::ink::Ink;
use super::scale::Scale;

/// A panel an axis, of which there is one at least. `score` names what is drawn.
pub(crate) fn axes(axes: &[Axis], score: &str) -> Figure {
    let mut canvas = Canvas::new(800.0, 330.0);
    let (top, bottom) = (52.0, canvas.height - 48.0);
    let y = Scale::nice(limits(axes), (bottom, top), 5);
    // Two axes of three values each look better side by side than drawn out over the page.
    let width = ((canvas.width - 20.0) / axes.len().max(1) as f64).min(390.0);
    let mut described = Vec::new();
    for (place, axis) in axes.iter().enumerate() {
        let left = place as f64 * width + 54.0;
        let right = (place + 1) as f64 * width;
        y.rows(&mut canvas, &y.ticks(5), (left, right));
        canvas.line(Ink::Axis, (left, bottom), (right, bottom));
        let middle = f64::midpoint(left, right);
        canvas.text(
            Ink::Label,
            (middle, bottom + 36.0),
            Anchor::Middle,
            axis.name,
        );
        let step = (right - left) / axis.values.len() as f64;
        let x = |level: usize| left + (level as f64 + 0.5) * step;
        for (level, value) in axis.values.iter().enumerate() {
            let value = shortened(value, step);
            canvas.text(
                Ink::Label,
                (x(level), bottom + 16.0),
                Anchor::Middle,
                &value,
            );
            draw_level(
                &mut canvas,
                &y,
                axis,
                level,
                (x(level), (0.36 * step).min(44.0)),
            );
        }
        let means = axis.effect.as_ref().map_or_else(
            |reason| format!("not defined: {reason}"),
            |effect| {
                let levels = axis.values.iter().zip(&effect.levels);
                let said = levels
                    .map(|(value, level)| format!("{value}: {}", numbers::number(level.mean, 3)));
                said.collect::<Vec<String>>().join(", ")
            },
        );
        described.push(format!("{} ({means})", axis.name));
    }
    canvas.text(Ink::Muted, (4.0, top - 14.0), Anchor::Start, score);
    let entries = [
        (Ink::Simulated, "mean over the other axes".to_owned()),
        (Ink::Band, "one standard deviation between seeds".to_owned()),
        (Ink::Seed, "a configuration, mean of its seeds".to_owned()),
    ];
    canvas.key((4.0, 16.0), &entries);
    let description = format!("{score} by axis: {}.", described.join("; "));
    canvas.finish("axes", "What each axis of the grid does", &description)
}

/// The seed spread, the configurations side by side and their mean, around `x` and `half` to each side of it.
fn draw_level(canvas: &mut Canvas, y: &Scale, axis: &Axis, level: usize, (x, half): (f64, f64)) {
    let effect = axis
        .effect
        .as_ref()
        .ok()
        .map(|effect| &effect.levels[level]);
    if let Some((mean, spread)) =
        effect.and_then(|found| Some((found.mean, found.seed_spread.ok()?)))
    {
        let (head, foot) = (y.clamped(mean + spread), y.clamped(mean - spread));
        canvas.rect(Ink::Band, (x - half, head), 2.0 * half, foot - head);
    }
    let here = axis.configurations.iter().filter(|(one, _)| *one == level);
    let here: Vec<f64> = here.map(|(_, mean)| *mean).collect();
    for (place, &mean) in here.iter().enumerate() {
        let along = (place as f64 + 0.5) / here.len() as f64 * 2.0 - 1.0;
        canvas.circle(Ink::Seed, (x + 0.8 * half * along, y.clamped(mean)), 3.4);
    }
    if let Some(found) = effect {
        let at = y.clamped(found.mean);
        canvas.line(Ink::Simulated, (x - half, at), (x + half, at));
    }
}

/// The values to draw; configurations beyond the lower fence lie on the edge, for they would leave no room for the others.
fn limits(axes: &[Axis]) -> (f64, f64) {
    let means = axes.iter().flat_map(|axis| &axis.configurations);
    let means: Vec<f64> = means.map(|(_, mean)| *mean).collect();
    let low = Fences::new(&means).map_or(f64::NEG_INFINITY, |fences| fences.low);
    let configurations = means.into_iter().filter(|mean| *mean >= low);
    let effects = axes.iter().filter_map(|axis| axis.effect.as_ref().ok());
    let levels = effects.flat_map(|effect| &effect.levels);
    let spreads = levels.flat_map(|level| {
        let spread = level.seed_spread.unwrap_or(0.0);
        [level.mean - spread, level.mean + spread]
    });
    range(&configurations.chain(spreads).collect::<Vec<f64>>()).unwrap_or((0.0, 1.0))
}
