//! How good the ensemble is: over sites, at three of them in detail, and at each.

use efflux_analysis::Defined;
use efflux_analysis::backtransform::BiasParts;
use efflux_analysis::baselines::Baseline;
use efflux_analysis::measures::{Detail, Measure, NSE};
use efflux_analysis::statistics::median;
use efflux_job::Part as RecordPart;

use super::{gallery, states};
use crate::Findings;
use crate::chosen;
use crate::evaluation::{Evaluation, Series};
use crate::figures::{self, Curve, Figure, Ink, band_label};
use crate::markup::{Html, html};
use crate::numbers;
use crate::section::{Drawing, Frame, Part, Section};
use crate::table::{Column, Table};
use crate::tables;
use crate::weighing::Weighed;

/// A series on a part, by its name for people.
type Row = (String, Series, RecordPart);

const TRAINING_MEAN: Series = Series::Baseline(Baseline::TrainingMean);

pub(super) fn scores<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let summary = &findings.summary;
    let mut rows: Vec<Row> = RecordPart::ALL
        .map(|part| {
            let name = format!("ensemble mean, {}", part.name());
            (name, Series::Ensemble, part)
        })
        .into();
    let test = |name: &str, series| (name.to_owned(), series, RecordPart::Test);
    rows.push(test("training mean, test", TRAINING_MEAN));
    if results.unfiltered.is_some() {
        let name = "ensemble mean, test days without the percentile filter";
        rows.push(test(name, Series::Unfiltered));
    }
    let members = results.members.iter().enumerate();
    let members = members
        .map(|(place, member)| test(&format!("seed {}", member.seed), Series::Member(place)));
    let unit = results.target.unit();
    let distributions = Measure::efficiencies().map(|measure| {
        Part::figure(move || {
            let figure = distribution(evaluation, measure);
            Drawing::new("Distribution", figure, Html::default())
        })
    });
    let caption = html!(
        "Share of sites whose score is at or below a value; the further right, the better. Scores below −1 are counted, \
         not drawn. The training mean has no KGE, because the correlation of a constant is not defined. {} of {} sites \
         lie above the training mean in NSE.",
        summary.sites_better,
        summary.sites_compared
    );
    let mut parts = vec![
        Part::table(medians(
            evaluation,
            format!("Medians over sites; errors in {unit}"),
            rows,
        )),
        bias(findings),
        Part::Beside(distributions.collect()),
        Part::caption(caption),
    ];
    parts.extend(states::parts(findings));
    if !results.weighed.is_empty() {
        parts.push(Part::table(tables::weighing::weighed(results.weighed)));
        parts.push(Part::caption(weighed(results.weighed)));
    }
    parts.push(Part::Folded(
        "Single members",
        vec![Part::table(
            medians(
                evaluation,
                format!("Single members: medians over sites on the test part; errors in {unit}"),
                members.collect(),
            )
            .sorted_by(NSE.key),
        )],
    ));
    parts.extend([
        Part::table(tables::skill::all_scores(findings)),
        Part::table(tables::skill::members(findings)),
        Part::table(tables::skill::states(findings)),
    ]);
    Section {
        id: "scores",
        title: "Scores",
        frame: Frame::Named("Scores"),
        lead: Html::default(),
        parts,
    }
}

/// Medians over sites of these series.
fn medians(evaluation: &Evaluation, title: String, rows: Vec<Row>) -> Table<'_, Row> {
    let mut columns = vec![
        Column::text("", "", |row: &Row| row.0.clone()),
        Column::count("sites", "sites", |row: &Row| {
            evaluation.defined(row.1, row.2, NSE).len()
        }),
    ];
    columns.extend(Measure::listed(Detail::Full).map(|measure| {
        let median = move |row: &Row| evaluation.median(row.1, row.2, measure);
        Column::number(measure.key, measure.label, measure.decimals, median)
    }));
    Table::page(title, columns, rows)
}

/// What the mean of the run is, and what its inflation costs.
fn weighed(rows: &[Weighed]) -> Html {
    let inflated = rows
        .iter()
        .find(|row| row.is_in_use && row.inflation != 1.0);
    let inflation = inflated.map(|with| {
        let without = rows.iter().find(|row| row.inflation == 1.0 && row.weights == with.weights);
        let scores = |row: Option<&Weighed>, of: fn(&Weighed) -> Defined| {
            let found = row.and_then(|row| of(row).ok());
            found.map_or("unknown".to_owned(), |score| numbers::number(score, 3))
        };
        let (nse, kge) = (|row: &Weighed| row.nse, |row: &Weighed| row.kge);
        format!(
            " The mean of this run is spread about the mean of each site’s days that were fitted on by {}, in asinh units: in these \
             forecasts the median NSE is {} with that and {} without, the median KGE {} and {}.",
            numbers::number(with.inflation, 2),
            scores(Some(with), nse),
            scores(without, nse),
            scores(Some(with), kge),
            scores(without, kge),
        )
    });
    html!(
        "The mean is taken over kinds of members, in asinh units. Fitted weights have the least squared error on these very days, \
         so their scores here are a little optimistic.{}",
        inflation.unwrap_or_default()
    )
}

/// How a score is distributed over sites.
fn distribution(evaluation: &Evaluation, measure: Measure) -> Figure {
    let curve = |name, ink, series, part| Curve {
        name,
        ink,
        values: evaluation.defined(series, part, measure),
    };
    let (test, train) = (RecordPart::Test, RecordPart::Train);
    let curves = [
        curve("test", Ink::Simulated, Series::Ensemble, test),
        curve("train", Ink::Train, Series::Ensemble, train),
        curve("training mean, test", Ink::Baseline, TRAINING_MEAN, test),
    ];
    let name = format!("skill-{}", measure.key);
    figures::distribution(&name, measure.label, &curves)
}

/// How much of the bias comes from the way back to flux units.
fn bias<'a>(findings: &'a Findings<'_>) -> Part<'a> {
    let target = findings.results.target;
    let parts: Vec<BiasParts> = findings.evaluation.bias.iter().flatten().copied().collect();
    let median = |of: fn(&BiasParts) -> f64| {
        let values: Vec<f64> = parts.iter().map(of).collect();
        median(&values).map_or("not defined".to_owned(), |value| numbers::number(value, 3))
    };
    Part::caption(html!(
        "The bias of the ensemble mean on the test part has two parts (medians over sites, {}): \
         the model’s own error in asinh units {}, and what the way back adds, since a mean of asinh units is no mean of \
         {} units, {}.",
        target.unit(),
        median(|parts| parts.model),
        target.name(),
        median(|parts| parts.back_transform)
    ))
}

pub(super) fn series<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let mut parts = Vec::new();
    for chosen in chosen::ranked_sites(evaluation) {
        let role = chosen.role;
        let rank = match role {
            "good" => "near the top tenth",
            "median" => "in the middle",
            _ => "near the bottom tenth",
        };
        parts.push(Part::figure(move || {
            Drawing::new(
                "Series",
                figures::series(results, evaluation, &chosen),
                html!("A {} site, {} of all sites by test NSE.", role, rank),
            )
        }));
    }
    parts.push(if parts.is_empty() {
        Part::Text(html!("<p>No site has a test NSE yet.</p>\n"))
    } else {
        let band = band_label(results.members.len()).map_or_else(String::new, |label| {
            format!(
                " The band holds the {label}: it shows how far seeds disagree, not how far observations may lie from \
                 the simulation."
            )
        });
        Part::caption(html!(
            "Points are observed days, the line is the ensemble mean.{} Shaded: validation and \
             test part. The axis covers the site’s record and a small margin.",
            band
        ))
    });
    parts.push(Part::figure(|| gallery::drawing(results, evaluation)));
    Section {
        id: "series",
        title: "Series",
        frame: Frame::Named("Series"),
        lead: Html::default(),
        parts,
    }
}

pub(super) fn sites<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    Section {
        id: "sites",
        title: "Sites",
        frame: Frame::Named("Sites"),
        lead: Html::default(),
        parts: vec![Part::table(tables::skill::sites(findings))],
    }
}
