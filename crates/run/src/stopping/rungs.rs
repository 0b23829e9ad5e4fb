//! Synchronous rungs: a rung is decided on once all trials that are to arrive there have, so that the order in which they do
//! is of no consequence.

use std::collections::HashMap;

use super::rule::{Arrival, Decision, Field, Verdict};

/// The scores of one rung: those of a configuration, trial by trial, as far as they are known.
type Scores = HashMap<usize, Vec<Option<Option<f64>>>>;

/// Who is still in the field, and what is known of them.
#[derive(Debug)]
pub(super) struct Synchronous {
    field: Field,
    /// Their epochs.
    pub(super) epochs: Vec<u32>,
    scores: Vec<Scores>,
    /// The rung that is to be decided on.
    rung: usize,
    /// The configurations that are judged there, in order.
    standing: Vec<usize>,
    /// Their trials that have not arrived.
    missing: usize,
}

impl Synchronous {
    pub(super) fn new(field: Field, epochs: Vec<u32>) -> Self {
        Self {
            scores: vec![HashMap::new(); epochs.len()],
            epochs,
            rung: 0,
            standing: (0..field.configurations).collect(),
            missing: field.configurations * field.replications,
            field,
        }
    }

    /// Takes in an arrival. `keep` says how many of so many configurations go on, if as many can.
    pub(super) fn on(&mut self, arrival: &Arrival, keep: impl Fn(usize) -> usize) -> Vec<Decision> {
        let Some(scores) = self.scores.get_mut(arrival.rung) else {
            return Vec::new();
        };
        let unknown = || vec![None; self.field.replications];
        let of = scores
            .entry(arrival.configuration)
            .or_insert_with(unknown)
            .get_mut(arrival.replication);
        if let Some(known) = of
            && known.replace(arrival.score).is_none()
            && arrival.rung == self.rung
            && self.standing.binary_search(&arrival.configuration).is_ok()
        {
            self.missing -= 1;
        }
        let mut decisions = Vec::new();
        while self.missing == 0 && self.rung < self.epochs.len() {
            decisions.extend(self.decide(&keep));
        }
        decisions
    }

    /// Decides on a rung at which all have arrived, and turns to the next.
    fn decide(&mut self, keep: impl Fn(usize) -> usize) -> Vec<Decision> {
        let measure = self.field.measure;
        let means = self.standing.iter().filter_map(|&configuration| {
            let mean = mean(self.scores[self.rung].get(&configuration)?)?;
            Some((configuration, measure.goodness(mean)))
        });
        let mut ranked: Vec<(usize, f64)> = means.collect();
        // Stable: of equals the first of the grid goes on.
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(keep(self.standing.len()));
        let mut on: Vec<usize> = ranked.into_iter().map(|(one, _)| one).collect();
        on.sort_unstable();
        let verdict = |configuration: usize| match on.binary_search(&configuration) {
            Ok(_) => Verdict::GoOn(self.rung + 1),
            Err(_) => Verdict::Stop(self.rung),
        };
        let decisions = self.standing.iter().map(|&configuration| Decision {
            configuration,
            verdict: verdict(configuration),
        });
        let decisions = decisions.collect();
        self.rung += 1;
        self.standing = on;
        self.missing = self.standing.len() * self.field.replications - self.known();
        decisions
    }

    /// Trials that have arrived at the rung at hand.
    fn known(&self) -> usize {
        let Some(scores) = self.scores.get(self.rung) else {
            return 0;
        };
        let standing = self.standing.iter().filter_map(|one| scores.get(one));
        standing.flatten().filter(|score| score.is_some()).count()
    }
}

/// The mean over all trials of a configuration; none if one has no score.
fn mean(scores: &[Option<Option<f64>>]) -> Option<f64> {
    let scores: Option<Vec<f64>> = scores.iter().map(|score| score.flatten()).collect();
    let scores = scores.filter(|scores| !scores.is_empty())?;
    Some(scores.iter().sum::<f64>() / scores.len() as f64)
}
