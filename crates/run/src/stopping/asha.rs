//! Asynchronous successive halving by promotion: wherever there is room, from the highest rung downwards the best
//! configuration goes on that is among the best ⌊n / eta⌋ of the n that have arrived there and has not gone on yet; if there
//! is none, the next configuration begins. It arrives with the last of its trials, and is judged by their mean.
//!
//! One without a score for each of its trials counts among the n, never among the best; of equals the first of the grid is
//! better. What it decides depends on when trials arrive.
//!
//! # Source
//!
//! Li et al. (2020), *Proceedings of Machine Learning and Systems* 2, algorithm 2 (arXiv 1810.05934).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use efflux_analysis::measures::Measure;
use efflux_job::Stop;

use super::arrivals::Arrivals;
use super::rule::{Arrival, Decision, Field, StoppingRule, Verdict};

#[derive(Debug)]
pub(super) struct Asha {
    field: Field,
    eta: usize,
    epochs: Vec<u32>,
    rungs: Vec<Rung>,
    /// The rung that each configuration was last let go on to.
    let_on: Vec<Option<usize>>,
    /// All before it have begun.
    next: usize,
}

/// Those that have arrived at a rung.
#[derive(Debug)]
struct Rung {
    arrivals: Arrivals,
    /// Configurations of which all trials have.
    count: usize,
    /// Those with a score that have not gone on, best first.
    left: BTreeSet<Placed>,
    /// Those that have gone on, best first.
    promoted: Vec<Placed>,
}

/// A configuration by its goodness: the first is the best.
#[derive(Clone, Copy, Debug)]
struct Placed {
    goodness: f64,
    configuration: usize,
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_goodness = other.goodness.total_cmp(&self.goodness);
        by_goodness.then(self.configuration.cmp(&other.configuration))
    }
}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Placed {}

impl Rung {
    fn new(replications: usize) -> Self {
        Self {
            arrivals: Arrivals::new(replications),
            count: 0,
            left: BTreeSet::new(),
            promoted: Vec::new(),
        }
    }

    /// The best that has not gone on, if it is among the best of all.
    fn promotable(&self, eta: usize) -> Option<usize> {
        let best = self.left.first()?;
        let better = self.promoted.partition_point(|promoted| promoted < best);
        (better < self.count / eta).then_some(best.configuration)
    }

    /// A configuration as it stands here; none without a score for each of its trials.
    fn placed(&self, measure: Measure, configuration: usize) -> Option<Placed> {
        let mean = self.arrivals.mean(configuration)?;
        Some(Placed {
            goodness: measure.goodness(mean),
            configuration,
        })
    }

    /// Takes in an arrival, and says whether it was the last of its configuration.
    fn arrive(&mut self, arrival: &Arrival<'_>, field: &Field) -> bool {
        let configuration = arrival.configuration;
        let is_last =
            self.arrivals.add(arrival) && self.arrivals.count(configuration) == field.replications;
        if is_last {
            self.count += 1;
            self.left.extend(self.placed(field.measure, configuration));
        }
        is_last
    }

    /// Notes that a configuration goes on.
    fn promote(&mut self, configuration: usize, field: &Field) {
        let placed = self.placed(field.measure, configuration);
        if let Some(placed) = placed.filter(|placed| self.left.remove(placed)) {
            let place = self.promoted.partition_point(|promoted| *promoted < placed);
            self.promoted.insert(place, placed);
        }
    }
}

impl Asha {
    pub(super) fn new(stop: Stop, field: Field) -> Self {
        let epochs = stop.geometric(field.epochs);
        Self {
            rungs: epochs
                .iter()
                .map(|_| Rung::new(field.replications))
                .collect(),
            epochs,
            eta: stop.eta() as usize,
            let_on: vec![None; field.configurations],
            next: 0,
            field,
        }
    }

    /// Notes that a configuration was let go on to a rung.
    fn let_on(&mut self, configuration: usize, rung: usize) {
        self.let_on[configuration] = Some(rung);
        if let Some(before) = rung.checked_sub(1) {
            self.rungs[before].promote(configuration, &self.field);
        }
        while self.let_on.get(self.next).is_some_and(Option::is_some) {
            self.next += 1;
        }
    }
}

impl StoppingRule for Asha {
    fn rungs(&self) -> &[u32] {
        &self.epochs
    }

    fn at_first(&self) -> Verdict {
        Verdict::Wait
    }

    fn on(&mut self, arrival: &Arrival<'_>) -> Vec<Decision> {
        let Arrival {
            configuration,
            rung: number,
            ..
        } = *arrival;
        let decide = |verdict| Decision {
            configuration,
            verdict,
        };
        let mut decisions = Vec::new();
        // An earlier launch has let it go on.
        if self.let_on[configuration].is_none_or(|known| known < number) {
            self.let_on(configuration, number);
            decisions.push(decide(Verdict::GoOn(number)));
        }
        if let Some(rung) = self.rungs.get_mut(number)
            && rung.arrive(arrival, &self.field)
        {
            decisions.push(decide(Verdict::Wait));
        }
        decisions
    }

    fn propose(&self) -> Option<Decision> {
        let rungs = self.rungs.iter().enumerate().rev();
        let mut promotable =
            rungs.filter_map(|(number, rung)| Some((rung.promotable(self.eta)?, number + 1)));
        let new = (self.next < self.field.configurations).then_some((self.next, 0));
        let (configuration, rung) = promotable.next().or(new)?;
        Some(Decision {
            configuration,
            verdict: Verdict::GoOn(rung),
        })
    }

    fn accept(&mut self, decision: Decision) {
        if let Verdict::GoOn(rung) = decision.verdict {
            self.let_on(decision.configuration, rung);
        }
    }
}
