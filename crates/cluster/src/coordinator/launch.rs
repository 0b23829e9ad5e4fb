//! What a launch needs to know, and what it reports while it lasts.

use std::path::PathBuf;
use std::time::Instant;

use efflux_job::{Contract, DeviceChoice, Settings};
use efflux_numerics::Level;
use efflux_protocol::LaunchSpec;
use efflux_run::RunDir;
use efflux_run::record::Record;

use crate::signals::Signals;

/// What a launch needs to know besides its trials.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Names this start of the sweep.
    pub name: String,
    /// The run directory.
    pub run: RunDir,
    /// The pack.
    pub pack: PathBuf,
    /// What makes scores comparable.
    pub contract: Contract,
    /// What the configurations of its trials are laid over.
    pub settings: Settings,
    /// The device to train on.
    pub device: DeviceChoice,
    /// The instruction-set level that trainers keep to, unless it is the lowest of all hosts.
    pub level: Option<Level>,
    /// Seconds between two checkpoints of a running trial.
    pub checkpoint_seconds: u32,
    /// Seconds without a heartbeat after which a trainer is killed, and a rank's trials are given to others.
    pub hang_seconds: u32,
    /// Trials that each slot trains at a time.
    pub lanes: u32,
    /// Whether trials of the search keep what they simulate, too.
    pub keeps_forecasts: bool,
    /// Further attempts at a trial whose trainer crashed or hung.
    pub retries: u32,
    /// The end of the allocation, if it has one.
    pub deadline: Option<Instant>,
    /// Seconds that trainers have for a last checkpoint.
    pub drain_seconds: u32,
    /// What asks the sweep to shut down.
    pub signals: Signals,
}

impl Launch {
    /// What its trainers have in common, at the level that all hosts have.
    pub(super) fn spec(&self, level: Level) -> LaunchSpec {
        LaunchSpec {
            name: self.name.clone(),
            run: self.run.root().to_owned(),
            pack: self.pack.clone(),
            contract: self.contract.clone(),
            settings: self.settings.clone(),
            device: self.device,
            level,
            checkpoint_seconds: self.checkpoint_seconds,
            lanes: self.lanes,
        }
    }
}

/// How far the present stage is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Trials of the stage, those of earlier launches included.
    pub planned: usize,
    /// Of these, trained to the end.
    pub finished: usize,
    /// Of these, not trained to the end by their latest attempt.
    pub failed: usize,
    /// Trials that were running when time was last told.
    pub running: usize,
    /// The epochs that the furthest of them has done, and those of it in all; none before one has begun to train.
    pub furthest: Option<(f64, u32)>,
    /// Seconds to the end of the stage from then on, once that can be told.
    pub eta_seconds: Option<u64>,
}

/// What a listener to a stage is told.
#[derive(Debug)]
pub enum Notice<'a> {
    /// An attempt has ended and is in a journal.
    Ended(&'a Record, &'a Tally),
    /// Time has passed.
    Tick(&'a Tally),
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing is left to train.
    Done,
    /// A signal or the end of the allocation came first: the same command continues.
    Interrupted,
}
