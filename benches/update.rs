//! The time of one update at the paper's size, and the material with which `benches/pytorch.py` times and checks the
//! same updates in PyTorch.
//!
//! `cargo bench --bench update -- [DIR [WINDOW …]]` writes into DIR (`target/tmp/update` by default)
//! `days.safetensors` (inputs and targets) and, for each window length, `w<days>-{before,after}.safetensors` (weights
//! before the first and after the last of a few updates without dropout) with `w<days>-starts.txt` (the windows these
//! updates drew). Run it pinned to one core. Times are CPU times, so that what else the machine does counts as little as
//! it can.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use efflux::data::{SynthOptions, Tensors, iterations_per_epoch, synthesize};
use efflux::job::{
    Contract, DeviceChoice, Evaluation, Fit, Missing, Params, Split, Training, Transform,
};
use efflux::model::device::{self, Device};
use efflux::model::{Flow, Purpose, Stream, Trainer, TrialError};
use safetensors::tensor::{Dtype, TensorView};

const WINDOWS: [u32; 3] = [30, 90, 365];
const HIDDEN: u32 = 128;
const SEED: u64 = 0;
/// Updates whose weights PyTorch must arrive at, too.
const CHECKED: u32 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"));
    let folder = words.next().map_or_else(
        || PathBuf::from(concat!(env!("CARGO_TARGET_TMPDIR"), "/update")),
        PathBuf::from,
    );
    let chosen = words
        .map(|word| word.parse())
        .collect::<Result<Vec<u32>, _>>()?;
    fs::create_dir_all(&folder)?;
    device::open(DeviceChoice::Cpu)?;
    println!("{}", device::describe(Device::Cpu, 1));

    let sparse = tensors()?;
    write_days(&sparse, &folder.join("days.safetensors"))?;
    // With a target on every day nothing can be left out: the cost of full batches.
    let mut full = sparse.clone();
    for value in &mut full.target {
        *value = if value.is_nan() { 0.5 } else { *value };
    }
    for window in WINDOWS
        .into_iter()
        .filter(|window| chosen.is_empty() || chosen.contains(window))
    {
        check(&sparse, window, &folder)?;
        let updates = 9_000 / window;
        let (with_targets, share) = time(&sparse, window, updates)?;
        let (every, _) = time(&full, window, updates / 3)?;
        println!(
            "window {window:3}, hidden {HIDDEN}: full batch {every:7.3} ms, windows with targets {with_targets:7.3} ms \
             (share {share:.3})"
        );
    }
    Ok(())
}

/// The default synthetic pack under the default contract, fitted on the whole training part.
fn tensors() -> Result<Tensors, Box<dyn Error>> {
    let pack = synthesize(&SynthOptions::default())?;
    let contract = Contract {
        pack_digest: pack.digest.clone(),
        dynamic: pack.dynamic.iter().map(|v| v.name.clone()).collect(),
        statics: pack.statics.iter().map(|v| v.name.clone()).collect(),
        missing: Missing::Error,
        split: Split::default(),
        transform: Transform::default(),
        training: Training::default(),
        evaluation: Evaluation::default(),
    };
    Ok(Tensors::build(&pack, &contract, Fit::TrainValidation)?)
}

fn trainer(tensors: &Tensors, window: u32, dropout: f64) -> Result<Trainer<'_>, TrialError> {
    let params = Params {
        hidden_size: HIDDEN,
        dropout,
        window_days: window,
    };
    let trainer = Trainer::new(tensors, &params, &Training::default(), SEED, Device::Cpu)?;
    Ok(trainer.observed_every(Duration::ZERO))
}

/// Milliseconds of CPU time of an update, and the share of windows that hold a target.
fn time(tensors: &Tensors, window: u32, updates: u32) -> Result<(f64, f64), Box<dyn Error>> {
    const WARM_UP: u32 = 10;
    let (mut looks, mut began) = (0, 0.0);
    let result = trainer(tensors, window, 0.2)?.run(&mut |_| {
        looks += 1;
        if looks == WARM_UP {
            began = cpu_milliseconds();
        }
        if looks == WARM_UP + updates {
            Flow::Stop
        } else {
            Flow::Continue
        }
    });
    expect_interrupted(result.map(|_| ()))?;
    let spent = cpu_milliseconds() - began;
    Ok((spent / f64::from(updates), share(tensors, window)))
}

/// CPU time of the main thread, which is the only one that computes.
fn cpu_milliseconds() -> f64 {
    let text = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split(' ')
        .next()
        .and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e6
}

fn share(tensors: &Tensors, window: u32) -> f64 {
    let window = window as usize;
    let hits: usize = tensors
        .target
        .chunks_exact(tensors.days)
        .map(|record| {
            let targets = (0..tensors.days).filter(|&day| !record[day].is_nan());
            efflux::data::windows_with_target(targets, tensors.days, window)
        })
        .sum();
    hits as f64 / (tensors.sites * (tensors.days - window)) as f64
}

fn expect_interrupted(result: Result<(), TrialError>) -> Result<(), TrialError> {
    match result {
        Ok(()) | Err(TrialError::Interrupted) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Weights before and after a few updates, and every window they drew.
fn check(tensors: &Tensors, window: u32, folder: &Path) -> Result<(), Box<dyn Error>> {
    let file = |what: &str| folder.join(format!("w{window}-{what}"));
    let mut looks = 0;
    let mut saved = Ok(());
    let result = trainer(tensors, window, 0.0)?.run(&mut |progress| {
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
    expect_interrupted(result.map(|_| ()))?;
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

fn write_days(tensors: &Tensors, path: &Path) -> Result<(), Box<dyn Error>> {
    let bytes =
        |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
    let (sites, days) = (tensors.sites, tensors.days);
    let dynamic = bytes(&tensors.dynamic_values);
    let statics = bytes(&tensors.static_values);
    let target = bytes(&tensors.target);
    let views = [
        (
            "dynamic",
            TensorView::new(Dtype::F32, vec![sites, days, tensors.dynamic], &dynamic)?,
        ),
        (
            "static",
            TensorView::new(Dtype::F32, vec![sites, tensors.statics], &statics)?,
        ),
        (
            "target",
            TensorView::new(Dtype::F32, vec![sites, days], &target)?,
        ),
    ];
    safetensors::serialize_to_file(views, None, path)?;
    Ok(())
}
