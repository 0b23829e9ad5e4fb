//! Axes × seeds → trials with content-hash ids.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::contract::Contract;
use super::value::Fit;

/// `[grid]`: every list is an axis. The defaults are the one configuration the paper selected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grid {
    /// Units of the input layer and of the LSTM.
    pub hidden_size: Vec<u32>,
    /// Share of the LSTM's weights that is dropped in an iteration.
    pub dropout: Vec<f64>,
    /// Days in a training window.
    pub window_days: Vec<u32>,
}

impl Default for Grid {
    fn default() -> Self {
        Self {
            hidden_size: vec![128],
            dropout: vec![0.2],
            window_days: vec![30],
        }
    }
}

/// One configuration: a point of the grid. Ids hash it as JSON, and messages carry it as bincode, which cannot do without a
/// field: `skip_serializing_if` would garble them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// Units of the input layer and of the LSTM.
    pub hidden_size: u32,
    /// Share of the LSTM's weights that is dropped in an iteration.
    pub dropout: f64,
    /// Days in a training window.
    pub window_days: u32,
}

impl Params {
    /// What a configuration can be looked up by: its numbers to the last bit.
    pub fn key(self) -> (u32, u64, u32) {
        (self.hidden_size, self.dropout.to_bits(), self.window_days)
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "hidden {} · dropout {} · window {} d",
            self.hidden_size, self.dropout, self.window_days
        )
    }
}

impl Grid {
    /// Every configuration, the last axis varying fastest.
    pub fn configurations(&self) -> Vec<Params> {
        let mut configurations = Vec::new();
        for &hidden_size in &self.hidden_size {
            for &dropout in &self.dropout {
                for &window_days in &self.window_days {
                    configurations.push(Params {
                        hidden_size,
                        dropout,
                        window_days,
                    });
                }
            }
        }
        configurations
    }
}

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

/// Names a trial by what determines its result: the first 16 hex digits of a SHA-256 over the contract, the stage,
/// the days fitted on, the parameters and the seed. The same trial has the same id in every launch of every job.
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
    /// Hash of everything below and of the contract.
    pub id: TrialId,
    /// What it is for.
    pub stage: Stage,
    /// The days it fits on.
    pub fit: Fit,
    /// Its configuration.
    pub params: Params,
    /// Its seed: initial weights, windows and masks follow from it.
    pub seed: u64,
}

impl Trial {
    /// A trial of this contract.
    pub fn new(contract: &Contract, stage: Stage, fit: Fit, params: Params, seed: u64) -> Self {
        Naming::of(contract).trial(stage, fit, params, seed)
    }

    /// Whether it is trained on the same days and with the same sizes, so that one trainer can have both in its lanes.
    pub fn is_like(&self, other: &Self) -> bool {
        let sizes = |params: Params| (params.hidden_size, params.window_days);
        self.fit == other.fit && sizes(self.params) == sizes(other.params)
    }
}

/// Names the trials of one contract. The contract is the bulk of what is hashed, and the same for all of them.
#[derive(Clone, Debug)]
pub(super) struct Naming(Sha256);

impl Naming {
    pub(super) fn of(contract: &Contract) -> Self {
        // Bumped when the training path changes what the same inputs give.
        const VERSION: u32 = 1;
        let shared = serde_json::json!([VERSION, contract]).to_string();
        // Open to what follows: a trial's id is the hash of one list.
        let shared = shared.strip_suffix(']').unwrap_or(&shared);
        Self(Sha256::new_with_prefix(shared))
    }

    pub(super) fn trial(&self, stage: Stage, fit: Fit, params: Params, seed: u64) -> Trial {
        let own = serde_json::json!([stage, fit, params, seed]).to_string();
        let mut hasher = self.0.clone();
        hasher.update(own.replacen('[', ",", 1));
        let hash = hasher.finalize();
        Trial {
            id: TrialId(efflux_numerics::hex(&hash[..8])),
            stage,
            fit,
            params,
            seed,
        }
    }
}
