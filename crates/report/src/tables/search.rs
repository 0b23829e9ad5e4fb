//! What was tried: configurations, trials and where they ran.

use efflux_analysis::medians::Medians;
use efflux_job::Trial;
use efflux_run::record::{Outcome, Record};

use super::{Table, number};
use crate::results::Results;
use crate::words;

/// The records by stage, configuration and seed: an order that no launch and no rank has a part in.
pub(crate) fn ordered<'a>(results: &Results<'a>) -> Vec<&'a Record> {
    let mut records: Vec<&Record> = results.records.iter().collect();
    records.sort_by(|a, b| {
        let (left, right) = (&a.trial, &b.trial);
        let stage_and_size = |of: &Trial| (of.stage, of.params.hidden_size);
        let window_and_seed = |of: &Trial| (of.params.window_days, of.seed);
        stage_and_size(left)
            .cmp(&stage_and_size(right))
            .then(left.params.dropout.total_cmp(&right.params.dropout))
            .then(window_and_seed(left).cmp(&window_and_seed(right)))
    });
    records
}

pub(super) fn selection(results: &Results<'_>) -> Table {
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
                words::part(selection.on.part()).to_owned(),
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

pub(super) fn trials(results: &Results<'_>) -> Table {
    let mut table = Table::new(
        "trials.csv",
        "trial stage fit hidden_size dropout window_days seed outcome updates epoch loss_scaled window_share \
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
                row.extend([summary.epoch.to_string(), number(summary.loss)]);
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
                row.extend(std::iter::repeat_n(String::new(), 16));
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

pub(super) fn attempts(results: &Results<'_>) -> Table {
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
