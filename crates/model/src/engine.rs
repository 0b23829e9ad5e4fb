//! What computes the updates of a trial: libtorch, or the native implementation.

use efflux_data::Tensors;
use efflux_job::{Backend, Params, Training};
use efflux_numerics::random::Stream;
use tch::Device;

use super::device;
use super::failure::TrialError;
use super::loss;
use super::lstm::Shape;
use super::native::{Level, Native};
use super::torch::Torch;
use super::windows::Batch;

/// The level at which trials with these rules are trained natively on a device; nothing where libtorch trains them.
///
/// # Errors
///
/// [`TrialError::Backend`] if the job wants native training on a GPU.
pub(super) fn native(training: &Training, device: Device) -> Result<Option<Level>, TrialError> {
    let cpu = device == Device::Cpu;
    match training.backend {
        Backend::Native if !cpu => Err(TrialError::Backend),
        Backend::Native => Ok(Some(device::level())),
        Backend::Auto if cpu && training.threads == 1 => Ok(Some(device::level())),
        Backend::Auto | Backend::Torch => Ok(None),
    }
}

/// A model in training: weights, the optimizer's memory, data.
#[derive(Debug)]
pub(super) enum Engine {
    Torch(Box<Torch>),
    Native(Box<Native>),
}

/// One iteration of a trial: what it sees, what it drops, and how far it goes.
#[derive(Clone, Debug)]
pub(super) struct Task<'a> {
    /// First rows of the batch's windows.
    pub(super) starts: &'a [i64],
    pub(super) batch: &'a Batch,
    pub(super) masks: Stream,
    pub(super) step: Step,
}

/// What a step depends on besides the gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// The learning rate.
    pub(super) rate: f64,
    /// Counted from 1.
    pub(super) number: u64,
    /// The length that a longer gradient is cut to.
    pub(super) clip: Option<f64>,
}

impl Engine {
    pub(super) fn new(
        tensors: &Tensors,
        params: &Params,
        training: &Training,
        seed: u64,
        device: Device,
    ) -> Result<Self, TrialError> {
        let loss = loss::of_trial(tensors, training);
        Ok(match native(training, device)? {
            Some(level) => {
                let native = Native::new(tensors, params, training, seed, loss, level)?;
                Self::Native(Box::new(native))
            }
            None => {
                let torch = Torch::new(tensors, params, training, seed, loss, device);
                Self::Torch(Box::new(torch))
            }
        })
    }

    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Torch(torch) => torch.shape(),
            Self::Native(native) => native.model.shape(),
        }
    }

    /// Prepares the windows of an epoch.
    pub(super) fn begin_epoch(&mut self, starts: &[i64]) {
        if let Self::Torch(torch) = self {
            torch.begin_epoch(starts);
        }
    }

    /// One update from a batch of the epoch that was begun with its windows: loss and gradient, if it holds a target,
    /// and the step. False if they are not finite, which on a GPU only the end of the epoch tells.
    pub(super) fn update(&mut self, task: Task<'_>) -> bool {
        match self {
            Self::Torch(torch) => torch.update(task),
            Self::Native(native) => native.update(task),
        }
    }

    /// Sums of the losses and of the lengths of the gradients since they were set. Waits for the device.
    pub(super) fn sums(&self) -> [f64; 2] {
        match self {
            Self::Torch(torch) => torch.sums(),
            Self::Native(native) => native.sums,
        }
    }

    /// Sets the sums.
    pub(super) fn set_sums(&mut self, sums: [f64; 2]) {
        match self {
            Self::Torch(torch) => torch.set_sums(sums),
            Self::Native(native) => native.sums = sums,
        }
    }

    /// All weights, `[N]`. Waits for the device.
    pub(super) fn weights(&self) -> Vec<f32> {
        match self {
            Self::Torch(torch) => torch.weights(),
            Self::Native(native) => native.model.weights(),
        }
    }

    /// What the optimizer remembers, with torch's names, `[N]` each. Waits for the device.
    pub(super) fn memory(&self) -> [(&'static str, Vec<f32>); 2] {
        match self {
            Self::Torch(torch) => torch.memory(),
            Self::Native(native) => native.optimizer.state(),
        }
    }

    /// Takes over what [`Engine::weights`] and [`Engine::memory`] gave.
    pub(super) fn restore(&mut self, weights: &[f32], memory: &[Vec<f32>; 2]) {
        match self {
            Self::Torch(torch) => torch.restore(weights, memory),
            Self::Native(native) => {
                native.model.set_weights(weights);
                native.optimizer.remember(memory);
            }
        }
    }

    /// Runs series of these lengths, longest first, from zero states; `each` is called with a day, a series and what the
    /// model gives, scaled. Waits for the device.
    pub(super) fn simulate(
        &mut self,
        starts: &[i64],
        lengths: &[usize],
        each: &mut dyn FnMut(usize, usize, f32),
    ) {
        match self {
            Self::Torch(torch) => torch.simulate(starts, lengths, each),
            Self::Native(native) => native.simulate(starts, lengths, each),
        }
    }
}
