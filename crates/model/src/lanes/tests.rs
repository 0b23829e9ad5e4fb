use proptest::prelude::*;

use super::*;
use crate::Flow;
use crate::device::values;
use crate::loss::batch_loss;
use crate::resident::Gathered;
use crate::resident::tests::{distance, tensors};

const DOUBLE: (Kind, Device) = (Kind::Double, Device::Cpu);

/// Sizes of a batch of several models: lanes, days, series, inputs, hidden.
type Sizes = [i64; 5];

/// Losses and gradients, of all lanes at once and of each by libtorch's own LSTM and automatic differentiation.
fn both_ways(
    [lanes, days, series, inputs, hidden]: Sizes,
    form: Form,
    dropout: bool,
) -> [Vec<Vec<f64>>; 2] {
    tch::manual_seed(1);
    let shape = Shape { inputs, hidden };
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
    let [input, recurrent] = [0, 1].map(factors);
    let masks = dropout.then_some(Masks { input, recurrent });
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
            form,
        )
    };
    let together = (0..lanes).map(|lane| {
        let row = Tensor::cat(&[losses.get(lane).view([1]), gradient.get(lane)], 0);
        Vec::try_from(row).unwrap()
    });

    let alone = targets.iter().zip(0..lanes).map(|(&targets, lane)| {
        let model = Lstm::new(shape, weights.get(lane));
        let masks = masks.as_ref().map(|masks| Masks {
            input: masks.input.get(lane),
            recurrent: masks.recurrent.get(lane),
        });
        let piece = Gathered {
            inputs: data.inputs.get(lane),
            target: data.target.get(lane),
            weight: data.weight.get(lane),
        };
        let targets = u32::try_from(targets).unwrap();
        let loss = batch_loss(&model, masks.as_ref(), form, [piece].into_iter(), targets);
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
        let form = if huber { Form::Huber { delta: 0.3 } } else { Form::Square };
        let [together, alone] = both_ways(sizes, form, dropout);
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
    window_days: 30,
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
        .map(|seed| lanes.begin(0.2, seed).unwrap().unwrap())
        .collect();
    assert!(
        lanes.begin(0.2, 3).unwrap().is_none(),
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
    let next = lanes.begin(0.2, 7).unwrap().unwrap();
    let other = lanes.begin(0.2, 8).unwrap().unwrap();
    let ends = to_the_end(&mut lanes, vec![other, next]);
    assert_close(ends[1].as_ref().unwrap(), &alone(&tensors, &training, 7));
}

#[test]
fn after_a_failure_of_libtorch_that_ends_all_of_them_the_process_trains_on() {
    let tensors = tensors();
    let training = training(2);
    let mut lanes = Lanes::new(2, &tensors, &PARAMS, &training, Device::Cpu).unwrap();
    let mut first = lanes.begin(0.2, 1).unwrap().unwrap();
    let mut second = lanes.begin(0.2, 2).unwrap().unwrap();
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
