//! What coordinator, supervisors and trainers say to each other: orders go down, reports come up.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::slots::Level;
use crate::job::{Contract, DeviceChoice, Trial};
use crate::run::Beat;
use crate::run::record::Record;

/// From the coordinator to supervisors, and from a supervisor to its trainers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// What all trials of this launch have in common. Comes first and once.
    Prepare(Box<Preparation>),
    /// Train this.
    Run(Assignment),
    /// Nothing more will come: end.
    Stop,
}

/// From a trainer to its supervisor, and from supervisors to the coordinator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// Ready for trials. A supervisor says it before, a trainer after it was prepared.
    Ready(Ready),
    /// How far the running trials are.
    Progress(Vec<Beat>),
    /// An attempt has ended. From a supervisor it means: and is in my journal.
    Ended(Box<Record>),
    /// I cannot go on, and neither should the sweep.
    Unable(String),
}

/// What a launch has in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Names this start of the sweep.
    pub launch: String,
    /// The run directory.
    pub run: PathBuf,
    /// The pack.
    pub pack: PathBuf,
    /// What determines results besides parameters and seed.
    pub contract: Contract,
    /// The device to train on.
    pub device: DeviceChoice,
    /// The instruction-set level that every trainer of this launch keeps to.
    pub level: Level,
    /// Seconds between two checkpoints of a running trial.
    pub checkpoint_seconds: u32,
    /// Seconds without a sign of life after which a trainer is killed.
    pub hang_seconds: u32,
    /// The rank of the receiver.
    pub rank: u32,
    /// The slot of the receiver, if it is a trainer.
    pub slot: u32,
}

/// A trial to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// What to train.
    pub trial: Trial,
    /// Counts the attempts at it, from 1.
    pub attempt: u32,
    /// Where to keep weights and simulation, if they are to be kept.
    pub keep: Option<PathBuf>,
    /// Where to keep what it takes to go on after an interruption, and to look for it first.
    pub checkpoint: Option<PathBuf>,
}

/// Who is ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// Trials it can train at a time.
    pub slots: u32,
    /// Its host.
    pub host: String,
    /// The highest instruction-set level of its processor.
    pub level: Level,
}
