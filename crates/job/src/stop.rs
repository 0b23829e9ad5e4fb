//! `[stop]`: which configurations of a search are given up before their trials are trained to the end.

use serde::{Deserialize, Serialize};

use super::settings::Fault;

/// How it is decided which configurations go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Everything, to its end: the paper.
    #[default]
    None,
    /// After `least` epochs the best `keep`.
    Top,
    /// After `least`, `least` × `eta`, `least` × `eta`² … epochs the best of every `eta`, at least one: synchronous
    /// successive halving.
    Halving,
    /// Whenever a slot is free, from the highest rung down the best configuration that has not gone on from its rung and is
    /// among the best ⌊n / `eta`⌋ of the n there; else the next one begins (Li et al. 2020, algorithm 2). Decisions depend
    /// on when trials arrive.
    Asha,
    /// All but those whose best score so far is worse than the median of the running means that configurations trained to
    /// the end had at the same epoch (Golovin et al. 2017). Decisions depend on when trials arrive.
    Median,
    /// After the epochs of `"halving"` all but those that are worse than the leader, by a one-sided signed-rank test over
    /// the sites: differences of the means over seeds, at least 6 that are not zero.
    Paired,
}

/// `[stop]`: which configurations of a search are given up before their trials are trained to the end. A rung is a number of
/// epochs after which configurations are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stop {
    /// Which configurations go on.
    pub policy: Policy,
    /// Epochs before configurations are compared for the first time; with `"median"` before one is given up; with `"asha"`
    /// large enough that one of the configurations comes to the end.
    pub least: Option<u32>,
    /// With `"halving"`, `"asha"`, `"paired"`: a rung has so many times the epochs of the one before.
    pub eta: Option<u32>,
    /// With `"top"`: configurations that go on.
    pub keep: Option<u32>,
    /// With `"median"`: epochs between two looks.
    pub every: Option<u32>,
    /// With `"median"`: configurations that are trained to the end before one is given up.
    pub finished: Option<u32>,
    /// With `"paired"`: the p value below which a configuration is worse than the leader.
    pub alpha: Option<f64>,
}

impl Policy {
    /// Its name in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Top => "top",
            Self::Halving => "halving",
            Self::Asha => "asha",
            Self::Median => "median",
            Self::Paired => "paired",
        }
    }

    /// The keys, besides its name, that it goes by.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Top => &["least", "keep"],
            Self::Halving | Self::Asha => &["least", "eta"],
            Self::Median => &["least", "every", "finished"],
            Self::Paired => &["least", "eta", "alpha"],
        }
    }
}

impl Stop {
    /// Epochs of the first rung, unless said otherwise.
    const LEAST: u32 = 1;
    /// As in the paper of successive halving's asynchronous variant.
    const ETA: u32 = 3;
    const KEEP: u32 = 1;
    const EVERY: u32 = 1;
    const FINISHED: u32 = 3;
    const ALPHA: f64 = 0.1;

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

    /// Epochs between two rungs.
    pub fn every(&self) -> u32 {
        self.every.unwrap_or(Self::EVERY)
    }

    /// Configurations that have to be trained to the end before one is given up.
    pub fn finished(&self) -> u32 {
        self.finished.unwrap_or(Self::FINISHED)
    }

    /// The p value below which a configuration is worse than the leader.
    pub fn alpha(&self) -> f64 {
        self.alpha.unwrap_or(Self::ALPHA)
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

    /// The first rung from which on one of so many configurations certainly comes to the end, if promotions are as few as
    /// they can be and as it is none does; only with `asha`, the other rules always leave one.
    pub(super) fn least_to_end(&self, configurations: usize, epochs: u32) -> Option<u32> {
        let eta = self.eta() as usize;
        let rungs = self.geometric(epochs).len();
        let left = |rungs: usize| (0..rungs).fold(configurations, |left, _| left / eta);
        if self.policy != Policy::Asha || left(rungs) > 0 {
            return None;
        }
        let fewer = (0..rungs).rev().find(|&rungs| left(rungs) > 0)?;
        let factor = (0..fewer).fold(1_u32, |factor, _| factor.saturating_mul(self.eta()));
        Some(epochs.div_ceil(factor))
    }

    /// `every`, 2 × `every`, … epochs, as long as they are fewer than so many.
    pub fn arithmetic(&self, epochs: u32) -> Vec<u32> {
        let next = |rung: &u32| rung.checked_add(self.every());
        let rungs = std::iter::successors(Some(self.every()), next);
        rungs.take_while(|&rung| rung < epochs).collect()
    }

    /// The first value that cannot be, in trainings of so many epochs.
    pub(super) fn fault(&self, epochs: u32) -> Option<Fault> {
        let counts = [
            ("least", self.least, 1),
            ("eta", self.eta, 2),
            ("keep", self.keep, 1),
            ("every", self.every, 1),
            ("finished", self.finished, 1),
        ];
        let given = counts
            .iter()
            .filter_map(|&(key, value, _)| Some((key, value?.to_string())));
        let given = given.chain(self.alpha.map(|alpha| ("alpha", alpha.to_string())));
        let (policy, known) = (self.policy.name(), self.policy.keys());
        for (key, found) in given {
            if !known.contains(&key) {
                let expected = match self.policy {
                    Policy::None => "no such key without a policy",
                    _ => "no such key with this policy",
                };
                let found = format!("{found} with `policy = \"{policy}\"`");
                return Some((key, found, expected));
            }
        }
        for (key, value, fewest) in counts {
            if let Some(found) = value.filter(|&value| value < fewest) {
                let expected = if fewest == 1 {
                    "1 or more"
                } else {
                    "2 or more"
                };
                return Some((key, found.to_string(), expected));
            }
        }
        if let Some(alpha) = self.alpha.filter(|alpha| !(*alpha > 0.0 && *alpha < 1.0)) {
            return Some(("alpha", alpha.to_string(), "above 0, below 1"));
        }
        let (key, first) = match self.policy {
            Policy::Median => ("every", self.every()),
            _ => ("least", self.least()),
        };
        (self.is_on() && first >= epochs).then(|| {
            let expected = "fewer epochs than `training.epochs`";
            (key, first.to_string(), expected)
        })
    }
}
