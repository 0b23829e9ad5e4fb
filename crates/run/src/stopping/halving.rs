//! Synchronous successive halving: all configurations run a rung with all their seeds; the best max(1, ⌊n / eta⌋) by their
//! mean go on. One that lacks a score for a seed cannot, but counts among the n.

use efflux_job::Stop;

use super::rule::{Arrival, Decision, Field, StoppingRule};
use super::rungs::Synchronous;

#[derive(Debug)]
pub(super) struct Halving {
    rungs: Synchronous,
    eta: usize,
}

impl Halving {
    pub(super) fn new(stop: Stop, field: Field) -> Self {
        Self {
            rungs: Synchronous::new(field, stop.geometric(field.epochs)),
            eta: stop.eta() as usize,
        }
    }
}

impl StoppingRule for Halving {
    fn rungs(&self) -> &[u32] {
        &self.rungs.epochs
    }

    fn on(&mut self, arrival: &Arrival) -> Vec<Decision> {
        let eta = self.eta;
        self.rungs.on(arrival, |count| (count / eta).max(1))
    }
}
