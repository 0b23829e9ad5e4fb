//! Selection: the configuration with the best metric, averaged over the search seeds, never one lucky seed.
//!
//! It is a function of the rule, the grid and the records, so it is computed wherever it is asked for and kept nowhere.

use super::ledger::Ledger;
use super::record::Summary;
use super::stopping::stopped;
use efflux_job::{Configuration, Job, Key, Selection, SelectionPart, Trial};

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

/// Applies a job's rule to what the ledger knows of its search trials: all that [`Job::search_trials`] gives, in that order.
pub fn select(job: &Job, trials: &[Trial], ledger: &Ledger) -> Choice {
    let rule = job.selection;
    let stopped = stopped(job, trials, ledger);
    let configurations = job.grid.configurations();
    let mut has_ended = true;
    let mut stopped_after = vec![None; configurations.len()];
    let mut scores = vec![Vec::new(); configurations.len()];
    // A fold is averaged over like a seed.
    for of_seed_and_fold in trials.chunks(configurations.len()) {
        for (place, trial) in of_seed_and_fold.iter().enumerate() {
            let record = ledger.record(&trial.id);
            let score = record.and_then(|record| metric(rule, record.summary()?));
            scores[place].push((trial.seed, score));
            let epochs = stopped.get(&trial.id);
            stopped_after[place] = epochs.copied().or(stopped_after[place]);
            has_ended &= record.is_some() || epochs.is_some();
        }
    }
    let of_configurations = scores.into_iter().zip(stopped_after);
    let candidates = configurations.iter().zip(of_configurations);
    let candidates =
        candidates.map(|(params, (scores, stopped))| candidate(params.clone(), scores, stopped));
    let candidates: Vec<Candidate> = candidates.collect();
    Choice {
        rule,
        winner: best(rule, &candidates).filter(|_| has_ended),
        candidates,
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

fn candidate(
    params: Configuration,
    scores: Vec<(u64, Option<f64>)>,
    stopped: Option<u32>,
) -> Candidate {
    let known: Option<Vec<f64>> = scores.iter().map(|(_, score)| *score).collect();
    let mean = known
        .filter(|known| !known.is_empty())
        .map(|known| known.iter().sum::<f64>() / known.len() as f64);
    Candidate {
        params,
        scores,
        mean,
        stopped,
    }
}

/// The rule's metric of one trial.
pub fn metric(rule: Selection, summary: &Summary) -> Option<f64> {
    let medians = match rule.on {
        SelectionPart::Validation => summary.validation,
        SelectionPart::Test => summary.test,
    };
    medians[rule.metric.measure()]
}
