//! Selection: the configuration with the best metric, averaged over the search seeds, never one lucky seed.
//!
//! It is a function of the rule, the grid and the records, so it is computed wherever it is asked for and kept nowhere.

use std::collections::HashMap;

use super::brief::Brief;
use super::ledger::Ledger;
use super::stopping::stopped;
use efflux_job::{Configuration, Job, Key, SearchTrials, Selection, TrialId};

/// What the search says: every configuration with its scores, and the one that is selected.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The rule.
    pub rule: Selection,
    /// Every configuration, in the order of the grid.
    pub candidates: Vec<Candidate>,
    /// The best of them; none while a search trial has not ended, when the best so far would be a guess, and none if no
    /// configuration can be selected.
    pub winner: Option<Winner>,
    /// The trials that a stopping rule gave up, as [`stopped`] has them.
    pub stopped: HashMap<TrialId, u32>,
}

/// The selected configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Winner {
    /// What is selected.
    pub params: Configuration,
    /// Its metric, mean over the search seeds and folds.
    pub score: f64,
}

/// A configuration and its scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The configuration.
    pub params: Configuration,
    /// Seed and metric, for each fold if there are folds; no metric where the trial failed or its score is not defined.
    pub scores: Vec<(u64, Option<f64>)>,
    /// Mean over seeds and folds; absent if one is, for then the configuration is not selectable.
    pub mean: Option<f64>,
    /// Epochs after which a stopping rule gave it up, if one did: then it is not selectable either.
    pub stopped: Option<u32>,
}

impl Choice {
    /// Whether it is this configuration that is selected.
    pub fn selects(&self, params: &Configuration) -> bool {
        let winner = self.winner.as_ref();
        winner.is_some_and(|winner| winner.params == *params)
    }

    /// The keys that configurations set.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        let first = self.candidates.first().into_iter();
        first.flat_map(|one| one.params.values().iter().map(|(key, _)| *key))
    }

    /// What configurations are compared by: `median NSE over sites on the validation part`.
    pub fn compared_by(&self) -> String {
        let (metric, on) = (self.rule.metric.label(), self.rule.on.name());
        format!("{metric} over sites on the {on} part")
    }

    /// The configurations, best mean first, those that cannot be selected last.
    pub fn ranked(&self) -> Vec<&Candidate> {
        let measure = self.rule.metric.measure();
        let mut ranked: Vec<&Candidate> = self.candidates.iter().collect();
        let key = |candidate: &Candidate| {
            let mean = candidate.mean.map(|mean| measure.goodness(mean));
            mean.unwrap_or(f64::NEG_INFINITY)
        };
        ranked.sort_by(|a, b| key(b).total_cmp(&key(a)));
        ranked
    }
}

impl Candidate {
    /// The scores that there are.
    pub fn known(&self) -> Vec<f64> {
        self.scores.iter().filter_map(|(_, score)| *score).collect()
    }

    /// Why it cannot be selected, if it cannot.
    pub fn obstacle(&self) -> Option<String> {
        if let Some(epochs) = self.stopped {
            return Some(format!("stopped after epoch {epochs}"));
        }
        let missing = self.scores.len() - self.known().len();
        self.mean
            .is_none()
            .then(|| format!("no score for {missing} of its seeds"))
    }
}

/// Applies a job's rule to what the ledger knows of its search trials.
pub fn select(job: &Job, trials: &SearchTrials, ledger: &Ledger) -> Choice {
    let known: Vec<Option<&Brief>> = ledger.briefs(trials).collect();
    choose(job.selection, trials, &known, stopped(job, trials, ledger))
}

/// As [`select`], where what is known of each trial has been looked up.
pub(super) fn choose(
    rule: Selection,
    trials: &SearchTrials,
    known: &[Option<&Brief>],
    stopped: HashMap<TrialId, u32>,
) -> Choice {
    let configurations = trials.configurations();
    let of_each = trials.len() / configurations.len().max(1);
    let unknown = configurations.iter().map(|params| Candidate {
        params: params.clone(),
        scores: Vec::with_capacity(of_each),
        mean: None,
        stopped: None,
    });
    let mut candidates: Vec<Candidate> = unknown.collect();
    let mut has_ended = true;
    // A fold is averaged over like a seed.
    for ((place, trial), brief) in trials.placed().zip(known) {
        let score = brief.and_then(|brief| brief.scores()?.metric(rule));
        let epochs = stopped.get(&trial.id).copied();
        let candidate = &mut candidates[place];
        candidate.scores.push((trial.seed, score));
        candidate.stopped = epochs.or(candidate.stopped);
        has_ended &= brief.is_some() || epochs.is_some();
    }
    for candidate in &mut candidates {
        candidate.mean = mean(&candidate.scores);
    }
    Choice {
        rule,
        winner: best(rule, &candidates).filter(|_| has_ended),
        candidates,
        stopped,
    }
}

fn best(rule: Selection, candidates: &[Candidate]) -> Option<Winner> {
    let measure = rule.metric.measure();
    let mut best: Option<Winner> = None;
    for candidate in candidates {
        // Strictly better: of equals the first of the grid wins, in every launch the same.
        if let Some(score) = candidate.mean
            && best
                .as_ref()
                .is_none_or(|best| measure.goodness(score) > measure.goodness(best.score))
        {
            best = Some(Winner {
                params: candidate.params.clone(),
                score,
            });
        }
    }
    best
}

/// Nothing where a score is missing.
fn mean(scores: &[(u64, Option<f64>)]) -> Option<f64> {
    let known = scores.iter().map(|(_, score)| *score);
    let sum: f64 = known.sum::<Option<f64>>()?;
    (!scores.is_empty()).then(|| sum / scores.len() as f64)
}
