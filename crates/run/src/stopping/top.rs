//! All configurations run one rung with all their seeds; so many of the best by their mean are trained to the end.
//!
//! Egele et al. 2023 (arXiv 2307.15422) find it about as good as more elaborate rules, at a fraction of their cost.

use efflux_job::Stop;

use super::rule::{Arrival, Decision, Field, StoppingRule};
use super::rungs::{Synchronous, best};

#[derive(Debug)]
pub(super) struct Top {
    rungs: Synchronous,
    field: Field,
    keep: usize,
}

impl Top {
    pub(super) fn new(stop: Stop, field: Field) -> Self {
        Self {
            rungs: Synchronous::new(field, vec![stop.least()]),
            field,
            keep: stop.keep() as usize,
        }
    }
}

impl StoppingRule for Top {
    fn rungs(&self) -> &[u32] {
        &self.rungs.epochs
    }

    fn on(&mut self, arrival: &Arrival<'_>) -> Vec<Decision> {
        let Self { rungs, field, keep } = self;
        rungs.on(arrival, |standing, arrivals| {
            best(*field, *keep, standing, arrivals)
        })
    }
}
