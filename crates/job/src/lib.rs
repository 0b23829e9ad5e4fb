//! What to run: a job file becomes a validated [`Job`], a job and a pack become a [`Contract`] and [`Trial`]s; and with
//! which resources: a cluster file becomes a [`Cluster`].

mod cluster;
mod configuration;
mod contract;
pub mod cost;
mod derived;
mod differences;
mod ensemble;
mod file;
mod grid;
mod id;
mod inputs;
mod params;
#[cfg(test)]
mod reference;
mod search;
mod section;
mod settings;
mod split;
mod stop;
mod training;
mod trial;
mod value;

pub use cluster::{Cluster, Launcher, TIME_LIMITS, time_limit};
pub use configuration::Configuration;
pub use contract::{Contract, View};
pub use derived::{Expression, Function, Malformed, Operation};
pub use differences::{Difference, differences};
pub use ensemble::{EnsembleMembers, MemberKind, WeightRule, Weights};
pub use file::{Job, syntax as toml_error};
pub use grid::Grid;
pub use id::TrialId;
pub use inputs::{Chosen, Inputs, Missing, Variable, Variables};
pub use params::{Head, Params, SitePrior};
pub use search::{Method, Search};
pub use section::{Key, Section};
pub use settings::{Refused, Settings};
pub use split::{Fold, FoldsBy, Split, SplitKind};
pub use stop::{Policy, Stop};
pub use training::{Backend, Keep, Loss, Optimizer, Sampling, Schedule, Training};
pub use trial::{SearchTrials, Stage, Trial};
pub use value::{
    Analysis, Baselines, DeviceChoice, Evaluation, Final, Fit, Metric, Part, SAME_PLACE_KM,
    Scaling, Seeds, Selection, SelectionPart, State, Transform, Transformation, VALIDATION_DAYS,
};
