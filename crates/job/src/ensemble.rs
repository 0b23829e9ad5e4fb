//! `[ensemble]`: what the mean of the ensemble is taken over.

use std::fmt;

use serde::de::value::{SeqAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::settings::Fault;

/// A kind of model whose simulation has a part in the mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberKind {
    /// The trained networks.
    Lstm,
    /// A Gaussian process of all sites together.
    Gp,
    /// Temperature, its square and an annual harmonic, fitted to each site.
    SiteFit,
}

impl MemberKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Lstm, Self::Gp, Self::SiteFit];

    /// Its name in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lstm => "lstm",
            Self::Gp => "gp",
            Self::SiteFit => "site-fit",
        }
    }
}

/// What each kind of members weighs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Weights {
    /// By a rule.
    By(WeightRule),
    /// As the job lists them, one for each of `members`.
    Given(Vec<f64>),
}

/// What says how much each kind of members weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightRule {
    /// 4 for `"lstm"` and `"gp"`, 1 for `"site-fit"`, which damps the worst of the other two.
    #[default]
    Recommended,
    /// All alike.
    Equal,
    /// Those, none negative, whose mean has the least squared error in forecasts: of the validation days, by the selected
    /// configuration as the search trained it and by the other kinds fitted on the same earlier days.
    Fitted,
}

impl WeightRule {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Recommended, Self::Equal, Self::Fitted];

    /// Its name in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Equal => "equal",
            Self::Fitted => "fitted",
        }
    }

    /// What it gives a kind of members; none if that has to be fitted.
    fn weight(self, kind: MemberKind) -> Option<f64> {
        match (self, kind) {
            (Self::Recommended, MemberKind::Lstm | MemberKind::Gp) => Some(4.0),
            (Self::Recommended, MemberKind::SiteFit) | (Self::Equal, _) => Some(1.0),
            (Self::Fitted, _) => None,
        }
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self::By(WeightRule::default())
    }
}

impl<'de> Deserialize<'de> for Weights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Weights;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let rules = WeightRule::ALL.map(|rule| format!("`\"{}\"`", rule.name()));
                write!(f, "a list of numbers, {}", rules.join(" or "))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Weights, E> {
                let rule = WeightRule::deserialize(StrDeserializer::<E>::new(text));
                rule.map(Weights::By)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Weights, A::Error> {
                let list = Vec::deserialize(SeqAccessDeserializer::new(list));
                list.map(Weights::Given)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// `[ensemble]`: what the mean of the ensemble is taken over. Without it, that of the networks, in the unit of the flux;
/// with several kinds it is taken in asinh units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnsembleMembers {
    /// The kinds of members; the networks are one kind together.
    pub members: Vec<MemberKind>,
    /// What each of `members` weighs: a rule, or a list of numbers above 0.
    pub weights: Weights,
    /// What the mean's distance from the mean of the site's days that are fitted on is multiplied by, in asinh units. Above 1
    /// it brings back the variance that a mean loses, which may gain KGE and cost NSE: the report tells both.
    pub inflation: f64,
}

impl Default for EnsembleMembers {
    fn default() -> Self {
        Self {
            members: vec![MemberKind::Lstm],
            weights: Weights::default(),
            inflation: 1.0,
        }
    }
}

impl EnsembleMembers {
    /// Whether there is more to it than networks.
    pub fn is_mixed(&self) -> bool {
        self.members != [MemberKind::Lstm]
    }

    /// Whether a kind has a part in the mean.
    pub fn has(&self, kind: MemberKind) -> bool {
        self.members.contains(&kind)
    }

    /// Whether the weights have to be fitted.
    pub fn is_fitted(&self) -> bool {
        self.weights == Weights::By(WeightRule::Fitted)
    }

    /// The kinds with their weights; none where these have to be fitted.
    pub fn weights(&self) -> Option<Vec<(MemberKind, f64)>> {
        match &self.weights {
            Weights::By(rule) => self.weights_by(*rule),
            Weights::Given(weights) => {
                let members = self.members.iter().copied();
                Some(members.zip(weights.iter().copied()).collect())
            }
        }
    }

    /// The same by some rule.
    pub fn weights_by(&self, rule: WeightRule) -> Option<Vec<(MemberKind, f64)>> {
        let members = self.members.iter();
        members
            .map(|&kind| Some((kind, rule.weight(kind)?)))
            .collect()
    }

    /// The first value that cannot be.
    pub(super) fn fault(&self) -> Option<Fault> {
        let Self {
            members,
            weights,
            inflation,
        } = self;
        let names = || format!("{members:?}");
        let twice = |(place, kind): (usize, &MemberKind)| members[..place].contains(kind);
        if members.is_empty() || members.iter().enumerate().any(twice) {
            return Some((
                "members",
                names(),
                "`lstm`, `gp` and `site-fit`, each at most once",
            ));
        }
        if !members.contains(&MemberKind::Lstm) {
            return Some(("members", names(), "`lstm` among them"));
        }
        if !(*inflation > 0.0 && *inflation <= 2.0) {
            return Some(("inflation", inflation.to_string(), "above 0 and at most 2"));
        }
        if *inflation != 1.0 && !self.is_mixed() {
            let expected =
                "1 unless `members` has several kinds, whose mean is taken in asinh units";
            return Some(("inflation", inflation.to_string(), expected));
        }
        if self.is_fitted() && members.len() < 2 {
            let expected = "no such rule unless `members` has several kinds";
            return Some(("weights", "\"fitted\"".to_owned(), expected));
        }
        let Weights::Given(weights) = weights else {
            return None;
        };
        let possible = |weight: &f64| weight.is_finite() && *weight > 0.0;
        if weights.len() != members.len() || !weights.iter().all(possible) {
            let expected = "a number above 0 for each of `ensemble.members`";
            return Some(("weights", format!("{weights:?}"), expected));
        }
        None
    }
}
