//! `[ensemble]`: what the mean of the ensemble is taken over.

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
    /// Its weight unless the job says so: networks and process alike, and a ninth for the fit of single sites, which damps
    /// the worst of both.
    fn weight(self) -> f64 {
        match self {
            Self::Lstm | Self::Gp => 4.0,
            Self::SiteFit => 1.0,
        }
    }
}

/// `[ensemble]`: what the mean of the ensemble is taken over. Without it, that of the networks, in the unit of the flux;
/// with several kinds it is taken in asinh units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnsembleMembers {
    /// The kinds of members; the networks are one kind together.
    pub members: Vec<MemberKind>,
    /// What each of `members` weighs. Left out: 4 for `"lstm"` and `"gp"`, 1 for `"site-fit"`.
    pub weights: Option<Vec<f64>>,
}

impl Default for EnsembleMembers {
    fn default() -> Self {
        Self {
            members: vec![MemberKind::Lstm],
            weights: None,
        }
    }
}

impl EnsembleMembers {
    /// Whether there is more to it than networks.
    pub fn is_mixed(&self) -> bool {
        self.members != [MemberKind::Lstm]
    }

    /// The kinds with their weights.
    pub fn weights(&self) -> impl Iterator<Item = (MemberKind, f64)> + '_ {
        self.members.iter().enumerate().map(|(place, &kind)| {
            let given = self.weights.as_ref().and_then(|weights| weights.get(place));
            (kind, given.copied().unwrap_or(kind.weight()))
        })
    }

    /// The weight of a kind, if it has a part in the mean.
    pub fn weight(&self, kind: MemberKind) -> Option<f64> {
        let mut weights = self.weights();
        weights.find_map(|(other, weight)| (other == kind).then_some(weight))
    }

    /// The first value that cannot be.
    pub(super) fn fault(&self) -> Option<Fault> {
        let Self { members, weights } = self;
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
        let weights = weights.as_ref()?;
        let possible = |weight: &f64| weight.is_finite() && *weight > 0.0;
        if weights.len() != members.len() || !weights.iter().all(possible) {
            let expected = "a number above 0 for each of `ensemble.members`";
            return Some(("weights", format!("{weights:?}"), expected));
        }
        None
    }
}
