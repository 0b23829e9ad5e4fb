use proptest::prelude::*;

use super::*;
use crate::device::values;
use crate::device_data::Gathered;
use crate::torch;
use crate::torch::tests::{distance, tensors};
use crate::{Dropped, Flow};

const DOUBLE: (Kind, Device) = (Kind::Double, Device::Cpu);

/// Sizes of a batch of several models: lanes, days, series, inputs, hidden.
type Sizes = [i64; 5];

/// Losses and gradients, of all lanes at once and of each by libtorch's own LSTM and automatic differentiation.
fn both_ways(
    [lanes, days, series, inputs, hidden]: Sizes,
    loss_function: LossFunction,
    dropout: bool,
) -> [Vec<Vec<f64>>; 2] {
    tch::manual_seed(1);
    let shape = Shape::lstm(inputs, hidden);
    let uniform = |size: &[i64]| Tensor::rand(size, DOUBLE) * 2.0 - 1.0;
    let weights = uniform(&[lanes, shape.weights()]) * 0.5;
    let weight = uniform(&[lanes, days, series]).clamp_min(0.0);
    // A lane may have no target at all.
    let _ = weight.get(lanes - 1).zero_();
    let data = Gathered {
        inputs: uniform(&[lanes, days, series, inputs]),
        target: uniform(&[lanes, days, series]),
        weight,
    };
    let factors = |_| {
        uniform(&[lanes, 4 * hidden, hidden])
            .gt(-0.5)
            .to_kind(Kind::Double)
            * 4.0
            / 3.0
    };
    let masks = dropout.then(|| Masks((0..2).map(factors).collect()));
    let targets: Vec<i64> = (1..=lanes).collect();

    let gradient = Tensor::full([lanes, shape.weights()], f64::NAN, DOUBLE);
    let counts = Tensor::from_slice(&targets).to_kind(Kind::Double);
    let losses = {
        let _off = tch::no_grad_guard();
        network::learn(
            shape,
            &weights,
            &gradient,
            masks.as_ref(),
            &data,
            &counts,
            loss_function,
        )
    };
    let together = (0..lanes).map(|lane| {
        let row = Tensor::cat(&[losses.get(lane).view([1]), gradient.get(lane)], 0);
        Vec::try_from(row).unwrap()
    });

    let alone = targets.iter().zip(0..lanes).map(|(&targets, lane)| {
        let model = Network::new(shape, weights.get(lane));
        let masks = masks.as_ref().map(|masks| {
            let masks = masks.0.iter();
            Masks(masks.map(|mask| mask.get(lane)).collect())
        });
        let piece = Gathered {
            inputs: data.inputs.get(lane),
            target: data.target.get(lane),
            weight: data.weight.get(lane),
        };
        let targets = u32::try_from(targets).unwrap();
        let dropped = Dropped {
            weights: masks.as_ref(),
            between: None,
        };
        let predicted = torch::forward(&model, dropped, None, [piece].into_iter());
        let loss = torch::loss(loss_function, &predicted, targets);
        let gradient = Tensor::zeros([shape.weights()], DOUBLE);
        model.gradient(&loss, &gradient);
        Vec::try_from(Tensor::cat(&[loss.detach().view([1]), gradient], 0)).unwrap()
    });
    [together.collect(), alone.collect()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn the_gradient_of_many_models_at_once_is_that_of_each(
        sizes in [1_i64..5, 1..7, 1..6, 1..5, 1..9],
        huber in prop::bool::ANY,
        dropout in prop::bool::ANY,
    ) {
        let loss_function = if huber { LossFunction::Huber { delta: 0.3 } } else { LossFunction::Square };
        let [together, alone] = both_ways(sizes, loss_function, dropout);
        for (found, expected) in together.iter().zip(&alone) {
            for (found, expected) in found.iter().zip(expected) {
                prop_assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
            }
        }
    }
}

const PARAMS: Params = Params {
    hidden_size: 16,
    dropout: 0.2,
    ..Params::PAPER
};

fn training(epochs: u32) -> Training {
    Training {
        epochs,
        backend: efflux_job::Backend::Torch,
        ..Training::default()
    }
}

/// Trains all to the end.
fn to_the_end<'a>(
    lanes: &mut Lanes<'a>,
    trainers: Vec<Trainer<'a>>,
) -> Vec<Result<Vec<f32>, TrialError>> {
    let mut running: Vec<_> = trainers.into_iter().enumerate().collect();
    let mut ends = vec![Ok(Vec::new()); running.len()];
    while !running.is_empty() {
        let mut all: Vec<_> = running.iter_mut().map(|(_, trainer)| trainer).collect();
        let outcomes = lanes.update(&mut all).unwrap();
        let mut left = Vec::new();
        for ((index, trainer), outcome) in running.into_iter().zip(outcomes) {
            match outcome {
                Ok(_) if trainer.is_over() => {
                    ends[index] = trainer.finish().map(|trained| values(trained.model.flat()));
                }
                Ok(_) => left.push((index, trainer)),
                Err(error) => ends[index] = Err(error),
            }
        }
        running = left;
    }
    ends
}

#[test]
fn a_trial_that_diverges_takes_no_other_with_it_and_its_lane_is_free_again() {
    let tensors = tensors();
    let training = training(3);
    let mut lanes = Lanes::new(3, &tensors, &PARAMS, &training, Device::Cpu).unwrap();
    let trainers: Vec<_> = (0..3)
        .map(|seed| lanes.begin(&PARAMS, &training, seed).unwrap().unwrap())
        .collect();
    assert!(
        lanes.begin(&PARAMS, &training, 3).unwrap().is_none(),
        "there are three lanes"
    );
    let _ = lanes.weights.get(1).fill_(f64::NAN);
    let ends = to_the_end(&mut lanes, trainers);
    assert_eq!(ends[1], Err(TrialError::Diverged { epoch: 1 }));
    for seed in [0, 2] {
        let found = ends[usize::try_from(seed).unwrap()].as_ref().unwrap();
        assert_close(found, &alone(&tensors, &training, seed));
    }
    // What a lane held before is forgotten: the next trial there begins like any other.
    let next = lanes.begin(&PARAMS, &training, 7).unwrap().unwrap();
    let other = lanes.begin(&PARAMS, &training, 8).unwrap().unwrap();
    let ends = to_the_end(&mut lanes, vec![other, next]);
    assert_close(ends[1].as_ref().unwrap(), &alone(&tensors, &training, 7));
}

#[test]
fn after_a_failure_of_libtorch_that_ends_all_of_them_the_process_trains_on() {
    let tensors = tensors();
    let training = training(2);
    let mut lanes = Lanes::new(2, &tensors, &PARAMS, &training, Device::Cpu).unwrap();
    let mut first = lanes.begin(&PARAMS, &training, 1).unwrap().unwrap();
    let mut second = lanes.begin(&PARAMS, &training, 2).unwrap().unwrap();
    assert!(lanes.update(&mut [&mut first, &mut second]).is_ok());
    lanes.gradient = Tensor::zeros([2, 1], (Kind::Float, Device::Cpu));
    let ended = lanes.update(&mut [&mut first, &mut second]);
    assert!(matches!(ended, Err(TrialError::Torch(_))), "{ended:?}");
    let next = Trainer::new(&tensors, &PARAMS, &training, 3, Device::Cpu).unwrap();
    let losses = next.run(&mut |_| Flow::Continue).unwrap().losses;
    assert!(losses[1] < losses[0], "{losses:?}");
}

/// The weights that a trial has at its end by itself.
fn alone(tensors: &Tensors, training: &Training, seed: u64) -> Vec<f32> {
    let trainer = Trainer::new(tensors, &PARAMS, training, seed, Device::Cpu).unwrap();
    let trained = trainer.run(&mut |_| Flow::Continue).unwrap();
    values(trained.model.flat())
}

/// As weights, relative to their length.
fn assert_close(found: &[f32], expected: &[f32]) {
    let [found, expected] =
        [found, expected].map(|weights| weights.iter().copied().map(f64::from).collect::<Vec<_>>());
    let distance = distance(&found, &expected);
    assert!(distance < 1e-4, "{distance:e}");
}

/// Three trials, each with another share of dropped weights.
fn three<'a>(lanes: &Lanes<'a>, training: &Training) -> Vec<Trainer<'a>> {
    let dropouts = [0.2, 0.0, 0.5].into_iter().zip(0..);
    dropouts
        .map(|(dropout, seed)| {
            let params = Params { dropout, ..PARAMS };
            lanes.begin(&params, training, seed).unwrap().unwrap()
        })
        .collect()
}

/// Lanes with the kernels of a GPU, run by this processor.
fn with_kernels<'a>(
    lanes: usize,
    tensors: &'a Tensors,
    params: &Params,
    training: &Training,
    folder: &std::path::Path,
) -> Lanes<'a> {
    let mut made = Lanes::new(lanes, tensors, params, training, Device::Cpu).unwrap();
    made.kernels = Some(Rc::new(Kernels::on_this_processor(made.shape, folder)));
    made
}

#[test]
fn the_kernels_of_a_gpu_make_the_updates_that_libtorch_makes() {
    use crate::optimizer::Optimizer as Rule;
    let tensors = tensors();
    let folder = tempfile::tempdir().unwrap();
    for (optimizer, loss, warm_up_days, clip_norm) in [
        (
            efflux_job::Optimizer::Adadelta,
            efflux_job::Loss::Mse,
            0,
            None,
        ),
        (
            efflux_job::Optimizer::AdamW { decay: None },
            efflux_job::Loss::Huber { delta: Some(0.3) },
            5,
            Some(0.01),
        ),
        (efflux_job::Optimizer::Adam, efflux_job::Loss::Nse, 3, None),
    ] {
        let training = Training {
            optimizer,
            loss,
            warm_up_days,
            clip_norm,
            learning_rate: (optimizer != efflux_job::Optimizer::Adadelta).then_some(0.003),
            ..training(9)
        };
        let mut fused = with_kernels(4, &tensors, &PARAMS, &training, folder.path());
        let mut plain = Lanes::new(4, &tensors, &PARAMS, &training, Device::Cpu).unwrap();
        let (mut first, mut second) = (three(&fused, &training), three(&plain, &training));
        for _ in 0..4 {
            for (lanes, trainers) in [(&mut fused, &mut first), (&mut plain, &mut second)] {
                let mut all: Vec<_> = trainers.iter_mut().collect();
                for outcome in lanes.update(&mut all).unwrap() {
                    outcome.unwrap();
                }
            }
        }
        let memory = |lanes: &Lanes<'_>| match &lanes.optimizer {
            Rule::Adadelta(rule) => [
                rule.square_avg.shallow_clone(),
                rule.acc_delta.shallow_clone(),
            ],
            Rule::Adam(rule) => [
                rule.exp_avg.shallow_clone(),
                rule.exp_avg_sq.shallow_clone(),
            ],
        };
        for lane in 0..3 {
            let row = |tensor: &Tensor| values(&tensor.get(lane));
            assert_close(&row(&fused.weights), &row(&plain.weights));
            for (found, expected) in memory(&fused).iter().zip(&memory(&plain)) {
                assert_close(&row(found), &row(expected));
            }
            for sums in [
                [&fused.loss_sums, &plain.loss_sums],
                [&fused.norm_sums, &plain.norm_sums],
            ] {
                let [found, expected] = sums.map(|sums| sums.get(lane).double_value(&[]));
                assert!(
                    (found / expected - 1.0).abs() < 1e-4,
                    "{found} instead of {expected}"
                );
            }
        }
    }
}

#[test]
fn the_kernels_of_a_gpu_run_series_of_any_length_as_libtorch_runs_them() {
    let tensors = tensors();
    let folder = tempfile::tempdir().unwrap();
    let lanes = with_kernels(3, &tensors, &PARAMS, &training(1), folder.path());
    let _trainers = three(&lanes, &training(1));
    let starts = [7, 300, 160, 0, 500, 640, 800, 900, 1000, 1100];
    let lengths = [40, 31, 31, 30, 9, 8, 7, 3, 2, 1];
    let kernels = lanes.kernels.as_ref().unwrap();
    let found = fused::simulate(kernels, &lanes.fused(), &[0, 2], &starts, &lengths).unwrap();
    for (lane, found) in [0, 2].into_iter().zip(found) {
        let weights = lanes.weights.get(lane).narrow(0, 0, lanes.shape.weights());
        let model = Network::new(lanes.shape, weights);
        let (inputs, ..) = lanes.device_data.all();
        let mut expected: Vec<(usize, usize, f32)> = Vec::new();
        for (series, (&start, &length)) in starts.iter().zip(&lengths).enumerate() {
            let days = inputs.narrow(0, start, length as i64).unsqueeze(1);
            let (predicted, _) =
                model.forward(&days, &model.zero_state(1), crate::network::Mode::Run, None);
            expected.extend(
                (0..)
                    .zip(values(&predicted))
                    .map(|(day, value)| (day, series, value)),
            );
        }
        expected.sort_by_key(|(day, series, _)| (*day, *series));
        assert_eq!(found.len(), expected.len());
        for (found, (day, series, expected)) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-5,
                "day {day} of series {series}: {found} instead of {expected}"
            );
        }
    }
}
