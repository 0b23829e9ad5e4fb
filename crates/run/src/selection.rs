//! Selection: the configuration with the best metric, averaged over the search seeds, never one lucky seed.

use std::collections::HashMap;

use efflux_analysis::medians::Medians;
use efflux_job::{Metric, Params, Selection, SelectionPart, Trial};
use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::record::Summary;

/// A selection with everything it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// The rule.
    pub rule: Selection,
    /// The winner.
    pub params: Params,
    /// Its metric, mean over the search seeds.
    pub score: f64,
    /// All configurations, in the order of the grid.
    pub candidates: Vec<Candidate>,
}

/// A configuration and its scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The configuration.
    pub params: Params,
    /// Seed and metric; no metric where the trial failed or its score is not defined.
    pub scores: Vec<(u64, Option<f64>)>,
    /// Mean over the seeds; absent if one is, for then the configuration is not selectable.
    pub mean: Option<f64>,
}

/// Applies the rule to what the ledger knows of these search trials. While some of them have not ended the best so far
/// would be a guess; then, and without any selectable configuration, the candidates come back alone.
///
/// # Errors
///
/// The candidates, if none of them can be selected.
pub fn select(
    rule: Selection,
    configurations: &[Params],
    trials: &[Trial],
    ledger: &Ledger,
) -> Result<Chosen, Vec<Candidate>> {
    let mut scores: HashMap<_, Vec<(u64, Option<f64>)>> = HashMap::new();
    for trial in trials {
        let summary = ledger.summary(&trial.id);
        let score = summary.and_then(|summary| metric(rule, summary));
        let of_params = scores.entry(trial.params.key()).or_default();
        of_params.push((trial.seed, score));
    }
    let candidates: Vec<Candidate> = configurations
        .iter()
        .map(|params| candidate(*params, scores.remove(&params.key()).unwrap_or_default()))
        .collect();
    if trials
        .iter()
        .any(|trial| ledger.record(&trial.id).is_none())
    {
        return Err(candidates);
    }
    let mut best: Option<(Params, f64)> = None;
    for candidate in &candidates {
        // Strictly better: of equals the first of the grid wins, in every launch the same.
        if let Some(mean) = candidate.mean
            && best.is_none_or(|(_, score)| mean > score)
        {
            best = Some((candidate.params, mean));
        }
    }
    match best {
        Some((params, score)) => Ok(Chosen {
            rule,
            params,
            score,
            candidates,
        }),
        None => Err(candidates),
    }
}

fn candidate(params: Params, scores: Vec<(u64, Option<f64>)>) -> Candidate {
    let known: Option<Vec<f64>> = scores.iter().map(|(_, score)| *score).collect();
    let mean = known
        .filter(|known| !known.is_empty())
        .map(|known| known.iter().sum::<f64>() / known.len() as f64);
    Candidate {
        params,
        scores,
        mean,
    }
}

/// The rule's metric of one trial.
pub fn metric(rule: Selection, summary: &Summary) -> Option<f64> {
    let Medians { nse, kge, r, .. } = match rule.on {
        SelectionPart::Validation => summary.validation,
        SelectionPart::Test => summary.test,
    };
    match rule.metric {
        Metric::MedianNse => nse,
        Metric::MedianKge => kge,
        Metric::MedianR => r,
    }
}
