//! How it learns: the LSTM, its training and its use. The only module that knows tch.
//!
//! | file | answers |
//! | --- | --- |
//! | `device` | what it computes on |
//! | `random` | which numbers a seed stands for |
//! | `lstm` | what the model computes |
//! | `masks` | which weights an iteration drops |
//! | `loss` | how wrong a prediction is |
//! | `optimizer` | what a gradient does to the weights |
//! | `windows` | which days an iteration sees |
//! | `resident` | how these days get to the model |
//! | `train` | the training loop |
//! | `predict` | what a trained model says of the whole calendar |
//! | `checkpoint` | what is kept on disk |
//! | `failure` | how a trial fails |
//!
//! Imports [`crate::data`], [`crate::job`] and [`crate::error`].

pub mod checkpoint;
pub mod device;
mod failure;
mod loss;
mod lstm;
mod masks;
mod optimizer;
mod predict;
mod random;
mod resident;
mod train;
mod windows;

pub use failure::{TrialError, guarded};
pub use loss::masked_mse;
pub use lstm::{Lstm, Mode, PARAMETERS, Shape, State};
pub use masks::Masks;
pub use optimizer::Adadelta;
pub use predict::predict;
pub use random::{Purpose, Stream};
pub use train::{Flow, Progress, Trained, Trainer};
pub use windows::{Batch, Epoch, Sampler};
