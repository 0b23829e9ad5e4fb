//! `lstm_parity.json` again, for the native implementation at every instruction-set level of this processor.

use efflux_job as job;
use efflux_job::Training;
use efflux_model::{Factors, Level, LossFunction, Masks, NativeModel, NativeOptimizer, Series};
use tch::{Kind, Tensor};

use super::lstm::{Golden, in_precision, numbers};

/// The native model of the file at each level of this processor.
fn at_every_level(check: impl Fn(&Golden, NativeModel)) {
    in_precision(Kind::Float, |golden| {
        for level in Level::here() {
            let weights = floats(golden.model().flat());
            check(golden, NativeModel::new(golden.shape(), &weights, level));
        }
    });
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.to_kind(Kind::Float).reshape([-1])).unwrap()
}

impl Golden {
    fn native_fit(&self, model: &mut NativeModel, masks: Option<&Masks>) -> (Tensor, f64) {
        let rows = usize::try_from(self.rows()).unwrap();
        let target = floats(&self.input("target", &[-1, self.rows()]));
        let masks = masks.map(|masks| masks.0.iter().flat_map(floats).collect::<Vec<f32>>());
        let inputs = floats(&self.days());
        let (predicted, loss) = model.fit(
            &inputs,
            &target,
            rows,
            LossFunction::Square,
            Factors {
                weights: masks.as_deref(),
                between: None,
            },
            &Series::default(),
        );
        (Tensor::from_slice(&predicted), loss)
    }

    /// As [`Golden::steps`].
    fn native_steps(
        &self,
        mut model: NativeModel,
        case: &str,
        optimizer: job::Optimizer,
        masks: Option<&Masks>,
    ) {
        let expected = self.expected(case);
        let training = Training {
            optimizer,
            ..Training::default()
        };
        let mut optimizer = NativeOptimizer::new(&training, model.shape(), model.level());
        for (step, &expected_loss) in (1..).zip(&numbers(&expected["loss_before_each_step"])) {
            let (_, loss) = self.native_fit(&mut model, masks);
            self.assert_number(case, "loss before a step", loss, &expected_loss.into());
            optimizer.step(&mut model, training.learning_rate(0), step);
            let Some(after) = expected.get(format!("after_{step}")) else {
                continue;
            };
            let found = Tensor::from_slice(&model.weights());
            self.assert_close(case, "weights", &found, &self.flat(&after["weights"]));
            for (name, found) in optimizer.state() {
                if after.get(name).is_some() {
                    let found = Tensor::from_slice(&found);
                    self.assert_close(case, name, &found, &self.flat(&after[name]));
                }
            }
        }
    }
}

#[test]
fn native_predictions_loss_and_gradients_are_those_of_torch_at_every_level() {
    at_every_level(|golden, mut model| {
        for (case, masks) in [("no_dropout", None), ("masked", Some(golden.masks()))] {
            let expected = golden.expected(case);
            let (predicted, loss) = golden.native_fit(&mut model, masks.as_ref());
            golden.assert_close(case, "y", &predicted, &numbers(&expected["y"]));
            golden.assert_number(case, "loss", loss, &expected["loss"]);
            let gradient = Tensor::from_slice(&model.gradient());
            let expected = golden.flat(&expected["grad"]);
            golden.assert_close(case, "gradient", &gradient, &expected);
        }
    });
}

#[test]
fn native_steps_are_those_of_torch_at_every_level() {
    use job::Optimizer::{Adadelta, Adam};
    at_every_level(|golden, model| golden.native_steps(model, "adadelta", Adadelta, None));
    at_every_level(|golden, model| golden.native_steps(model, "adam", Adam, None));
    at_every_level(|golden, model| {
        let masks = golden.masks();
        let case = "adadelta_masked_fixed_mask";
        golden.native_steps(model, case, Adadelta, Some(&masks));
    });
}
