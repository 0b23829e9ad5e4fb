//! The native implementation against libtorch's, which shares nothing with it but the equations.

use std::time::Duration;

use efflux_job::{Backend, Loss, Optimizer, Params, Sampling, Training};
use efflux_model::device::Device;
use efflux_model::{
    Days, Dropped, Factors, Flow, Layout, Level, LossFunction, Masks, Mode, NativeModel, Network,
    Series, Shape, Trained, Trainer, TrialError, masked_mean,
};
use efflux_numerics::random::{Purpose, Stream};
use proptest::prelude::*;
use tch::{Kind, Tensor};

use super::training::to_the_end;
use super::{PARAMS, rules, tensors, trainer_by};

/// A batch of whole windows, and a model for it.
#[derive(Clone, Debug)]
struct Case {
    shape: Shape,
    series: usize,
    inputs: Vec<f32>,
    target: Vec<f32>,
    masks: Option<Vec<f32>>,
    between: Option<Vec<f32>>,
}

impl Case {
    fn new(days: usize, series: usize, hidden: i64, inputs: i64, dropout: bool) -> Self {
        Self::stacked(1, days, series, hidden, inputs, dropout)
    }

    fn stacked(
        layers: i64,
        days: usize,
        series: usize,
        hidden: i64,
        inputs: i64,
        dropout: bool,
    ) -> Self {
        let mut stream = Stream::new(3, Purpose::Starts, 1, 2);
        let mut unit = || stream.below(2001) as f32 / 1000.0 - 1.0;
        let rows = days * series;
        let values = (0..rows * usize::try_from(inputs).unwrap())
            .map(|_| unit())
            .collect();
        // The first one is always there.
        let target = (0..rows)
            .map(|row| {
                let value = unit();
                let absent = row > 0 && unit() < 0.5;
                if absent { f32::NAN } else { value }
            })
            .collect();
        let mut factors = |count: i64| -> Option<Vec<f32>> {
            let keep = |draw: f32| if draw < -0.5 { 0.0 } else { 4.0 / 3.0 };
            dropout.then(|| (0..count).map(|_| keep(unit())).collect())
        };
        Self {
            masks: factors(8 * layers * hidden * hidden),
            between: factors((layers - 1) * rows as i64 * hidden).filter(|_| layers > 1),
            shape: Shape::lstm(inputs, hidden).stacked(layers),
            series,
            inputs: values,
            target,
        }
    }

    fn weights(&self) -> Vec<f32> {
        let model = Network::initial(self.shape, 5, Kind::Float, Device::Cpu);
        Vec::try_from(model.flat()).unwrap()
    }

    fn factors(&self) -> Factors<'_> {
        Factors {
            weights: self.masks.as_deref(),
            between: self.between.as_deref(),
        }
    }

    fn native(&self, level: Level) -> (Vec<f32>, f64, Vec<f32>) {
        let mut model = NativeModel::new(self.shape, &self.weights(), level);
        let (predicted, loss) = model.fit(
            &self.inputs,
            &self.target,
            self.series,
            LossFunction::Square,
            self.factors(),
            &Series::default(),
        );
        (predicted, loss, model.gradient())
    }

    /// By libtorch, in double precision.
    fn torch(&self) -> (f64, Vec<f64>) {
        let Shape {
            inputs,
            hidden,
            layers,
            ..
        } = self.shape;
        let double = |values: &[f32]| Tensor::from_slice(values).to_kind(Kind::Double);
        let series = self.series as i64;
        let model = Network::new(self.shape, double(&self.weights()));
        let masks = self.masks.as_deref().map(|masks| {
            let halves = double(masks).view([2 * layers, 4 * hidden, hidden]);
            Masks(halves.unbind(0))
        });
        let between = self.between.as_deref();
        let between = between.map(|factors| double(factors).view([layers - 1, -1, series, hidden]));
        let dropped = Dropped {
            weights: masks.as_ref(),
            between: between.as_ref(),
        };
        let days = double(&self.inputs).view([-1, series, inputs]);
        let (predicted, _) =
            model.forward(&days, &model.zero_state(series), Mode::Fit(dropped), None);
        let target = double(&self.target).view([-1, series]);
        let present = target.isnan().logical_not().to_kind(Kind::Double);
        let count = self.target.iter().filter(|value| !value.is_nan()).count();
        let loss = masked_mean(
            LossFunction::Square,
            &predicted,
            &target.nan_to_num(0.0, None, None),
            &present,
            u32::try_from(count).unwrap(),
        );
        let gradient = Tensor::zeros([self.shape.weights()], (Kind::Double, Device::Cpu));
        model.gradient(&loss, &gradient);
        (loss.double_value(&[]), Vec::try_from(gradient).unwrap())
    }
}

fn length(values: impl IntoIterator<Item = f64>) -> f64 {
    values
        .into_iter()
        .map(|value| value * value)
        .sum::<f64>()
        .sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn gradients_of_any_shape_are_those_of_libtorch_at_every_level(
        days in 1_usize..14,
        series in 1_usize..15,
        hidden in 1_i64..70,
        inputs in 1_i64..9,
        layers in 1_i64..4,
        dropout: bool,
    ) {
        let case = Case::stacked(layers, days, series, hidden, inputs, dropout);
        let (loss, gradient) = case.torch();
        for level in Level::here() {
            let (_, native_loss, native) = case.native(level);
            prop_assert!((native_loss - loss).abs() < 1e-5 * loss.max(1e-2), "{level:?}");
            let difference = native.iter().zip(&gradient).map(|(&a, b)| f64::from(a) - b);
            let relative = length(difference) / length(gradient.iter().copied());
            prop_assert!(relative < 3e-6, "{level:?}: {relative:e}");
        }
    }
}

#[test]
fn layers_on_top_of_each_other_are_those_of_libtorchs_own_lstm() {
    let options = (Kind::Double, Device::Cpu);
    for layers in [1, 2, 3] {
        let shape = Shape::lstm(4, 7).stacked(layers);
        let model = Network::initial(shape, 11, Kind::Double, Device::Cpu);
        let days = Tensor::arange(9 * 3 * 4, options).sin().view([9, 3, 4]);
        let zeros = || Tensor::zeros([layers, 3, 7], options);
        let parameters = Layout::of(shape).split(model.flat());
        let [weight, bias] = [&parameters[0], &parameters[1]];
        let activated = days.linear(weight, Some(bias)).relu();
        let cells = &parameters[2..parameters.len() - 2];
        let (output, hidden, cell) = activated.lstm(
            &[zeros(), zeros()],
            cells,
            true,
            layers,
            0.0,
            false,
            false,
            false,
        );
        let head = &parameters[parameters.len() - 2..];
        let expected = output.linear(&head[0], Some(&head[1])).squeeze_dim(2);
        let (found, state) = model.forward(&days, &model.zero_state(3), Mode::Run, None);
        let differs = |a: &Tensor, b: &Tensor| (a - b).abs().max().double_value(&[]);
        assert!(differs(&found, &expected) < 1e-12, "{layers}");
        assert!(differs(&state.0[0], &hidden) < 1e-12 && differs(&state.0[1], &cell) < 1e-12);
    }
}

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    let case = Case::stacked(2, 9, 5, 12, 4, true);
    let level = *Level::here().last().unwrap();
    let (_, _, gradient) = case.native(level);
    let weights = case.weights();
    let loss = |place: usize, step: f32| {
        let mut moved = weights.clone();
        moved[place] += step;
        let mut model = NativeModel::new(case.shape, &moved, level);
        let (inputs, target) = (&case.inputs, &case.target);
        model
            .fit(
                inputs,
                target,
                case.series,
                LossFunction::Square,
                case.factors(),
                &Series::default(),
            )
            .1
    };
    let steepest = gradient.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
    // Every eleventh, which meets all parameters.
    for (place, &slope) in gradient.iter().enumerate().step_by(11) {
        let found = (loss(place, 0.01) - loss(place, -0.01)) / 0.02;
        let difference = (found - f64::from(slope)).abs();
        assert!(
            difference < 2e-3 * f64::from(steepest),
            "{place}: {found}, {slope}"
        );
    }
}

#[test]
fn a_number_that_is_none_is_never_swallowed() {
    for level in Level::here() {
        for poison in [f32::NAN, f32::INFINITY] {
            let mut case = Case::new(4, 3, 5, 2, false);
            case.inputs[3] = poison;
            let (predicted, loss, gradient) = case.native(level);
            assert!(
                predicted.iter().any(|value| value.is_nan()),
                "{level:?}, {poison}"
            );
            assert!(
                !loss.is_finite() || gradient.iter().any(|g| !g.is_finite()),
                "{level:?}"
            );
        }
    }
}

#[test]
fn numbers_at_the_ends_of_the_range_are_computed_with() {
    for level in Level::here() {
        for scale in [1e-40_f32, 1e-20, 1e20] {
            let mut case = Case::new(1, 1, 1, 1, false);
            case.inputs[0] = scale;
            let (predicted, loss, _) = case.native(level);
            assert!(
                predicted[0].is_finite() && loss.is_finite(),
                "{level:?}, {scale:e}"
            );
        }
    }
}

fn trained(backend: Backend, params: &Params, training: Training) -> Trained {
    let training = Training {
        backend,
        ..training
    };
    let tensors = tensors();
    to_the_end(Trainer::new(&tensors, params, &training, 7, Device::Cpu).unwrap())
}

#[test]
fn a_native_training_follows_that_of_libtorch_under_every_option() {
    let base = Training {
        epochs: 3,
        ..rules()
    };
    let adam = Training {
        optimizer: Optimizer::Adam,
        ..base
    };
    let deep = Params {
        layers: 3,
        layer_dropout: 0.3,
        ..PARAMS
    };
    let options = [
        base,
        adam,
        Training {
            optimizer: Optimizer::AdamW { decay: Some(0.1) },
            ..base
        },
        Training {
            loss: Loss::Nse,
            ..adam
        },
        Training {
            loss: Loss::Huber { delta: Some(0.3) },
            ..adam
        },
        Training {
            sampler: Sampling::Observed,
            ..adam
        },
        Training {
            warm_up_days: 9,
            ..adam
        },
        Training {
            clip_norm: Some(0.05),
            ..adam
        },
    ];
    let of_one_layer = options.into_iter().map(|training| (PARAMS, training));
    for (params, training) in of_one_layer.chain([(deep, base), (deep, adam)]) {
        let [torch, native] =
            [Backend::Torch, Backend::Native].map(|backend| trained(backend, &params, training));
        assert_eq!(native.updates, torch.updates);
        assert_eq!(native.window_share.to_bits(), torch.window_share.to_bits());
        for (a, b) in native.losses.iter().zip(&torch.losses) {
            assert!(
                (a - b).abs() < 1e-4 * b,
                "{training:?}: {:?}, {:?}",
                native.losses,
                torch.losses
            );
        }
        let mut tensors = tensors();
        tensors.observed = tensors.target.clone();
        for state in [efflux_job::State::Carried, efflux_job::State::Window] {
            let simulate = |trained: &Trained, days| {
                let simulated = trained.simulate(&tensors, days, state, 20, &mut || Flow::Continue);
                simulated.unwrap()
            };
            let [a, b] = [&native, &torch].map(|trained| simulate(trained, Days::All));
            let furthest = |a: &[f32], b: &[f32]| {
                let pairs = a.iter().zip(b);
                pairs.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()))
            };
            let apart = furthest(&a, &b);
            assert!(apart < 1e-3, "{training:?}, {state:?}: {apart}");
            // The observed days alone are those of all days.
            let observed = (0..a.len()).filter(|&place| !tensors.observed.values()[place].is_nan());
            let observed: Vec<usize> = observed.collect();
            assert!(!observed.is_empty() && observed.len() < a.len());
            for (trained, all) in [(&native, &a), (&torch, &b)] {
                let picked: Vec<f32> = observed.iter().map(|&place| all[place]).collect();
                let alone = simulate(trained, Days::Observed);
                assert_eq!(alone.len(), picked.len());
                assert!(furthest(&alone, &picked) < 1e-6, "{training:?}, {state:?}");
            }
        }
    }
}

#[test]
fn who_trains_is_said_and_what_cannot_be_is_refused() {
    let tensors = tensors();
    let device = |backend, threads| {
        let training = Training {
            epochs: 1,
            backend,
            threads,
            ..rules()
        };
        let trainer = Trainer::new(&tensors, &PARAMS, &training, 0, Device::Cpu).unwrap();
        let mut said = String::new();
        let _ = trainer.run(&mut |progress| {
            said.clone_from(&progress.checkpoint().device);
            Flow::Stop
        });
        said
    };
    assert!(device(Backend::Auto, 1).ends_with(", native"));
    assert!(device(Backend::Native, 1).ends_with(", native"));
    assert!(device(Backend::Torch, 1).ends_with(", 1 thread"));
    assert!(device(Backend::Auto, 2).ends_with(", 2 threads"));
    let training = Training {
        backend: Backend::Native,
        ..rules()
    };
    let refused = Trainer::new(&tensors, &PARAMS, &training, 0, Device::Cuda(0));
    assert_eq!(refused.unwrap_err(), TrialError::Backend);
}

/// Allocations of a training that is stopped after so many updates, all with a target on every day, so that no batch is
/// larger than the first.
fn allocations(updates: u32) -> u64 {
    let mut tensors = tensors();
    for (value, &observed) in tensors.target.iter_mut().zip(tensors.observed.values()) {
        *value = observed;
    }
    let trainer = trainer_by(Backend::Native, &tensors, 3, 1).observed_every(Duration::ZERO);
    let mut looks = 0;
    let counted = allocation_counter::measure(|| {
        let stopped = trainer.run(&mut |_| {
            looks += 1;
            if looks > updates {
                Flow::Stop
            } else {
                Flow::Continue
            }
        });
        assert!(matches!(stopped, Err(TrialError::Interrupted)));
    });
    counted.count_total
}

#[test]
fn an_update_allocates_nothing() {
    let few = allocations(4);
    assert!(few > 0, "the epoch's windows are allocated");
    assert_eq!(allocations(24), few);
}
