//! `efflux explain`: what became of a trial, and why.

use efflux_base::error::{Error, Exit, Result};
use efflux_job::{Job, SearchTrials, Stage, Trial};
use efflux_run::record::{Outcome, Record};
use efflux_run::stopping::judged;
use efflux_run::{
    Attempt, BriefOutcome, Choice, Entry, Ledger, Live, RunDir, read_epochs, read_journals, select,
};

use super::said;
use crate::cli::ExplainArgs;
use crate::console::say;

/// Epochs of a curve that are printed.
const SHOWN: usize = 12;

/// What is known of a run.
struct Known {
    run: RunDir,
    job: Job,
    search: SearchTrials,
    attempts: Vec<Record>,
    ledger: Ledger,
    choice: Choice,
    /// What a sweep that is at work says of itself.
    live: Option<Live>,
}

/// Prints how far a trial is and why, its attempts, its configuration beside the others, and its epochs.
pub(crate) fn explain(args: &ExplainArgs) -> Result<Exit> {
    let run = RunDir::new(&args.run);
    let manifest = run.manifest()?;
    let Some(manifest) = manifest else {
        return Err(Error::file(run.root(), "no sweep has been started here"));
    };
    let job = run.latest_job()?;
    let entries = read_journals(&run.journals())?;
    let ledger = Ledger::of(&entries);
    let attempts = entries.into_iter().filter_map(|entry| match entry {
        Entry::Trial(record) => Some(*record),
        Entry::Rung(_) | Entry::Stop(_) | Entry::Selection(_) => None,
    });
    let attempts: Vec<Record> = attempts.collect();
    let search = job.search_trials(&manifest.contract)?;
    let choice = select(&job, &search, &ledger);
    let mut trials = search.to_vec();
    if let Some(winner) = &choice.winner {
        trials.extend(job.final_trials(&manifest.contract, &winner.params)?);
    }
    let trial = found(&args.trial, &trials, &attempts, &run)?;
    let known = Known {
        job,
        search,
        attempts,
        ledger,
        choice,
        live: Live::read(&run),
        run,
    };
    known.tell(&trial, trials.contains(&trial))?;
    Ok(Exit::Complete)
}

/// The one trial whose id begins so, of the latest job or of an earlier one.
fn found(id: &str, trials: &[Trial], attempts: &[Record], run: &RunDir) -> Result<Trial> {
    let earlier = attempts.iter().map(|record| &record.trial);
    let mut matching: Vec<&Trial> = trials.iter().chain(earlier).collect();
    matching.retain(|trial| trial.id.as_str().starts_with(id));
    matching.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    matching.dedup_by(|a, b| a.id == b.id);
    match &matching[..] {
        [trial] => Ok((*trial).clone()),
        [] => {
            let reason = format!(
                "no trial of this run has an id that begins with {id}: {}/report/tables/selection.csv and `efflux plan JOB \
                 --trials` list them",
                run.root().display()
            );
            Err(Error::file(run.root(), reason))
        }
        several => {
            let reason = format!(
                "{} trials have ids that begin with {id}, the first {} and {}: give more of it",
                several.len(),
                several[0].id,
                several[1].id
            );
            Err(Error::file(run.root(), reason))
        }
    }
}

impl Known {
    fn tell(&self, trial: &Trial, is_planned: bool) -> Result<()> {
        say!("{} · {} · seed {}", trial.id, trial.params, trial.seed);
        say!("  stage          {}", trial.stage);
        say!("  state          {}", self.state(trial, is_planned));
        self.tell_attempts(trial);
        if trial.stage == Stage::Search {
            self.tell_configuration(trial);
        }
        self.tell_epochs(trial)
    }

    /// How far it is, and why.
    fn state(&self, trial: &Trial, is_planned: bool) -> String {
        let of_trial = self.live.iter().flat_map(|live| &live.running);
        let mut running = of_trial.filter(|heartbeat| heartbeat.trial == trial.id);
        if let Some(heartbeat) = running.next() {
            return format!(
                "running: epoch {:.1} of {}",
                heartbeat.epochs_done, heartbeat.epochs
            );
        }
        let brief = self.ledger.brief(&trial.id);
        match brief.map(|brief| (brief.attempt, &brief.outcome)) {
            Some((_, BriefOutcome::Finished(scores))) => {
                let score = said(scores.metric(self.job.selection));
                return format!("trained to the end; {} {score}", self.choice.compared_by());
            }
            Some((attempt, BriefOutcome::Failed { class })) => {
                let then = if class.worth_another() {
                    "the next launch tries it again"
                } else {
                    "it would fail again in the same way"
                };
                return format!("failed: {}; {then}", self.why_failed(trial, attempt));
            }
            None => {}
        }
        if !is_planned {
            return "not part of the latest job".to_owned();
        }
        let policy = self.job.stop.policy.name();
        if let Some(epochs) = self.choice.stopped.get(&trial.id) {
            return format!(
                "stopped by `{policy}` after epoch {epochs}; its checkpoint is kept, and it goes on if the rule is changed"
            );
        }
        let waits = match self.ledger.epochs_at_rungs(&trial.id) {
            0 => "has not begun".to_owned(),
            epochs => {
                format!("was trained for {epochs} epochs, and waits for what `{policy}` says")
            }
        };
        let why = match (self.live.is_some(), self.has_checkpoint(trial)) {
            (true, _) => "others are before it",
            (false, true) => {
                "no sweep is at work; the same sweep command goes on from its checkpoint"
            }
            (false, false) => "no sweep is at work; the same sweep command trains it",
        };
        format!("{waits}: {why}")
    }

    /// What was seen of a failure.
    fn why_failed(&self, trial: &Trial, attempt: Attempt) -> &str {
        let of_attempt =
            |record: &&Record| (&record.trial.id, record.attempt) == (&trial.id, attempt);
        match self
            .attempts
            .iter()
            .find(of_attempt)
            .map(|record| &record.outcome)
        {
            Some(Outcome::Failed(failure)) => &failure.message,
            Some(Outcome::Finished(_)) | None => "",
        }
    }

    fn has_checkpoint(&self, trial: &Trial) -> bool {
        self.run.checkpoint(&trial.id).exists()
    }

    fn tell_attempts(&self, trial: &Trial) {
        let own = self.attempts.iter();
        for record in own.filter(|record| record.trial.id == trial.id) {
            let how = match &record.outcome {
                Outcome::Finished(_) => "to the end".to_owned(),
                Outcome::Failed(failure) => failure.message.clone(),
            };
            let place = &record.place;
            say!(
                "  {:<15}{:.0} s on {}, rank {} slot {}, {}, from {}: {how}",
                format!("attempt {}", record.attempt),
                record.seconds,
                place.host,
                place.rank,
                place.slot,
                place.device,
                record.started
            );
        }
    }

    /// The configuration among the others.
    fn tell_configuration(&self, trial: &Trial) {
        let params = trial.params.in_fold(None);
        let ranked = self.choice.ranked();
        let Some(place) = ranked.iter().position(|one| one.params == params) else {
            return;
        };
        let candidate = ranked[place];
        let known = candidate.known();
        let scores = match candidate.mean {
            Some(mean) => format!(
                "{mean:.3} over {} scores, number {} of {}",
                known.len(),
                place + 1,
                ranked.len()
            ),
            None => format!(
                "{} of {} scores are known",
                known.len(),
                candidate.scores.len()
            ),
        };
        say!("  configuration  {scores}");
        if let Some(obstacle) = candidate.obstacle() {
            say!("                 not selectable: {obstacle}");
        }
        if let Some(winner) = &self.choice.winner {
            say!(
                "                 selected is {}: {:.3}",
                winner.params,
                winner.score
            );
        }
        let rungs = judged(&self.job, &self.search, &self.ledger).into_iter();
        for rung in rungs.filter(|rung| rung.trial.id == trial.id) {
            let score = said(rung.score);
            let then = if rung.is_stopped {
                "stopped there"
            } else {
                "goes on"
            };
            say!("  {:<15}{score}, {then}", format!("rung {}", rung.epochs));
        }
    }

    /// Its epochs, as many as fit: the first, the last, and those at equal distances between.
    fn tell_epochs(&self, trial: &Trial) -> Result<()> {
        let epochs = read_epochs(&self.run)?;
        let own: Vec<_> = epochs
            .iter()
            .filter(|line| line.trial == trial.id)
            .collect();
        let measure = self.job.selection.metric.measure();
        let Some(last) = own.len().checked_sub(1) else {
            return Ok(());
        };
        say!(
            "  epoch          loss, {} on the validation days",
            self.job.selection.metric.label()
        );
        let shown = SHOWN.min(own.len());
        for place in 0..shown {
            let line = own[place * last / (shown - 1).max(1)];
            let score = line.validation[measure];
            let score = said(score);
            say!("  {:<15}{:.4}, {score}", line.epoch, line.loss);
        }
        Ok(())
    }
}
