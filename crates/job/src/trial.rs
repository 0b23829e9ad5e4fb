//! Configurations × seeds → trials with content-hash ids.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::configuration::Configuration;
use super::contract::Contract;
use super::inputs::Chosen;
use super::section::{Key, Section, hashed};
use super::settings::Settings;
use super::training::keys::TrainingKeys;
use super::value::Fit;

/// What a trial is trained for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// To compare configurations: only its scores are kept.
    Search,
    /// To be a member of the ensemble: weights and the simulated calendar are kept.
    Final,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Search => "search",
            Self::Final => "final",
        })
    }
}

/// Names a trial by what determines its result: the first 16 hex digits of a SHA-256 over the contract, its settings, the
/// stage, the days fitted on and the seed. The same trial has the same id in every launch of every job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrialId(String);

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TrialId {
    /// The id that reads so, as in a file's name.
    pub fn named(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Hash of everything below, of the job's settings and of the contract.
    pub id: TrialId,
    /// What it is for.
    pub stage: Stage,
    /// The days it fits on.
    pub fit: Fit,
    /// Its configuration.
    pub params: Configuration,
    /// Its seed: initial weights, windows and masks follow from it.
    pub seed: u64,
}

/// Keys in which trials may differ that one trainer has in its lanes: each lane has its own masks, steps and end.
const OF_A_LANE: [(Section, &str); 6] = [
    (Section::Model, "dropout"),
    (Section::Training, "learning_rate"),
    (Section::Training, "schedule"),
    (Section::Training, "epochs"),
    (Section::Training, "keep"),
    (Section::Training, "patience"),
];

impl Trial {
    /// Whether it is trained on the same days and with the same sizes and rules, so that one trainer can have both in its
    /// lanes.
    pub fn is_like(&self, other: &Self) -> bool {
        self.fit == other.fit && self.shape() == other.shape()
    }

    /// What trials that are like each other have in common.
    pub fn shape(&self) -> Vec<(Key, Value)> {
        let values = self.params.values().iter();
        let counted = values.filter(|(key, _)| !OF_A_LANE.contains(&(key.section(), key.name())));
        counted.cloned().collect()
    }
}

/// Names the trials of a job under a contract.
#[derive(Debug)]
pub(super) struct Naming<'a> {
    contract: &'a Contract,
    settings: &'a Settings,
    /// The inputs as they are hashed, by the values that configurations lay over theirs: the bulk, and few of them.
    inputs: HashMap<Vec<(Key, Value)>, [String; 2]>,
}

/// Names the trials of one configuration.
#[derive(Debug)]
pub(super) struct OfConfiguration {
    /// What is hashed before the stage.
    shared: Sha256,
    /// The parameters as they are hashed.
    hashed: String,
    params: Configuration,
}

impl<'a> Naming<'a> {
    pub(super) fn of(contract: &'a Contract, settings: &'a Settings) -> Self {
        Self {
            contract,
            settings,
            inputs: HashMap::new(),
        }
    }

    /// For the trials of a configuration.
    ///
    /// # Errors
    ///
    /// Why the pack has not its inputs.
    pub(super) fn configuration(
        &mut self,
        params: &Configuration,
    ) -> Result<OfConfiguration, String> {
        // Bumped when the training path changes what the same inputs give.
        const VERSION: u32 = 1;
        // Version 0.1.0 had it among the parameters.
        const WINDOW: &str = "window_days";
        let settings = self
            .settings
            .with(params)
            .map_err(|refused| refused.to_string())?;
        let mut training = hashed(Section::Training, &TrainingKeys::from(settings.training));
        let mut own = hashed(Section::Model, &settings.params);
        own.extend(training.remove_entry(WINDOW));

        let contract = self.contract;
        let judged = if settings.split == contract.split {
            String::new()
        } else {
            format!("\"judged\":{},", json!(contract.split))
        };
        let [dynamic, statics] = self.inputs(params, &settings)?;
        // A JSON object with its keys in order, open to what follows: a trial's id is the hash of one list.
        let shared = format!(
            "[{VERSION},{{\"dynamic\":{dynamic},\"evaluation\":{},{judged}\"missing\":{},\"pack_digest\":{},\"split\":{},\
             \"static\":{statics},\"training\":{},\"transform\":{}}}",
            json!(contract.evaluation),
            json!(settings.inputs.missing),
            json!(contract.pack_digest),
            Value::Object(hashed(Section::Split, &settings.split)),
            Value::Object(training),
            Value::Object(hashed(Section::Transform, &settings.transform)),
        );
        Ok(OfConfiguration {
            shared: Sha256::new_with_prefix(shared),
            hashed: Value::Object(own).to_string(),
            params: params.clone(),
        })
    }

    fn inputs(
        &mut self,
        params: &Configuration,
        settings: &Settings,
    ) -> Result<&[String; 2], String> {
        let values = params.values().iter();
        let values = values.filter(|(key, _)| key.section() == Section::Inputs);
        let values: Vec<(Key, Value)> = values.cloned().collect();
        match self.inputs.entry(values) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                let Chosen { dynamic, statics } =
                    self.contract.variables.choose(&settings.inputs)?;
                Ok(new.insert([dynamic, statics].map(|names| json!(names).to_string())))
            }
        }
    }
}

impl OfConfiguration {
    pub(super) fn trial(&self, stage: Stage, fit: Fit, seed: u64) -> Trial {
        let [stage_text, fit_text] = [json!(stage), json!(fit)];
        let mut hasher = self.shared.clone();
        hasher.update(format!(",{stage_text},{fit_text},{},{seed}]", self.hashed));
        let hash = hasher.finalize();
        Trial {
            id: TrialId(efflux_numerics::hex(&hash[..8])),
            stage,
            fit,
            params: self.params.clone(),
            seed,
        }
    }
}
