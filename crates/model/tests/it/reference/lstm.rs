//! `lstm_parity.json`: forward, loss, every gradient and optimizer steps, in both precisions.

use efflux_job as job;
use efflux_job::Training;
use efflux_model::{
    Dropped, LossFunction, Masks, Mode, Network, Optimizer, Shape, State, masked_mean,
};
use efflux_testing::golden;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use crate::devices;

/// The file's names of the parameters, in the order of their `efflux_model::Layout`.
const NAMES: [&str; 8] = [
    "w_in", "b_in", "w_ih", "w_hh", "b_ih", "b_hh", "w_out", "b_out",
];
const PRECISIONS: [(&str, Kind); 2] = [("float64", Kind::Double), ("float32", Kind::Float)];

/// The reference file in one precision.
pub(super) struct Golden {
    file: Value,
    precision: &'static str,
    kind: Kind,
    device: Device,
}

/// Runs a check in one precision, on a processor.
pub(super) fn in_precision(kind: Kind, check: impl Fn(&Golden)) {
    in_both_precisions(|golden| {
        if golden.kind == kind && golden.device == Device::Cpu {
            check(golden);
        }
    });
}

/// Runs a check in both precisions on every device. A directory that the user gave may lack the file, which is said.
fn in_both_precisions(check: impl Fn(&Golden)) {
    let Some(file) = golden("lstm_parity.json") else {
        return;
    };
    for device in devices() {
        for (precision, kind) in PRECISIONS {
            check(&Golden {
                file: file.clone(),
                precision,
                kind,
                device,
            });
        }
    }
}

/// All numbers of nested lists in order; null is NaN.
pub(super) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Null => vec![f64::NAN],
        number => vec![number.as_f64().expect("a number")],
    }
}

impl Golden {
    pub(super) fn shape(&self) -> Shape {
        let size = |name: &str| self.file["dims"][name].as_i64().unwrap();
        Shape::lstm(size("nx"), size("hidden"))
    }

    pub(super) fn rows(&self) -> i64 {
        self.file["dims"]["B"].as_i64().unwrap()
    }

    fn tensor(&self, value: &Value, shape: &[i64]) -> Tensor {
        Tensor::from_slice(&numbers(value))
            .to_kind(self.kind)
            .to_device(self.device)
            .view(shape)
    }

    pub(super) fn input(&self, name: &str, shape: &[i64]) -> Tensor {
        self.tensor(&self.file["inputs"][name], shape)
    }

    /// The eight parameters of an object as one flat list.
    pub(super) fn flat(&self, parameters: &Value) -> Vec<f64> {
        NAMES
            .iter()
            .flat_map(|name| numbers(&parameters[name]))
            .collect()
    }

    pub(super) fn model(&self) -> Network {
        let weights = self.flat(&self.file["inputs"]["weights"]);
        let flat = Tensor::from_slice(&weights).to_kind(self.kind);
        Network::new(self.shape(), flat.to_device(self.device))
    }

    pub(super) fn days(&self) -> Tensor {
        self.input("x", &[-1, self.rows(), self.shape().inputs])
    }

    pub(super) fn masks(&self) -> Masks {
        let shape = [4 * self.shape().hidden, self.shape().hidden];
        let keep = 1.0 / (1.0 - self.file["dims"]["dropout"].as_f64().unwrap());
        let factor = |name: &str| self.tensor(&self.file["inputs"]["masks"][name], &shape) * keep;
        Masks(["w_ih", "w_hh"].map(factor).into())
    }

    fn given_state(&self) -> State {
        let shape = [1, self.rows(), self.shape().hidden];
        State(["h0", "c0"].map(|name| self.input(name, &shape)).into())
    }

    fn loss(&self, model: &Network, masks: Option<&Masks>) -> Tensor {
        let (predicted, _) = self.run(model, masks);
        let target = self.input("target", &[-1, self.rows()]);
        let present = target.isnan().logical_not().to_kind(self.kind);
        let targets = present
            .to_kind(Kind::Int64)
            .sum(Kind::Int64)
            .int64_value(&[]);
        masked_mean(
            LossFunction::Square,
            &predicted,
            &target.nan_to_num(0.0, None, None),
            &present,
            u32::try_from(targets).unwrap(),
        )
    }

    fn run(&self, model: &Network, masks: Option<&Masks>) -> (Tensor, State) {
        let state = model.zero_state(self.rows());
        let dropped = Dropped {
            weights: masks,
            between: None,
        };
        model.forward(&self.days(), &state, Mode::Fit(dropped), None)
    }

    fn gradient(&self, model: &Network, masks: Option<&Masks>) -> (f64, Tensor) {
        let loss = self.loss(model, masks);
        let gradient = Tensor::zeros([self.shape().weights()], (self.kind, self.device));
        model.gradient(&loss, &gradient);
        (loss.double_value(&[]), gradient)
    }

    pub(super) fn expected(&self, case: &str) -> &Value {
        &self.file[self.precision][case]
    }

    fn tolerance(&self, case: &str) -> f64 {
        let key = format!("{}_abs", self.precision);
        let of_file = self.file["tolerance"][case][key].as_f64().unwrap();
        match (self.kind, self.device) {
            // In single precision cuDNN's sigmoid and hyperbolic tangent are good to a few units in the sixth digit.
            (Kind::Float, Device::Cuda(_)) => of_file.max(1e-5),
            _ => of_file,
        }
    }

    #[track_caller]
    pub(super) fn assert_close(&self, case: &str, what: &str, found: &Tensor, expected: &[f64]) {
        let found = Vec::<f64>::try_from(found.to_kind(Kind::Double).reshape([-1])).unwrap();
        assert_eq!(found.len(), expected.len(), "{case}: {what}");
        let tolerance = self.tolerance(case);
        for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() <= tolerance,
                "{} {case}: {what}[{index}] is {found}, expected {expected}",
                self.precision
            );
        }
    }

    #[track_caller]
    pub(super) fn assert_number(&self, case: &str, what: &str, found: f64, expected: &Value) {
        self.assert_close(
            case,
            what,
            &Tensor::from_slice(&[found]),
            &numbers(expected),
        );
    }

    #[track_caller]
    fn assert_state(&self, case: &str, state: &State, hidden: &Value, cell: &Value) {
        self.assert_close(case, "hidden state", &state.0[0], &numbers(hidden));
        self.assert_close(case, "cell state", &state.0[1], &numbers(cell));
    }

    /// Steps on the same batch, checked against the losses before each and the weights after some of them.
    fn steps(&self, case: &str, optimizer: job::Optimizer, masks: Option<&Masks>) {
        let expected = self.expected(case);
        let before = numbers(&expected["loss_before_each_step"]);
        let mut model = self.model();
        let training = Training {
            optimizer,
            ..Training::default()
        };
        let weights = self.shape().weights();
        let mut optimizer = Optimizer::new(&training, weights, self.kind, self.device);
        for (step, &expected_loss) in (1..).zip(&before) {
            let (loss, gradient) = self.gradient(&model, masks);
            self.assert_number(case, "loss before a step", loss, &expected_loss.into());
            let rate = training.learning_rate(0);
            optimizer.step(model.flat_mut(), &gradient, rate, step);
            let Some(after) = expected.get(format!("after_{step}")) else {
                continue;
            };
            let weights = self.flat(&after["weights"]);
            self.assert_close(case, "weights", model.flat(), &weights);
            let loss = self.loss(&model, None).double_value(&[]);
            self.assert_number(case, "loss after", loss, &after["loss_after"]);
            for (name, found) in optimizer.state() {
                if after.get(name).is_some() {
                    self.assert_close(case, name, found, &self.flat(&after[name]));
                }
            }
        }
    }
}

#[test]
fn forward_loss_and_gradients_are_those_of_torch() {
    in_both_precisions(|golden| {
        let expected = golden.expected("no_dropout");
        let model = golden.model();
        let (predicted, state) = golden.run(&model, None);
        golden.assert_close("no_dropout", "y", &predicted, &numbers(&expected["y"]));
        golden.assert_state("no_dropout", &state, &expected["h_n"], &expected["c_n"]);
        let (loss, gradient) = golden.gradient(&model, None);
        golden.assert_number("no_dropout", "loss", loss, &expected["loss"]);
        let expected = golden.flat(&expected["grad"]);
        golden.assert_close("no_dropout", "gradient", &gradient, &expected);
    });
}

#[test]
fn masks_drop_lstm_weights_and_their_gradients_only() {
    in_both_precisions(|golden| {
        let expected = golden.expected("masked");
        let (model, masks) = (golden.model(), golden.masks());
        let (predicted, _) = golden.run(&model, Some(&masks));
        golden.assert_close("masked", "y", &predicted, &numbers(&expected["y"]));
        let (loss, gradient) = golden.gradient(&model, Some(&masks));
        golden.assert_number("masked", "loss", loss, &expected["loss"]);
        let expected = golden.flat(&expected["grad"]);
        golden.assert_close("masked", "gradient", &gradient, &expected);
    });
}

#[test]
fn a_run_can_start_from_a_given_state() {
    in_both_precisions(|golden| {
        let case = "given_initial_state";
        let expected = golden.expected(case);
        let (predicted, state) =
            golden
                .model()
                .forward(&golden.days(), &golden.given_state(), Mode::Run, None);
        golden.assert_close(case, "y", &predicted, &numbers(&expected["y"]));
        golden.assert_state(case, &state, &expected["h_n"], &expected["c_n"]);
    });
}

#[test]
fn a_run_in_two_pieces_is_one_run_only_if_the_state_is_carried() {
    in_both_precisions(|golden| {
        let case = "chunk_of_7_then_5";
        let expected = golden.expected(case);
        let (model, days) = (golden.model(), golden.days());
        let zero = model.zero_state(golden.rows());
        let (_, state) = model.forward(&days.narrow(0, 0, 7), &zero, Mode::Run, None);
        let after = &expected["state_after_7"];
        golden.assert_state(case, &state, &after["h"], &after["c"]);
        for (start, name) in [
            (&state, "y_last_5_with_carried_state"),
            (&zero, "y_last_5_with_zero_state"),
        ] {
            let (predicted, _) = model.forward(&days.narrow(0, 7, 5), start, Mode::Run, None);
            golden.assert_close(case, name, &predicted, &numbers(&expected[name]));
        }
    });
}

#[test]
fn adadelta_steps_are_those_of_torch() {
    in_both_precisions(|golden| golden.steps("adadelta", job::Optimizer::Adadelta, None));
}

#[test]
fn adadelta_steps_under_a_mask_are_those_of_torch() {
    in_both_precisions(|golden| {
        let masks = golden.masks();
        let case = "adadelta_masked_fixed_mask";
        golden.steps(case, job::Optimizer::Adadelta, Some(&masks));
    });
}

#[test]
fn adam_steps_are_those_of_torch() {
    in_both_precisions(|golden| golden.steps("adam", job::Optimizer::Adam, None));
}
