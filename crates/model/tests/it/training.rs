//! What training promises: the same bytes for the same seed, whatever happened before, in between or on other days.

use std::time::Duration;

use efflux_data::{Pack, Parts, Tensors, iterations_per_epoch, variables};
use efflux_ingest::{SynthOptions, synthesize};
use efflux_job::{Contract, Evaluation, Fit, Params, Part, Settings, Split, Training, View};
use efflux_model::checkpoint::Checkpoint;
use efflux_model::device::Device;
use efflux_model::{Flow, Trained, Trainer, TrialError, predict};

use super::{BACKENDS, PARAMS, tensors, trainer, trainer_by, training};

/// All of a result, to the last bit.
pub(super) fn bits(trained: &Trained) -> (Vec<u32>, Vec<u64>, u64, u64) {
    let weights = Vec::<f32>::try_from(trained.model.flat()).unwrap();
    (
        weights.iter().map(|weight| weight.to_bits()).collect(),
        trained.losses.iter().map(|loss| loss.to_bits()).collect(),
        trained.updates,
        trained.window_share.to_bits(),
    )
}

pub(super) fn to_the_end(trainer: Trainer) -> Trained {
    trainer.run(&mut |_| Flow::Continue).unwrap()
}

#[test]
fn a_seed_gives_the_same_bytes_whatever_was_trained_before() {
    let tensors = tensors();
    for backend in BACKENDS {
        let alone = bits(&to_the_end(trainer_by(backend, &tensors, 4, 3)));
        let other = bits(&to_the_end(trainer_by(backend, &tensors, 5, 3)));
        assert_ne!(alone.0, other.0);
        assert_eq!(
            bits(&to_the_end(trainer_by(backend, &tensors, 4, 3))),
            alone
        );
    }
}

#[test]
fn training_lowers_the_loss_and_counts_what_it_did() {
    let tensors = tensors();
    let trained = to_the_end(trainer(&tensors, 0, 20));
    let iterations = iterations_per_epoch(6, 120, 6, 20, 0).unwrap();
    assert_eq!(trained.updates, 20 * u64::from(iterations));
    assert_eq!(trained.losses.len(), 20);
    assert!(
        trained.losses[19] < trained.losses[0],
        "{:?}",
        trained.losses
    );
    assert!(trained.window_share > 0.1 && trained.window_share < 0.9);
}

#[test]
fn an_interrupted_trial_goes_on_to_the_same_bytes_from_any_iteration() {
    let tensors = tensors();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    let deep = Params {
        layers: 2,
        layer_dropout: 0.3,
        ..PARAMS
    };
    let both = BACKENDS.map(|backend| [(backend, PARAMS), (backend, deep)]);
    for (backend, params) in both.into_iter().flatten() {
        let rules = Training {
            backend,
            ..training(3)
        };
        let begin = || Trainer::new(&tensors, &params, &rules, 9, Device::Cpu).unwrap();
        let whole = bits(&to_the_end(begin()));
        // The first look of a run is before its first iteration; 200 looks are beyond the end.
        for stop_after in [0, 1, 2, 13, 25, 26, 27, 28, 40, 77, 200] {
            let mut looks = 0;
            let result = begin().observed_every(Duration::ZERO).run(&mut |progress| {
                if looks == stop_after {
                    progress.checkpoint().save("trial", &file).unwrap();
                    return Flow::Stop;
                }
                looks += 1;
                Flow::Continue
            });
            let trained = match result {
                Ok(trained) => trained,
                Err(TrialError::Interrupted) => {
                    let checkpoint = Checkpoint::load("trial", &file).unwrap();
                    to_the_end(begin().restore(&checkpoint).unwrap())
                }
                Err(error) => panic!("{error}"),
            };
            assert_eq!(bits(&trained), whole, "stopped at look {stop_after}");
        }
    }
}

#[test]
fn a_checkpoint_of_another_model_is_refused() {
    let tensors = tensors();
    let mut checkpoint = None;
    let _ = trainer(&tensors, 1, 3).run(&mut |progress| {
        checkpoint = Some(progress.checkpoint());
        Flow::Stop
    });
    let checkpoint = checkpoint.unwrap();
    assert_eq!((checkpoint.epoch(), checkpoint.iteration()), (1, 0));
    let wider = Params {
        hidden_size: 9,
        ..PARAMS
    };
    let wider = Trainer::new(&tensors, &wider, &training(3), 1, Device::Cpu).unwrap();
    let error = wider.restore(&checkpoint).unwrap_err();
    assert!(matches!(error, TrialError::Checkpoint(_)), "{error}");
}

#[test]
fn progress_tells_the_epoch_and_its_loss() {
    let tensors = tensors();
    let mut seen = Vec::new();
    let trained = trainer(&tensors, 1, 3)
        .run(&mut |progress| {
            assert_eq!((progress.epochs, progress.iteration), (3, 0));
            seen.push((progress.epoch, progress.loss.unwrap()));
            Flow::Continue
        })
        .unwrap();
    let expected: Vec<_> = (1..).zip(trained.losses).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_loss_that_leaves_the_range_of_numbers_ends_the_trial_with_its_epoch() {
    let mut tensors = tensors();
    for value in tensors.target.iter_mut() {
        *value *= 1e30;
    }
    for backend in BACKENDS {
        let trainer = trainer_by(backend, &tensors, 0, 3);
        let error = trainer.run(&mut |_| Flow::Continue);
        assert_eq!(error.unwrap_err(), TrialError::Diverged { epoch: 1 });
    }
}

#[test]
fn iterations_without_a_target_are_steps_but_no_losses() {
    let mut tensors = tensors();
    for (row, value) in tensors.target.iter_mut().enumerate() {
        if row != 140 {
            *value = f32::NAN;
        }
    }
    for backend in BACKENDS {
        let trained = to_the_end(trainer_by(backend, &tensors, 2, 2));
        let iterations = iterations_per_epoch(6, 120, 6, 20, 0).unwrap();
        assert_eq!(trained.updates, 2 * u64::from(iterations));
        assert!(trained.losses.iter().all(|loss| loss.is_finite()));
        // One of six sites, 20 of its 100 windows.
        assert!(trained.window_share < 0.1, "{}", trained.window_share);
    }
    tensors.target.fill(f32::NAN);
    for backend in BACKENDS {
        let error = trainer_by(backend, &tensors, 2, 2).run(&mut |_| Flow::Continue);
        assert_eq!(error.unwrap_err(), TrialError::NoTarget { epoch: 1 });
    }
}

#[test]
fn windows_longer_than_the_calendar_are_refused() {
    let long = Training {
        window_days: 120,
        ..training(1)
    };
    let error = Trainer::new(&tensors(), &PARAMS, &long, 0, Device::Cpu).unwrap_err();
    let expected = TrialError::Window {
        window: 120,
        days: 120,
    };
    assert_eq!(error, expected);
}

#[test]
fn a_calendar_run_in_pieces_is_the_calendar_run_at_once() {
    let tensors = tensors();
    let model = to_the_end(trainer(&tensors, 3, 2)).model;
    let whole = predict(&model, &tensors, tensors.days).unwrap();
    assert_eq!(whole.len(), tensors.sites * tensors.days);
    for chunk in [1, 7, 40, 119, 1000] {
        let pieces = predict(&model, &tensors, chunk).unwrap();
        for (piece, whole) in pieces.iter().zip(&whole) {
            assert!(
                (piece - whole).abs() <= 1e-6,
                "chunk {chunk}: {piece} {whole}"
            );
        }
    }
}

pub(super) fn view(pack: &Pack, fit: Fit) -> View {
    let contract = Contract {
        pack_digest: pack.digest.clone(),
        evaluation: Evaluation::default(),
        split: Split::default(),
        folds: Vec::new(),
        variables: variables(pack),
    };
    contract.view(&Settings::default(), fit).unwrap()
}

#[test]
fn no_validation_or_test_value_reaches_the_weights() {
    let options = SynthOptions {
        sites: 4,
        years: Some(2),
        seed: 1,
        ..SynthOptions::default()
    };
    let pack = synthesize(&options).unwrap();
    let view = view(&pack, Fit::Train);
    let weights = |pack: &Pack, backend| {
        let tensors = Tensors::build(pack, &view).unwrap();
        bits(&to_the_end(trainer_by(backend, &tensors, 0, 2)))
    };
    let parts = Parts::of_view(&pack.flux, &view);
    let mut changed = pack.clone();
    for (flux, part) in changed.flux.iter_mut().zip(parts.values()) {
        if matches!(part, Part::Validation | Part::Test) {
            // NaN stays NaN: which days are observed is what the split is made of.
            *flux *= -100.0;
        }
    }
    for backend in BACKENDS {
        assert_eq!(weights(&changed, backend), weights(&pack, backend));
    }
    let first = parts.span(0, Part::Train).start;
    changed.flux[(0, first)] += 1.0;
    for backend in BACKENDS {
        assert_ne!(weights(&changed, backend), weights(&pack, backend));
    }
}
