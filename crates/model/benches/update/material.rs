//! What both sides train on, and what PyTorch is checked with.

use std::fs;
use std::path::Path;
use std::time::Duration;

use efflux_data::{Pack, Tensors, iterations_per_epoch, variables};
use efflux_ingest::{SynthOptions, synthesize};
use efflux_job::{Backend, Contract, Evaluation, Fit, Params, Settings, Split, Training};
use efflux_model::device::Device;
use efflux_model::{Flow, Trainer, TrialError};
use efflux_numerics::random::{Purpose, Stream};
use safetensors::tensor::{Dtype, TensorView};

use crate::Outcome;

/// Updates whose weights PyTorch must arrive at, too.
pub(crate) const CHECKED: u32 = 20;
const SEED: u64 = 0;

/// The default synthetic pack or another one, fitted on the whole training part.
pub(crate) fn tensors(pack: Option<&Path>) -> Outcome<Tensors> {
    let pack = match pack {
        Some(path) => Pack::read(path)?,
        None => synthesize(&SynthOptions::default())?,
    };
    let contract = Contract {
        pack_digest: pack.digest.clone(),
        evaluation: Evaluation::default(),
        split: Split::default(),
        folds: Vec::new(),
        variables: variables(&pack),
    };
    let view = contract.view(&Settings::default(), Fit::TrainValidation)?;
    Ok(Tensors::build(&pack, &view)?)
}

/// A training that never ends by itself: a worker is stopped long before.
pub(crate) fn training(backend: Backend, window_days: u32) -> Training {
    Training {
        window_days,
        epochs: u32::MAX,
        backend,
        ..Training::default()
    }
}

/// The share of windows that hold a target.
pub(crate) fn share(tensors: &Tensors, window: u32) -> f64 {
    let window = window as usize;
    let hits: usize = tensors
        .target
        .rows()
        .map(|record| {
            let targets = (0..tensors.days).filter(|&day| !record[day].is_nan());
            efflux_data::windows_with_target(targets, tensors.days, window)
        })
        .sum();
    hits as f64 / (tensors.sites * (tensors.days - window)) as f64
}

/// Weights before and after a few updates without dropout, and every window they drew.
pub(crate) fn check(tensors: &Tensors, window: u32, hidden: u32, folder: &Path) -> Outcome {
    let file = |what: &str| folder.join(format!("w{window}-{what}"));
    let mut looks = 0;
    let mut saved = Ok(());
    let params = Params {
        hidden_size: hidden,
        dropout: 0.0,
        ..Params::PAPER
    };
    let rules = training(Backend::Native, window);
    let trainer = Trainer::new(tensors, &params, &rules, SEED, Device::Cpu)?;
    let result = trainer.observed_every(Duration::ZERO).run(&mut |progress| {
        let name = match looks {
            0 => "before.safetensors",
            CHECKED => "after.safetensors",
            _ => "",
        };
        if !name.is_empty() {
            saved = progress.checkpoint().save("bench", &file(name));
        }
        looks += 1;
        if looks > CHECKED || saved.is_err() {
            Flow::Stop
        } else {
            Flow::Continue
        }
    });
    if !matches!(result, Err(TrialError::Interrupted)) {
        return Err("the checked updates came to an end of their own".into());
    }
    saved?;
    let (sites, days) = (tensors.sites, tensors.days);
    let iterations = iterations_per_epoch(sites, days, sites, window as usize, 0);
    let mut starts = format!("# iterations per epoch: {}\n", iterations.unwrap_or(0));
    for iteration in 0..CHECKED {
        let mut stream = Stream::new(SEED, Purpose::Starts, 0, iteration);
        let drawn: Vec<String> = (0..sites)
            .map(|_| {
                stream
                    .below(u32::try_from(days).unwrap_or(0) - window)
                    .to_string()
            })
            .collect();
        starts += &(drawn.join(" ") + "\n");
    }
    fs::write(file("starts.txt"), starts)?;
    Ok(())
}

/// All days as PyTorch reads them.
pub(crate) fn write_days(tensors: &Tensors, path: &Path) -> Outcome {
    let bytes =
        |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
    let (sites, days) = (tensors.sites, tensors.days);
    let dynamic = bytes(&tensors.dynamic_values);
    let statics = bytes(&tensors.static_values);
    let target = bytes(&tensors.target);
    let view = |shape: Vec<usize>, bytes| TensorView::new(Dtype::F32, shape, bytes);
    let views = [
        (
            "dynamic",
            view(vec![sites, days, tensors.dynamic], &dynamic)?,
        ),
        ("static", view(vec![sites, tensors.statics], &statics)?),
        ("target", view(vec![sites, days], &target)?),
    ];
    safetensors::serialize_to_file(views, None, path)?;
    Ok(())
}
