//! The model: recurrent networks, their training and their use. The only package that knows tch.
//!
//! | file | answers |
//! | --- | --- |
//! | `device` | which device computes |
//! | `driver` | which GPUs these are |
//! | `parameter` | what a parameter is |
//! | `layout` | which parameters a model has, and where they lie |
//! | `cell` | what carries the state from day to day: one file for each cell |
//! | `network` | input layer, cell and head, with libtorch |
//! | `embedding` | vectors of sites, with libtorch |
//! | `site_rows` | its weights of single sites, as rows |
//! | `masks` | dropout of weights |
//! | `series` | what belongs to each series of a run: its site, dropout of states |
//! | `loss` | how wrong predictions are |
//! | `optimizer` | how a gradient changes the weights |
//! | `windows` | which days an iteration sees |
//! | `device_data` | how these days get to the device |
//! | `train` | the training loop |
//! | `epoch_plan` | what an epoch of it consists of |
//! | `engine` | what it asks of an implementation: |
//! | `torch` | libtorch, on CPUs and GPUs |
//! | `native` | or our own kernels, on a CPU |
//! | `lanes` | or libtorch for several trials at once |
//! | `backend` | which of them trains a trial |
//! | `progress` | what a training reports |
//! | `validation` | the score of a model in training |
//! | `predict` | what a trained model predicts for the whole calendar |
//! | `by_window` | the same where each day has a run of its own |
//! | `evaluate` | how good that is |
//! | `checkpoint` | what is kept on disk |
//! | `failure` | how a trial fails |

pub mod backend;
mod by_window;
mod cell;
pub mod checkpoint;
pub mod device;
mod device_data;
mod driver;
mod embedding;
mod engine;
mod epoch_plan;
mod evaluate;
mod failure;
mod lanes;
mod layout;
mod loss;
mod masks;
mod native;
mod network;
mod optimizer;
mod parameter;
mod predict;
mod progress;
mod series;
mod site_rows;
mod torch;
mod train;
mod validation;
mod windows;

pub use cell::{Cell, State};
pub use evaluate::{medians, physical};
pub use failure::{TrialError, guarded};
pub use lanes::Lanes;
pub use layout::{Head, Layout, Shape};
pub use loss::{LossFunction, masked_mean};
pub use masks::{Dropped, Masks};
pub use native::{Factors, Level, NativeModel, NativeOptimizer};
pub use network::{Mode, Network, SeriesTensors};
pub use optimizer::{Adadelta, Adam, Optimizer};
pub use parameter::{Dimension, Parameter};
pub use predict::{Days, PIECE, Trained, predict, predict_by_window, simulate};
pub use progress::{EpochReport, Flow};
pub use series::{Series, StateMasks};
pub use train::{Progress, Trainer};
pub use windows::{Batch, Epoch, Sampler};
