//! Vectors of sites against plain PyTorch: the numbers in `tests/data/embedding`, made by the script beside them.

use efflux_job as job;
use efflux_job::Training;
use efflux_model::{
    Dropped, Factors, Layout, Level, LossFunction, Mode, NativeModel, NativeOptimizer, Network,
    Optimizer, Series, SeriesTensors, Shape, masked_mean,
};
use efflux_numerics::single;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::lstm::numbers;
use crate::devices;

/// A case of the file, and what all have in common.
struct Golden {
    case: Value,
    rates: Vec<f64>,
    decay: f64,
    longest: f64,
}

fn cases() -> Vec<Golden> {
    let text = include_str!("../../../../../tests/data/embedding/embedding.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let number = |name: &str| file[name].as_f64().unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let cases = cases.map(|case| Golden {
        case: case.clone(),
        rates: numbers(&file["rates"]),
        decay: number("decay"),
        longest: number("longest"),
    });
    cases.collect()
}

impl Golden {
    fn shape(&self) -> Shape {
        let size = |name: &str| self.case["dims"][name].as_i64().unwrap();
        let shape = Shape::lstm(size("inputs"), size("hidden"))
            .stacked(size("layers"))
            .with_embedding(size("sites"), size("width"));
        if self.case["site_head"] == true {
            shape.with_site_head(size("sites"), true)
        } else {
            shape
        }
    }

    /// Weights or their gradient in the order of the layout, which has the names of the file.
    fn flat(&self, values: &Value) -> Vec<f64> {
        let layout = Layout::of(self.shape());
        let parameters = layout.parameters().iter();
        let flat: Vec<f64> = parameters
            .flat_map(|parameter| numbers(&values[&parameter.name]))
            .collect();
        assert_eq!(flat.len() as i64, layout.weights());
        flat
    }

    fn series(&self) -> Series {
        let sites = self.case["series"].as_array().unwrap().iter();
        #[allow(clippy::cast_possible_truncation)]
        let sites = sites.map(|site| site.as_u64().map(|site| site as usize));
        Series {
            sites: sites.collect(),
            masks: None,
        }
    }

    fn number(&self, name: &str) -> f64 {
        self.case[name].as_f64().unwrap()
    }

    fn rules(&self) -> Training {
        let decay = Some(self.decay);
        Training {
            optimizer: job::Optimizer::AdamW { decay },
            ..Training::default()
        }
    }

    #[track_caller]
    fn assert_close(&self, what: &str, tolerance: f64, got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len(), "{what}");
        for (place, (got, expected)) in got.iter().zip(expected).enumerate() {
            assert!(
                (got - expected).abs() <= tolerance,
                "{}, {what}, {place}: {got}, expected {expected} ± {tolerance:e}",
                self.case["name"]
            );
        }
    }

    /// Compares predictions, loss and gradient, then takes the steps of the file.
    fn check(
        &self,
        tolerance: f64,
        mut fit: impl FnMut() -> (Vec<f64>, f64, Vec<f64>),
        mut step: impl FnMut(f64, f64, u64) -> (Vec<f64>, f64),
    ) {
        let case = &self.case;
        let (predicted, loss, gradient) = fit();
        self.assert_close("y", tolerance, &predicted, &numbers(&case["y"]));
        self.assert_close("loss", tolerance, &[loss], &[self.number("loss")]);
        let expected = self.flat(&case["gradient"]);
        self.assert_close("gradient", tolerance, &gradient, &expected);
        let steps = &case["adamw"];
        let (losses, norms) = (numbers(&steps["losses"]), numbers(&steps["norms"]));
        let mut weights = Vec::new();
        for (number, &rate) in (1..).zip(&self.rates) {
            let at = usize::try_from(number).unwrap() - 1;
            let (after, loss) = step(rate, norms[at], number);
            // One step of AdamW makes a small difference of a small gradient a large one.
            self.assert_close(
                "loss before a step",
                30.0 * tolerance,
                &[loss],
                &losses[at..=at],
            );
            weights = after;
        }
        let expected = self.flat(&steps["after"]);
        self.assert_close("weights", 300.0 * tolerance, &weights, &expected);
    }
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.to_kind(Kind::Double).to_device(Device::Cpu);
    Vec::try_from(flat.reshape([-1])).unwrap()
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn singles(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| single(value)).collect()
}

#[test]
fn vectors_of_sites_give_the_numbers_of_plain_pytorch_by_libtorch() {
    for golden in cases() {
        for device in devices() {
            for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 2e-6)] {
                by_libtorch(&golden, device, kind, tolerance);
            }
        }
    }
}

fn by_libtorch(golden: &Golden, device: Device, kind: Kind, tolerance: f64) {
    let shape = golden.shape();
    let options = (kind, device);
    let rows = golden.series().sites.len() as i64;
    let tensor = |values: &[f64], sizes: &[i64]| {
        let values = Tensor::from_slice(values).to_kind(kind);
        values.to_device(device).view(sizes)
    };
    let weights = golden.flat(&golden.case["weights"]);
    let x = tensor(&numbers(&golden.case["x"]), &[-1, rows, shape.inputs]);
    let target = tensor(&numbers(&golden.case["target"]), &[-1, rows]);
    let present = target.isnan().logical_not().to_kind(kind);
    let count = u32::try_from(present.sum(Kind::Int64).int64_value(&[])).unwrap();
    let target = target.nan_to_num(0.0, None, None);
    let series = SeriesTensors::of(&golden.series(), shape, device).unwrap();
    let fit = |model: &Network, gradient: &Tensor| {
        let mode = Mode::Fit(Dropped::default());
        let (y, _) = model.forward(&x, &model.zero_state(rows), mode, Some(&series));
        let square = LossFunction::Square;
        let loss = masked_mean(square, &y, &target, &present, count)
            + model.ridge().unwrap() * golden.number("ridge");
        model.gradient(&loss, gradient);
        (values(&y.detach()), loss.double_value(&[]))
    };
    let gradient = Tensor::zeros([shape.weights()], options);
    let first = Network::new(shape, tensor(&weights, &[-1]));
    let mut model = Network::new(shape, tensor(&weights, &[-1]));
    let common = Layout::of(shape).common_weights();
    let rules = golden.rules();
    let mut optimizer = Optimizer::new(&rules, shape.weights(), kind, device).decaying(common);
    golden.check(
        tolerance,
        || {
            let (predicted, loss) = fit(&first, &gradient);
            (predicted, loss, values(&gradient))
        },
        |rate, norm, number| {
            let (_, loss) = fit(&model, &gradient);
            let found = gradient.norm().double_value(&[]);
            assert!((found - norm).abs() < 1e-4, "{found}, expected {norm}");
            let factor = (golden.longest / (found + 1e-6)).min(1.0);
            let cut = &gradient * factor;
            optimizer.step(model.flat_mut(), &cut, rate, number);
            (values(model.flat()), loss)
        },
    );
}

#[test]
fn vectors_of_sites_give_the_numbers_of_plain_pytorch_natively_at_every_level() {
    for golden in cases() {
        for level in Level::here() {
            natively(&golden, level);
        }
    }
}

fn natively(golden: &Golden, level: Level) {
    let shape = golden.shape();
    let series = golden.series();
    let rows = series.sites.len();
    let weights = singles(&golden.flat(&golden.case["weights"]));
    let inputs = singles(&numbers(&golden.case["x"]));
    let target = singles(&numbers(&golden.case["target"]));
    let fit = |model: &mut NativeModel| {
        let square = LossFunction::Square;
        let (predicted, loss) =
            model.fit(&inputs, &target, rows, square, Factors::default(), &series);
        let loss = loss + model.add_ridge(golden.number("ridge"));
        (doubles(&predicted), loss, doubles(&model.gradient()))
    };
    let mut model = NativeModel::new(shape, &weights, level);
    let mut optimizer = NativeOptimizer::new(&golden.rules(), shape, level);
    golden.check(
        2e-6,
        || fit(&mut NativeModel::new(shape, &weights, level)),
        |rate, norm, number| {
            let (_, loss, gradient) = fit(&mut model);
            let found = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            assert!((found - norm).abs() < 1e-4, "{found}, expected {norm}");
            model.scale_gradient((golden.longest / (found + 1e-6)).min(1.0));
            optimizer.step(&mut model, rate, number);
            (doubles(&model.weights()), loss)
        },
    );
}
