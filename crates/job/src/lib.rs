//! What to run: a job file becomes a validated [`Job`], a job and a pack become a [`Contract`] and [`Trial`]s; and with
//! which resources: a cluster file becomes a [`Cluster`].

mod cluster;
mod contract;
pub mod cost;
mod file;
mod grid;
mod stop;
mod training;
mod value;

pub use cluster::{Cluster, Launcher};
pub use contract::Contract;
pub use file::Job;
pub use grid::{Grid, Params, Stage, Trial, TrialId};
pub use stop::{Policy, Stop};
pub use training::{Backend, Keep, Loss, Optimizer, Sampling, Schedule, Training};
pub use value::{
    Analysis, DeviceChoice, Evaluation, Final, Fit, Inputs, Metric, Missing, Part, Scaling, Seeds,
    Selection, SelectionPart, Split, State, Transform, Transformation, VALIDATION_DAYS,
};
