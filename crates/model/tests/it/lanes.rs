//! Trials that are trained at once, beside the same trials alone.

use efflux_job::{Backend, Optimizer, Params, Schedule, Training};
use efflux_model::checkpoint::{Checkpoint, load_weights};
use efflux_model::device::Device;
use efflux_model::{EpochReport, Flow, Lanes, Trainer};

use super::options::{validated, variants};
use super::{PARAMS, rules};
use crate::devices;

/// Updates after which weights are compared: later, what was rounding has become another path to the same skill.
const COMPARED: usize = 100;

/// Shares of dropped weights of four trials, whose seeds are their places.
const DROPOUTS: [f64; 4] = [0.2, 0.0, 0.5, 0.2];
/// Updates of the first trial after which each begins.
const BEGINS: [usize; 4] = [0, 0, 30, 70];

fn weights(trainer: &Trainer) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    trainer.checkpoint().save("trial", &file).unwrap();
    let weights: Vec<f32> = Vec::try_from(load_weights(&file).unwrap().flat()).unwrap();
    weights.into_iter().map(f64::from).collect()
}

/// How far two vectors are apart, relative to the length of the second.
pub(crate) fn distance(found: &[f64], expected: &[f64]) -> f64 {
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let apart = length(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    apart / length(&mut expected.iter().copied())
}

/// Weights after [`COMPARED`] updates, and all epochs.
pub(crate) type Course = (Vec<f64>, Vec<EpochReport>);

fn with_dropout(trial: usize) -> Params {
    Params {
        dropout: DROPOUTS[trial],
        ..PARAMS
    }
}

pub(crate) fn alone(trial: usize, training: &Training, device: Device) -> Course {
    let tensors = validated();
    let (params, seed) = (with_dropout(trial), trial as u64);
    let mut trainer = Trainer::new(&tensors, &params, training, seed, device).unwrap();
    let (mut at, mut epochs) = (Vec::new(), Vec::new());
    for number in 1.. {
        epochs.extend(trainer.update().unwrap());
        if number == COMPARED {
            at = weights(&trainer);
        }
        if trainer.is_over() {
            break;
        }
    }
    (at, epochs)
}

pub(crate) fn in_lanes(trainings: &[Training; 4], device: Device) -> Vec<Course> {
    let tensors = validated();
    let mut lanes = Lanes::new(3, &tensors, &PARAMS, &trainings[0], device).unwrap();
    let mut courses = vec![Course::default(); 4];
    // Trial, updates so far, trainer.
    let mut running: Vec<(usize, usize, Trainer)> = Vec::new();
    let (mut updates, mut begun) = (0, 0);
    while begun < 4 || !running.is_empty() {
        // The last of the four waits for a lane.
        while begun < 4
            && updates >= BEGINS[begun]
            && let Some(trainer) = lanes
                .begin(&with_dropout(begun), &trainings[begun], begun as u64)
                .unwrap()
        {
            running.push((begun, 0, trainer));
            begun += 1;
        }
        let mut trainers: Vec<_> = running.iter_mut().map(|(.., trainer)| trainer).collect();
        let outcomes = lanes.update(&mut trainers).unwrap();
        updates += 1;
        for ((trial, number, trainer), outcome) in running.iter_mut().zip(outcomes) {
            let (at, epochs) = &mut courses[*trial];
            epochs.extend(outcome.unwrap());
            *number += 1;
            if *number == COMPARED {
                *at = weights(trainer);
            }
        }
        running.retain(|(.., trainer)| !trainer.is_over());
    }
    courses
}

#[test]
fn trials_in_lanes_learn_what_each_learns_alone_whatever_the_options_and_whenever_they_begin() {
    for (device, training) in devices().into_iter().flat_map(|device| {
        variants().map(|training| {
            let backend = Backend::Torch;
            (
                device,
                Training {
                    backend,
                    ..training
                },
            )
        })
    }) {
        for (trial, found) in in_lanes(&[training; 4], device).into_iter().enumerate() {
            // A trial alone on a GPU is computed by cuDNN, which is not as exact as a processor or as lanes.
            assert_same(&found, &alone(trial, &training, Device::Cpu), 1e-4);
        }
    }
}

#[test]
fn trials_of_different_rates_schedules_and_lengths_share_lanes_and_learn_what_each_learns_alone() {
    let of_trial = |rate, schedule, epochs| Training {
        backend: Backend::Torch,
        optimizer: Optimizer::Adam,
        learning_rate: Some(rate),
        schedule,
        epochs,
        ..rules()
    };
    let trainings = [
        of_trial(0.001, Schedule::Constant, 2),
        of_trial(0.01, Schedule::Cosine, 3),
        of_trial(0.003, Schedule::Linear, 1),
        of_trial(0.03, Schedule::Constant, 1),
    ];
    for device in devices() {
        let found = in_lanes(&trainings, device);
        for (trial, (found, training)) in found.iter().zip(&trainings).enumerate() {
            assert_eq!(found.1.len(), training.epochs as usize);
            assert_same(found, &alone(trial, training, Device::Cpu), 1e-4);
        }
    }
}

/// Asserts that two trainings went the same way, to so much of their weights.
#[track_caller]
pub(crate) fn assert_same(found: &Course, expected: &Course, tolerance: f64) {
    let apart = distance(&found.0, &expected.0);
    assert!(apart < tolerance, "weights are {apart:e} apart");
    let [found, expected] = [found, expected].map(|(_, epochs)| epochs[0]);
    assert_eq!(found.learning_rate, expected.learning_rate);
    assert_eq!(found.window_share, expected.window_share);
    assert_eq!(found.validation.sites, expected.validation.sites);
    for [found, expected] in [
        [found.loss, expected.loss],
        [found.gradient_norm, expected.gradient_norm],
    ] {
        let apart = (found / expected - 1.0).abs();
        assert!(apart < 10.0 * tolerance, "{found} instead of {expected}");
    }
}

#[test]
fn a_checkpoint_is_the_same_in_a_lane_and_alone() {
    let tensors = validated();
    let training = Training {
        backend: Backend::Torch,
        ..variants()[0]
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    let saved = |trainer: &Trainer| {
        trainer.checkpoint().save("trial", &file).unwrap();
        Checkpoint::load("trial", &file).unwrap()
    };
    let new = || Trainer::new(&tensors, &PARAMS, &training, 5, Device::Cpu).unwrap();
    let train = |trainer: &mut Trainer, updates: usize| {
        for _ in 0..updates {
            trainer.update().unwrap();
        }
    };
    let mut whole = new();
    train(&mut whole, COMPARED);

    // Forty updates alone, thirty beside another, thirty alone.
    let mut first = new();
    train(&mut first, 40);
    let mut lanes = Lanes::new(2, &tensors, &PARAMS, &training, Device::Cpu).unwrap();
    let mut other = lanes.begin(&PARAMS, &training, 6).unwrap().unwrap();
    let begun = lanes.begin(&PARAMS, &training, 5).unwrap().unwrap();
    let mut second = begun.restore(&saved(&first)).unwrap();
    for _ in 0..30 {
        let outcomes = lanes.update(&mut [&mut second, &mut other]).unwrap();
        assert!(outcomes.into_iter().all(|outcome| outcome.is_ok()));
    }
    assert!(second.describe().ends_with("1 thread, in lanes"));
    let mut third = new().restore(&saved(&second)).unwrap();
    train(&mut third, 30);
    let apart = distance(&weights(&third), &weights(&whole));
    assert!(apart < 1e-4, "{apart:e}");
    assert_eq!(
        third.progress(None).iteration,
        whole.progress(None).iteration
    );
    assert!(third.run(&mut |_| Flow::Continue).is_ok());
}
