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
pub struct Arrival<'a> {
    /// Its configuration.
    pub configuration: usize,
    /// Which of the configuration's trials it is.
    pub replication: usize,
    /// The rung, from 0; the number of rungs for the end of training.
    pub rung: usize,
    /// Its validation score there; none if it failed or its score is not defined.
    pub score: Option<f64>,
    /// That of each site, in the order of the pack; empty unless the rule [compares sites](StoppingRule::compares_sites).
    pub sites: &'a [Option<f64>],
}

/// What becomes of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The configuration.
    pub configuration: usize,
    /// What its trials do.
    pub verdict: Verdict,
}

/// What the trials of a configuration do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They go on to this rung and wait there; to the end of training if it is the number of rungs.
    GoOn(usize),
    /// They wait where they are.
    Wait,
    /// They are stopped, having been judged at this rung.
    Stop(usize),
}

/// Which configurations go on: a function of arrivals, and for rules that have configurations begin where there is room of
/// what was begun, without clock or files, so that whoever tells it the same comes to the same decisions.
pub trait StoppingRule: Debug {
    /// The epochs of its rungs, ascending, fewer than a whole training has.
    fn rungs(&self) -> &[u32];

    /// Whether it wants to be told the scores of sites.
    fn compares_sites(&self) -> bool {
        false
    }

    /// Whether the same arrivals in another order can lead to other decisions that stop a configuration: those are then
    /// written into the journal.
    fn depends_on_time(&self) -> bool {
        false
    }

    /// What all configurations do before the rule has said anything.
    fn at_first(&self) -> Verdict {
        Verdict::GoOn(0)
    }

    /// Takes in an arrival, each of which comes once, and returns what it decides.
    fn on(&mut self, arrival: &Arrival<'_>) -> Vec<Decision>;

    /// What is to go on where there is room for more; nothing for rules that decide when trials arrive.
    fn propose(&self) -> Option<Decision> {
        None
    }

    /// What was proposed is done.
    fn accept(&mut self, _decision: Decision) {}
}
