//! The model against torch's own numbers, and what training promises of itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod embedding;
mod files;
mod gpu;
mod lanes;
mod native;
mod options;
mod reference;
mod sampling;
mod site_head;
mod training;

use std::sync::LazyLock;

use efflux_data::{Parts, Scale, Tensors};
use efflux_job::{
    Backend, DeviceChoice, Optimizer, Params, Sampling, Schedule, Training, Transformation,
};
use efflux_model::Trainer;
use efflux_model::device::{self, Device};
use efflux_numerics::SiteByDay;
use efflux_numerics::random::{Purpose, Stream};

/// Six sites, 120 days, three daily and two static inputs; a month or two of targets at five of the sites.
fn tensors() -> Tensors {
    const SITES: usize = 6;
    const DAYS: usize = 120;
    let mut stream = Stream::new(11, Purpose::Starts, 0, 0);
    let mut values = |count| -> Vec<f32> {
        (0..count)
            .map(|_| stream.below(1000) as f32 / 1000.0)
            .collect()
    };
    let observed = values(SITES * DAYS);
    let mut target = observed.clone();
    for (row, value) in target.iter_mut().enumerate() {
        let (site, day) = (row / DAYS, row % DAYS);
        let record = 15 * site..15 * site + 10 * (site % 3) + 25;
        if site == 5 || !record.contains(&day) || day % 7 == 0 {
            *value = f32::NAN;
        }
    }
    Tensors {
        sites: SITES,
        days: DAYS,
        dynamic: 3,
        statics: 2,
        dynamic_values: values(SITES * DAYS * 3),
        static_values: values(SITES * 2),
        target: SiteByDay::of(DAYS, target),
        scale: Scale {
            transformation: Transformation::None,
            min: 0.0,
            max: 1.0,
        },
        observed: SiteByDay::of(DAYS, observed),
        parts: Parts::unused(SITES, DAYS),
        held_out: Vec::new(),
        site_ids: (0..SITES).map(|site| format!("site {site}")).collect(),
        heads: (0..SITES).map(Some).collect(),
    }
}

const PARAMS: Params = Params {
    hidden_size: 8,
    dropout: 0.2,
    ..Params::PAPER
};

/// The paper's rules for shorter windows.
fn rules() -> Training {
    Training {
        window_days: 20,
        ..Training::default()
    }
}

/// Rules for models with weights of single sites.
fn site_rules() -> Training {
    Training {
        window_days: 20,
        warm_up_days: 5,
        epochs: 3,
        epoch_updates: Some(15),
        batch_windows: Some(8),
        sampler: Sampling::Root,
        optimizer: Optimizer::AdamW { decay: None },
        learning_rate: Some(0.01),
        schedule: Schedule::WarmUpCosine,
        clip_norm: Some(1.0),
        ..rules()
    }
}

fn training(epochs: u32) -> Training {
    Training { epochs, ..rules() }
}

/// Both implementations of training.
const BACKENDS: [Backend; 2] = [Backend::Torch, Backend::Native];

fn trainer(tensors: &Tensors, seed: u64, epochs: u32) -> Trainer<'_> {
    trainer_by(Backend::Auto, tensors, seed, epochs)
}

fn trainer_by(backend: Backend, tensors: &Tensors, seed: u64, epochs: u32) -> Trainer<'_> {
    let training = Training {
        backend,
        ..training(epochs)
    };
    Trainer::new(tensors, &PARAMS, &training, seed, Device::Cpu).unwrap()
}

/// The device that the tests are to train on besides a processor.
fn other_device() -> Option<Device> {
    static OPENED: LazyLock<Option<Device>> = LazyLock::new(|| {
        let choice = match efflux_testing::other_device()?.as_str() {
            "cuda" => DeviceChoice::Cuda,
            _ => DeviceChoice::Cpu,
        };
        Some(device::open(choice).unwrap())
    });
    *OPENED
}

/// A processor, and that device if there is one.
fn devices() -> Vec<Device> {
    [Device::Cpu].into_iter().chain(other_device()).collect()
}
