//! Which implementation trains a trial, and what records say of it.

use std::env;

use efflux_data::Tensors;
use efflux_job::{Backend, Params, Training};
use tch::Device;

use super::cell::Cell;
use super::device::{self, LIBTORCH};
use super::engine::Engine;
use super::failure::TrialError;
use super::layout::Shape;
use super::loss;
use super::native::{self, Level, Native};
use super::torch::Torch;

/// The model of a trial before its first iteration, in the implementation that the job and the device call for.
///
/// # Errors
///
/// [`TrialError::Backend`] if the job wants native training on a GPU; [`TrialError::Memory`] if there is no room.
pub(super) fn engine(
    tensors: &Tensors,
    params: &Params,
    training: &Training,
    seed: u64,
    device: Device,
) -> Result<Box<dyn Engine>, TrialError> {
    let loss = loss::of_trial(tensors, training);
    let cell = Shape::of(tensors, params).cell;
    Ok(match native_level(training, cell, device)? {
        Some(level) => Box::new(Native::new(tensors, params, training, seed, loss, level)?),
        None => Box::new(Torch::new(tensors, params, training, seed, loss, device)),
    })
}

/// The level at which such trials are trained natively on a device; nothing where libtorch trains them.
///
/// # Errors
///
/// [`TrialError::Backend`] if the job wants native training on a GPU, [`TrialError::Cell`] if there is none of this cell.
pub(super) fn native_level(
    training: &Training,
    cell: Cell,
    device: Device,
) -> Result<Option<Level>, TrialError> {
    let (cpu, has_cell) = (device == Device::Cpu, native::has(cell));
    match training.backend {
        Backend::Native if !cpu => Err(TrialError::Backend),
        Backend::Native if !has_cell => Err(TrialError::Cell),
        Backend::Native => Ok(Some(level())),
        Backend::Auto if cpu && has_cell && training.threads == 1 => Ok(Some(level())),
        Backend::Auto | Backend::Torch => Ok(None),
    }
}

/// The device in words, as it enters a record: two trials with the same words on CPUs give the same bits, if not in lanes.
///
/// `cpu avx2, native` or `cpu avx2, 1 thread` of libtorch; `cuda 0`, with `, tf32` where that is not ruled out.
pub fn describe(device: Device, training: &Training) -> String {
    match device {
        Device::Cuda(index) if env::var("NVIDIA_TF32_OVERRIDE").as_deref() == Ok("0") => {
            format!("cuda {index}")
        }
        Device::Cuda(index) => format!("cuda {index}, tf32"),
        _ => {
            if let Ok(Some(level)) = native_level(training, Cell::default(), device) {
                return format!("cpu {}, native", level.name());
            }
            let plural = if training.threads == 1 { "" } else { "s" };
            format!("cpu {}, {} thread{plural}", level_name(), training.threads)
        }
    }
}

/// The instruction-set level of trainers, which whoever starts one may lower through the environment.
pub fn level_name() -> String {
    match env::var("ATEN_CPU_CAPABILITY") {
        Ok(level) if level == "default" => "baseline".into(),
        Ok(level) => level,
        // The one that libtorch takes by itself.
        Err(_) => efflux_numerics::Level::of_this_host().name().into(),
    }
}

/// The same for what is computed natively: at most what the processor has.
fn level() -> Level {
    let name = level_name();
    let here = Level::here();
    here.iter()
        .rfind(|level| level.name() == name)
        .copied()
        .unwrap_or(Level::BASELINE)
}

/// Lines for people on libtorch and on what it can compute with here.
pub fn versions() -> String {
    let cpu = describe(Device::Cpu, &Training::default());
    let gpus = device::gpu_version();
    format!("libtorch {LIBTORCH}: {cpu}\nlibtorch {LIBTORCH}: {gpus}")
}
