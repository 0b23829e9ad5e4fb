//! Synchronous rungs: a rung is decided on once all trials that are to arrive there have, so that the order in which they do
//! is of no consequence.

use super::arrivals::Arrivals;
use super::rule::{Arrival, Decision, Field, Verdict};

/// Who is still in the field, and what is known of them.
#[derive(Debug)]
pub(super) struct Synchronous {
    field: Field,
    /// Their epochs.
    pub(super) epochs: Vec<u32>,
    arrivals: Vec<Arrivals>,
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
            arrivals: vec![Arrivals::new(field.replications); epochs.len()],
            epochs,
            rung: 0,
            standing: (0..field.configurations).collect(),
            missing: field.configurations * field.replications,
            field,
        }
    }

    /// Takes in an arrival. `choose` says which of the configurations that are judged at a rung go on, given in order.
    pub(super) fn on(
        &mut self,
        arrival: &Arrival<'_>,
        choose: impl Fn(&[usize], &Arrivals) -> Vec<usize>,
    ) -> Vec<Decision> {
        let Some(arrivals) = self.arrivals.get_mut(arrival.rung) else {
            return Vec::new();
        };
        if arrivals.add(arrival)
            && arrival.rung == self.rung
            && self.standing.binary_search(&arrival.configuration).is_ok()
        {
            self.missing -= 1;
        }
        let mut decisions = Vec::new();
        while self.missing == 0 && self.rung < self.epochs.len() {
            decisions.extend(self.decide(&choose));
        }
        decisions
    }

    /// Decides on a rung at which all have arrived, and turns to the next.
    fn decide(&mut self, choose: impl Fn(&[usize], &Arrivals) -> Vec<usize>) -> Vec<Decision> {
        let mut on = choose(&self.standing, &self.arrivals[self.rung]);
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
        let Some(arrivals) = self.arrivals.get(self.rung) else {
            return 0;
        };
        self.standing.iter().map(|&one| arrivals.count(one)).sum()
    }
}

/// The best `keep` of these configurations by the mean of their scores, of equals the first; fewer if fewer have a mean.
pub(super) fn best(field: Field, keep: usize, of: &[usize], arrivals: &Arrivals) -> Vec<usize> {
    let means = of.iter().filter_map(|&configuration| {
        let mean = arrivals.mean(configuration)?;
        Some((configuration, field.measure.goodness(mean)))
    });
    let mut ranked: Vec<(usize, f64)> = means.collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.truncate(keep);
    ranked.into_iter().map(|(one, _)| one).collect()
}
