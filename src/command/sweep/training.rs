//! The trials of a sweep, stage by stage, and what is told while they are trained.

use std::collections::HashMap;

use efflux_base::error::Result;
use efflux_cluster::{Coordinator, Ending, Notice, Tally};
use efflux_job::{SearchTrials, Trial};
use efflux_run::record::{Outcome, Record};
use efflux_run::stopping::Stopping;
use efflux_run::{Choice, Duration, SlotUse, select};

use super::signs::Signs;
use crate::command::loads::Loads;
use crate::command::said;
use crate::command::stages::Stages;
use crate::command::study::Study;
use crate::command::timing::{Timed, Timing};
use crate::console;

/// One line of log for what a stopping rule gave up.
fn tell_stopped(study: &Study, choice: &Choice) {
    let all = choice.candidates.len();
    let stopped = choice.candidates.iter();
    let stopped = stopped.filter(|one| one.stopped.is_some()).count();
    if stopped > 0 {
        let policy = study.job.stop.policy.name();
        tracing::info!("`{policy}` stopped {stopped} of {all} configurations early");
    }
}

/// Search, selection, final members. The longest trials are dispatched first: what still runs at the end is then short.
/// `known` is what earlier launches make of the search.
pub(super) fn train(
    study: &Study,
    search: &SearchTrials,
    known: &Choice,
    lanes: u32,
    launch: &str,
    coordinator: &mut Coordinator<'_>,
) -> Result<Ending> {
    let loads = Loads::of(study)?;
    let stages = Stages::of(study, &loads, search, known, coordinator.ledger())?;
    let measured: Vec<Timed> = stages.timed().collect();
    let timing = Timing::of(&measured).unwrap_or_else(Timing::unmeasured);
    let ordered = longest_first(search, lanes, |place| {
        timing.seconds(loads.of_search(place))
    });
    let stopping = Stopping::of(&study.job, search);
    if stage(study, coordinator, "search", &ordered, stopping)? == Ending::Interrupted {
        return Ok(Ending::Interrupted);
    }
    let choice = select(&study.job, search, coordinator.ledger());
    tell_stopped(study, &choice);
    let Some(winner) = &choice.winner else {
        tracing::error!(
            "no configuration has a score for every search seed: nothing can be selected"
        );
        return Ok(Ending::Done);
    };
    console::wipe();
    tracing::info!("selected {}: {:.3}", winner.params, winner.score);
    let last = study.job.final_trials(&study.contract, &winner.params)?;
    let selected = study.place_of(&winner.params);
    let seeds = study.job.seeds.final_members.len();
    let ordered = longest_first(&last, lanes, |place| match selected {
        Some(selected) => timing.seconds(&loads.of_members(selected)[place / seeds]),
        None => 0.0,
    });
    let ending = stage(study, coordinator, "final", &ordered, None)?;
    let stages = Stages::of(study, &loads, search, &choice, coordinator.ledger())?;
    if let Some((error, trials)) = stages.error_of(launch) {
        tracing::info!(
            "{trials} trials of this launch took {error:.2} times as long as was planned before it"
        );
    }
    Ok(ending)
}

/// Trials by the time that each takes, for lanes those of one shape together.
fn longest_first(trials: &[Trial], lanes: u32, seconds: impl Fn(usize) -> f64) -> Vec<Trial> {
    let mut shapes = HashMap::new();
    let mut longest: Vec<f64> = Vec::new();
    let mut ordered: Vec<(usize, f64, usize)> = Vec::with_capacity(trials.len());
    for (place, trial) in trials.iter().enumerate() {
        let next = longest.len();
        let shape = match lanes {
            1 => 0,
            _ => *shapes.entry(trial.shape()).or_insert(next),
        };
        let seconds = seconds(place);
        match longest.get_mut(shape) {
            Some(longest) => *longest = longest.max(seconds),
            None => longest.push(seconds),
        }
        ordered.push((shape, seconds, place));
    }
    ordered.sort_by(|(shape, seconds, _), (of, other, _)| {
        longest[*of]
            .total_cmp(&longest[*shape])
            .then(shape.cmp(of))
            .then(other.total_cmp(seconds))
    });
    let places = ordered.iter().map(|(.., place)| trials[*place].clone());
    places.collect()
}

fn stage(
    study: &Study,
    coordinator: &mut Coordinator<'_>,
    name: &str,
    trials: &[Trial],
    stopping: Option<Stopping>,
) -> Result<Ending> {
    let known = coordinator.ledger().ended(trials).count();
    tracing::info!(
        "{name}: {known} of {} trials known from earlier launches",
        trials.len()
    );
    let rule = study.job.selection;
    let score = |record: &Record| record.summary()?.scores().metric(rule);
    let measure = study.job.selection.metric.measure();
    let mut best = None;
    let mut better = |score: Option<f64>| {
        let goodness = |score: &f64| measure.goodness(*score);
        let both = [best, score].into_iter().flatten();
        best = both.max_by(|a, b| goodness(a).total_cmp(&goodness(b)));
        best
    };
    for (_, brief) in coordinator.ledger().ended(trials) {
        better(brief.scores().and_then(|scores| scores.metric(rule)));
    }
    let mut signs = Signs::default();
    let has_rungs = stopping.is_some();
    let ending = coordinator.train(trials, stopping, &mut |notice| match notice {
        Notice::Ended(record, tally) => {
            tell(record, tally, score(record));
            signs.said();
            console::progress(&line(name, tally, better(score(record))));
        }
        Notice::Tick(tally) => {
            let line = line(name, tally, better(None));
            console::progress(&line);
            signs.tick(tally, &line);
        }
    });
    console::wipe();
    let ledger = coordinator.ledger();
    let has_trained = ledger.ended(trials).count() > known;
    if has_trained
        && !has_rungs
        && let Some(slot_use) = SlotUse::of(ledger.ended(trials).map(|(_, brief)| brief))
    {
        tracing::info!("{name}: {slot_use}");
    }
    ending
}

/// One line of log for a trial that has ended.
fn tell(record: &Record, tally: &Tally, score: Option<f64>) {
    let Record {
        trial,
        place,
        seconds,
        ..
    } = record;
    let count = format!("{}/{}", tally.finished + tally.failed, tally.planned);
    let eta = tally
        .eta_seconds
        .map(|seconds| format!(", ends in about {}", Duration(seconds)))
        .unwrap_or_default();
    let what = format!("{} {}, seed {}", trial.id, trial.params, trial.seed);
    let place = format!("rank {} slot {}", place.rank, place.slot);
    match &record.outcome {
        Outcome::Finished(summary) => {
            let score = said(score);
            tracing::info!(
                "{count} {what}: score {score}, loss {:.4} ({seconds:.0} s on {place}){eta}",
                summary.loss
            );
        }
        Outcome::Failed(failure) => tracing::warn!(
            "{count} {what}: attempt {} failed after {seconds:.0} s on {place}: {}",
            record.attempt,
            failure.message
        ),
    }
}

/// The line of progress on a terminal.
fn line(stage: &str, tally: &Tally, best: Option<f64>) -> String {
    let best = best
        .map(|best| format!(" · best {best:.3}"))
        .unwrap_or_default();
    let eta = tally
        .eta_seconds
        .map(|seconds| format!(" · {} left", Duration(seconds)))
        .unwrap_or_default();
    let failed = match tally.failed {
        0 => String::new(),
        failed => format!(" · {failed} failed"),
    };
    format!(
        "{stage}: {} of {} done · {} running{failed}{best}{eta}",
        tally.finished, tally.planned, tally.running,
    )
}
