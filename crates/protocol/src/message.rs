//! The messages of efflux: one type for each hop and direction.
//!
//! ```text
//! coordinator ──ToRank──▸ supervisor of a rank ──ToTrainer──▸ trainer
//!             ◂─FromRank──                     ◂─FromTrainer─
//! ```
//!
//! `trial` and `predict` have a trainer without a supervisor, and talk to it in the same words.

use std::fmt;
use std::path::PathBuf;

use efflux_base::error::{Error, Exit};
use efflux_job::{Metric, Trial, TrialId};
use efflux_numerics::Level;
use efflux_run::record::{Record, RungResult, StopDecision};
use efflux_run::{Attempt, Heartbeat};
use serde::{Deserialize, Serialize};

use super::device_report::DeviceReport;
use super::placement::Placement;
use super::preparation::{RankPreparation, TrainerPreparation};
use super::signals::Urgency;

/// From the coordinator to the supervisor of a rank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToRank {
    /// What the launch is. Comes first and once.
    Prepare(Box<RankPreparation>),
    /// Train this.
    Train(Assignment),
    /// Write this into the journal.
    Note(StopDecision),
    /// Begin no further trial, and hand back those that wait for a slot.
    BeginNoMore,
    /// Hand everything back: running trials write a checkpoint at their next iteration and stop.
    Drain,
    /// Nothing more will come: end.
    Stop,
}

/// From the supervisor of a rank to the coordinator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromRank {
    /// Ready to be prepared; later: the number of slots has changed.
    Ready(Ready),
    /// What became of trials. Records are in the journal of the rank.
    Trial(TrialEvent),
    /// A signal asked this rank to shut down.
    Signalled(Urgency),
    /// This rank cannot go on, and neither should the sweep.
    Failed(ErrorReport),
}

/// From a supervisor, `trial` or `predict` to a trainer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToTrainer {
    /// What all its trials have in common. Comes first and once.
    Prepare(Box<TrainerPreparation>),
    /// Train this.
    Train(Assignment),
    /// Simulate the pack with this member.
    Simulate(Simulation),
    /// Hand back what is running: write a checkpoint at the next iteration and stop there.
    Drain,
    /// Nothing more will come: end.
    Stop,
}

/// From a trainer to whoever started it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromTrainer {
    /// It was prepared and is ready for work, on the device that it reports.
    Ready(DeviceReport),
    /// What became of trials.
    Trial(TrialEvent),
    /// The answer to [`ToTrainer::Simulate`]: the simulation is kept.
    Simulated(TrialId),
    /// It cannot go on.
    Failed(ErrorReport),
}

/// What becomes of trials, as trainers report it and supervisors pass it on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TrialEvent {
    /// How far the running trials are.
    Progress(Vec<Heartbeat>),
    /// An attempt has ended.
    Ended(Box<Record>),
    /// A trial has arrived where its assignment ends; its checkpoint is there. It has no record.
    AtRung(RungResult),
    /// A trial was handed back, with what its checkpoint holds. It has no record.
    Released {
        /// The trial.
        trial: TrialId,
        /// The attempt that it was dispatched for.
        attempt: Attempt,
    },
}

/// A trial to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// What to train.
    pub trial: Trial,
    /// Counts how often it was dispatched, from 1.
    pub attempt: Attempt,
    /// What it may share with other trials.
    pub isolation: Isolation,
    /// Epochs after which it is to be handed back with its validation scores; none: it is trained to its end.
    pub until: Option<u32>,
    /// What is then to be told of each site, too.
    pub metric_of_sites: Option<Metric>,
    /// Where to keep weights and simulation, if they are to be kept.
    #[serde(with = "crate::path::optional")]
    pub keep: Option<PathBuf>,
    /// Where to keep what it takes to go on after an interruption, and to look for it first.
    #[serde(with = "crate::path::optional")]
    pub checkpoint: Option<PathBuf>,
}

impl Assignment {
    /// The first attempt at a trial in a trainer of its own, of which nothing is kept.
    pub fn alone(trial: Trial) -> Self {
        Self {
            trial,
            attempt: Attempt::FIRST,
            isolation: Isolation::OwnTrainer,
            until: None,
            metric_of_sites: None,
            keep: None,
            checkpoint: None,
        }
    }

    /// The event that hands it back.
    pub fn released(&self) -> TrialEvent {
        TrialEvent::Released {
            trial: self.trial.id.clone(),
            attempt: self.attempt,
        }
    }
}

/// What a trial may share with other trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Isolation {
    /// A trainer, with trials of its shape, in lanes.
    #[default]
    SharedLanes,
    /// A device, with other trainers: a trainer that it shared has ended, and it may have been the cause.
    OwnTrainer,
    /// Nothing: beside others it did not fit into memory.
    OwnDevice,
}

/// A trained member to simulate a pack with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simulation {
    /// The trial that trained it.
    pub trial: Trial,
    /// Its weights.
    #[serde(with = "crate::path")]
    pub weights: PathBuf,
    /// How its training scaled inputs and target.
    #[serde(with = "crate::path")]
    pub scaling: PathBuf,
    /// What it left over of its training, for a process of that; none if its trial has none.
    #[serde(with = "crate::path::optional")]
    pub residuals: Option<PathBuf>,
    /// What its training lets expect of the weights of sites that it had no day of; none if that is nothing.
    #[serde(with = "crate::path::optional")]
    pub site_prior: Option<PathBuf>,
    /// Whether sites that the training did not have are made known by the days on which the pack has a flux.
    pub adapt: bool,
    /// The file to keep what it simulates in.
    #[serde(with = "crate::path")]
    pub keep: PathBuf,
}

/// A supervisor that is ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// Trials it can train at a time: its slots, times the lanes of each.
    pub slots: u32,
    /// Its host.
    pub host: String,
    /// What tells that machine from all others, whatever they are called.
    pub machine: String,
    /// The highest instruction-set level of its processor.
    pub level: Level,
    /// What its slots compute on.
    pub placements: Vec<Placement>,
    /// The GPUs and MIG instances that it may use, by UUID.
    pub gpus: Vec<String>,
}

/// An error on its way to another process: what a person reads and what a script branches on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The exit code of the error.
    pub exit: Exit,
    /// Its text.
    pub message: String,
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        Self {
            exit: error.exit(),
            message: error.to_string(),
        }
    }
}

impl ErrorReport {
    /// The error for the process that has received the report from `place`.
    pub fn into_error(self, place: impl fmt::Display) -> Error {
        Error::Elsewhere {
            place: place.to_string(),
            exit: self.exit,
            message: self.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_text_and_exit_code_from_process_to_process() {
        let errors = [
            Error::Usage("--lanes 0".into()),
            Error::file("run", "is gone"),
            Error::Internal("a launch without ranks".into()),
        ];
        for error in errors {
            let sent = bincode::serialize(&FromRank::Failed(ErrorReport::from(&error))).unwrap();
            let Ok(FromRank::Failed(report)) = bincode::deserialize(&sent) else {
                panic!("{error} did not arrive");
            };
            let there = report.into_error(format_args!("rank {}", 3));
            assert_eq!(there.to_string(), format!("rank 3: {error}"));
            assert_eq!(there.exit(), error.exit());
        }
    }
}
