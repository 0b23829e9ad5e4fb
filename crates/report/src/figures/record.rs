//! Which days of the calendar were observed.

use std::fmt::Write;

use super::super::numbers;
use super::super::record::Record;
use super::canvas::{Anchor, Canvas, Figure, px};
use super::ink::Ink;
use super::scale::Scale;

/// Above, the sites observed in each year; below, a line for each site, the first observed on top.
pub(crate) fn record(of: &Record) -> Figure {
    let (years, sites) = (&of.years, &of.sites);
    let days = years.last().map_or(1, |year| year.days.end);
    let pitch = (440.0 / sites.len().max(1) as f64).min(9.0);
    let (top, base) = (40.0, 130.0);
    let rows = base + 34.0;
    let bottom = rows + pitch * sites.len() as f64;
    let mut canvas = Canvas::new(960.0, bottom + 32.0);
    let (left, right) = (54.0, canvas.width - 14.0);
    let x = Scale::new((0.0, days as f64), (left, right));
    canvas.key(
        (110.0, 16.0),
        &[
            (Ink::Record, "observed, train and validation".to_owned()),
            (Ink::Judged, "observed, test".to_owned()),
        ],
    );

    canvas.begin_panel("years");
    let most = years.iter().map(|year| year.sites).max().unwrap_or(0);
    let y = Scale::nice((0.0, most.max(1) as f64), (base, top), 4);
    let whole = y.ticks(4).into_iter();
    let whole: Vec<(f64, String)> = whole.filter(|(value, _)| value.fract() == 0.0).collect();
    y.rows(&mut canvas, &whole, (left, right));
    canvas.text(Ink::Muted, (4.0, 16.0), Anchor::Start, "sites");
    for year in years.iter().filter(|year| year.sites > 0) {
        let (from, to) = (x.at(year.days.start as f64), x.at(year.days.end as f64));
        let gap = 0.12 * (to - from);
        let head = y.at(year.sites as f64);
        canvas.rect(
            Ink::Unclassed,
            (from + gap, head),
            to - from - 2.0 * gap,
            base - head,
        );
        let count = year.sites.to_string();
        canvas.text(
            Ink::Label,
            (f64::midpoint(from, to), head - 4.0),
            Anchor::Middle,
            &count,
        );
    }
    canvas.line(Ink::Axis, (left, base), (right, base));
    canvas.end_panel();

    canvas.begin_panel("sites");
    let said = "a line for each site, by its first observed day";
    canvas.text(Ink::Muted, (left, rows - 8.0), Anchor::Start, said);
    let mut paths = [String::new(), String::new()];
    for (place, site) in sites.iter().enumerate() {
        let from = rows + pitch * (place as f64 + 0.1);
        for (path, stretches) in paths.iter_mut().zip([&site.fitted, &site.judged]) {
            for stretch in stretches {
                let (a, b) = (x.at(stretch.start as f64), x.at(stretch.end as f64));
                let (width, height) = (px((b - a).max(0.8)), px(0.8 * pitch));
                let _ = write!(path, "M{} {}h{width}v{height}h-{width}Z", px(a), px(from));
            }
        }
    }
    canvas.path(Ink::Record, &paths[0]);
    canvas.path(Ink::Judged, &paths[1]);
    canvas.line(Ink::Axis, (left, bottom + 2.0), (right, bottom + 2.0));
    let step = years.len().div_ceil(18).max(1);
    for (place, year) in years.iter().enumerate() {
        let at = x.at(year.days.start as f64);
        canvas.line(Ink::Grid, (at, rows), (at, bottom + 2.0));
        // A year of which the calendar has little has no room for its name.
        let width = x.at(year.days.end as f64) - at;
        if place % step == 0 && width > 30.0 {
            let middle = (at + width / 2.0, bottom + 17.0);
            canvas.text(Ink::Label, middle, Anchor::Middle, &year.year.to_string());
        }
    }
    canvas.end_panel();
    let counted: Vec<String> = years
        .iter()
        .map(|year| format!("{} {}", year.year, year.sites))
        .collect();
    canvas.finish(
        "record",
        "When the sites were observed",
        &format!(
            "Sites with an observed day in each year: {}. Below, the days of {}.",
            counted.join(", "),
            numbers::counted(sites.len(), "site")
        ),
    )
}
