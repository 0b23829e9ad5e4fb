//! What is known of a trial once it has ended: the unit of the journal.

use efflux_analysis::medians::Medians;
use efflux_job::{Stop, Trial, TrialId};
use serde::{Deserialize, Serialize};

use super::brief::Scores;
use super::ids::{Attempt, Rank, Slot};

/// One attempt at one trial, ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What was trained.
    pub trial: Trial,
    /// Counts the attempts at this trial, from 1.
    pub attempt: Attempt,
    /// Where it ran.
    pub place: Place,
    /// When it began, UTC, ISO 8601.
    pub started: String,
    /// Wall seconds, which trials in the lanes of one trainer have in common.
    pub seconds: f64,
    /// How it ended.
    pub outcome: Outcome,
}

impl Record {
    /// What it tells, if it finished.
    pub fn summary(&self) -> Option<&Summary> {
        match &self.outcome {
            Outcome::Finished(summary) => Some(summary),
            Outcome::Failed(_) => None,
        }
    }
}

/// Where a trial ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Launch of the sweep.
    pub launch: String,
    /// MPI rank, 0 without MPI.
    pub rank: Rank,
    /// Slot on that rank.
    pub slot: Slot,
    /// Host name.
    pub host: String,
    /// The device and instruction-set level the trainer computed with, for example `cpu avx2, 1 thread`.
    pub device: String,
}

/// A trial at a rung of a stopping rule: it has a checkpoint there, and waits for what becomes of its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RungResult {
    /// The trial.
    pub trial: TrialId,
    /// The attempt that brought it there.
    pub attempt: Attempt,
    /// Epochs that it was trained for.
    pub epoch: u32,
    /// Scores on the validation days after the last of them.
    pub validation: Medians,
    /// That of each site in the order of the pack, where the rule compares sites; else empty. `null`: not defined.
    #[serde(default)]
    pub sites: Vec<Option<f64>>,
}

/// A configuration that a stopping rule gave up, for rules whose decisions depend on when trials arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StopDecision {
    /// All its trials.
    pub trials: Vec<TrialId>,
    /// The epochs after which it was judged.
    pub epoch: u32,
    /// The rule. It binds no other.
    pub rule: Stop,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Trained to the end.
    Finished(Summary),
    /// Not trained to the end.
    Failed(Failure),
}

/// What a finished trial tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Optimizer steps taken.
    pub updates: u64,
    /// The epoch whose weights were kept, counted from 1.
    pub epoch: u32,
    /// Mean training loss of that epoch, scaled units. Those of all epochs are in the run's `epochs` directory.
    pub loss: f64,
    /// Share of the drawn windows that held a training target, and so were computed.
    pub window_share: f64,
    /// Scores on the days fitted on.
    pub train: Medians,
    /// Scores on the validation days, over the sites with at least
    /// [`VALIDATION_DAYS`](efflux_job::VALIDATION_DAYS) of them.
    pub validation: Medians,
    /// Scores on the test days.
    pub test: Medians,
}

impl Summary {
    /// What it is compared by.
    pub fn scores(&self) -> Scores {
        Scores {
            validation: self.validation,
            test: self.test,
        }
    }
}

/// Why an attempt did not end well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind, which decides whether another attempt is worth it.
    pub class: FailureClass,
    /// What was seen.
    pub message: String,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The loss or a weight is not finite: deterministic, so final.
    Diverged,
    /// The trainer ended, by itself or by a signal.
    Crashed,
    /// The trainer gave no sign of life and was killed.
    Hung,
    /// The trainer ended, gave no sign of life, or libtorch reported an error, while it had several trials in its lanes:
    /// any of them may have been the cause.
    Shared,
    /// There is not enough memory on the device, or libtorch was refused some in the host.
    Memory,
    /// The trainer was killed because the host has too little memory.
    MemoryHost,
    /// The job's rules cannot be followed with this pack: every other trial would fail the same way.
    Configuration,
    /// libtorch reported an error, or the trainer could not write what it must.
    Error,
}

impl FailureClass {
    /// Whether another attempt may end better. Divergence is deterministic.
    pub fn worth_another(self) -> bool {
        self != Self::Diverged
    }

    /// What tables and people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Diverged => "diverged",
            Self::Crashed => "crashed",
            Self::Hung => "hung",
            Self::Shared => "shared trainer",
            Self::Memory => "out of memory",
            Self::MemoryHost => "killed for memory",
            Self::Configuration => "job",
            Self::Error => "error",
        }
    }
}
