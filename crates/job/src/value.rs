//! The sections of a job file as types: each with the field's default, none of them validated yet
//! (that is [`crate::Job`]'s part).

use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use efflux_analysis::measures::{Measure, NSE};

/// A function applied to a variable before it is scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transformation {
    /// The values as they are.
    #[default]
    None,
    /// Their inverse hyperbolic sine.
    Asinh,
}

/// Which days of the target give its minimum and maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Those that a trial fits on.
    #[default]
    Training,
    /// All, the test part included, as in the paper.
    All,
    /// None: the target is read as it is.
    None,
}

/// `[transform]`: what happens to values before the model sees them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transform {
    /// Of the target.
    pub target: Transformation,
    /// Of daily variables and static attributes.
    pub inputs: Transformation,
    /// Which days give the range that the target is scaled by. Inputs are scaled over all days: they are known for all days.
    pub scaling: Scaling,
}

impl Default for Transform {
    fn default() -> Self {
        Self {
            target: Transformation::Asinh,
            inputs: Transformation::None,
            scaling: Scaling::Training,
        }
    }
}

/// How the LSTM's state comes about when a trained model is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// One run over the whole calendar from a zero state, as hydroDL.
    #[default]
    Carried,
    /// For each day a run of its own, from a zero state over one window (and warm-up) that ends with it: costs as many times
    /// more as a window has days.
    Window,
}

impl State {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Carried => "carried",
            Self::Window => "window",
        }
    }

    /// The one that the job did not ask for.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Carried => Self::Window,
            Self::Window => Self::Carried,
        }
    }
}

/// `[evaluation]`: how a trained model is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evaluation {
    /// How the LSTM's state before a day comes about. Members are scored with both, the other one on days with an
    /// observation alone.
    pub state: State,
}

/// `[seeds]`: random seeds of the search and of the final members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seeds {
    /// Every configuration is trained with each.
    pub search: Vec<u64>,
    /// The selected configuration is trained with each: the ensemble.
    #[serde(rename = "final")]
    pub final_members: Vec<u64>,
}

impl Default for Seeds {
    fn default() -> Self {
        Self {
            search: vec![0],
            final_members: (0..5).collect(),
        }
    }
}

/// A score by which configurations are compared: the median over sites of a measure that is declared selectable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric(Measure);

/// What its name in a job file begins with; the key of the measure follows.
const MEDIAN: &str = "median_";

impl Metric {
    /// The median of a measure, if configurations can be selected by it.
    pub fn median_of(measure: Measure) -> Option<Self> {
        measure.selectable.then_some(Self(measure))
    }

    /// The measure that it is the median of.
    pub fn measure(self) -> Measure {
        self.0
    }

    /// Its name in job files and tables: `median_nse`.
    pub fn key(self) -> String {
        format!("{MEDIAN}{}", self.0.key)
    }

    /// Its name for people: `median NSE`.
    pub fn label(self) -> String {
        format!("median {}", self.0.label)
    }
}

impl Default for Metric {
    fn default() -> Self {
        Self(NSE)
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.key())
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = text.strip_prefix(MEDIAN).and_then(Measure::by_key);
        known.and_then(Self::median_of).ok_or_else(|| {
            let all = Measure::selectable().map(|measure| format!("`{}`", Self(measure).key()));
            let all: Vec<String> = all.collect();
            D::Error::custom(format!(
                "unknown variant `{text}`, expected one of {}",
                all.join(", ")
            ))
        })
    }
}

/// What a day of a site's record is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Nothing: it lies before, after or between the parts.
    Unused,
    /// Weights are fitted on it.
    Train,
    /// Kept back from fitting, used for selection.
    Validation,
    /// Used for nothing but the final evaluation.
    Test,
}

/// The part on which configurations are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectionPart {
    /// The validation part, over the sites with at least 20 such days.
    #[default]
    Validation,
    /// The test part: the paper, and marked as optimistic.
    Test,
}

impl SelectionPart {
    /// The days it names.
    pub fn part(self) -> Part {
        match self {
            Self::Validation => Part::Validation,
            Self::Test => Part::Test,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.part().name()
    }
}

impl Part {
    /// The parts of a record in order of time.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Sites with fewer validation days have no vote in the selection, and no place in validation medians: over a handful of
/// days any score is luck.
pub const VALIDATION_DAYS: usize = 20;

/// `[selection]`: how one configuration is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    /// The highest is selected: the median of a score over sites, then the mean over seeds.
    pub metric: Metric,
    /// The days it is taken on.
    pub on: SelectionPart,
}

/// The days that weights are fitted on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fit {
    /// The training part without its validation days.
    #[default]
    #[serde(rename = "train")]
    Train,
    /// The whole training part.
    #[serde(rename = "train+validation")]
    TrainValidation,
}

impl Fit {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::TrainValidation => "train+validation",
        }
    }

    /// Whether weights are fitted on the days of a part.
    pub fn holds(self, part: Part) -> bool {
        match part {
            Part::Train => true,
            Part::Validation => self == Self::TrainValidation,
            Part::Test | Part::Unused => false,
        }
    }
}

/// `[final]`: how the members of the ensemble are trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Final {
    /// The days that members fit on.
    pub fit: Fit,
}

/// Where to train. Not part of a job file: it belongs to the launch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum DeviceChoice {
    /// A GPU if there is one, else the CPU
    #[default]
    Auto,
    /// The CPU
    Cpu,
    /// A GPU; none is an error
    Cuda,
}

/// `[analysis]`: what the report looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Analysis {
    /// A day is a spike this many standard deviations off the mean of its window.
    pub spike_z: f64,
    /// Length of that window, centred.
    pub spike_window_days: u32,
    /// Quantiles of the observations below and above which a day is extreme.
    pub bands: [f64; 2],
    /// The daily variable that baselines and temperature responses take. Left out: the first whose name begins with
    /// `soil_temp`, else `air_temp`, else `lst_day`.
    pub temperature: Option<String>,
    /// Sites at most this many kilometres apart, also through others, are one place: the report tells the test days of a
    /// site on which another one of its place was trained on.
    pub same_place_km: f64,
}

/// `[baselines]`: what the report sets the ensemble against, besides what efflux fits itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Baselines {
    /// A CSV file, relative to the directory the command runs in, with the columns `site_id`, `date` (2019-12-31) and
    /// `value` (in the unit of the pack's target): what another program predicts. It is scored on the test days that it has,
    /// as the series `external`; [boosting.md](boosting.md) is a recipe.
    pub external: Option<PathBuf>,
}

/// Kilometres within which sites are one place, unless a person says otherwise: the grid cell of most predictors.
pub const SAME_PLACE_KM: f64 = 1.0;

impl Default for Analysis {
    fn default() -> Self {
        Self {
            spike_z: 3.0,
            spike_window_days: 30,
            bands: [0.05, 0.95],
            temperature: None,
            same_place_km: SAME_PLACE_KM,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_selected_by_the_key_of_a_measure() {
        let read = |key: &str| serde_json::from_str::<Metric>(&format!("\"{key}\""));
        for measure in Measure::selectable() {
            let metric = Metric::median_of(measure).unwrap();
            assert_eq!(read(&metric.key()).unwrap(), metric);
        }
        assert_eq!(Metric::default().key(), "median_nse");
        let refused = read("median_rmse").unwrap_err().to_string();
        assert!(refused.contains("`median_kge`, `median_r`"), "{refused}");
        assert!(read("nse").is_err());
    }
}
