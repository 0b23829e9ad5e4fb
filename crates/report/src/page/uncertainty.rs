//! How sure the ensemble is, for people.

use efflux_analysis::{Defined, Undefined};
use efflux_data::Target;
use efflux_job::Part as RecordPart;

use crate::Findings;
use crate::cell::p_value;
use crate::figures::{Chart, Figure, Ink, Layer, Shape};
use crate::markup::{Html, html};
use crate::numbers;
use crate::section::{Drawing, Frame, Part, Section};
use crate::table::{Column, Table};
use crate::tables;
use crate::uncertainty::{Coverage, HEADLINE, Interval, SiteSpread, Size, Uncertainty};

/// What intervals from forecasts are, if they are calibrated on the ensemble's own or on the process's.
fn from_forecasts(of_ensemble: bool) -> String {
    let forecasts = if of_ensemble {
        "the ensemble’s forecasts of the validation days, by networks of the search and by the other members as they are without \
         these days"
    } else {
        "the process’s forecasts from the first three quarters of what was observed before the test part, of the last quarter"
    };
    format!(
        " Intervals from forecasts are, in asinh units, the ensemble mean plus and minus the standard deviation that the pooled \
         process has itself, times a factor that holds the level of {forecasts}. No test day has a part in them."
    )
}

pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let uncertainty = &findings.uncertainty;
    let forecast = findings.results.forecast;
    let from_forecasts = forecast.map(|of| from_forecasts(of.of_ensemble));
    let target = findings.results.target;
    let figures: [fn(&Uncertainty, &Target) -> Figure; 4] = [
        |of, _| coverage(of),
        spread_error,
        |of, _| ranks(of),
        |of, _| sizes(of),
    ];
    let figures = figures.into_iter().map(|draw| {
        let figure = move || draw(uncertainty, target);
        Part::figure(move || Drawing::new("Uncertainty", figure(), Html::default()))
    });
    // None without members that can disagree.
    let figures = figures.filter(|_| findings.results.members.len() >= 2);
    Section {
        id: "uncertainty",
        title: "Uncertainty",
        frame: Frame::Named("Uncertainty"),
        lead: Html::default(),
        parts: vec![
            Part::table(intervals(uncertainty, target)),
            Part::caption(html!(
                "Raw intervals are quantiles over the members, which differ by their seed alone; a level \
                 takes at least 2 / (1 − level) members. Calibrated ones are the mean plus and minus the spread times a factor \
                 that holds the level on the validation days (split conformal, by land cover where it has 200 such days). They \
                 hold it on the test days as far as these are like the validation days: they come later, and the level of a \
                 site may have moved.{}",
                from_forecasts.unwrap_or_default()
            )),
            Part::table(tables::uncertainty::by_lead(uncertainty)),
            Part::table(scores(uncertainty, target)),
            Part::Beside(figures.collect()),
            Part::caption(html!(
                "Points above the dotted line of the second figure are \
                 days with larger errors than the members’ disagreement: seeds share what the model and its inputs lack. A \
                 rank histogram is flat for a perfect ensemble and a valley where members agree too much."
            )),
            luck(uncertainty),
            annual(findings),
            Part::table(tables::uncertainty::intervals(uncertainty)),
            Part::table(tables::uncertainty::sites(findings)),
            Part::table(tables::uncertainty::ranks(uncertainty)),
            Part::table(tables::uncertainty::spread_error(uncertainty)),
            Part::table(tables::uncertainty::sizes(uncertainty)),
        ],
    }
}

fn intervals<'a>(uncertainty: &'a Uncertainty, target: &Target) -> Table<'a, &'a Interval> {
    fn inside(found: Defined<Coverage>) -> Defined {
        found.map(|found| 100.0 * found.share)
    }
    fn width(found: Defined<Coverage>) -> Defined {
        found.map(|found| found.width)
    }
    let mut columns = vec![
        Column::text("level", "interval", |row: &&Interval| {
            format!("{} %", numbers::number(100.0 * row.level, 0))
        }),
        Column::number("", "raw: inside, %", 1, |row: &&Interval| inside(row.raw)),
        Column::number("", "raw: width", 2, |row: &&Interval| width(row.raw)),
        Column::number("", "calibrated: inside, %", 1, |row: &&Interval| {
            inside(row.calibrated)
        }),
        Column::number("", "calibrated: width", 2, |row: &&Interval| {
            width(row.calibrated)
        }),
    ];
    let is_forecast = uncertainty
        .intervals
        .iter()
        .any(|row| row.forecast.is_some());
    let forecast = |row: &&Interval| match row.forecast {
        Some((found, _)) => found,
        None => Err(Undefined::Missing("forecasts")),
    };
    if is_forecast {
        columns.extend([
            Column::number("", "from forecasts: inside, %", 1, move |row| {
                inside(forecast(row))
            }),
            Column::number("", "from forecasts: width", 2, move |row| {
                width(forecast(row))
            }),
            Column::number("", "from forecasts: median width", 2, move |row| {
                forecast(row).map(|found| found.median_width)
            }),
        ]);
    }
    let title = format!(
        "Intervals for the {} of a day, on the test days of all sites; widths in {}",
        target.name(),
        target.unit()
    );
    Table::page(title, columns, uncertainty.intervals.iter().collect())
}

/// One row: what the ensemble is on the test part.
fn scores<'a>(uncertainty: &'a Uncertainty, target: &Target) -> Table<'a, ()> {
    let median = |label, of: fn(&SiteSpread) -> f64| {
        Column::number("", label, 3, move |(): &()| uncertainty.over_sites(of))
    };
    let mut columns = vec![
        Column::text("", "medians over sites", |(): &()| "ensemble, test part"),
        median("spread", |site| site.spread),
        median("RMSE", |site| site.rmse),
        median("MAE", |site| site.mae),
        median("CRPS", |site| site.crps),
        median("CRPS, fair", |site| site.crps_fair),
    ];
    if let Some(found) = uncertainty.crps_forecast() {
        let label = "CRPS of the distribution from forecasts";
        columns.push(Column::number("", label, 3, move |(): &()| found));
    }
    let title = format!(
        "The ensemble as a distribution, in {}; for one member the CRPS is the MAE",
        target.unit()
    );
    Table::page(title, columns, vec![()])
}

/// Sums of carbon, which soil efflux alone is known to be.
fn annual<'a>(findings: &'a Findings<'_>) -> Part<'a> {
    let target = findings.results.target;
    match target.is_soil_efflux() {
        true => Part::Folded(
            "Annual sums",
            vec![Part::table(tables::uncertainty::years(findings))],
        ),
        false => Part::caption(html!(
            "No annual sums: they are of carbon that leaves the soil, which {} in {} is not known to be.",
            target.long_name(),
            target.unit()
        )),
    }
}

fn luck(uncertainty: &Uncertainty) -> Part<'_> {
    let said = match uncertainty.luck {
        Err(reason) => format!("not defined: {reason}"),
        Ok(found) => {
            let p = match found.p {
                p if p < 0.0001 => format!("p {}", p_value(p)),
                p => format!("p = {}", p_value(p)),
            };
            format!(
                "the standard deviation between seeds of one configuration is {}, between configurations beyond that {} \
                 (F = {}, {p})",
                numbers::number(found.within.sqrt(), 3),
                numbers::number(found.between.sqrt(), 3),
                numbers::number(found.f, 2),
            )
        }
    };
    Part::Text(html!(
        "<p>Is the best configuration better than luck? In the score of the search, {}.</p>\n",
        said
    ))
}

/// The calibrated interval of the headline: its level is the one that reports quote.
pub(super) fn headline(uncertainty: &Uncertainty) -> Option<Html> {
    let interval = uncertainty
        .intervals
        .iter()
        .find(|interval| interval.level == HEADLINE)?;
    let forecast = interval.forecast.and_then(|(found, _)| found.ok());
    let found = forecast.or(interval.calibrated.ok())?;
    Some(html!(
        " Calibrated 90 % intervals hold {} % of the {} days.",
        numbers::number(100.0 * found.share, 0),
        RecordPart::Test.name()
    ))
}

/// How many test days the intervals hold.
fn coverage(uncertainty: &Uncertainty) -> Figure {
    let covered = |of: fn(&Interval) -> Option<f64>| -> Vec<(f64, f64)> {
        let found = uncertainty.intervals.iter();
        found
            .filter_map(|interval| Some((100.0 * interval.level, 100.0 * of(interval)?)))
            .collect()
    };
    let calibrated = covered(|interval| Some(interval.calibrated.ok()?.share));
    let raw = covered(|interval| Some(interval.raw.ok()?.share));
    let forecast = covered(|interval| Some(interval.forecast?.0.ok()?.share));
    Chart {
        x: "level of the interval, %".into(),
        y: "test days inside, %".into(),
        limits: Some((0.0, 100.0)),
        layers: [
            Layer::new(
                "as asked for",
                Ink::Baseline,
                Shape::Line,
                vec![(50.0, 50.0), (95.0, 95.0)],
            ),
            Layer::new("calibrated", Ink::Good, Shape::Points, calibrated),
            Layer::new("raw", Ink::Poor, Shape::Points, raw),
            Layer::new("from forecasts", Ink::Simulated, Shape::Points, forecast),
        ]
        .into_iter()
        // The table says why there are none of a kind.
        .filter(|layer| !layer.values.is_empty())
        .collect(),
        ..Chart::default()
    }
    .draw("coverage", "Share of test days inside intervals")
}

/// Whether days on which members differ have larger errors.
fn spread_error(uncertainty: &Uncertainty, target: &Target) -> Figure {
    let unit = target.unit();
    let pairs: Vec<(f64, f64)> = uncertainty
        .spread_error
        .iter()
        .map(|group| (group.spread, group.rmse))
        .collect();
    let longest = pairs.iter().map(|(spread, _)| *spread).fold(0.0, f64::max);
    Chart {
        x: format!("spread of the members ({unit})").into(),
        y: format!("root mean squared error ({unit})").into(),
        layers: vec![
            Layer::new(
                "as large as the spread",
                Ink::Baseline,
                Shape::Line,
                vec![(0.0, 0.0), (longest, longest)],
            ),
            Layer::new("tenths of the test days", Ink::Good, Shape::Points, pairs),
        ],
        ..Chart::default()
    }
    .draw("spread-error", "Error against spread")
}

fn ranks(uncertainty: &Uncertainty) -> Figure {
    let bars = uncertainty.ranks.iter().enumerate();
    Chart {
        x: "members below the observation".into(),
        y: "test days".into(),
        layers: vec![Layer::new(
            "",
            Ink::Fair,
            Shape::Bars,
            bars.map(|(rank, days)| (rank as f64, *days)).collect(),
        )],
        ..Chart::default()
    }
    .draw("ranks", "Rank of the observation among the members")
}

/// What more members bring.
fn sizes(uncertainty: &Uncertainty) -> Figure {
    let size = |of: &dyn Fn(&Size) -> Defined| -> Vec<(f64, f64)> {
        let sizes = uncertainty.sizes.iter();
        sizes
            .filter_map(|size| Some((size.members as f64, of(size).ok()?)))
            .collect()
    };
    let low = size(&|size| size.range.map(|(low, _)| low));
    let high = size(&|size| size.range.map(|(_, high)| high));
    Chart {
        x: "members".into(),
        y: "median test NSE".into(),
        names: uncertainty
            .sizes
            .iter()
            .step_by(uncertainty.sizes.len().div_ceil(10).max(1))
            .map(|size| (size.members as f64, size.members.to_string()))
            .collect(),
        layers: vec![
            Layer::new(
                "mean over choices of members",
                Ink::Simulated,
                Shape::Line,
                size(&|size| size.nse),
            ),
            Layer::new("lowest, highest", Ink::Baseline, Shape::Line, low),
            Layer::new("", Ink::Baseline, Shape::Line, high),
        ],
        ..Chart::default()
    }
    .draw("ensemble-size", "Skill against the number of members")
}
