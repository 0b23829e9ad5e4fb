//! Observed and simulated flux of a site over its record, with the spread of the ensemble.

use std::fmt::Write;

use efflux_analysis::ensemble;
use efflux_analysis::measures::Measure;
use efflux_analysis::statistics::range;
use efflux_data::{HELD, INTERPOLATED};
use efflux_job::Part;

use super::super::chosen::Chosen;
use super::super::evaluation::{Evaluation, Series, members_on};
use super::super::filled;
use super::super::numbers;
use super::super::results::Results;
use super::canvas::{Anchor, Canvas, Figure, px};
use super::ink::Ink;
use super::scale::{Scale, months};

/// Height of the strip above the axis that marks days with inputs that were not measured, pixels.
const STRIP: f64 = 4.0;

/// The widest interval that this many members resolve; none if only their range is left, or nothing.
fn band_level(members: usize) -> Option<f64> {
    [0.9, 0.8, 0.5]
        .into_iter()
        .find(|&level| ensemble::members_needed(level) <= members)
}

/// What the band of a figure shows.
pub(crate) fn band_label(members: usize) -> Option<String> {
    match band_level(members) {
        Some(level) => Some(format!(
            "middle {:.0} % of {members} members",
            100.0 * level
        )),
        None if members > 1 => Some(format!("range of {members} members")),
        None => None,
    }
}

pub(crate) fn series(results: &Results<'_>, evaluation: &Evaluation, chosen: &Chosen) -> Figure {
    let index = chosen.site;
    let (site, observed) = (&results.sites[index], results.observed(index));
    let (first, last) = span(observed);
    let days = first..=last;
    let bands: Vec<Option<(f64, f64)>> =
        days.clone().map(|day| band(results, index, day)).collect();
    let mean = &evaluation.mean[index];

    let mut canvas = Canvas::new(960.0, 262.0);
    let (left, right, top, bottom) = (44.0, canvas.width - 10.0, 62.0, canvas.height - 26.0);
    let x = Scale::new((first as f64, last as f64), (left, right));
    let at_day = |day: usize| x.clamped(day as f64);
    let drawn = days
        .clone()
        .flat_map(|day| [f64::from(observed[day]), mean[day]]);
    let drawn = drawn.chain(bands.iter().flatten().flat_map(|&(low, high)| [low, high]));
    let finite: Vec<f64> = drawn.filter(|value| value.is_finite()).collect();
    let (low, high) = range(&finite).unwrap_or((0.0, 1.0));
    let y = Scale::nice((low.min(0.0), high), (bottom, top), 5);

    for (part, ink) in [(Part::Validation, Ink::Validation), (Part::Test, Ink::Test)] {
        for days in results.parts.stretches(index, part) {
            canvas.rect(
                ink,
                (at_day(days.start), top),
                at_day(days.end) - at_day(days.start),
                bottom - top,
            );
        }
    }
    y.rows(&mut canvas, &y.ticks(5), (left, right));
    canvas.line(Ink::Axis, (left, bottom), (right, bottom));
    for (day, label) in months(results.start, (first, last), 8) {
        canvas.line(
            Ink::Axis,
            (at_day(day), bottom),
            (at_day(day), bottom + 4.0),
        );
        // A label that would be cut off at the edge is left out; its tick stays.
        if at_day(day) < right - 24.0 {
            let at = (at_day(day), bottom + 17.0);
            canvas.text(Ink::Label, at, Anchor::Middle, &label);
        }
    }
    // Validation ends where the test part begins: its name grows to the left, the other's to the right.
    for part in Part::ALL {
        let days = results.parts.span(index, part);
        if days.is_empty() {
            continue;
        }
        let (at, anchor) = if part == Part::Validation {
            (at_day(days.end) - 4.0, Anchor::End)
        } else {
            (at_day(days.start) + 4.0, Anchor::Start)
        };
        canvas.text(Ink::Muted, (at, top - 5.0), anchor, part.name());
    }

    canvas.path(Ink::Band, &band_path(&bands, first, &at_day, &y));
    canvas.path(Ink::Observed, &dots(observed, first, last, &at_day, &y));
    canvas.path(Ink::Simulated, &line(mean, first, last, &at_day, &y));

    let scores = &evaluation.scores(Series::Ensemble, Part::Test)[index];
    let scored = numbers::scores(Measure::efficiencies(), |measure| scores[measure]);
    let title = format!("{} · {} · test {scored}", site.name, site.igbp);
    canvas.text(Ink::Strong, (4.0, 16.0), Anchor::Start, &title);
    canvas.text(
        Ink::Muted,
        (4.0, 36.0),
        Anchor::Start,
        &results.target.unit(),
    );
    let mut key = vec![
        (Ink::Observed, "observed".to_owned()),
        (Ink::Simulated, "ensemble mean".to_owned()),
    ];
    key.extend(band_label(results.members.len()).map(|label| (Ink::Band, label)));
    for (flag, ink, label) in [
        (INTERPOLATED, Ink::Interpolated, "an input interpolated"),
        (HELD, Ink::Held, "an input held"),
    ] {
        let stretches = filled::stretches(results, index, &(first..last + 1), flag);
        for days in &stretches {
            let (from, to) = (at_day(days.start), at_day(days.end));
            canvas.rect(ink, (from, bottom - STRIP), to - from, STRIP);
        }
        if !stretches.is_empty() {
            key.push((ink, label.to_owned()));
        }
    }
    canvas.key((110.0, 36.0), &key);

    let name = format!("series-{}", chosen.role);
    let title = format!(
        "Observed and simulated {} at {}, a {} site",
        results.target.long_name(),
        site.name,
        chosen.role
    );
    let description = format!(
        "{} to {}; {} train, {} validation and {} test days were observed. Test {scored}.",
        results.date(first).unwrap_or_default(),
        results.date(last).unwrap_or_default(),
        results.observed_days(index, Part::Train),
        results.observed_days(index, Part::Validation),
        results.observed_days(index, Part::Test),
    );
    canvas.finish(&name, &title, &description)
}

/// First and last day to draw: the record and a margin of a fortieth of it.
fn span(observed: &[f32]) -> (usize, usize) {
    let present = |value: &f32| value.is_finite();
    let first = observed.iter().position(present).unwrap_or(0);
    let last = observed
        .iter()
        .rposition(present)
        .unwrap_or(observed.len().saturating_sub(1));
    let margin = (last - first) / 40 + 5;
    (
        first.saturating_sub(margin),
        (last + margin).min(observed.len().saturating_sub(1)),
    )
}

/// The band on one day: none where the members do not give one.
fn band(results: &Results<'_>, site: usize, day: usize) -> Option<(f64, f64)> {
    let members = members_on(results, site, day);
    match band_level(members.len()) {
        Some(level) => ensemble::interval(&members, level).ok(),
        None if members.len() > 1 => range(&members)
            .ok()
            .filter(|(low, high)| low.is_finite() && high.is_finite()),
        None => None,
    }
}

/// A dot per observed day; missing days leave a gap.
fn dots(
    observed: &[f32],
    first: usize,
    last: usize,
    x: &impl Fn(usize) -> f64,
    y: &Scale,
) -> String {
    let mut path = String::new();
    for (day, &value) in observed.iter().enumerate().take(last + 1).skip(first) {
        if value.is_finite() {
            let _ = write!(path, "M{} {}h0", px(x(day)), px(y.at(f64::from(value))));
        }
    }
    path
}

/// A line through the days on which there is a value.
fn line(values: &[f64], first: usize, last: usize, x: &impl Fn(usize) -> f64, y: &Scale) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    for (day, &value) in values.iter().enumerate().take(last + 1).skip(first) {
        if value.is_finite() {
            let _ = write!(path, "{pen}{} {}", px(x(day)), px(y.at(value)));
            pen = 'L';
        } else {
            pen = 'M';
        }
    }
    path
}

/// The outline of each stretch of days that has a band: along the top, and back along the bottom.
fn band_path(
    bands: &[Option<(f64, f64)>],
    first: usize,
    x: &impl Fn(usize) -> f64,
    y: &Scale,
) -> String {
    let mut path = String::new();
    let mut day = first;
    for stretch in bands.split(Option::is_none) {
        let days: Vec<(usize, (f64, f64))> =
            stretch.iter().flatten().copied().enumerate().collect();
        if !days.is_empty() {
            let top = days.iter().map(|&(offset, (_, high))| (offset, high));
            let back = days.iter().rev().map(|&(offset, (low, _))| (offset, low));
            for (place, (offset, value)) in top.chain(back).enumerate() {
                let pen = if place == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{pen}{} {}", px(x(day + offset)), px(y.at(value)));
            }
            path.push('Z');
        }
        day += stretch.len() + 1;
    }
    path
}
