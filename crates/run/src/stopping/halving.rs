//! Synchronous successive halving: all configurations run a rung with all their seeds; the best max(1, ⌊n / eta⌋) by their
//! mean go on. One that lacks a score for a seed cannot, but counts among the n.

use efflux_job::Stop;

use super::rule::{Arrival, Decision, Field, StoppingRule};
use super::rungs::{Synchronous, best};

#[derive(Debug)]
pub(super) struct Halving {
    rungs: Synchronous,
    field: Field,
    eta: usize,
}

impl Halving {
    pub(super) fn new(stop: Stop, field: Field) -> Self {
        Self {
            rungs: Synchronous::new(field, stop.geometric(field.epochs)),
            field,
            eta: stop.eta() as usize,
        }
    }
}

impl StoppingRule for Halving {
    fn rungs(&self) -> &[u32] {
        &self.rungs.epochs
    }

    fn on(&mut self, arrival: &Arrival<'_>) -> Vec<Decision> {
        let Self { rungs, field, eta } = self;
        rungs.on(arrival, |standing, arrivals| {
            let keep = (standing.len() / *eta).max(1);
            best(*field, keep, standing, arrivals)
        })
    }
}
