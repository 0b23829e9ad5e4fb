//! How the configurations of a search learned: the mean of the validation scores of each one's trials, epoch by epoch.

use std::collections::{BTreeMap, HashMap};

use efflux_job::{Configuration, Stage};
use efflux_run::Candidate;

use super::results::Results;

/// What became of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// A stopping rule gave it up.
    Stopped,
    /// A trial of it failed, or has not ended.
    Lacking,
    Finished,
    Selected,
}

impl Fate {
    /// In the order in which they are drawn, the most important last.
    pub(crate) const ALL: [Self; 4] =
        [Self::Stopped, Self::Lacking, Self::Finished, Self::Selected];

    /// What tables and figures call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Lacking => "not all of its trials ended",
            Self::Finished => "trained to the end",
            Self::Selected => "selected",
        }
    }
}

/// A configuration, epoch by epoch.
pub(crate) struct Curve<'a> {
    pub(crate) candidate: &'a Candidate,
    pub(crate) fate: Fate,
    /// By epoch: how many of its trials have a score there, and the mean of these.
    pub(crate) epochs: BTreeMap<u32, (usize, f64)>,
}

/// Those that have a score at some epoch, the best first, as the search ranks them.
pub(crate) fn curves<'a>(results: &Results<'a>) -> Vec<Curve<'a>> {
    let choice = results.selection;
    let measure = choice.rule.metric.measure();
    let records = results.records.iter().map(|record| &record.trial);
    // Trials that were stopped have no record.
    let rungs = results.rungs.iter().map(|judged| &judged.trial);
    let search = records
        .chain(rungs)
        .filter(|trial| trial.stage == Stage::Search);
    let of_trial: HashMap<&str, Configuration> = search
        .map(|trial| (trial.id.as_str(), trial.params.in_fold(None)))
        .collect();
    // The latest line of an epoch counts: an attempt may have begun again.
    let mut scores: HashMap<&Configuration, BTreeMap<(u32, &str), f64>> = HashMap::new();
    for line in results.epochs {
        if let Some(configuration) = of_trial.get(line.trial.as_str())
            && let Some(score) = line.validation[measure]
        {
            let of_configuration = scores.entry(configuration).or_default();
            of_configuration.insert((line.epoch, line.trial.as_str()), score);
        }
    }
    let curve = |candidate: &'a Candidate| {
        let mut epochs: BTreeMap<u32, (usize, f64)> = BTreeMap::new();
        for ((epoch, _), score) in scores.get(&candidate.params)? {
            let (count, sum) = epochs.entry(*epoch).or_default();
            *count += 1;
            *sum += score;
        }
        for (count, value) in epochs.values_mut() {
            *value /= *count as f64;
        }
        let fate = match (candidate.stopped, candidate.mean) {
            _ if choice.selects(&candidate.params) => Fate::Selected,
            (Some(_), _) => Fate::Stopped,
            (None, None) => Fate::Lacking,
            (None, Some(_)) => Fate::Finished,
        };
        Some(Curve {
            candidate,
            fate,
            epochs,
        })
    };
    choice.ranked().into_iter().filter_map(curve).collect()
}
