//! What was tried: configurations, trials and where they ran.

use efflux_analysis::measures::Measure;
use efflux_analysis::medians::Medians;
use efflux_analysis::units::Unit;
use efflux_job::Part;
use efflux_run::Candidate;
use efflux_run::record::{Failure, Outcome, Record, Summary};
use efflux_run::stopping::Judged;

use super::configuration;
use crate::cell::Cell;
use crate::curves::{self, Fate};
use crate::results::Results;
use crate::table::{Column, Table};

/// The records by stage, every axis of the grid, and seed: an order that no launch and no rank has a part in.
pub(crate) fn ordered<'a>(results: &Results<'a>) -> Vec<&'a Record> {
    let mut records: Vec<&Record> = results.records.iter().collect();
    records.sort_by(|a, b| {
        let (left, right) = (&a.trial, &b.trial);
        let stages = left.stage.cmp(&right.stage);
        stages
            .then_with(|| left.params.order(&right.params))
            .then(left.seed.cmp(&right.seed))
    });
    records
}

/// A configuration, one of its seeds and the score.
type Scored<'a> = (&'a Candidate, u64, Option<f64>);

pub(crate) fn selection<'a>(results: &Results<'a>) -> Table<'a, Scored<'a>> {
    let choice = results.selection;
    let rule = choice.rule;
    let mut columns: Vec<Column<'a, Scored<'a>>> =
        configuration(choice, |row: &Scored<'a>| &row.0.params);
    columns.extend([
        Column::text("score", "the score that selects", move |_: &Scored<'a>| {
            rule.metric.key()
        }),
        Column::text(
            "part",
            "the part that it is taken on",
            move |_: &Scored<'a>| rule.on.name(),
        ),
        Column::count("seed", "search seed", |row: &Scored<'a>| row.1.to_string()),
        Column::number("value", "its value", 3, |row: &Scored<'a>| row.2),
        Column::number(
            "mean_over_seeds",
            "mean over the search seeds",
            3,
            |row: &Scored<'a>| row.0.mean,
        ),
        Column::count(
            "selected",
            "1 for the selected configuration, else 0",
            |row: &Scored<'a>| usize::from(choice.selects(&row.0.params)),
        ),
        Column::text(
            "not_selectable",
            "why it cannot be selected",
            |row: &Scored<'a>| Cell::Word(row.0.obstacle()),
        ),
    ]);
    let rows = choice.candidates.iter().flat_map(|candidate| {
        let scores = candidate.scores.iter();
        scores.map(move |(seed, score)| (candidate, *seed, *score))
    });
    Table::file(
        "selection",
        "a configuration and a search seed: the score that selects",
        columns,
        rows.collect(),
    )
}

/// A configuration and an epoch, with how many of its trials have a score there, and their mean.
type AtEpoch<'a> = (&'a Candidate, Fate, u32, (usize, f64));

pub(crate) fn curves<'a>(results: &Results<'a>) -> Table<'a, AtEpoch<'a>> {
    let measure = results.selection.rule.metric.measure();
    let mut columns: Vec<Column<'a, AtEpoch<'a>>> =
        configuration(results.selection, |row: &AtEpoch<'a>| &row.0.params);
    columns.extend([
        Column::text("fate", "what became of it", |row: &AtEpoch<'a>| {
            row.1.name()
        }),
        Column::count("epoch", "epoch", |row: &AtEpoch<'a>| row.2.to_string()),
        Column::count(
            "trials",
            "its trials that have a score there",
            |row: &AtEpoch<'a>| row.3.0,
        ),
        Column::number(
            format!(
                "validation_{}",
                measure.column_name(&results.target.unit_in_columns())
            ),
            "the mean of their validation scores",
            measure.decimals,
            |row: &AtEpoch<'a>| row.3.1,
        ),
    ]);
    let rows = curves::curves(results).into_iter().flat_map(|curve| {
        let epochs = curve.epochs.into_iter();
        epochs.map(move |(epoch, mean)| (curve.candidate, curve.fate, epoch, mean))
    });
    Table::file(
        "curves",
        "a configuration and an epoch: the mean of the validation scores of its trials",
        columns,
        rows.collect(),
    )
}

/// What a stopping rule saw and did.
pub(crate) fn rungs<'a>(results: &Results<'a>) -> Table<'a, &'a Judged> {
    type Row<'a> = &'a Judged;
    let measure = results.selection.rule.metric.measure();
    let mut columns = vec![Column::text("trial", "id of the trial", |row: &Row<'a>| {
        row.trial.id.to_string()
    })];
    columns.extend(configuration(results.selection, |row: &Row<'a>| {
        &row.trial.params
    }));
    columns.extend([
        Column::count("seed", "seed", |row: &Row<'a>| row.trial.seed.to_string()),
        Column::count("epochs", "epochs of the rung", |row: &Row<'a>| {
            row.epochs.to_string()
        }),
        Column::number(
            "value",
            "its validation score there",
            measure.decimals,
            |row: &Row<'a>| row.score,
        ),
        Column::count(
            "stopped",
            "1 if its configuration was stopped there, else 0",
            |row: &Row<'a>| usize::from(row.is_stopped),
        ),
    ]);
    Table::file(
        "rungs",
        "a trial and a rung of the stopping rule: the score that it was judged by",
        columns,
        results.rungs.iter().collect(),
    )
}

/// What a trial that ended well says.
fn finished(record: &Record) -> Option<&Summary> {
    match &record.outcome {
        Outcome::Finished(summary) => Some(summary),
        Outcome::Failed(_) => None,
    }
}

/// How a trial failed that did.
pub(crate) fn failed(record: &Record) -> Option<&Failure> {
    match &record.outcome {
        Outcome::Finished(_) => None,
        Outcome::Failed(failure) => Some(failure),
    }
}

pub(crate) fn trials<'a>(results: &Results<'a>) -> Table<'a, &'a Record> {
    type Row<'a> = &'a Record;
    let whole = |value: fn(&Summary) -> u64| {
        move |row: &Row<'a>| Cell::Word(finished(row).map(|of| value(of).to_string()))
    };
    let number =
        |value: fn(&Summary) -> f64| move |row: &Row<'a>| Cell::Bare(finished(row).map(value));
    let mut columns = vec![
        Column::text("trial", "id of the trial", |row: &Row<'a>| {
            row.trial.id.to_string()
        }),
        Column::text("stage", "`search` or `final`", |row: &Row<'a>| {
            row.trial.stage.to_string()
        }),
        Column::text("fit", "the parts that it is fitted on", |row: &Row<'a>| {
            row.trial.fit.name()
        }),
    ];
    columns.extend(configuration(results.selection, |row: &Row<'a>| {
        &row.trial.params
    }));
    let folds = results.contract.folds.iter();
    let fold = folds.map(|fold| fold.name.clone()).collect::<Vec<String>>();
    if !fold.is_empty() {
        columns.push(Column::text(
            "fold",
            "fold that it holds out; none: it trains on all sites",
            move |row: &Row<'a>| {
                let place = row.trial.params.fold();
                place
                    .and_then(|place| fold.get(place).cloned())
                    .unwrap_or_default()
            },
        ));
    }
    columns.extend([
        Column::count("seed", "seed", |row: &Row<'a>| row.trial.seed.to_string()),
        Column::text("outcome", "`finished` or `failed`", |row: &Row<'a>| {
            finished(row).map_or("failed", |_| "finished")
        }),
        Column::count("updates", "optimizer steps", whole(|of| of.updates)),
        Column::count(
            "epoch",
            "epoch whose weights were kept",
            whole(|of| of.epoch.into()),
        ),
        Column::number(
            "loss_scaled",
            "loss of that epoch, scaled units",
            4,
            number(|of| of.loss),
        ),
        Column::number(
            "window_share",
            "share of the drawn windows that held a target",
            3,
            number(|of| of.window_share),
        ),
    ]);
    for part in Part::ALL {
        let of = move |row: &Row<'a>| finished(row).map(|summary| medians(summary, part));
        let name = part.name();
        columns.push(Column::count(
            format!("{name}_sites"),
            format!("{name}: sites"),
            move |row: &Row<'a>| Cell::Word(of(row).map(|medians| medians.sites.to_string())),
        ));
        columns.extend(Measure::headline().map(|measure| {
            let (key, label) = (measure.column, measure.label);
            Column::number(
                format!("{name}_median_{key}"),
                format!("{name}: median {label}"),
                measure.decimals,
                move |row: &Row<'a>| of(row).and_then(|medians| medians[measure]),
            )
            .unit(measure.unit)
        }));
    }
    columns.extend([
        Column::text("failure_class", "class of the failure", |row: &Row<'a>| {
            failed(row).map_or("", |failure| failure.class.label())
        }),
        Column::text("failure_message", "what was seen", |row: &Row<'a>| {
            failed(row).map_or("", |failure| failure.message.as_str())
        }),
    ]);
    Table::file(
        "trials",
        "a trial: what was trained and how well; the same wherever and however often it ran",
        columns,
        ordered(results),
    )
}

fn medians(summary: &Summary, part: Part) -> Medians {
    match part {
        Part::Train => summary.train,
        Part::Validation => summary.validation,
        Part::Test => summary.test,
        Part::Unused => Medians::default(),
    }
}

pub(crate) fn attempts<'a>(results: &Results<'a>) -> Table<'a, &'a Record> {
    Table::file(
        "attempts",
        "a trial: where, when and how long its newest attempt ran",
        vec![
            Column::text("trial", "id of the trial", |row: &&Record| {
                row.trial.id.to_string()
            }),
            Column::text("stage", "`search` or `final`", |row: &&Record| {
                row.trial.stage.to_string()
            }),
            Column::count("attempt", "attempts so far", |row: &&Record| {
                row.attempt.to_string()
            }),
            Column::text("started_utc", "when it began", |row: &&Record| {
                row.started.clone()
            }),
            Column::number("duration", "wall time", 1, |row: &&Record| row.seconds)
                .unit(Unit::SECONDS),
            Column::text("launch", "launch of the sweep", |row: &&Record| {
                row.place.launch.clone()
            }),
            Column::count("rank", "MPI rank", |row: &&Record| {
                row.place.rank.to_string()
            }),
            Column::count("slot", "slot on that rank", |row: &&Record| {
                row.place.slot.to_string()
            }),
            Column::text("host", "host", |row: &&Record| row.place.host.clone()),
            Column::text("device", "device and level", |row: &&Record| {
                row.place.device.clone()
            }),
        ],
        ordered(results),
    )
}
