//! What coordinator, supervisors and trainers say to each other: orders go down, reports come up.

use std::path::PathBuf;

use efflux_job::{Contract, DeviceChoice, Trial, TrialId};
use efflux_numerics::Level;
use efflux_run::Beat;
use efflux_run::record::Record;
use serde::{Deserialize, Serialize};

use super::seat::Seat;
use super::seen::Seen;
use super::signals::Haste;

/// From the coordinator to supervisors, and from a supervisor to its trainers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// What all trials of this launch have in common. Comes first and once.
    Prepare(Box<Preparation>),
    /// Train this.
    Run(Assignment),
    /// Simulate the pack with this member. For a trainer that a command prepared, never by way of a supervisor.
    Simulate(Simulation),
    /// Begin nothing more, and hand back what has not begun.
    Close,
    /// Hand back everything: write a checkpoint at the next iteration and stop there.
    Drain,
    /// Nothing more will come: end.
    Stop,
}

/// From a trainer to its supervisor, and from supervisors to the coordinator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// A supervisor is ready to be prepared, or has another number of slots than before.
    Ready(Ready),
    /// A trainer was prepared and is ready for trials, on what it sees there. A supervisor does not pass it on.
    Seated(Seen),
    /// How far the running trials are.
    Progress(Vec<Beat>),
    /// An attempt has ended. From a supervisor it means: and is in my journal.
    Ended(Box<Record>),
    /// The answer to [`Order::Simulate`]: the member's simulation is kept.
    Simulated(TrialId),
    /// A trial was handed back, with what its checkpoint holds. Nothing is in a journal of it.
    Released {
        /// The trial.
        trial: TrialId,
        /// The attempt that it was given for.
        attempt: u32,
    },
    /// This rank is gone, which the coordinator tells itself.
    Lost,
    /// A signal asked this rank to leave.
    Signalled(Haste),
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
    /// Trials that a trainer trains at a time, those of one shape side by side.
    pub lanes: u32,
    /// The rank of the receiver.
    pub rank: u32,
    /// The slot of the receiver, if it is a trainer.
    pub slot: u32,
    /// What that slot computes on.
    pub seat: Seat,
}

/// A trial to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// What to train.
    pub trial: Trial,
    /// Counts how often it was given out, from 1.
    pub attempt: u32,
    /// Beside what it may be trained.
    pub company: Company,
    /// Where to keep weights and simulation, if they are to be kept.
    pub keep: Option<PathBuf>,
    /// Where to keep what it takes to go on after an interruption, and to look for it first.
    pub checkpoint: Option<PathBuf>,
}

/// Beside what a trial may be trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Company {
    /// Others like it, in the lanes of its trainer.
    #[default]
    Lanes,
    /// Other trainers on its device: one that it had in common with others has ended, and it may have been the cause.
    Device,
    /// Nothing else on its device: it did not fit beside others.
    Nobody,
}

/// A trained member to simulate a pack with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simulation {
    /// The trial that trained it.
    pub trial: Trial,
    /// Its weights.
    pub weights: PathBuf,
    /// How its training scaled inputs and target.
    pub scaling: PathBuf,
    /// The file to keep what it simulates in.
    pub keep: PathBuf,
}

/// A supervisor that is ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// Trials it can train at a time: its slots, times the lanes of each.
    pub slots: u32,
    /// Its host.
    pub host: String,
    /// The highest instruction-set level of its processor.
    pub level: Level,
}
