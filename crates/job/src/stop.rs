//! `[stop]`: which configurations of a search are given up before their trials are trained to the end.

use serde::{Deserialize, Serialize};

use super::settings::Fault;

/// How it is decided which configurations go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// All of them.
    #[default]
    None,
    /// After one rung the best of all.
    Top,
    /// After every rung the best part of those that are left.
    Halving,
}

/// `[stop]`. A rung is a number of epochs after which configurations are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stop {
    /// The rule.
    pub policy: Policy,
    /// Epochs of the first rung.
    pub least: Option<u32>,
    /// Rungs have so many times the epochs of the one before, and one of so many configurations goes on.
    pub eta: Option<u32>,
    /// Configurations that go on.
    pub keep: Option<u32>,
}

impl Policy {
    /// Its name in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Top => "top",
            Self::Halving => "halving",
        }
    }

    /// The keys, besides its name, that it goes by.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Top => &["least", "keep"],
            Self::Halving => &["least", "eta"],
        }
    }
}

impl Stop {
    /// Epochs of the first rung, unless said otherwise.
    const LEAST: u32 = 1;
    /// As in the paper of successive halving's asynchronous variant.
    const ETA: u32 = 3;
    const KEEP: u32 = 1;

    /// Whether there is a rule.
    pub fn is_on(&self) -> bool {
        self.policy != Policy::None
    }

    /// Configurations that go on.
    pub fn keep(&self) -> u32 {
        self.keep.unwrap_or(Self::KEEP)
    }

    /// By which rungs grow and fields shrink.
    pub fn eta(&self) -> u32 {
        self.eta.unwrap_or(Self::ETA)
    }

    /// The first rung.
    pub fn least(&self) -> u32 {
        self.least.unwrap_or(Self::LEAST)
    }

    /// `least`, `least` × `eta`, … epochs, as long as they are fewer than so many.
    pub fn geometric(&self, epochs: u32) -> Vec<u32> {
        let next = |rung: &u32| rung.checked_mul(self.eta());
        let rungs = std::iter::successors(Some(self.least()), next);
        rungs.take_while(|&rung| rung < epochs).collect()
    }

    /// The first value that cannot be, in trainings of so many epochs.
    pub(super) fn fault(&self, epochs: u32) -> Option<Fault> {
        let given = [
            ("least", self.least),
            ("eta", self.eta),
            ("keep", self.keep),
        ];
        let (policy, known) = (self.policy.name(), self.policy.keys());
        for (key, value) in given {
            let Some(value) = value else { continue };
            let found = value.to_string();
            if !known.contains(&key) {
                let expected = match self.policy {
                    Policy::None => "no such key without a policy",
                    _ => "no such key with this policy",
                };
                return Some((
                    key,
                    format!("{found} with `policy = \"{policy}\"`"),
                    expected,
                ));
            }
            if key == "eta" && value < 2 {
                return Some((key, found, "2 or more"));
            }
            if value < 1 {
                return Some((key, found, "1 or more"));
            }
        }
        (self.is_on() && self.least() >= epochs).then(|| {
            let expected = "fewer epochs than `training.epochs`";
            ("least", self.least().to_string(), expected)
        })
    }
}
