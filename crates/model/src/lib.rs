//! How it learns: the LSTM, its training and its use. The only package that knows tch.
//!
//! | file | answers |
//! | --- | --- |
//! | `device` | what it computes on |
//! | `driver` | which GPUs these are |
//! | `lstm` | what the model computes |
//! | `masks` | which weights an iteration drops |
//! | `loss` | how wrong a prediction is |
//! | `optimizer` | what a gradient does to the weights |
//! | `windows` | which days an iteration sees |
//! | `resident` | how these days get to the model |
//! | `train` | the training loop |
//! | `engine` | what computes an update: |
//! | `torch` | libtorch, on CPUs and GPUs |
//! | `native` | or our own kernels, on a CPU |
//! | `lanes` | or libtorch for several trials at once |
//! | `progress` | what a training tells of itself |
//! | `validation` | the score of a model in training |
//! | `predict` | what a trained model says of the whole calendar |
//! | `judge` | how good that is |
//! | `checkpoint` | what is kept on disk |
//! | `failure` | how a trial fails |

pub mod checkpoint;
pub mod device;
mod driver;
mod engine;
mod failure;
mod judge;
mod lanes;
mod loss;
mod lstm;
mod masks;
mod native;
mod optimizer;
mod predict;
mod progress;
mod resident;
mod torch;
mod train;
mod validation;
mod windows;

pub use failure::{TrialError, guarded};
pub use judge::{medians, physical};
pub use lanes::Lanes;
pub use loss::{Form, masked_mean};
pub use lstm::{Lstm, Mode, PARAMETERS, Shape, State};
pub use masks::Masks;
pub use native::{Level, NativeLstm, NativeOptimizer};
pub use optimizer::{Adadelta, Adam, Optimizer};
pub use predict::{Days, PIECE, predict, predict_by_window, simulate};
pub use progress::{EpochReport, Flow, Progress, Trained};
pub use train::Trainer;
pub use windows::{Batch, Epoch, Sampler};
