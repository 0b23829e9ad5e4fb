//! What a trainer computes on.
//!
//! Nothing here links CUDA. `libtorch_cuda.so` is opened at run time, so one build serves nodes with and without GPUs.
//! Two settings of CUDA that tch does not reach are environment variables, which whoever starts the trainer must set:
//! `NVIDIA_TF32_OVERRIDE=0` (32-bit products keep all their bits) and `CUBLAS_WORKSPACE_CONFIG=:4096:8` (the same sums
//! in every run).

use std::env;
use std::error::Error as _;
use std::sync::Once;

pub use tch::Device;
use tch::kind::Element;
use tch::{Cuda, Tensor};

use super::native::Level;
use super::{driver, engine};
use efflux_base::error::{Error, Result};
use efflux_job::{DeviceChoice, Training};

/// The libtorch that tch 0.24 binds; another one does not load.
const LIBTORCH: &str = "2.11.0";

/// Opens a device. Of the GPUs, it is the first that `CUDA_VISIBLE_DEVICES` leaves. Must come before anything else is
/// asked of libtorch.
///
/// # Errors
///
/// [`Error::Device`] if a GPU is asked for and cannot be used, with the reason.
pub fn open(choice: DeviceChoice) -> Result<Device> {
    // libtorch accepts this only once, and only before its first parallel work.
    static INTEROP: Once = Once::new();
    INTEROP.call_once(|| tch::set_num_interop_threads(1));
    match choice {
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Cuda => cuda().map_err(Error::Device),
        DeviceChoice::Auto => Ok(cuda().unwrap_or_else(|reason| {
            tracing::debug!("no GPU: {reason}");
            Device::Cpu
        })),
    }
}

/// Numbers on their way to a device, which may still be at what it was asked for before: as long as they are few the host
/// does not wait for it, because the driver has its own copy of them when this returns.
pub(super) fn send<T: Element>(numbers: &[T], device: Device) -> Tensor {
    Tensor::from_slice(numbers).to_device_(device, T::KIND, true, false)
}

/// The numbers of a tensor, row by row. Waits for the device.
pub(super) fn values(tensor: &Tensor) -> Vec<f32> {
    let mut values = vec![0.0_f32; tensor.numel()];
    tensor.copy_data(&mut values, tensor.numel());
    values
}

/// The UUIDs of the GPUs and MIG instances that CUDA shows this process, the one that it computes on first, without
/// `GPU-` or `MIG-`; none for a CPU.
///
/// # Errors
///
/// [`Error::Device`] if the driver does not tell.
pub fn gpus(device: Device) -> Result<Vec<String>> {
    match device {
        Device::Cuda(_) => driver::uuids(driver::LIBRARY).map_err(Error::Device),
        _ => Ok(Vec::new()),
    }
}

/// Sets how many threads share one operation on the CPU, and returns how many there are then. The last bits of a sum
/// depend on it.
pub fn set_threads(threads: u32) -> u32 {
    tch::set_num_threads(threads.cast_signed());
    tch::get_num_threads().cast_unsigned()
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
            if let Ok(Some(level)) = engine::native(training, device) {
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
pub(super) fn level() -> Level {
    let name = level_name();
    let here = Level::here();
    here.iter()
        .rfind(|level| level.name() == name)
        .copied()
        .unwrap_or(Level::BASELINE)
}

fn cuda() -> Result<Device, String> {
    load_cuda()?;
    if Cuda::is_available() {
        Ok(Device::Cuda(0))
    } else {
        Err("libtorch finds no usable GPU (does `nvidia-smi` list one, \
             and does CUDA_VISIBLE_DEVICES leave it visible?)"
            .into())
    }
}

/// Makes libtorch's CUDA half known to it. After libtorch's first question for CUDA it is too late: the answer is kept.
#[allow(unsafe_code)]
fn load_cuda() -> Result<(), String> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: the library is libtorch's own, of the version this program is built for; its initialisers register its
    // kernels and do nothing else. It is never closed, so nothing registered can dangle.
    let library = unsafe { Library::open(Some("libtorch_cuda.so"), RTLD_NOW | RTLD_GLOBAL) };
    std::mem::forget(library.map_err(|error| {
        let reason = error
            .source()
            .map_or(error.to_string(), ToString::to_string);
        format!("{reason} (`make deps CUDA=1` installs what libtorch needs for GPUs)")
    })?);
    Ok(())
}

/// Lines for people on libtorch and on what it can compute with here.
pub fn versions() -> String {
    let cpu = describe(Device::Cpu, &Training::default());
    let gpus = match cuda() {
        Ok(_) => format!(
            "{} GPUs, cuDNN {}",
            Cuda::device_count(),
            tch::utils::version_cudnn()
        ),
        Err(reason) => format!("no GPU: {reason}"),
    };
    format!("libtorch {LIBTORCH}: {cpu}\nlibtorch {LIBTORCH}: {gpus}")
}
