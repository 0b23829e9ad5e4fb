//! Configurations × seeds → trials with content-hash ids.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::configuration::Configuration;
use super::contract::Contract;
use super::id::TrialId;
use super::inputs::{Chosen, Inputs};
use super::section::{Key, Section, hashed};
use super::settings::Settings;
use super::split::Split;
use super::training::keys::TrainingKeys;
use super::value::{Fit, Transform};

/// What a trial is trained for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// To compare configurations: only its scores are kept, and of a mean of unlike members what members keep.
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

/// All trials of a job's search. Seeds vary slowest, then folds if there are folds, so that the first results compare
/// configurations.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchTrials {
    configurations: Vec<Configuration>,
    trials: Vec<Trial>,
}

impl SearchTrials {
    /// Of these configurations, with trials that are in turn of each of them.
    pub(super) fn of(configurations: &[Configuration], trials: Vec<Trial>) -> Self {
        Self {
            configurations: configurations.to_vec(),
            trials,
        }
    }

    /// The configurations, in the order of the grid.
    pub fn configurations(&self) -> &[Configuration] {
        &self.configurations
    }

    /// The trials in their order, each with the place of its configuration.
    pub fn placed(&self) -> impl Iterator<Item = (usize, &Trial)> {
        (0..self.configurations.len()).cycle().zip(&self.trials)
    }

    /// The trials alone.
    pub fn into_vec(self) -> Vec<Trial> {
        self.trials
    }
}

impl Deref for SearchTrials {
    type Target = [Trial];

    fn deref(&self) -> &[Trial] {
        &self.trials
    }
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
    /// What configurations of the same inputs, split and transformation have in common: the bulk, and few of them.
    known: Vec<(Inputs, Split, Transform, [String; 2])>,
}

/// Names the trials of one configuration in one stage.
#[derive(Debug)]
pub(super) struct OfConfiguration {
    /// What is hashed before the seed.
    shared: Sha256,
    stage: Stage,
    fit: Fit,
    params: Configuration,
}

impl<'a> Naming<'a> {
    pub(super) fn of(contract: &'a Contract) -> Self {
        Self {
            contract,
            known: Vec::new(),
        }
    }

    /// For the trials of a configuration, which has these settings, in a stage that fits on these days.
    ///
    /// # Errors
    ///
    /// Why the pack has not its inputs.
    pub(super) fn configuration(
        &mut self,
        params: &Configuration,
        settings: &Settings,
        (stage, fit): (Stage, Fit),
    ) -> Result<OfConfiguration, String> {
        // Version 0.1.0 had it among the parameters.
        const WINDOW: &str = "window_days";
        let mut training = hashed(Section::Training, &TrainingKeys::from(settings.training));
        let mut own = hashed(Section::Model, &settings.params);
        own.extend(training.remove_entry(WINDOW));
        let [before, after] = self.around(settings)?;
        let mut shared = Sha256::new_with_prefix(before);
        shared.update(Value::Object(training).to_string());
        shared.update(after);
        let own = Value::Object(own);
        shared.update(format!(",{},{},{own},", json!(stage), json!(fit)));
        Ok(OfConfiguration {
            shared,
            stage,
            fit,
            params: params.clone(),
        })
    }

    /// What is hashed before and after the training. Together they are a JSON object with its keys in order, at the head of
    /// a list: a trial's id is the hash of one list.
    fn around(&mut self, settings: &Settings) -> Result<&[String; 2], String> {
        // Bumped when the training path changes what the same settings give.
        const VERSION: u32 = 1;
        let Settings {
            inputs,
            split,
            transform,
            ..
        } = settings;
        let known = self
            .known
            .iter()
            .position(|(of, at, by, _)| (of, at, by) == (inputs, split, transform));
        if let Some(place) = known {
            return Ok(&self.known[place].3);
        }
        let contract = self.contract;
        let Chosen {
            dynamic,
            statics,
            derived,
        } = contract.variables.choose(inputs)?;
        // Absent without any, as it was before there were derived inputs.
        let derived = if derived.is_empty() {
            String::new()
        } else {
            format!("\"derived\":{},", json!(derived))
        };
        let judged = if split.in_fold(None) == contract.split {
            String::new()
        } else {
            let judged = Value::Object(hashed(Section::Split, &contract.split));
            format!("\"judged\":{judged},")
        };
        let before = format!(
            "[{VERSION},{{{derived}\"dynamic\":{},\"evaluation\":{},{judged}\"missing\":{},\"pack_digest\":{},\"split\":{},\
             \"static\":{},\"training\":",
            json!(dynamic),
            json!(contract.evaluation),
            json!(inputs.missing),
            json!(contract.pack_digest),
            Value::Object(hashed(Section::Split, split)),
            json!(statics),
        );
        let transformed = Value::Object(hashed(Section::Transform, transform));
        let after = format!(",\"transform\":{transformed}}}");
        let texts = [before, after];
        self.known.push((inputs.clone(), *split, *transform, texts));
        Ok(&self.known[self.known.len() - 1].3)
    }
}

impl OfConfiguration {
    pub(super) fn trial(&self, seed: u64) -> Trial {
        let hash = self.shared.clone().chain_update(format!("{seed}]"));
        Trial {
            id: TrialId::of(&hash.finalize()),
            stage: self.stage,
            fit: self.fit,
            params: self.params.clone(),
            seed,
        }
    }
}
