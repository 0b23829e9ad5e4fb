//! What is known of the trials of configurations at one rung.

use std::collections::HashMap;

use super::rule::Arrival;

/// A trial at a rung.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrived {
    /// Its score; none if it failed or the score is not defined.
    pub(super) score: Option<f64>,
    /// That of each site, where the rule compares sites.
    pub(super) sites: Vec<Option<f64>>,
}

/// The trials at one rung.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    /// Trials of each configuration.
    replications: usize,
    /// By configuration, trial by trial.
    known: HashMap<usize, Vec<Option<Arrived>>>,
}

impl Arrivals {
    pub(super) fn new(replications: usize) -> Self {
        Self {
            replications,
            known: HashMap::new(),
        }
    }

    /// Takes in an arrival, and says whether it is news.
    pub(super) fn add(&mut self, arrival: &Arrival<'_>) -> bool {
        let unknown = || vec![None; self.replications];
        let known = self.known.entry(arrival.configuration);
        let known = known.or_insert_with(unknown);
        let Some(place) = known.get_mut(arrival.replication) else {
            return false;
        };
        place
            .replace(Arrived {
                score: arrival.score,
                sites: arrival.sites.to_vec(),
            })
            .is_none()
    }

    /// How many trials of a configuration have arrived.
    pub(super) fn count(&self, configuration: usize) -> usize {
        let known = self.known.get(&configuration).into_iter().flatten();
        known.flatten().count()
    }

    /// All trials of a configuration, once all have arrived.
    pub(super) fn whole(&self, configuration: usize) -> Option<Vec<&Arrived>> {
        let known = self.known.get(&configuration)?;
        known.iter().map(Option::as_ref).collect()
    }

    /// The mean score of a configuration; none if a trial has no score or has not arrived.
    pub(super) fn mean(&self, configuration: usize) -> Option<f64> {
        let known = self.known.get(&configuration)?;
        let score = |one: &Option<Arrived>| one.as_ref()?.score;
        let scores: Option<Vec<f64>> = known.iter().map(score).collect();
        let scores = scores.filter(|scores| !scores.is_empty())?;
        Some(scores.iter().sum::<f64>() / scores.len() as f64)
    }
}
