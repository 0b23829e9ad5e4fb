//! What a stopping rule is told and what it says.

use std::fmt::Debug;

use efflux_analysis::measures::Measure;

/// What a rule judges: configurations by number, in the order of the grid, each with the same number of trials.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Configurations.
    pub configurations: usize,
    /// Trials of each: its seeds.
    pub replications: usize,
    /// Epochs of a whole training.
    pub epochs: u32,
    /// What their scores are.
    pub measure: Measure,
}

/// A trial has arrived at a rung, or it is certain that it never will.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Its configuration.
    pub configuration: usize,
    /// Which of the configuration's trials it is.
    pub replication: usize,
    /// The rung, from 0.
    pub rung: usize,
    /// Its validation score there; none if it failed or its score is not defined.
    pub score: Option<f64>,
}

/// What becomes of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The configuration.
    pub configuration: usize,
    /// What its trials do.
    pub verdict: Verdict,
}

/// What the trials of a configuration do. Without a verdict they are trained to the first rung and wait there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They go on to this rung; to the end of training if it is the number of rungs.
    GoOn(usize),
    /// They are stopped, having been judged at this rung.
    Stop(usize),
}

/// Which configurations go on: a function of arrivals alone, without clock or files, so that whoever tells it the same comes
/// to the same decisions.
pub trait StoppingRule: Debug {
    /// The epochs of its rungs, ascending, fewer than a whole training has.
    fn rungs(&self) -> &[u32];

    /// Takes in an arrival, each of which comes once, and returns what it decides.
    fn on(&mut self, arrival: &Arrival) -> Vec<Decision>;
}
