//! How far a sweep is, from the journals and the file in which a running sweep says what it is at. Needs no server
//! and no MPI: it works on a login node while the job runs.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::panic::resume_unwind;
use std::thread;

use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};
use efflux_job::{Configuration, Job, Selection, Stage, Trial, TrialId};
use serde::{Deserialize, Serialize};

use super::brief::Brief;
use super::layout::RunDir;
use super::ledger::Ledger;
use super::place::FileSystem;
use super::record::FailureClass;
use super::results::has_results_of;
use super::selection::{Candidate, choose};
use super::slot_use::SlotUse;
use super::stopping::stopped;

/// How far one running trial is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The trial.
    pub trial: TrialId,
    /// Epochs done, in parts of one.
    pub epochs_done: f64,
    /// Epochs in all.
    pub epochs: u32,
    /// Mean loss of the last whole epoch, scaled units.
    pub loss: Option<f64>,
}

/// `live.json`: what a running sweep is at. Written every few seconds, gone when it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// Launch of the sweep.
    pub launch: String,
    /// Seconds since 1970 by the clock of the sweep's host, for people: the age of the file is what counts.
    pub written: u64,
    /// Running trials.
    pub running: Vec<Heartbeat>,
    /// Seconds to the end of the present stage, if that can be told.
    pub eta_seconds: Option<u64>,
}

/// Older than this, a sweep has gone without saying so.
const STALE_SECONDS: u64 = 60;

/// Counts, best score and expected end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The run directory.
    pub run: String,
    /// Search trials: planned, finished, failed.
    pub search: Counts,
    /// Final members: planned, finished, failed.
    #[serde(rename = "final")]
    pub last: Counts,
    /// Running trials; empty if no sweep is at work.
    pub running: Vec<Heartbeat>,
    /// Whether a sweep is at work.
    pub active: bool,
    /// Best search trial so far: configuration, seed and metric.
    pub best: Option<(Configuration, u64, f64)>,
    /// The best configurations so far, by the mean of the scores that are known.
    #[serde(default)]
    pub leaders: Vec<Leader>,
    /// Failed trials by the class of their latest failure.
    #[serde(default)]
    pub failures: BTreeMap<FailureClass, usize>,
    /// The selected configuration and its mean metric.
    pub selected: Option<(Configuration, f64)>,
    /// What the slots of the latest launch of the search were used for; absent before a trial has ended, and where a stopping
    /// rule is at work.
    #[serde(default)]
    pub slot_use: Option<SlotUse>,
    /// Seconds to the end of the present stage.
    pub eta_seconds: Option<u64>,
    /// Whether report and predictions are there, and are of the records that there are.
    pub reported: bool,
    /// Whether nothing is left to do: all has ended, and is reported.
    pub complete: bool,
}

/// A configuration and what is known of its scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leader {
    /// The configuration.
    pub params: Configuration,
    /// Mean over the scores that are known.
    pub mean: f64,
    /// The worst and the best of them.
    pub range: (f64, f64),
    /// How many are known, and how many there will be.
    pub scores: (usize, usize),
}

/// Configurations that [`Status::leaders`] has at most.
const LEADERS: usize = 3;

/// Trials of one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// In the latest job.
    pub planned: usize,
    /// Trained to the end.
    pub finished: usize,
    /// Not trained to the end by their latest attempt.
    pub failed: usize,
    /// Of the failed, those that another attempt may come to.
    pub retryable: usize,
    /// Given up by a stopping rule; absent from JSON where nothing was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stopped: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Counts {
    /// Of so many trials, of which these have ended.
    fn of<'a>(planned: usize, ended: impl IntoIterator<Item = &'a Brief>) -> Self {
        let mut counts = Self {
            planned,
            ..Self::default()
        };
        for record in ended {
            match record.failure() {
                None => counts.finished += 1,
                Some(_) => counts.failed += 1,
            }
            counts.retryable += usize::from(record.worth_another());
        }
        counts
    }

    /// Whether nothing of the stage is left to run. A sweep at work tries again what it may.
    fn ended(self, active: bool) -> bool {
        let open = if active { self.retryable } else { 0 };
        self.finished + self.failed + self.stopped - open == self.planned
    }
}

impl Live {
    /// Replaces `live.json`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be written.
    pub fn write(&self, run: &RunDir) -> Result<()> {
        let text = serde_json::to_string(self)
            .map_err(|error| Error::Internal(format!("live.json: {error}")))?;
        durable::write(&run.live_file(), text)
    }

    /// What the sweep says that is at work in a run directory; none if there is none.
    pub fn read(run: &RunDir) -> Option<Self> {
        let text = fs::read_to_string(run.live_file()).ok()?;
        let live: Self = serde_json::from_str(&text).ok()?;
        // By one clock, that of the file server: hosts need not agree on the time.
        let written = fs::metadata(run.live_file()).ok()?.modified().ok()?;
        let age = FileSystem::now(run.root()).duration_since(written);
        (age.unwrap_or_default().as_secs() < STALE_SECONDS).then_some(live)
    }
}

/// Seconds since 1970 by this host's clock.
pub fn seconds_since_1970() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

impl Status {
    /// Reads a run directory.
    ///
    /// # Errors
    ///
    /// If no sweep has been started there, or its files are damaged.
    pub fn of(run: &RunDir) -> Result<Self> {
        let manifest = run.manifest()?.ok_or_else(|| {
            Error::file(run.root(), "no sweep has been started in this directory")
        })?;
        let job = run.latest_job()?;
        let (search, ledger) = beside(
            || job.search_trials(&manifest.contract),
            || Ledger::read(&run.journals()),
        );
        let (search, ledger) = (search?, ledger?);
        // Looked up once: a search may have millions.
        let known: Vec<Option<&Brief>> = ledger.briefs(&search).collect();
        let (digest, choice) = beside(
            || ledger.digest(),
            || {
                let stopped = stopped(&job, &search, &ledger);
                choose(job.selection, &search, &known, stopped)
            },
        );
        let live = Live::read(run);
        let active = live.is_some();
        let briefs = || known.iter().copied().flatten();
        let mut search_counts = Counts::of(search.len(), briefs());
        search_counts.stopped = choice.stopped.len();
        // Before all of the search has ended a selection would be a guess.
        let winner = choice.winner.filter(|_| search_counts.ended(active));
        let last = match &winner {
            Some(winner) => {
                let members = job.final_trials(&manifest.contract, &winner.params)?;
                let ended = ledger.ended(&members).map(|(_, brief)| brief);
                Counts::of(members.len(), ended)
            }
            None => Counts {
                planned: job.seeds.final_members.len() * (1 + manifest.contract.folds.len()),
                ..Counts::default()
            },
        };
        // Without a winner there are no members to wait for.
        let has_members = winner.is_none() || last.ended(active);
        let reported = has_results_of(run, || digest, last.finished > 0)?;
        Ok(Self {
            run: run.root().display().to_string(),
            reported,
            complete: search_counts.ended(active) && has_members && reported,
            search: search_counts,
            last,
            active,
            best: best(job.selection, search.iter().zip(&known)),
            leaders: leaders(&job, &choice.candidates),
            failures: failures(briefs()),
            slot_use: match job.stop.is_on() {
                true => None,
                false => SlotUse::of(briefs()),
            },
            selected: winner.map(|winner| (winner.params, winner.score)),
            eta_seconds: live.as_ref().and_then(|live| live.eta_seconds),
            running: live.map(|live| live.running).unwrap_or_default(),
        })
    }

    /// For `--exit-code`: complete, complete with failures, or unfinished.
    pub fn exit(&self) -> Exit {
        let failed = self.search.failed + self.last.failed;
        match (self.complete, &self.selected) {
            (true, Some(_)) if failed == 0 => Exit::Complete,
            (true, _) => Exit::TrialsFailed,
            (false, _) => Exit::Unfinished,
        }
    }
}

/// Does two things at the same time.
fn beside<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        let one = one.join();
        (one.unwrap_or_else(|panic| resume_unwind(panic)), other)
    })
}

/// The best configurations of those with a score, not counting stopped ones.
fn leaders(job: &Job, candidates: &[Candidate]) -> Vec<Leader> {
    let goodness = |score: &f64| job.selection.metric.measure().goodness(*score);
    let open = candidates.iter().filter(|one| one.stopped.is_none());
    let scored = open.filter_map(|candidate| {
        let mut known = candidate.known();
        known.sort_by(|a, b| goodness(a).total_cmp(&goodness(b)));
        Some(Leader {
            params: candidate.params.clone(),
            mean: known.iter().sum::<f64>() / known.len() as f64,
            range: (*known.first()?, *known.last()?),
            scores: (known.len(), candidate.scores.len()),
        })
    });
    let mut leaders: Vec<Leader> = scored.collect();
    leaders.sort_by(|a, b| goodness(&b.mean).total_cmp(&goodness(&a.mean)));
    leaders.truncate(LEADERS);
    leaders
}

fn failures<'a>(ended: impl Iterator<Item = &'a Brief>) -> BTreeMap<FailureClass, usize> {
    let mut failures = BTreeMap::new();
    for class in ended.filter_map(Brief::failure) {
        *failures.entry(class).or_default() += 1;
    }
    failures
}

fn best<'a>(
    rule: Selection,
    known: impl Iterator<Item = (&'a Trial, &'a Option<&'a Brief>)>,
) -> Option<(Configuration, u64, f64)> {
    let score = |brief: &Brief| brief.scores()?.metric(rule);
    let scored = known.filter_map(|(trial, brief)| Some((trial, score((*brief)?)?)));
    let goodness = |score| rule.metric.measure().goodness(score);
    let best = scored.max_by(|a, b| goodness(a.1).total_cmp(&goodness(b.1)));
    best.map(|(trial, score)| (trial.params.clone(), trial.seed, score))
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_trained = self.search.ended(false) && self.last.ended(false);
        let state = match (self.active, self.complete) {
            (true, _) => "running",
            (false, true) => "complete",
            (false, false) if is_trained => {
                "trained, but not reported (the same sweep command writes the report)"
            }
            (false, false) => "stopped (the same sweep command continues it)",
        };
        writeln!(f, "{}: {state}", self.run)?;
        for (stage, counts) in [(Stage::Search, self.search), (Stage::Final, self.last)] {
            write!(
                f,
                "  {:<8}{} of {} finished, {} failed",
                stage.to_string(),
                counts.finished,
                counts.planned,
                counts.failed
            )?;
            match counts.stopped {
                0 => writeln!(f)?,
                stopped => writeln!(f, ", {stopped} stopped")?,
            }
        }
        for heartbeat in &self.running {
            let loss = heartbeat
                .loss
                .map(|loss| format!(", loss {loss:.4}"))
                .unwrap_or_default();
            writeln!(
                f,
                "  running {}: epoch {:.1} of {}{loss}",
                heartbeat.trial, heartbeat.epochs_done, heartbeat.epochs
            )?;
        }
        for (class, count) in &self.failures {
            writeln!(f, "  failed  {count} trials: {}", class.label())?;
        }
        if self.selected.is_none() {
            for Leader {
                params,
                mean,
                range: (worst, best),
                scores: (known, all),
            } in &self.leaders
            {
                writeln!(
                    f,
                    "  leader  {mean:.3} ({params}; {known} of {all} scores, {worst:.3} to {best:.3})"
                )?;
            }
        }
        if let Some((params, seed, score)) = &self.best {
            writeln!(f, "  best    {score:.3} ({params}, seed {seed})")?;
        }
        if let Some((params, score)) = &self.selected {
            writeln!(f, "  chosen  {params}, {score:.3} over its seeds")?;
        }
        if let Some(slot_use) = &self.slot_use {
            writeln!(f, "  slots   {slot_use}")?;
        }
        if let Some(seconds) = self.eta_seconds {
            writeln!(f, "  this stage ends in about {}", Duration(seconds))?;
        }
        Ok(())
    }
}

/// A duration as people say it.
pub struct Duration(pub u64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds @ 0..=89 => write!(f, "{seconds} s"),
            seconds @ 90..=5399 => write!(f, "{} min", (seconds + 30) / 60),
            seconds => write!(f, "{:.1} h", seconds as f64 / 3600.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let texts: Vec<String> = [5, 90, 3000, 9000]
            .map(|seconds| Duration(seconds).to_string())
            .into();
        assert_eq!(texts, ["5 s", "2 min", "50 min", "2.5 h"]);
    }
}
