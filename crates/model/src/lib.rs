//! How it learns: the LSTM, its training and its use. The only package that knows tch.
//!
//! | file | answers |
//! | --- | --- |
//! | `device` | what it computes on |
//! | `driver` | which GPUs these are |
//! | `layout` | which parameters a model has |
//! | `cell` | what carries its state from day to day |
//! | `network` | what it computes |
//! | `masks` | which weights an iteration drops |
//! | `loss` | how wrong a prediction is |
//! | `optimizer` | what a gradient does to the weights |
//! | `windows` | which days an iteration sees |
//! | `device_data` | how these days get to the model |
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
mod predict;
mod progress;
mod torch;
mod train;
mod validation;
mod windows;

pub use cell::{Cell, State};
pub use evaluate::{medians, physical};
pub use failure::{TrialError, guarded};
pub use lanes::Lanes;
pub use layout::{Dimension, Layout, Parameter, Shape};
pub use loss::{LossFunction, masked_mean};
pub use masks::Masks;
pub use native::{Level, NativeModel, NativeOptimizer};
pub use network::{Mode, Network};
pub use optimizer::{Adadelta, Adam, Optimizer};
pub use predict::{Days, PIECE, predict, predict_by_window, simulate};
pub use progress::{EpochReport, Flow, Trained};
pub use train::{Progress, Trainer};
pub use windows::{Batch, Epoch, Sampler};
