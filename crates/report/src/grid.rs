//! What the search says of the axes of its grid, of its failures and of its cost.

use std::collections::HashMap;

use efflux_analysis::effects::{Effect, Scored, Shares, effect, shares};
use efflux_analysis::statistics::{mean, median};
use efflux_analysis::{Defined, Undefined};
use efflux_job::{Configuration, Key, Stage};
use efflux_run::Candidate;
use efflux_run::record::{FailureClass, Outcome, Record};

use super::results::Results;

/// An axis with more than one value, and what its values do to the score of the search.
pub(crate) struct Axis {
    /// The key in the job file.
    pub(crate) key: &'static str,
    /// The name for people.
    pub(crate) name: &'static str,
    /// Its values as the job writes them.
    pub(crate) values: Vec<String>,
    pub(crate) effect: Defined<Effect>,
    /// Of every selectable configuration the place of its value and its mean.
    pub(crate) configurations: Vec<(usize, f64)>,
}

/// What the search trials of a configuration took.
pub(crate) struct Cost {
    pub(crate) params: Configuration,
    /// Those that ended well.
    pub(crate) finished: usize,
    pub(crate) failed: usize,
    /// Median wall seconds of the finished ones.
    pub(crate) seconds: Defined,
    /// Median updates of a second.
    pub(crate) speed: Defined,
}

/// The trials whose newest attempt failed in one way.
pub(crate) struct Failed {
    pub(crate) class: FailureClass,
    pub(crate) search: usize,
    pub(crate) members: usize,
    /// Different configurations among them.
    pub(crate) configurations: usize,
}

/// The grid in view.
pub(crate) struct Grid {
    pub(crate) axes: Vec<Axis>,
    pub(crate) shares: Defined<Shares>,
    /// In the order of the grid.
    pub(crate) costs: Vec<Cost>,
    /// The most frequent first.
    pub(crate) failures: Vec<Failed>,
}

/// What people call a key.
pub(crate) fn name(key: Key) -> &'static str {
    match key {
        Key::HIDDEN_SIZE => "hidden size",
        Key::WINDOW_DAYS => "window (days)",
        key => key.short(),
    }
}

/// The values of a key, in the order of the grid.
pub(crate) fn values(key: Key, configurations: &[Candidate]) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for configuration in configurations {
        let value = configuration.params.text(key);
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

impl Grid {
    pub(crate) fn new(results: &Results<'_>) -> Self {
        let configurations = &results.selection.candidates;
        let axes = results.selection.keys();
        let axes = axes.map(|key| (key, values(key, configurations)));
        let axes: Vec<(Key, Vec<String>)> = axes.filter(|(_, values)| values.len() > 1).collect();
        let scored: Vec<Scored> = configurations
            .iter()
            .filter_map(|configuration| {
                let levels = axes.iter().map(|(key, values)| {
                    let value = configuration.params.text(*key);
                    values.iter().position(|one| *one == value)
                });
                let seeds = configuration.scores.iter().map(|(_, score)| *score);
                Some(Scored {
                    levels: levels.collect::<Option<_>>()?,
                    seeds: seeds.collect::<Option<_>>()?,
                })
            })
            .filter(|scored| !scored.seeds.is_empty())
            .collect();
        let counts: Vec<usize> = axes.iter().map(|(_, values)| values.len()).collect();
        let shares = match axes.len() {
            0 => Err(Undefined::Missing("axis with several values")),
            _ => shares(&scored, &counts),
        };
        let axes = axes.into_iter().enumerate().map(|(place, (key, values))| {
            let means = scored.iter().filter_map(|one| {
                let mean = mean(&one.seeds).ok()?;
                Some((one.levels[place], mean))
            });
            Axis {
                key: key.short(),
                name: name(key),
                effect: effect(&scored, place, values.len()),
                values,
                configurations: means.collect(),
            }
        });
        Self {
            axes: axes.collect(),
            shares,
            costs: costs(results),
            failures: failures(results),
        }
    }
}

fn costs(results: &Results<'_>) -> Vec<Cost> {
    let mut of_search: HashMap<Configuration, Vec<&Record>> = HashMap::new();
    for record in results.records {
        if record.trial.stage == Stage::Search {
            let params = record.trial.params.in_fold(None);
            of_search.entry(params).or_default().push(record);
        }
    }
    let configurations = results.selection.candidates.iter();
    let costs = configurations.map(|configuration| {
        let records = of_search.remove(&configuration.params);
        cost(configuration.params.clone(), &records.unwrap_or_default())
    });
    costs.collect()
}

fn cost(params: Configuration, records: &[&Record]) -> Cost {
    let finished: Vec<(&Record, u64)> = records
        .iter()
        .filter_map(|record| match &record.outcome {
            Outcome::Finished(summary) => Some((*record, summary.updates)),
            Outcome::Failed(_) => None,
        })
        .collect();
    let seconds: Vec<f64> = finished.iter().map(|(record, _)| record.seconds).collect();
    // A later attempt may have gone on from a checkpoint: its seconds are not those of all updates.
    let whole = finished
        .iter()
        .filter(|(record, _)| record.attempt == efflux_run::Attempt::FIRST);
    let whole = whole.filter(|(record, _)| record.seconds > 0.0);
    let speeds = whole.map(|(record, updates)| *updates as f64 / record.seconds);
    Cost {
        params,
        finished: finished.len(),
        failed: records.len() - finished.len(),
        seconds: median(&seconds),
        speed: median(&speeds.collect::<Vec<f64>>()),
    }
}

fn failures(results: &Results<'_>) -> Vec<Failed> {
    let mut failures: Vec<(Failed, Vec<Configuration>)> = Vec::new();
    for record in results.records {
        let Outcome::Failed(failure) = &record.outcome else {
            continue;
        };
        let place = failures
            .iter()
            .position(|(of, _)| of.class == failure.class);
        let place = place.unwrap_or_else(|| {
            let none = Failed {
                class: failure.class,
                search: 0,
                members: 0,
                configurations: 0,
            };
            failures.push((none, Vec::new()));
            failures.len() - 1
        });
        let (of, params) = &mut failures[place];
        match record.trial.stage {
            Stage::Search => of.search += 1,
            Stage::Final => of.members += 1,
        }
        let own = record.trial.params.in_fold(None);
        if !params.contains(&own) {
            params.push(own);
            of.configurations += 1;
        }
    }
    let mut failures: Vec<Failed> = failures.into_iter().map(|(of, _)| of).collect();
    // In an order that no launch has a part in.
    failures.sort_by_key(|of| {
        let count = of.search + of.members;
        (std::cmp::Reverse(count), of.class.label())
    });
    failures
}
