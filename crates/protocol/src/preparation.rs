//! What supervisors and trainers have to know before the first trial.

use std::path::PathBuf;

use efflux_job::{Contract, DeviceChoice, Settings};
use efflux_numerics::Level;
use efflux_run::record::Place;
use efflux_run::{Rank, RunDir, Slot, host};
use serde::{Deserialize, Serialize};

use super::placement::Placement;

/// What all trainers of a launch have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaunchSpec {
    /// Names this start of the sweep.
    pub name: String,
    /// The run directory.
    #[serde(with = "crate::path")]
    pub run: PathBuf,
    /// The pack.
    #[serde(with = "crate::path")]
    pub pack: PathBuf,
    /// What makes scores comparable.
    #[serde(with = "as_text")]
    pub contract: Contract,
    /// What the configurations of its trials are laid over.
    #[serde(with = "as_text")]
    pub settings: Settings,
    /// The device to train on.
    pub device: DeviceChoice,
    /// The instruction-set level that every trainer of this launch keeps to.
    pub level: Level,
    /// Seconds between two checkpoints of a running trial.
    pub checkpoint_seconds: u32,
    /// Trials that a trainer trains at a time, those of one shape side by side.
    pub lanes: u32,
}

/// As JSON in a text: bincode knows no names, so it would garble what leaves a key out that is as by default.
mod as_text {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(value).map_err(S::Error::custom)?;
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(D::Error::custom)
    }
}

/// What the supervisor of a rank is prepared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankPreparation {
    /// The launch.
    pub launch: LaunchSpec,
    /// The rank of the supervisor.
    pub rank: Rank,
    /// Seconds without a heartbeat after which a trainer is killed.
    pub hang_seconds: u32,
}

/// What a trainer is prepared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainerPreparation {
    /// The launch.
    pub launch: LaunchSpec,
    /// The rank of its supervisor.
    pub rank: Rank,
    /// Its slot there.
    pub slot: Slot,
    /// What that slot computes on.
    pub placement: Placement,
}

impl RankPreparation {
    /// What the trainer of one slot is prepared with.
    pub fn for_slot(&self, slot: Slot, placement: &Placement) -> TrainerPreparation {
        let mut launch = self.launch.clone();
        if placement.gpu.is_some() {
            // A trainer that cannot use its GPU is to say why, and not to compute on processors.
            launch.device = DeviceChoice::Cuda;
        }
        TrainerPreparation {
            launch,
            rank: self.rank,
            slot,
            placement: placement.clone(),
        }
    }
}

impl TrainerPreparation {
    /// For a trainer without a supervisor, which takes whatever processors and GPU it finds.
    pub fn alone(launch: LaunchSpec) -> Self {
        Self {
            launch,
            rank: Rank::COORDINATOR,
            slot: Slot(0),
            placement: Placement::default(),
        }
    }

    /// The log of the slot's trainers.
    pub fn log(&self) -> PathBuf {
        let Self { rank, slot, .. } = self;
        let name = format!("{}-{rank:04}-slot-{slot:02}.log", self.launch.name);
        RunDir::new(&self.launch.run).logs().join(name)
    }

    /// For the records of its trials. Which device it is, the trainer finds out.
    pub fn place(&self) -> Place {
        Place {
            launch: self.launch.name.clone(),
            rank: self.rank,
            slot: self.slot,
            host: host(),
            device: String::new(),
        }
    }
}
