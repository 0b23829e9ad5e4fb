//! What every trial of a run directory has in common, and what a trial reads.

use serde::{Deserialize, Serialize};

use super::inputs::{Chosen, Missing, Variables};
use super::settings::Settings;
use super::split::{Fold, Split};
use super::value::{Evaluation, Fit, Transform};

/// What makes the scores of trials comparable: the pack, how trained models are run, and the days that are judged. A run
/// directory belongs to one contract; everything else is in the ids of its trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Form")]
pub struct Contract {
    /// Digest of the pack.
    pub pack_digest: String,
    /// How trained models are run.
    pub evaluation: Evaluation,
    /// The parts of each record that are judged, whatever of the rest a configuration fits on.
    pub split: Split,
    /// The folds of sites, in order, so that everybody has the same; none if no site is held out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folds: Vec<Fold>,
    /// What the pack has for inputs, so that trials have their ids where it is not at hand.
    pub variables: Variables,
}

/// A contract as files have it, that of version 0.1.0 among them: it had everything that trials had in common, of which
/// the names of the inputs are all that its readers need.
#[derive(Deserialize)]
struct Form {
    pack_digest: String,
    evaluation: Evaluation,
    split: Split,
    #[serde(default)]
    folds: Vec<Fold>,
    variables: Option<Variables>,
    #[serde(default)]
    dynamic: Vec<String>,
    #[serde(default, rename = "static")]
    statics: Vec<String>,
}

impl From<Form> for Contract {
    fn from(form: Form) -> Self {
        let complete = || Variables::complete(&form.dynamic, &form.statics);
        Self {
            variables: form.variables.unwrap_or_else(complete),
            pack_digest: form.pack_digest,
            evaluation: form.evaluation,
            split: form.split,
            folds: form.folds,
        }
    }
}

impl Contract {
    /// The first key in which another contract differs, with this contract's value and the other's.
    pub fn difference(&self, other: &Self) -> Option<(String, String, String)> {
        let [ours, theirs] = [self, other].map(|contract| {
            serde_json::json!({
                "pack_digest": contract.pack_digest,
                "evaluation": contract.evaluation,
                "split": contract.split,
            })
        });
        first_difference(String::new(), &ours, &theirs)
    }

    /// What trials with these settings read that fit on these days.
    ///
    /// # Errors
    ///
    /// Why the pack has not what `[inputs]` asks for.
    pub fn view(&self, settings: &Settings, fit: Fit) -> Result<View, String> {
        Ok(View {
            pack_digest: self.pack_digest.clone(),
            inputs: self.variables.choose(&settings.inputs)?,
            missing: settings.inputs.missing,
            split: settings.split,
            judged: self.split,
            held_out: self.held_out(&settings.split)?,
            transform: settings.transform,
            fit,
        })
    }
}

impl Contract {
    /// What each configuration of a search is trained for: every fold, or none if no site is held out.
    pub fn folds_of_search(&self) -> Vec<Option<usize>> {
        match self.folds.len() {
            0 => vec![None],
            folds => (0..folds).map(Some).collect(),
        }
    }

    /// The fold that a trial with this split holds out, if it does.
    ///
    /// # Errors
    ///
    /// If there is no such fold.
    fn held_out(&self, split: &Split) -> Result<Option<Fold>, String> {
        let Some(fold) = split.fold else {
            return Ok(None);
        };
        let found = self.folds.get(fold as usize).cloned();
        let none = || {
            let folds = self.folds.len();
            format!("`split.fold` has {fold}, expected one of the {folds} folds, counted from 0")
        };
        found.map(Some).ok_or_else(none)
    }
}

/// What a trial reads of a pack, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Digest of the pack.
    pub pack_digest: String,
    /// The inputs.
    pub inputs: Chosen,
    /// What stands in for an input that a site does not have.
    pub missing: Missing,
    /// The days that may be fitted on.
    pub split: Split,
    /// The days that are judged.
    pub judged: Split,
    /// The sites that are held out, if some are: nothing of their fluxes and inputs is in what is trained.
    pub held_out: Option<Fold>,
    /// Transformation and scaling.
    pub transform: Transform,
    /// The parts that are fitted on.
    pub fit: Fit,
}

impl View {
    /// Whether a site is trained on.
    pub fn trains(&self, site: usize) -> bool {
        self.held_out.as_ref().is_none_or(|fold| fold.trains(site))
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
