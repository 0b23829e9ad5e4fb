//! The tables beside the page: comma-separated, UTF-8, a header line, numbers at full precision.
//!
//! | file | a row is |
//! | --- | --- |
//! | `summary.csv` | a series, a part and a score: its distribution over sites |
//! | `classes.csv` | a reading of the performance classes: sites in each, ensemble mean on the test part |
//! | `sites.csv` | a site: where it is, its parts, the ensemble mean on the test part |
//! | `scores.csv` | a site, a part and a series: every score |
//! | `members.csv` | a member of the ensemble: medians over sites |
//! | `selection.csv` | a configuration and a search seed: the score that selects |
//! | `trials.csv` | a trial: what was trained and how well; the same wherever and however often it ran |
//! | `attempts.csv` | a trial: where, when and how long its newest attempt ran |
//!
//! Units stand in the column names; scores without one are dimensionless. What is not defined is an empty cell, with
//! the reason in the column `not_defined`. A series is `ensemble-mean`, `member-SEED` or `training-mean`.

use crate::analysis::Defined;
use crate::analysis::classes::Reading;
use crate::analysis::metrics::Scores;
use crate::analysis::statistics::{count_above, mean, quantile, sorted};
use crate::error::{Error, Result};
use crate::job::Part;
use crate::run::record::{Medians, Outcome, Record};

use super::evaluation::{Evaluation, Measure, Series};
use super::results::Results;
use super::words;

/// One file.
pub(crate) struct Table {
    /// Its name.
    pub(crate) file: &'static str,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(file: &'static str, header: &str) -> Self {
        let header = header.split_whitespace().map(str::to_owned).collect();
        Self {
            file,
            header,
            rows: Vec::new(),
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if a row has another length than the header.
    pub(crate) fn csv(&self) -> Result<Vec<u8>> {
        let defect =
            |error: &dyn std::fmt::Display| Error::Internal(format!("{}: {error}", self.file));
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.header).chain(&self.rows) {
            writer.write_record(row).map_err(|error| defect(&error))?;
        }
        writer.into_inner().map_err(|error| defect(&error))
    }
}

/// Every table.
pub(crate) fn all(results: &Results<'_>, evaluation: &Evaluation) -> Vec<Table> {
    vec![
        summary(results, evaluation),
        classes(evaluation),
        sites(results, evaluation),
        scores(results, evaluation),
        members(results, evaluation),
        selection(results),
        trials(results),
        attempts(results),
    ]
}

/// The records by stage, configuration and seed: an order that no launch and no rank has a part in.
pub(crate) fn ordered<'a>(results: &Results<'a>) -> Vec<&'a Record> {
    let mut records: Vec<&Record> = results.records.iter().collect();
    records.sort_by(|a, b| {
        let key = |record: &Record| (record.trial.stage, record.trial.params.hidden_size);
        let rest = |record: &Record| (record.trial.params.window_days, record.trial.seed);
        let dropout = a.trial.params.dropout.total_cmp(&b.trial.params.dropout);
        key(a)
            .cmp(&key(b))
            .then(dropout)
            .then(rest(a).cmp(&rest(b)))
    });
    records
}

fn summary(results: &Results<'_>, evaluation: &Evaluation) -> Table {
    let mut table = Table::new(
        "summary.csv",
        "series part score sites median mean quantile_0.25 quantile_0.75 minimum maximum sites_above_0 \
         sites_above_0.3 sites_above_0.5 not_defined",
    );
    for (series, part, _) in evaluation.all() {
        for measure in Measure::ALL {
            let values = sorted(&evaluation.defined(series, part, measure));
            let at = |p| quantile(&values, p);
            let mut row = vec![
                name(results, series),
                words::part(part).to_owned(),
                measure.column().to_owned(),
                values.len().to_string(),
            ];
            let statistics = [at(0.5), mean(&values), at(0.25), at(0.75), at(0.0), at(1.0)];
            row.extend(statistics.map(cell));
            row.extend([0.0, 0.3, 0.5].map(|threshold| {
                // Thresholds of skill say nothing about an error.
                let skill = Measure::SKILL.contains(&measure);
                if skill {
                    count_above(&values, threshold).to_string()
                } else {
                    String::new()
                }
            }));
            row.push(reasons(&[("median", at(0.5))]));
            table.rows.push(row);
        }
    }
    table
}

fn classes(evaluation: &Evaluation) -> Table {
    let mut table = Table::new("classes.csv", "reading good fair poor not_defined");
    for reading in [Reading::Text, Reading::CaptionCascade] {
        let counts = evaluation.classes(reading);
        let counted = [counts.good, counts.fair, counts.poor, counts.undefined];
        let mut row = vec![reading.to_string()];
        row.extend(counted.map(|count| count.to_string()));
        table.rows.push(row);
    }
    table
}

fn sites(results: &Results<'_>, evaluation: &Evaluation) -> Table {
    let mut table = Table::new(
        "sites.csv",
        "site name latitude_deg longitude_deg igbp train_days validation_days test_days test_first_day \
         test_last_day test_nse test_kge test_pearson_r test_rmse_umol_m-2_s-1 test_mae_umol_m-2_s-1 \
         test_bias_umol_m-2_s-1 training_mean_test_nse class_text class_caption_cascade not_defined",
    );
    for (index, site) in results.sites.iter().enumerate() {
        let scores = &evaluation.scores(Series::Ensemble, Part::Test)[index];
        let baseline = evaluation.scores(Series::TrainingMean, Part::Test)[index].nse;
        let mut row = vec![
            site.id.clone(),
            site.name.clone(),
            number(site.latitude),
            number(site.longitude),
            site.igbp.clone(),
        ];
        row.extend(words::PARTS.map(|part| results.observed_days(index, part).to_string()));
        let days = site.part(Part::Test);
        row.push(
            results
                .date(days.start)
                .filter(|_| !days.is_empty())
                .unwrap_or_default(),
        );
        row.push(
            days.last()
                .and_then(|day| results.date(day))
                .unwrap_or_default(),
        );
        row.extend(Measure::ALL.map(|measure| cell(measure.of(scores))));
        row.push(cell(baseline));
        row.extend([Reading::Text, Reading::CaptionCascade].map(|reading| {
            evaluation
                .class(index, reading)
                .map(|class| class.to_string())
                .unwrap_or_default()
        }));
        let baseline = ("training_mean_test_nse", baseline);
        row.push(reasons(
            &[measures(scores).as_slice(), &[baseline]].concat(),
        ));
        table.rows.push(row);
    }
    table
}

fn scores(results: &Results<'_>, evaluation: &Evaluation) -> Table {
    let mut table = Table::new(
        "scores.csv",
        "site part series days nse kge kge_r kge_alpha kge_beta pearson_r rmse_umol_m-2_s-1 mae_umol_m-2_s-1 \
         bias_umol_m-2_s-1 not_defined",
    );
    for (series, part, of_sites) in evaluation.all() {
        for (site, scores) in results.sites.iter().zip(of_sites) {
            let mut row = vec![
                site.id.clone(),
                words::part(part).to_owned(),
                name(results, series),
                scores.n.to_string(),
                cell(scores.nse),
            ];
            let kge = scores.kge;
            row.extend(
                [
                    kge.map(|k| k.value),
                    kge.map(|k| k.r),
                    kge.map(|k| k.alpha),
                    kge.map(|k| k.beta),
                ]
                .map(cell),
            );
            row.extend([scores.r, scores.rmse, scores.mae, scores.bias].map(cell));
            row.push(reasons(&measures(scores)));
            table.rows.push(row);
        }
    }
    table
}

fn members(results: &Results<'_>, evaluation: &Evaluation) -> Table {
    let mut table = Table::new(
        "members.csv",
        "series trial seed train_median_nse train_median_kge train_median_pearson_r validation_median_nse \
         validation_median_kge validation_median_pearson_r test_median_nse test_median_kge test_median_pearson_r \
         not_defined",
    );
    for (place, member) in results.members.iter().enumerate() {
        let series = Series::Member(place);
        let mut row = vec![
            name(results, series),
            member.trial.to_string(),
            member.seed.to_string(),
        ];
        let medians = words::PARTS
            .map(|part| Measure::SKILL.map(|measure| evaluation.median(series, part, measure)));
        row.extend(medians.iter().flatten().map(|&median| cell(median)));
        let parts = words::PARTS.map(words::part);
        row.push(reasons(&[
            (parts[0], medians[0][0]),
            (parts[1], medians[1][0]),
            (parts[2], medians[2][0]),
        ]));
        table.rows.push(row);
    }
    table
}

fn selection(results: &Results<'_>) -> Table {
    let mut table = Table::new(
        "selection.csv",
        "hidden_size dropout window_days score part seed value mean_over_seeds selected not_selectable",
    );
    let selection = results.selection;
    for configuration in &selection.configurations {
        for (seed, value) in &configuration.seeds {
            let params = configuration.params;
            table.rows.push(vec![
                params.hidden_size.to_string(),
                number(params.dropout),
                params.window_days.to_string(),
                words::metric(selection.metric)
                    .replace(' ', "_")
                    .to_lowercase(),
                words::part(selection.on).to_owned(),
                seed.to_string(),
                value.map(number).unwrap_or_default(),
                configuration
                    .mean
                    .as_ref()
                    .map(|&mean| number(mean))
                    .unwrap_or_default(),
                u8::from(selection.winner == Some(params)).to_string(),
                configuration
                    .mean
                    .as_ref()
                    .err()
                    .cloned()
                    .unwrap_or_default(),
            ]);
        }
    }
    table
}

fn trials(results: &Results<'_>) -> Table {
    let mut table = Table::new(
        "trials.csv",
        "trial stage fit hidden_size dropout window_days seed outcome updates last_loss_scaled window_share \
         train_sites train_median_nse train_median_kge train_median_pearson_r validation_sites \
         validation_median_nse validation_median_kge validation_median_pearson_r test_sites test_median_nse \
         test_median_kge test_median_pearson_r failure_class failure_message",
    );
    for record in ordered(results) {
        let (trial, params) = (&record.trial, record.trial.params);
        let mut row = vec![
            trial.id.to_string(),
            trial.stage.to_string(),
            words::fit(trial.fit).to_owned(),
            params.hidden_size.to_string(),
            number(params.dropout),
            params.window_days.to_string(),
            trial.seed.to_string(),
        ];
        match &record.outcome {
            Outcome::Finished(summary) => {
                row.extend(["finished".to_owned(), summary.updates.to_string()]);
                row.push(
                    summary
                        .losses
                        .last()
                        .map(|&loss| number(loss))
                        .unwrap_or_default(),
                );
                row.push(number(summary.window_share));
                row.extend(
                    [summary.train, summary.validation, summary.test]
                        .iter()
                        .flat_map(medians),
                );
                row.extend([String::new(), String::new()]);
            }
            Outcome::Failed(failure) => {
                row.push("failed".to_owned());
                row.extend(std::iter::repeat_n(String::new(), 15));
                row.extend([
                    words::failure(failure.class).to_owned(),
                    failure.message.clone(),
                ]);
            }
        }
        table.rows.push(row);
    }
    table
}

fn attempts(results: &Results<'_>) -> Table {
    let mut table = Table::new(
        "attempts.csv",
        "trial stage attempt started_utc duration_s launch rank slot host device",
    );
    for record in ordered(results) {
        let place = &record.place;
        table.rows.push(vec![
            record.trial.id.to_string(),
            record.trial.stage.to_string(),
            record.attempt.to_string(),
            record.started.clone(),
            number(record.seconds),
            place.launch.clone(),
            place.rank.to_string(),
            place.slot.to_string(),
            place.host.clone(),
            place.device.clone(),
        ]);
    }
    table
}

fn medians(medians: &Medians) -> [String; 4] {
    let cell = |value: Option<f64>| value.map(number).unwrap_or_default();
    [
        medians.sites.to_string(),
        cell(medians.nse),
        cell(medians.kge),
        cell(medians.r),
    ]
}

/// The name of a series in the tables.
fn name(results: &Results<'_>, series: Series) -> String {
    match series {
        Series::Ensemble => "ensemble-mean".to_owned(),
        Series::Member(place) => format!("member-{}", results.members[place].seed),
        Series::TrainingMean => "training-mean".to_owned(),
    }
}

fn measures(scores: &Scores) -> [(&'static str, Defined); 6] {
    Measure::ALL.map(|measure| (measure.label(), measure.of(scores)))
}

/// `nse: observations are constant; …` of what is not defined.
fn reasons(of: &[(&str, Defined)]) -> String {
    let reasons = of
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", value.err()?)));
    reasons.collect::<Vec<_>>().join("; ")
}

fn cell(value: Defined) -> String {
    value.map(number).unwrap_or_default()
}

/// The shortest decimal that reads back to the same number; nothing if it is none.
fn number(value: f64) -> String {
    if value.is_finite() {
        value.to_string()
    } else {
        String::new()
    }
}
