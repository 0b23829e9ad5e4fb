//! The trials of a search for other programs: a table, and a journal that Optuna and its dashboard open.

use std::collections::{BTreeMap, HashMap};

use efflux_analysis::measures::{Kind, Measure};
use efflux_base::error::{Error, Result};
use efflux_job::{Job, Key, Trial, TrialId};
use efflux_run::EpochLine;
use efflux_run::record::{Outcome, Record};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// How a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Finished,
    /// By a stopping rule.
    Stopped,
    Failed,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Optuna's number for it: complete, pruned, fail.
    fn in_optuna(self) -> u8 {
        match self {
            Self::Finished => 1,
            Self::Stopped => 2,
            Self::Failed => 3,
        }
    }
}

/// What a search found, trial by trial.
#[derive(Debug)]
pub struct Exported<'a> {
    job: &'a Job,
    rows: Vec<Row<'a>>,
}

/// A search trial of which something is known.
#[derive(Debug)]
struct Row<'a> {
    trial: &'a Trial,
    state: State,
    score: Option<f64>,
    record: Option<&'a Record>,
    /// Validation scores by epoch.
    curve: BTreeMap<u32, f64>,
}

impl<'a> Exported<'a> {
    /// The trials that have ended or were stopped, in the order of the grid.
    pub fn of(
        job: &'a Job,
        search: &'a [Trial],
        stopped: &HashMap<TrialId, u32>,
        records: &'a HashMap<TrialId, Record>,
        epochs: &[EpochLine],
    ) -> Self {
        let measure = job.selection.metric.measure();
        let mut curves: BTreeMap<&str, BTreeMap<u32, f64>> = BTreeMap::new();
        for line in epochs {
            if let Some(score) = line.validation[measure] {
                let curve = curves.entry(line.trial.as_str()).or_default();
                curve.insert(line.epoch, score);
            }
        }
        let rows = search.iter().filter_map(|trial| {
            let record = records.get(&trial.id);
            let (state, score) = match record.map(|record| &record.outcome) {
                Some(Outcome::Finished(summary)) => {
                    (State::Finished, summary.scores().metric(job.selection))
                }
                Some(Outcome::Failed(_)) => (State::Failed, None),
                None if stopped.contains_key(&trial.id) => (State::Stopped, None),
                None => return None,
            };
            Some(Row {
                trial,
                state,
                score,
                record,
                curve: curves.remove(trial.id.as_str()).unwrap_or_default(),
            })
        });
        Self {
            job,
            rows: rows.collect(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The keys that trials set, but for the fold.
    fn keys(&self) -> Vec<Key> {
        let first = self.rows.first().into_iter();
        let keys = first.flat_map(|row| row.trial.params.values().iter().map(|(key, _)| *key));
        keys.filter(|key| *key != Key::fold()).collect()
    }

    /// A row for each: `trial`, a column for every key, `fold` (from 0), `seed`, `state`, the selection's metric, `epochs` (trained so far),
    /// `seconds` and `message` (why it failed).
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if a row cannot be written into memory.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let failed = |error: csv::Error| Error::Internal(format!("export: {error}"));
        let keys = self.keys();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut header = vec!["trial".to_owned()];
        header.extend(keys.iter().map(Key::to_string));
        let metric = self.job.selection.metric.key();
        let fixed = [
            "fold", "seed", "state", &metric, "epochs", "seconds", "message",
        ];
        header.extend(fixed.map(str::to_owned));
        writer.write_record(&header).map_err(failed)?;
        for row in &self.rows {
            let params = &row.trial.params;
            let mut cells = vec![row.trial.id.to_string()];
            cells.extend(keys.iter().map(|key| params.text(*key)));
            let message = match row.record.map(|record| &record.outcome) {
                Some(Outcome::Failed(failure)) => failure.message.clone(),
                _ => String::new(),
            };
            let epochs = row
                .curve
                .last_key_value()
                .map(|(epoch, _)| epoch.to_string());
            cells.extend([
                params
                    .fold()
                    .map(|fold| fold.to_string())
                    .unwrap_or_default(),
                row.trial.seed.to_string(),
                row.state.name().to_owned(),
                row.score.map(|score| score.to_string()).unwrap_or_default(),
                epochs.unwrap_or_default(),
                row.record
                    .map(|record| record.seconds.to_string())
                    .unwrap_or_default(),
                message,
            ]);
            writer.write_record(&cells).map_err(failed)?;
        }
        writer
            .into_inner()
            .map_err(|error| Error::Internal(format!("export: {error}")))
    }

    /// A study of this name as Optuna's `JournalFileBackend` keeps it: every trial with its parameters, its validation scores by
    /// epoch as intermediate values, its seed, fold and id as attributes.
    ///
    /// A measure whose best value is neither the highest nor the lowest is given as its distance from the best, which is minimised.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if a record has a date that is none.
    pub fn optuna(&self, study: &str) -> Result<String> {
        let measure = self.job.selection.metric.measure();
        let (direction, value) = objective(measure);
        let worker = "efflux";
        let mut lines = vec![
            json!({"op_code": 0, "worker_id": worker, "study_name": study, "directions": [direction]}),
            json!({"op_code": 2, "worker_id": worker, "study_id": 0,
                   "user_attr": {"metric": self.job.selection.metric.key()}}),
        ];
        let keys = self.keys();
        let ranges: Vec<Range> = keys.iter().map(|key| self.range(*key)).collect();
        for row in &self.rows {
            let (mut distributions, mut params) = (json!({}), json!({}));
            for (key, range) in keys.iter().zip(&ranges) {
                let found = row.trial.params.get(*key).unwrap_or(&Value::Null);
                distributions[key.to_string()] = range.distribution().to_string().into();
                params[key.to_string()] = range.internal(found);
            }
            let curve = row.curve.iter();
            let curve: serde_json::Map<String, Value> = curve
                .map(|(epoch, score)| (epoch.to_string(), value(*score).into()))
                .collect();
            // Optuna has no complete trial without a value.
            let state = match (row.state, row.score) {
                (State::Finished, None) => State::Failed,
                (state, _) => state,
            };
            let mut attributes = json!({"id": row.trial.id.as_str(), "seed": row.trial.seed});
            if let Some(fold) = row.trial.params.fold() {
                attributes["fold"] = fold.into();
            }
            let mut line = json!({
                "op_code": 4,
                "worker_id": worker,
                "study_id": 0,
                "state": state.in_optuna(),
                "value": row.score.map(value),
                "values": null,
                "datetime_start": null,
                "distributions": distributions,
                "params": params,
                "user_attrs": attributes,
                "system_attrs": {},
                "intermediate_values": curve,
            });
            // When a stopped trial came to its last rung is not known.
            if let Some(record) = row.record {
                let [begun, ended] = times(record)?;
                line["datetime_start"] = begun.into();
                line["datetime_complete"] = ended.into();
            }
            lines.push(line);
        }
        Ok(lines.iter().map(|line| format!("{line}\n")).collect())
    }

    /// The values that a key takes.
    fn range(&self, key: Key) -> Range {
        let mut values: Vec<&Value> = Vec::new();
        for row in &self.rows {
            let value = row.trial.params.get(key).unwrap_or(&Value::Null);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let whole: Option<Vec<u64>> = values.iter().map(|value| value.as_u64()).collect();
        let numbers: Option<Vec<f64>> = values.iter().map(|value| value.as_f64()).collect();
        match (whole, numbers) {
            (Some(whole), _) => Range::Whole(
                whole.iter().copied().min().unwrap_or_default(),
                whole.iter().copied().max().unwrap_or_default(),
            ),
            (None, Some(numbers)) => Range::Number(
                numbers.iter().copied().fold(f64::INFINITY, f64::min),
                numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ),
            // Lists are no choices of Optuna's: they are texts there.
            (None, None) => Range::Choice(values.into_iter().map(choice).collect()),
        }
    }
}

/// What a parameter can be.
enum Range {
    Whole(u64, u64),
    Number(f64, f64),
    Choice(Vec<Value>),
}

impl Range {
    fn distribution(&self) -> Value {
        let (name, attributes) = match self {
            Self::Whole(low, high) => (
                "IntDistribution",
                json!({"log": false, "step": 1, "low": low, "high": high}),
            ),
            Self::Number(low, high) => (
                "FloatDistribution",
                json!({"log": false, "step": null, "low": low, "high": high}),
            ),
            Self::Choice(choices) => ("CategoricalDistribution", json!({"choices": choices})),
        };
        json!({"name": name, "attributes": attributes})
    }

    /// A value as Optuna keeps it: the number, or its place among the choices.
    fn internal(&self, value: &Value) -> Value {
        match self {
            Self::Whole(..) | Self::Number(..) => value.clone(),
            Self::Choice(choices) => {
                let value = choice(value);
                choices.iter().position(|choice| *choice == value).into()
            }
        }
    }
}

/// A value that Optuna takes for a choice.
fn choice(value: &Value) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) => Value::String(value.to_string()),
        _ => value.clone(),
    }
}

/// Optuna's number of the direction in which a measure is better, and how its values go there.
fn objective(measure: Measure) -> (u8, impl Fn(f64) -> f64 + Copy) {
    const MINIMIZE: u8 = 1;
    const MAXIMIZE: u8 = 2;
    let is_up = matches!(measure.kind, Kind::Efficiency | Kind::Correlation);
    let direction = if is_up { MAXIMIZE } else { MINIMIZE };
    let value = move |score: f64| {
        if is_up {
            score
        } else {
            -measure.goodness(score)
        }
    };
    (direction, value)
}

/// When an attempt began and ended, UTC.
fn times(record: &Record) -> Result<[String; 2]> {
    let wrong = |error: jiff::Error| {
        let Record { trial, started, .. } = record;
        Error::Internal(format!("trial {}: began {started}: {error}", trial.id))
    };
    let begun: Timestamp = record.started.parse().map_err(wrong)?;
    let took = SignedDuration::try_from_secs_f64(record.seconds).map_err(wrong)?;
    let ended = begun.checked_add(took).map_err(wrong)?;
    Ok([begun, ended].map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()))
}
