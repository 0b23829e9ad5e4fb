//! What the options of `[training]` do, and that every one of them can be interrupted.

use std::time::Duration;

use efflux_analysis::measures::{Measure, NSE};
use efflux_data::{Pack, Tensors};
use efflux_ingest::{SynthOptions, synthesize};
use efflux_job::{
    Fit, Keep, Loss, Optimizer, Params, Part, Sampling, Schedule, Training, VALIDATION_DAYS,
};
use efflux_model::checkpoint::{Checkpoint, load_weights, save_weights};
use efflux_model::device::Device;
use efflux_model::{
    EpochReport, Flow, Trained, Trainer, TrialError, medians, physical, predict, predict_by_window,
};
use efflux_numerics::SiteByDay;
use tch::Tensor;

use super::training::{bits, to_the_end, view};
use super::{BACKENDS, PARAMS, rules, tensors};

/// Five sites of two years, with validation days.
fn pack() -> Pack {
    let options = SynthOptions {
        sites: 5,
        years: Some(2),
        seed: 4,
        ..SynthOptions::default()
    };
    synthesize(&options).unwrap()
}

pub(crate) fn validated() -> Tensors {
    let pack = pack();
    Tensors::build(&pack, &view(&pack, Fit::Train)).unwrap()
}

fn trainer<'a>(tensors: &'a Tensors, training: &Training) -> Trainer<'a> {
    Trainer::new(tensors, &PARAMS, training, 1, Device::Cpu).unwrap()
}

/// Trains and keeps what was said after each epoch, with the weights of that moment.
fn followed(trainer: Trainer) -> (Trained, Vec<EpochReport>, Vec<Vec<f32>>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    let (mut reports, mut weights) = (Vec::new(), Vec::new());
    let trained = trainer.run(&mut |progress| {
        if let Some(report) = progress.finished {
            reports.push(report);
            progress.checkpoint().save("t", &file).unwrap();
            let model = load_weights(&file).unwrap();
            weights.push(Vec::try_from(model.flat()).unwrap());
        }
        Flow::Continue
    });
    (trained.unwrap(), reports, weights)
}

/// Every value of every option is in one of these.
pub(crate) fn variants() -> [Training; 3] {
    let short = Training {
        epochs: 3,
        ..rules()
    };
    [
        Training {
            optimizer: Optimizer::Adam,
            learning_rate: Some(0.01),
            schedule: Schedule::Cosine,
            clip_norm: Some(0.05),
            loss: Loss::Nse,
            keep: Keep::Best,
            patience: Some(2),
            ..short
        },
        Training {
            optimizer: Optimizer::AdamW { decay: Some(0.1) },
            schedule: Schedule::Linear,
            loss: Loss::Huber { delta: Some(0.5) },
            sampler: Sampling::Observed,
            ..short
        },
        Training {
            warm_up_days: 15,
            keep: Keep::Best,
            ..short
        },
    ]
}

#[test]
fn an_interrupted_trial_goes_on_to_the_same_bytes_whatever_the_options() {
    let tensors = validated();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    let on = |backend| {
        variants().map(|training| Training {
            backend,
            ..training
        })
    };
    for training in BACKENDS.into_iter().flat_map(on) {
        let (whole, reports, _) = followed(trainer(&tensors, &training));
        assert!(reports.iter().all(|report| report.validation.sites > 0));
        let (whole_epoch, whole) = (whole.epoch, bits(&whole));
        // Early, before and after the ends of epochs (of 166 or 170 iterations and a look), late.
        for stop_after in [1, 166, 167, 168, 171, 450] {
            let mut looks = 0;
            let stopped = trainer(&tensors, &training)
                .observed_every(Duration::ZERO)
                .run(&mut |progress| {
                    looks += 1;
                    if looks <= stop_after {
                        return Flow::Continue;
                    }
                    progress.checkpoint().save("trial", &file).unwrap();
                    Flow::Stop
                });
            assert_eq!(
                stopped.err(),
                Some(TrialError::Interrupted),
                "{looks} looks"
            );
            let checkpoint = Checkpoint::load("trial", &file).unwrap();
            let resumed = trainer(&tensors, &training).restore(&checkpoint).unwrap();
            let trained = to_the_end(resumed);
            assert_eq!(trained.epoch, whole_epoch);
            let same = bits(&trained) == whole;
            assert!(same, "{training:?} stopped at look {stop_after}");
        }
    }
}

#[test]
fn a_model_of_several_layers_goes_on_from_its_checkpoint_and_comes_back_from_its_weights() {
    let tensors = validated();
    let folder = tempfile::tempdir().unwrap();
    let [checkpoint, weights] = ["checkpoint", "weights"].map(|name| folder.path().join(name));
    for (backend, layers) in BACKENDS.into_iter().flat_map(|one| [(one, 2), (one, 3)]) {
        let params = Params {
            layers,
            layer_dropout: 0.3,
            ..PARAMS
        };
        let training = Training {
            backend,
            epochs: 2,
            ..rules()
        };
        let new = || Trainer::new(&tensors, &params, &training, 1, Device::Cpu).unwrap();
        let whole = to_the_end(new());
        // In the middle of the first epoch, and of the second.
        for updates in [50, 250] {
            let mut stopped = new();
            for _ in 0..updates {
                stopped.update().unwrap();
            }
            stopped.checkpoint().save("trial", &checkpoint).unwrap();
            let left = Checkpoint::load("trial", &checkpoint).unwrap();
            let resumed = to_the_end(new().restore(&left).unwrap());
            assert!(bits(&resumed) == bits(&whole), "{backend:?} {layers}");
        }
        // A model of other depth is not taken for it.
        let other = Params {
            layers: layers - 1,
            layer_dropout: 0.0,
            ..params
        };
        let left = Checkpoint::load("trial", &checkpoint).unwrap();
        let other = Trainer::new(&tensors, &other, &training, 1, Device::Cpu).unwrap();
        assert!(matches!(
            other.restore(&left),
            Err(TrialError::Checkpoint(_))
        ));
        save_weights(&whole.model, &weights).unwrap();
        let loaded = load_weights(&weights).unwrap();
        assert_eq!(loaded.shape(), whole.model.shape());
        assert_eq!(i64::from(layers), loaded.shape().layers);
        assert_eq!(loaded.flat(), whole.model.flat());
    }
}

#[test]
fn every_option_changes_the_result() {
    let tensors = validated();
    let base = Training {
        epochs: 3,
        optimizer: Optimizer::Adam,
        ..rules()
    };
    let changed = [
        Training {
            optimizer: Optimizer::Adadelta,
            ..base
        },
        Training {
            optimizer: Optimizer::AdamW { decay: None },
            ..base
        },
        Training {
            learning_rate: Some(0.002),
            ..base
        },
        Training {
            schedule: Schedule::Linear,
            ..base
        },
        Training {
            schedule: Schedule::Cosine,
            ..base
        },
        Training {
            clip_norm: Some(1e-3),
            ..base
        },
        Training {
            loss: Loss::Nse,
            ..base
        },
        Training {
            loss: Loss::Huber { delta: Some(0.3) },
            ..base
        },
        Training {
            sampler: Sampling::Observed,
            ..base
        },
        Training {
            warm_up_days: 10,
            ..base
        },
    ];
    let mut seen = vec![bits(&to_the_end(trainer(&tensors, &base))).0];
    for training in changed {
        let weights = bits(&to_the_end(trainer(&tensors, &training))).0;
        assert!(!seen.contains(&weights), "{training:?}");
        seen.push(weights);
    }
    // A gradient that is not longer than the bound is not touched.
    let unreached = Training {
        clip_norm: Some(1e9),
        ..base
    };
    assert_eq!(bits(&to_the_end(trainer(&tensors, &unreached))).0, seen[0]);
}

#[test]
fn the_best_epoch_is_the_one_with_the_highest_validation_score_and_patience_ends_after_it() {
    let tensors = validated();
    let training = Training {
        epochs: 40,
        optimizer: Optimizer::Adam,
        learning_rate: Some(0.02),
        keep: Keep::Best,
        patience: Some(4),
        ..rules()
    };
    let (trained, reports, weights) = followed(trainer(&tensors, &training));
    let score = |index: usize| reports[index].validation[NSE].unwrap();
    let best = (0..reports.len())
        .max_by(|&a, &b| score(a).total_cmp(&score(b)).then(b.cmp(&a)))
        .unwrap();
    assert_eq!(trained.epoch as usize, best + 1);
    let kept = Vec::<f32>::try_from(trained.model.flat()).unwrap();
    assert_eq!(kept, weights[best]);
    assert!(reports.len() < 40, "patience did not end the training");
    assert_eq!(reports.len(), best + 1 + 4);
    assert_eq!(trained.losses.len(), reports.len());

    // Without it the last epoch counts, and the best one's weights are those of before.
    let last = Training {
        keep: Keep::Last,
        ..training
    };
    let (last, again, _) = followed(trainer(&tensors, &last));
    assert_eq!(
        (last.epoch as usize, again.len()),
        (reports.len(), reports.len())
    );
    let kept = Vec::<f32>::try_from(last.model.flat()).unwrap();
    assert_eq!(kept, weights[reports.len() - 1]);
}

#[test]
fn a_rule_that_needs_validation_days_is_refused_where_there_are_none() {
    let pack = pack();
    let all = Tensors::build(&pack, &view(&pack, Fit::TrainValidation)).unwrap();
    let training = Training {
        keep: Keep::Best,
        ..rules()
    };
    let refused = Trainer::new(&all, &PARAMS, &training, 1, Device::Cpu);
    assert_eq!(refused.err(), Some(TrialError::NoValidation));
}

#[test]
fn an_epoch_reports_loss_speed_gradient_and_the_validation_score_of_a_calendar_run() {
    let tensors = validated();
    // With a window this long the run before the validation days is the whole calendar before them.
    let training = Training {
        window_days: 650,
        epochs: 2,
        optimizer: Optimizer::Adam,
        schedule: Schedule::Linear,
        ..rules()
    };
    let trainer = Trainer::new(&tensors, &PARAMS, &training, 1, Device::Cpu).unwrap();
    let (trained, reports, _) = followed(trainer);
    assert_eq!(reports.len(), 2);
    for (index, report) in reports.iter().enumerate() {
        assert_eq!(report.epoch as usize, index + 1);
        assert_eq!(report.loss, trained.losses[index]);
        assert!(report.gradient_norm > 0.0 && report.iterations_per_second > 0.0);
        assert!(report.window_share > 0.0 && report.window_share <= 1.0);
    }
    assert_eq!(
        (reports[0].learning_rate, reports[1].learning_rate),
        (1e-3, 5e-4)
    );
    let flux = physical(&tensors, &predict(&trained.model, &tensors, 100).unwrap());
    let expected = medians(&tensors, &flux, Part::Validation, VALIDATION_DAYS, |_| true);
    let found = reports[1].validation;
    assert_eq!(found.sites, expected.sites);
    for measure in Measure::headline() {
        let (found, expected) = (found[measure], expected[measure]);
        assert!(
            (found.unwrap() - expected.unwrap()).abs() < 1e-4,
            "{found:?} {expected:?}"
        );
    }
}

#[test]
fn targets_on_warm_up_days_reach_no_weight() {
    let mut tensors = tensors();
    let training = Training {
        epochs: 2,
        warm_up_days: 40,
        ..rules()
    };
    let weights = |tensors: &Tensors| bits(&to_the_end(trainer(tensors, &training))).0;
    let before = weights(&tensors);
    // No window begins before day 40.
    for (row, value) in tensors.target.iter_mut().enumerate() {
        if row % tensors.days < 40 {
            *value *= 3.0;
        }
    }
    assert!(weights(&tensors) == before);
    // But what the model sees on those days does.
    for (index, value) in tensors.dynamic_values.iter_mut().enumerate() {
        if index / tensors.dynamic % tensors.days < 40 {
            *value = 1.0 - *value;
        }
    }
    assert!(weights(&tensors) != before);
}

#[test]
fn a_run_by_windows_is_a_run_of_its_own_for_each_day() {
    let tensors = tensors();
    let model = to_the_end(super::trainer(&tensors, 3, 2)).model;
    let window = 20;
    let all: Vec<usize> = (0..tensors.sites * tensors.days).collect();
    let simulated =
        predict_by_window(&model, &tensors, window, &all, &mut || Flow::Continue).unwrap();
    for day in [0, 1, 18, 19, 20, 77, 119] {
        // A calendar of just that window.
        let first = (day + 1_usize).saturating_sub(window);
        let days = day + 1 - first;
        let mut alone = Tensors {
            days,
            dynamic_values: Vec::new(),
            target: SiteByDay::filled(tensors.sites, days, f32::NAN),
            ..tensors.clone()
        };
        for site in 0..tensors.sites {
            let rows = (site * tensors.days + first) * tensors.dynamic..;
            alone
                .dynamic_values
                .extend(&tensors.dynamic_values[rows][..days * tensors.dynamic]);
        }
        let expected = predict(&model, &alone, 7).unwrap();
        for site in 0..tensors.sites {
            let (found, expected) = (
                simulated[site * tensors.days + day],
                expected[site * days + days - 1],
            );
            assert!(
                (found - expected).abs() < 1e-6,
                "day {day}: {found} {expected}"
            );
        }
    }
    // As long as the calendar, it is the calendar run.
    let whole = predict(&model, &tensors, 50).unwrap();
    let by_window =
        predict_by_window(&model, &tensors, tensors.days, &all, &mut || Flow::Continue).unwrap();
    let same = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
    assert!(whole.iter().zip(&by_window).all(same));
}

#[test]
fn adamw_takes_a_share_of_each_weight_away_and_adam_does_not() {
    let step = |optimizer| {
        let training = Training {
            optimizer,
            ..rules()
        };
        let mut weights = Tensor::from_slice(&[2.0_f64, -1.0]);
        let gradient = Tensor::zeros([2], (tch::Kind::Double, tch::Device::Cpu));
        let mut rule =
            efflux_model::Optimizer::new(&training, 2, tch::Kind::Double, tch::Device::Cpu);
        rule.step(&mut weights, &gradient, 0.5, 1);
        Vec::<f64>::try_from(&weights).unwrap()
    };
    assert_eq!(step(Optimizer::Adam), [2.0, -1.0]);
    // 0.01 of it, times the learning rate.
    assert_eq!(
        step(Optimizer::AdamW { decay: None }),
        [2.0 * 0.995, -0.995]
    );
}
