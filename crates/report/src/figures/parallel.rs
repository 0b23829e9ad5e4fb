//! Configurations as lines: through the values of each axis to the score.

use efflux_analysis::statistics::{Fences, range};
use efflux_job::Key;
use efflux_run::{Candidate, Choice};

use super::super::grid::{name, values};
use super::canvas::{Anchor, Canvas, Figure, px, shortened};
use super::ink::Ink;
use super::scale::Scale;

/// More lines than this are a blot: of more configurations every so many are drawn, the best among them.
const LINES: usize = 400;

/// Values that an axis names; one with more is drawn as numbers.
const NAMED: usize = 12;

const TOP: f64 = 44.0;
const HEIGHT: f64 = 380.0;

/// Where the values of a key lie on its axis.
enum Axis {
    /// Equally spaced, each with its name.
    Named(Vec<String>),
    /// As numbers lie.
    Numbers(Scale),
}

impl Axis {
    fn of(key: Key, choice: &Choice, pixels: (f64, f64)) -> Self {
        let known = values(key, &choice.candidates);
        let numbers = choice
            .candidates
            .iter()
            .filter_map(|one| one.params.number(key));
        let numbers: Vec<f64> = numbers.collect();
        match range(&numbers) {
            Ok(limits) if known.len() > NAMED => Self::Numbers(Scale::nice(limits, pixels, 5)),
            _ => Self::Named(known),
        }
    }

    fn at(&self, key: Key, candidate: &Candidate, (bottom, top): (f64, f64)) -> f64 {
        match self {
            Self::Numbers(scale) => candidate
                .params
                .number(key)
                .map_or(bottom, |value| scale.clamped(value)),
            Self::Named(known) => {
                let value = candidate.params.text(key);
                let place = known.iter().position(|one| *one == value).unwrap_or(0);
                bottom + (place as f64 + 0.5) / known.len() as f64 * (top - bottom)
            }
        }
    }
}

pub(crate) fn parallel(choice: &Choice, score: &str) -> Figure {
    let ranked = choice.ranked();
    let ranked: Vec<&Candidate> = ranked
        .into_iter()
        .filter(|one| one.mean.is_some())
        .collect();
    let strong = ranked.len().div_ceil(10);
    let keys: Vec<Key> = choice
        .keys()
        .filter(|key| values(*key, &choice.candidates).len() > 1)
        .collect();
    let mut canvas = Canvas::new(800.0, HEIGHT);
    let pixels = (HEIGHT - 52.0, TOP);
    let step = (canvas.width - 150.0) / keys.len().max(1) as f64;
    let x = |place: usize| 60.0 + place as f64 * step;
    let axes: Vec<Axis> = keys
        .iter()
        .map(|key| Axis::of(*key, choice, pixels))
        .collect();
    let means: Vec<f64> = ranked.iter().filter_map(|one| one.mean).collect();
    let low = Fences::new(&means).map_or(f64::NEG_INFINITY, |fences| fences.low);
    let kept: Vec<f64> = means.into_iter().filter(|mean| *mean >= low).collect();
    let y = Scale::nice(range(&kept).unwrap_or((0.0, 1.0)), pixels, 5);

    let every = ranked.len().div_ceil(LINES).max(1);
    let drawn = ranked
        .iter()
        .enumerate()
        .filter(|(place, _)| place % every == 0);
    // The best come last, over the others.
    let drawn: Vec<(usize, &&Candidate)> = drawn.collect();
    for (place, candidate) in drawn.iter().rev() {
        let ink = if *place < strong {
            Ink::Simulated
        } else {
            Ink::Axis
        };
        let points = keys.iter().zip(&axes).enumerate();
        let points = points.map(|(at, (key, axis))| (x(at), axis.at(*key, candidate, pixels)));
        let end = candidate.mean.map(|mean| (x(keys.len()), y.clamped(mean)));
        let points: Vec<String> = points
            .chain(end)
            .map(|(x, y)| format!("{} {}", px(x), px(y)))
            .collect();
        canvas.path(ink, &format!("M{}", points.join("L")));
    }
    for (place, (key, axis)) in keys.iter().zip(&axes).enumerate() {
        canvas.line(Ink::Axis, (x(place), pixels.0), (x(place), pixels.1));
        // Names of neighbours are written on two lines in turn.
        let line = if place % 2 == 0 { 18.0 } else { 34.0 };
        canvas.text(
            Ink::Label,
            (x(place), pixels.0 + line),
            Anchor::Middle,
            name(*key),
        );
        let labels: Vec<(f64, String)> = match axis {
            Axis::Numbers(scale) => {
                let ticks = scale.ticks(5).into_iter();
                ticks
                    .map(|(value, label)| (scale.at(value), label))
                    .collect()
            }
            Axis::Named(known) => {
                let at = |place: usize| {
                    pixels.0 + (place as f64 + 0.5) / known.len() as f64 * (pixels.1 - pixels.0)
                };
                known
                    .iter()
                    .enumerate()
                    .map(|(place, value)| (at(place), value.clone()))
                    .collect()
            }
        };
        for (at, label) in labels {
            let label = shortened(&label, step - 12.0);
            // Above the lines that go through the value.
            canvas.text(
                Ink::Muted,
                (x(place) + 5.0, at - 6.0),
                Anchor::Start,
                &label,
            );
        }
    }
    let right = x(keys.len());
    canvas.line(Ink::Axis, (right, pixels.0), (right, pixels.1));
    for (value, label) in y.ticks(5) {
        canvas.text(
            Ink::Muted,
            (right + 6.0, y.at(value) + 4.0),
            Anchor::Start,
            &label,
        );
    }
    canvas.text(Ink::Label, (canvas.width - 4.0, 18.0), Anchor::End, score);
    let entries = [
        (Ink::Simulated, "best tenth".to_owned()),
        (Ink::Axis, "other configurations".to_owned()),
    ];
    canvas.key((4.0, 18.0), &entries);
    let names: Vec<&str> = keys.iter().map(|key| name(*key)).collect();
    let description = format!(
        "{} of {} configurations as lines through {} to {score}; the best: {}.",
        drawn.len(),
        ranked.len(),
        names.join(", "),
        ranked
            .first()
            .map_or("none".to_owned(), |best| best.params.to_string())
    );
    canvas.finish(
        "parallel",
        &format!("Configurations: {score}"),
        &description,
    )
}
