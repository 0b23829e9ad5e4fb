//! How good the ensemble is: over sites, at three of them in detail, and at each.

use efflux_analysis::backtransform::BiasParts;
use efflux_analysis::baselines::Baseline;
use efflux_analysis::classes::Reading;
use efflux_analysis::metrics::Scores;
use efflux_analysis::statistics::median;
use efflux_job::Part;

use super::html::{
    self, Cell, count, defined, details, figure, number_column, table, text, words_column,
};
use super::{Figures, states};
use crate::Findings;
use crate::evaluation::{Evaluation, Measure, Series};
use crate::figures::band_label;
use crate::results::Results;
use crate::words::{self, UNIT};

pub(super) fn scores(findings: &Findings<'_>, figures: &Figures) -> String {
    let Findings {
        results,
        evaluation,
        summary,
        ..
    } = findings;
    let mut columns = vec![words_column(""), number_column("sites")];
    columns.extend(Measure::ALL.map(|measure| number_column(measure.label())));
    let row = |name: &str, series, part| {
        let mut row = vec![
            text(name),
            count(evaluation.defined(series, part, Measure::Nse).len()),
        ];
        row.extend(
            Measure::ALL.map(|measure| defined(evaluation.median(series, part, measure), 3)),
        );
        row
    };
    let mut rows: Vec<Vec<Cell>> = words::PARTS
        .map(|part| {
            row(
                &format!("ensemble mean, {}", words::part(part)),
                Series::Ensemble,
                part,
            )
        })
        .into();
    rows.push(row(
        "training mean, test",
        Series::Baseline(Baseline::TrainingMean),
        Part::Test,
    ));
    if results.unfiltered.is_some() {
        let name = "ensemble mean, test days without the percentile filter";
        rows.push(row(name, Series::Unfiltered, Part::Test));
    }
    let medians = table(
        &format!("Medians over sites; errors in {UNIT}"),
        &columns,
        &rows,
        None,
    );

    let members: Vec<Vec<Cell>> = results
        .members
        .iter()
        .enumerate()
        .map(|(place, member)| {
            row(
                &format!("seed {}", member.seed),
                Series::Member(place),
                Part::Test,
            )
        })
        .collect();
    let members = table(
        &format!("Single members: medians over sites on the test part; errors in {UNIT}"),
        &columns,
        &members,
        Some(2),
    );
    let caption = format!(
        "Share of sites whose score is at or below a value; the further right, the better. Scores below −1 are counted, \
         not drawn. The training mean has no KGE, because the correlation of a constant is not defined. {} of {} sites \
         lie above the training mean in NSE.",
        summary.sites_better, summary.sites_compared
    );
    let content = format!(
        "{medians}{}<div class=\"pair\">{}{}</div>\n<p class=\"caption\">{caption}</p>\n{}{}",
        bias(evaluation),
        figure(&figures.nse.svg, ""),
        figure(&figures.kge.svg, ""),
        states::part(findings),
        details("Single members", &members)
    );
    html::section("scores", "Scores", &content)
}

/// How much of the bias comes from the way back to flux units.
fn bias(evaluation: &Evaluation) -> String {
    let parts: Vec<BiasParts> = evaluation.bias.iter().flatten().copied().collect();
    let median = |of: fn(&BiasParts) -> f64| {
        let values: Vec<f64> = parts.iter().map(of).collect();
        median(&values).map_or("not defined".to_owned(), |value| words::number(value, 3))
    };
    format!(
        "<p class=\"caption\">The bias of the ensemble mean on the test part has two parts (medians over sites, {UNIT}): \
         the model’s own error in asinh units {}, and what the way back adds, since a mean of asinh units is no mean of \
         flux units, {}.</p>\n",
        median(|parts| parts.model),
        median(|parts| parts.back_transform)
    )
}

pub(super) fn series(results: &Results<'_>, figures: &Figures) -> String {
    let mut content = String::new();
    for (role, drawing) in &figures.series {
        let rank = match *role {
            "good" => "near the top tenth",
            "median" => "in the middle",
            _ => "near the bottom tenth",
        };
        content.push_str(&figure(
            &drawing.svg,
            &format!("A {role} site, {rank} of all sites by test NSE."),
        ));
    }
    if figures.series.is_empty() {
        content.push_str("<p>No site has a test NSE yet.</p>\n");
    } else {
        let band = band_label(results.members.len()).map_or_else(String::new, |label| {
            format!(
                " The band holds the {label}: it shows how far seeds disagree, not how far observations may lie from \
                 the simulation."
            )
        });
        content.push_str(&format!(
            "<p class=\"caption\">Points are observed days, the line is the ensemble mean.{band} Shaded: validation and \
             test part. The axis covers the site’s record and a small margin.</p>\n"
        ));
    }
    content.push_str(&figures.gallery.html());
    html::section("series", "Series", &content)
}

pub(super) fn sites(results: &Results<'_>, evaluation: &Evaluation) -> String {
    // The mean absolute error is in the tables: here it would say much the same as RMSE.
    const SHOWN: [Measure; 5] = [
        Measure::Nse,
        Measure::Kge,
        Measure::R,
        Measure::Rmse,
        Measure::Bias,
    ];
    let mut columns = vec![words_column("site"), words_column("land cover")];
    columns.extend(["train days", "test days"].map(number_column));
    columns.extend(SHOWN.map(|measure| number_column(measure.label())));
    columns.push(number_column("NSE of training mean"));
    columns.extend(["class", "class (captions)"].map(words_column));

    let scores = evaluation.scores(Series::Ensemble, Part::Test);
    let baseline = evaluation.scores(Series::Baseline(Baseline::TrainingMean), Part::Test);
    let mut order: Vec<usize> = (0..results.sites.len()).collect();
    let key = |site: usize| scores[site].nse.unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    let rows: Vec<Vec<Cell>> = order
        .into_iter()
        .map(|index| {
            let site = &results.sites[index];
            let remark = why_undefined(&scores[index], &SHOWN);
            let mut row = vec![
                html::site(index, &site.name, &site.id, &remark),
                text(&site.igbp),
            ];
            row.extend(
                [Part::Train, Part::Test].map(|part| count(results.observed_days(index, part))),
            );
            row.extend(SHOWN.map(|measure| html::number(measure.of(&scores[index]).ok(), 2)));
            row.push(html::number(baseline[index].nse.ok(), 2));
            row.extend([Reading::Text, Reading::CaptionCascade].map(|reading| {
                let class = evaluation.class(index, reading);
                text(&class.map_or("–".to_owned(), |class| class.to_string()))
            }));
            row
        })
        .collect();
    let caption = format!("The ensemble mean on the test part of each site; errors in {UNIT}");
    html::section("sites", "Sites", &table(&caption, &columns, &rows, Some(4)))
}

/// `not defined: NSE, KGE, r (observations are constant)`, or nothing. Said once beside the site's name: in each cell it
/// would make the table too wide to read.
fn why_undefined(scores: &Scores, measures: &[Measure]) -> String {
    let undefined = |measure: &&Measure| measure.of(scores).is_err();
    let names: Vec<&str> = measures
        .iter()
        .filter(undefined)
        .map(|measure| measure.label())
        .collect();
    match measures.iter().find_map(|measure| measure.of(scores).err()) {
        Some(reason) => format!("not defined: {} ({reason})", names.join(", ")),
        None => String::new(),
    }
}
