//! What every trial of a run directory has in common.

use serde::{Deserialize, Serialize};

use super::training::Training;
use super::value::{Evaluation, Missing, Split, Transform};

/// Everything besides parameters and seed that determines a trial's result. A run directory belongs to one contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    /// Digest of the pack.
    pub pack_digest: String,
    /// Daily inputs in order.
    pub dynamic: Vec<String>,
    /// Static inputs in order.
    #[serde(rename = "static")]
    pub statics: Vec<String>,
    /// What stands in for an input that a site does not have.
    pub missing: Missing,
    /// The parts of each record.
    pub split: Split,
    /// Transformation and scaling.
    pub transform: Transform,
    /// How trials are trained.
    pub training: Training,
    /// How trained models are run.
    pub evaluation: Evaluation,
}

impl Contract {
    /// The first key in which another contract differs, with this contract's value and the other's.
    pub fn difference(&self, other: &Self) -> Option<(String, String, String)> {
        let (ours, theirs) = (
            serde_json::to_value(self).ok()?,
            serde_json::to_value(other).ok()?,
        );
        first_difference(String::new(), &ours, &theirs)
    }
}

fn first_difference(
    key: String,
    ours: &serde_json::Value,
    theirs: &serde_json::Value,
) -> Option<(String, String, String)> {
    use serde_json::Value::Object;
    match (ours, theirs) {
        (Object(a), Object(b)) => a.iter().find_map(|(name, value)| {
            let dotted = if key.is_empty() {
                name.clone()
            } else {
                format!("{key}.{name}")
            };
            first_difference(
                dotted,
                value,
                b.get(name).unwrap_or(&serde_json::Value::Null),
            )
        }),
        _ if ours == theirs => None,
        _ => Some((key, ours.to_string(), theirs.to_string())),
    }
}
