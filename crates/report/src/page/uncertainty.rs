//! How sure the ensemble is, for people.

use efflux_analysis::Defined;
use efflux_job::Part;

use super::Figures;
use super::html::{self, Cell, defined, details, figure, number_column, table, text, words_column};
use crate::figures::{Chart, Figure, Ink, Layer, Shape};
use crate::results::Results;
use crate::uncertainty::{Interval, SiteSpread, Uncertainty, Year};
use crate::words::{self, UNIT};

/// The drawings of this section; none without members that can disagree.
pub(super) fn figures(results: &Results<'_>, uncertainty: &Uncertainty) -> Vec<Figure> {
    if results.members.len() < 2 {
        return Vec::new();
    }
    let covered = |of: fn(&Interval) -> Option<f64>| -> Vec<(f64, f64)> {
        let found = uncertainty.intervals.iter();
        found
            .filter_map(|interval| Some((100.0 * interval.level, 100.0 * of(interval)?)))
            .collect()
    };
    let calibrated = covered(|interval| Some(interval.calibrated.ok()?.share));
    let raw = covered(|interval| Some(interval.raw.ok()?.share));
    let coverage = Chart {
        x: "level of the interval, %",
        y: "test days inside, %",
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
        ]
        .into_iter()
        // The table says why there are none of a kind.
        .filter(|layer| !layer.values.is_empty())
        .collect(),
        ..Chart::default()
    };
    let pairs: Vec<(f64, f64)> = uncertainty
        .spread_error
        .iter()
        .map(|group| (group.spread, group.rmse))
        .collect();
    let longest = pairs.iter().map(|(spread, _)| *spread).fold(0.0, f64::max);
    let spread = Chart {
        x: "spread of the members (µmol m⁻² s⁻¹)",
        y: "root mean squared error (µmol m⁻² s⁻¹)",
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
    };
    let bars = uncertainty.ranks.iter().enumerate();
    let ranks = Chart {
        x: "members below the observation",
        y: "test days",
        layers: vec![Layer::new(
            "",
            Ink::Fair,
            Shape::Bars,
            bars.map(|(rank, days)| (rank as f64, *days as f64))
                .collect(),
        )],
        ..Chart::default()
    };
    let size = |of: &dyn Fn(&crate::uncertainty::Size) -> Defined| -> Vec<(f64, f64)> {
        let sizes = uncertainty.sizes.iter();
        sizes
            .filter_map(|size| Some((size.members as f64, of(size).ok()?)))
            .collect()
    };
    let low = size(&|size| size.range.map(|(low, _)| low));
    let high = size(&|size| size.range.map(|(_, high)| high));
    let sizes = Chart {
        x: "members",
        y: "median test NSE",
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
    };
    vec![
        coverage.draw("coverage", "Share of test days inside intervals"),
        spread.draw("spread-error", "Error against spread"),
        ranks.draw("ranks", "Rank of the observation among the members"),
        sizes.draw("ensemble-size", "Skill against the number of members"),
    ]
}

pub(super) fn section(
    results: &Results<'_>,
    uncertainty: &Uncertainty,
    figures: &Figures,
) -> String {
    let drawn: Vec<String> = figures
        .uncertainty
        .iter()
        .map(|drawing| figure(&drawing.svg, ""))
        .collect();
    let content = format!(
        "{}{}<div class=\"pair\">{}</div>\n<p class=\"caption\">Points above the dotted line of the second figure are \
         days with larger errors than the members’ disagreement: seeds share what the model and its inputs lack. A \
         rank histogram is flat for a perfect ensemble and a valley where members agree too much.</p>\n{}{}",
        intervals(uncertainty),
        scores(uncertainty),
        drawn.concat(),
        luck(uncertainty),
        annual(results, uncertainty),
    );
    html::section("uncertainty", "Uncertainty", &content)
}

fn intervals(uncertainty: &Uncertainty) -> String {
    let mut columns = vec![words_column("interval")];
    columns.extend(
        [
            "raw: inside, %",
            "raw: width",
            "calibrated: inside, %",
            "calibrated: width",
        ]
        .map(number_column),
    );
    let rows: Vec<Vec<Cell>> = uncertainty
        .intervals
        .iter()
        .map(|interval| {
            let share = |of: Defined<crate::uncertainty::Coverage>| {
                defined(of.map(|found| 100.0 * found.share), 1)
            };
            let level = words::number(100.0 * interval.level, 0);
            vec![
                text(&format!("{level} %")),
                share(interval.raw),
                defined(interval.raw.map(|found| found.width), 2),
                share(interval.calibrated),
                defined(interval.calibrated.map(|found| found.width), 2),
            ]
        })
        .collect();
    format!(
        "{}<p class=\"caption\">Raw intervals are quantiles over the members, which differ by their seed alone; a level \
         takes at least 2 / (1 − level) members. Calibrated ones are the mean plus and minus the spread times a factor \
         that holds the level on the validation days (split conformal, by land cover where it has 200 such days). They \
         hold it on the test days as far as these are like the validation days: they come later, and the level of a \
         site may have moved.</p>\n",
        table(
            &format!(
                "Intervals for the flux of a day, on the test days of all sites; widths in {UNIT}"
            ),
            &columns,
            &rows,
            None
        )
    )
}

fn scores(uncertainty: &Uncertainty) -> String {
    let mut columns = vec![words_column("medians over sites")];
    columns.extend(["spread", "RMSE", "MAE", "CRPS", "CRPS, fair"].map(number_column));
    let of: [fn(&SiteSpread) -> f64; 5] = [
        |site| site.spread,
        |site| site.rmse,
        |site| site.mae,
        |site| site.crps,
        |site| site.crps_fair,
    ];
    let mut row = vec![text("ensemble, test part")];
    row.extend(of.map(|of| defined(uncertainty.over_sites(of), 3)));
    table(
        &format!("The ensemble as a distribution, in {UNIT}; for one member the CRPS is the MAE"),
        &columns,
        &[row],
        None,
    )
}

fn luck(uncertainty: &Uncertainty) -> String {
    let said = match uncertainty.luck {
        Err(reason) => format!("not defined: {}", html::escape(&reason.to_string())),
        Ok(found) => {
            let p = if found.p < 0.0001 {
                "p &lt; 0.0001".to_owned()
            } else {
                format!("p = {}", words::number(found.p, 4))
            };
            format!(
                "the standard deviation between seeds of one configuration is {}, between configurations beyond that {} \
                 (F = {}, {p})",
                words::number(found.within.sqrt(), 3),
                words::number(found.between.sqrt(), 3),
                words::number(found.f, 2),
            )
        }
    };
    format!(
        "<p>Is the best configuration better than luck? In the score of the search, {said}.</p>\n"
    )
}

/// The whole years with the most observed days, one a site.
fn annual(results: &Results<'_>, uncertainty: &Uncertainty) -> String {
    let mut columns = vec![words_column("site"), words_column("land cover")];
    columns.extend(["year", "observed days", "g C m⁻² yr⁻¹", "sd over members"].map(number_column));
    let mut rows = Vec::new();
    for years in uncertainty.years.chunk_by(|a, b| a.site == b.site) {
        let best: Option<&Year> = years
            .iter()
            .max_by_key(|year| (year.observed_days, std::cmp::Reverse(year.year)));
        if let Some(year) = best.filter(|year| year.observed_days > 0) {
            let site = &results.sites[year.site];
            rows.push(vec![
                html::site(year.site, &site.name, &site.id, ""),
                text(&site.igbp),
                text(&year.year.to_string()),
                html::count(year.observed_days),
                defined(year.mean, 0),
                defined(year.spread, 0),
            ]);
        }
    }
    let caption = "Simulated annual sums of each site’s best observed year: summed for each member, then mean and \
                   standard deviation over members";
    details("Annual sums", &table(caption, &columns, &rows, Some(3)))
}

/// The calibrated interval of the headline: its level is the one that reports quote.
pub(super) fn headline(uncertainty: &Uncertainty) -> Option<String> {
    let interval = uncertainty
        .intervals
        .iter()
        .find(|interval| (interval.level - 0.9).abs() < 1e-9)?;
    let found = interval.calibrated.ok()?;
    Some(format!(
        " Calibrated 90 % intervals hold {} % of the {} days.",
        words::number(100.0 * found.share, 0),
        words::part(Part::Test)
    ))
}
