//! The network of `site_model.json`: forward, loss with its ridge, every gradient and AdamW, by libtorch in both precisions
//! and natively at every level.

use std::f64::consts::PI;

use efflux_job as job;
use efflux_job::Training;
use efflux_model::{
    Dropped, Factors, Level, LossFunction, Mode, NativeModel, NativeOptimizer, Network, Optimizer,
    Series, SeriesTensors, Shape, StateMasks, masked_mean,
};
use efflux_numerics::single;
use efflux_testing::golden;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::lstm::numbers;
use crate::devices;

/// The file's names of the parameters, in the order of their `efflux_model::Layout`; the second bias of the LSTM is not in
/// the file, because it is zero.
const NAMES: [&str; 12] = [
    "w_in",
    "b_in",
    "w_ih",
    "w_hh",
    "b",
    "",
    "w_out",
    "b_out",
    "w_skip",
    "site_state",
    "site_bias",
    "site_input",
];
const UPDATES: u32 = 30;

struct Golden {
    file: Value,
    precision: &'static str,
    kind: Kind,
    device: Device,
}

fn check_all(check: impl Fn(&Golden)) {
    let Some(file) = golden("site_model.json") else {
        return;
    };
    for device in devices() {
        for (precision, kind) in [("float64", Kind::Double), ("float32", Kind::Float)] {
            check(&Golden {
                file: file.clone(),
                precision,
                kind,
                device,
            });
        }
    }
}

impl Golden {
    fn size(&self, name: &str) -> i64 {
        self.file["dims"][name].as_i64().unwrap()
    }

    fn shape(&self) -> Shape {
        Shape::lstm(self.size("nx"), self.size("hidden")).with_site_head(self.size("sites"), true)
    }

    /// Weights, or their gradient, of the file in the order of the layout.
    fn flat(&self, weights: &Value) -> Vec<f64> {
        let second = vec![0.0; usize::try_from(4 * self.size("hidden")).unwrap()];
        let of = |name: &&str| match *name {
            "" => second.clone(),
            name => numbers(&weights[name]),
        };
        NAMES.iter().flat_map(of).collect()
    }

    fn tensor(&self, values: &[f64], shape: &[i64]) -> Tensor {
        let values = Tensor::from_slice(values).to_kind(self.kind);
        values.to_device(self.device).view(shape)
    }

    fn input(&self, name: &str) -> Vec<f64> {
        numbers(&self.file["inputs"][name])
    }

    fn weights(&self) -> Vec<f64> {
        self.flat(&self.file["inputs"]["weights"])
    }

    fn expected(&self) -> &Value {
        &self.file[self.precision]
    }

    fn ridge(&self) -> f64 {
        let number = |name: &str| self.file["inputs"][name].as_f64().unwrap();
        number("site_penalty") / number("training_days_of_all_sites")
    }

    fn sites(&self) -> Vec<usize> {
        let sites = self.input("site").into_iter();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        sites.map(|site| site as usize).collect()
    }

    fn series(&self) -> SeriesTensors {
        let sites: Vec<i64> = self.sites().iter().map(|&site| site as i64).collect();
        let mask = |name| self.tensor(&self.input(name), &[-1, self.size("hidden")]);
        SeriesTensors {
            sites: Tensor::from_slice(&sites).to_device(self.device),
            masks: Some([mask("mask_a"), mask("mask_h")]),
        }
    }

    fn native_series(&self) -> Series {
        let mask = |name| self.input(name).into_iter().map(single).collect();
        Series {
            sites: self.sites().into_iter().map(Some).collect(),
            masks: Some(StateMasks {
                activated: mask("mask_a"),
                output: mask("mask_h"),
            }),
        }
    }

    fn tolerance(&self, what: &str) -> f64 {
        let tolerance = &self.file["tolerance"][what][format!("{}_abs", self.precision)];
        tolerance.as_f64().unwrap()
    }

    fn assert_close(&self, what: &str, tolerance: f64, got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len(), "{what}");
        for (place, (got, expected)) in got.iter().zip(expected).enumerate() {
            assert!(
                (got - expected).abs() <= tolerance,
                "{} {what}, {place}: {got}, expected {expected} ± {tolerance}",
                self.precision
            );
        }
    }

    /// Loss without and with the ridge, predictions and gradient of a batch by libtorch.
    fn fit(&self, model: &Network) -> ([f64; 2], Tensor, Tensor) {
        let rows = self.size("B");
        let target = self.input("target");
        let known: Vec<f64> = target
            .iter()
            .map(|value| f64::from(u8::from(!value.is_nan())))
            .collect();
        let filled: Vec<f64> = target
            .iter()
            .map(|value| if value.is_nan() { 0.0 } else { *value })
            .collect();
        let count: f64 = known.iter().sum();
        let inputs = self.tensor(&self.input("x"), &[-1, rows, self.size("nx")]);
        let state = model.zero_state(rows);
        let (predicted, _) = model.forward(
            &inputs,
            &state,
            Mode::Fit(Dropped::default()),
            Some(&self.series()),
        );
        let mse = masked_mean(
            LossFunction::Square,
            &predicted,
            &self.tensor(&filled, &[-1, rows]),
            &self.tensor(&known, &[-1, rows]),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            (count as u32),
        );
        let total = &mse + model.ridge().unwrap() * self.ridge();
        let gradient = Tensor::zeros([model.shape().weights()], (self.kind, self.device));
        model.gradient(&total, &gradient);
        let losses = [mse.double_value(&[]), total.double_value(&[])];
        (losses, predicted.detach(), gradient)
    }

    fn model(&self) -> Network {
        Network::new(self.shape(), self.tensor(&self.weights(), &[-1]))
    }
}

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(
        tensor
            .to_kind(Kind::Double)
            .to_device(Device::Cpu)
            .reshape([-1]),
    )
    .unwrap()
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn singles(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| single(value)).collect()
}

/// `max(0.01 min(1, u/20) (1 + cos(πu/U))/2, 1e-5)`.
fn rate(update: u32) -> f64 {
    let done = f64::from(update) / f64::from(UPDATES);
    let warm = (f64::from(update) / 20.0).min(1.0);
    (0.01 * warm * 0.5 * (1.0 + (PI * done).cos())).max(1e-5)
}

fn adamw() -> Training {
    Training {
        optimizer: job::Optimizer::AdamW { decay: Some(0.01) },
        ..Training::default()
    }
}

#[test]
fn a_head_of_each_site_gives_the_reference_predictions_loss_and_gradients() {
    check_all(|golden| {
        let tolerance = golden.tolerance("network");
        let expected = &golden.expected()["training"];
        let ([mse, total], predicted, gradient) = golden.fit(&golden.model());
        let number = |name: &str| [expected[name].as_f64().unwrap()];
        golden.assert_close(
            "y",
            tolerance,
            &values(&predicted),
            &numbers(&expected["y"]),
        );
        golden.assert_close("mse", tolerance, &[mse], &number("mse"));
        golden.assert_close("total", tolerance, &[total], &number("total"));
        let of = golden.flat(&expected["grad"]);
        golden.assert_close("gradient", tolerance, &values(&gradient), &of);
    });
}

#[test]
fn a_run_without_dropout_gives_the_reference_simulation() {
    check_all(|golden| {
        let model = golden.model();
        let rows = golden.size("B");
        let inputs = golden.tensor(&golden.input("x"), &[-1, rows, golden.size("nx")]);
        let series = SeriesTensors {
            masks: None,
            ..golden.series()
        };
        let (predicted, _) =
            model.forward(&inputs, &model.zero_state(rows), Mode::Run, Some(&series));
        let expected = numbers(&golden.expected()["simulation_without_dropout"]);
        let tolerance = golden.tolerance("network");
        golden.assert_close("simulation", tolerance, &values(&predicted), &expected);
    });
}

#[test]
fn thirty_updates_of_adamw_give_the_reference_losses_norms_and_weights() {
    check_all(|golden| {
        let expected = &golden.expected()["adamw_30_updates_same_batch_same_masks"];
        let tolerance = golden.tolerance("adamw");
        let mut model = golden.model();
        let common = efflux_model::Layout::of(golden.shape()).common_weights();
        let weights = model.shape().weights();
        let mut optimizer =
            Optimizer::new(&adamw(), weights, golden.kind, golden.device).decaying(common);
        let list = |name: &str, update: u32| vec![numbers(&expected[name])[update as usize - 1]];
        for update in 1..=UPDATES {
            let ([_, total], _, mut gradient) = golden.fit(&model);
            let norm = gradient.norm().double_value(&[]);
            let what = format!("update {update}");
            let losses = list("total_loss_before_each_step", update);
            golden.assert_close(&what, tolerance, &[total], &losses);
            let norms = list("gradient_norms_before_clipping", update);
            golden.assert_close(&what, tolerance, &[norm], &norms);
            golden.assert_close(
                &what,
                1e-15,
                &[rate(update)],
                &list("learning_rates", update),
            );
            let _ = gradient.g_mul_scalar_((1.0 / (norm + 1e-6)).min(1.0));
            optimizer.step(model.flat_mut(), &gradient, rate(update), u64::from(update));
            if let Some(after) = expected.get(format!("after_{update}")) {
                let found = values(model.flat());
                golden.assert_close(&what, tolerance, &found, &golden.flat(after));
            }
        }
    });
}

#[test]
fn native_kernels_give_the_same_predictions_gradients_and_updates() {
    check_all(|golden| {
        if golden.kind != Kind::Float || golden.device != Device::Cpu {
            return;
        }
        for level in Level::here() {
            native(golden, level);
        }
    });
}

fn native(golden: &Golden, level: Level) {
    let expected = &golden.expected()["training"];
    let tolerance = golden.tolerance("network");
    let rows = usize::try_from(golden.size("B")).unwrap();
    let (inputs, target) = (
        singles(&golden.input("x")),
        singles(&golden.input("target")),
    );
    let mut model = NativeModel::new(golden.shape(), &singles(&golden.weights()), level);
    let square = LossFunction::Square;
    let of = golden.native_series();
    let fit = |model: &mut NativeModel| {
        let (predicted, mse) = model.fit(&inputs, &target, rows, square, Factors::default(), &of);
        let ridge = model.add_ridge(golden.ridge());
        (predicted, mse + ridge)
    };
    let (predicted, total) = fit(&mut model);
    let of_file = numbers(&expected["y"]);
    golden.assert_close("native y", tolerance, &doubles(&predicted), &of_file);
    let loss = [expected["total"].as_f64().unwrap()];
    golden.assert_close("native total", tolerance, &[total], &loss);
    let of_file = golden.flat(&expected["grad"]);
    let gradient = doubles(&model.gradient());
    golden.assert_close("native gradient", tolerance, &gradient, &of_file);

    let without = Series {
        masks: None,
        ..of.clone()
    };
    let (simulated, _) = model.fit(&inputs, &target, rows, square, Factors::default(), &without);
    let of_file = numbers(&golden.expected()["simulation_without_dropout"]);
    golden.assert_close(
        "native simulation",
        tolerance,
        &doubles(&simulated),
        &of_file,
    );

    let expected = &golden.expected()["adamw_30_updates_same_batch_same_masks"];
    let tolerance = golden.tolerance("adamw");
    let mut optimizer = NativeOptimizer::new(&adamw(), golden.shape(), level);
    for update in 1..=UPDATES {
        let (_, total) = fit(&mut model);
        let losses = numbers(&expected["total_loss_before_each_step"]);
        let loss = [losses[update as usize - 1]];
        golden.assert_close("native loss", tolerance, &[total], &loss);
        let norm = model
            .gradient()
            .iter()
            .map(|g| f64::from(*g).powi(2))
            .sum::<f64>()
            .sqrt();
        model.scale_gradient((1.0 / (norm + 1e-6)).min(1.0));
        optimizer.step(&mut model, rate(update), u64::from(update));
        if let Some(after) = expected.get(format!("after_{update}")) {
            let weights = doubles(&model.weights());
            golden.assert_close("native weights", tolerance, &weights, &golden.flat(after));
        }
    }
}
