//! Models with a learned vector of each site: both implementations, sites without a vector, files and interruptions.

use std::time::Duration;

use efflux_data::Tensors;
use efflux_job::{Backend, Head, Params, State, Training};
use efflux_model::checkpoint::{Checkpoint, load_weights, save_weights};
use efflux_model::device::Device;
use efflux_model::{
    Days, Dropped, Factors, Flow, Lanes, Layout, Level, LossFunction, Mode, NativeModel, Network,
    PIECE, Series, SeriesTensors, Shape, Trained, Trainer, TrialError, masked_mean, predict,
};
use efflux_numerics::random::{Purpose, Stream};
use safetensors::SafeTensors;
use tch::{Kind, Tensor};

use super::{BACKENDS, PARAMS, site_rules, tensors};

/// The head is the same at all sites, or has weights of each.
const MODELS: [Params; 2] = [
    Params {
        embedding: 3,
        forget_bias: Some(3.0),
        ..PARAMS
    },
    Params {
        embedding: 5,
        head: Head::Site,
        skip: true,
        state_dropout: 0.1,
        layers: 2,
        layer_dropout: 0.1,
        ..PARAMS
    },
];

/// The site of [`tensors`] that has no target.
const WITHOUT: usize = 5;

fn recipe(backend: Backend) -> Training {
    Training {
        backend,
        ..site_rules()
    }
}

fn begun<'a>(tensors: &'a Tensors, params: &Params, backend: Backend) -> Trainer<'a> {
    Trainer::new(tensors, params, &recipe(backend), 7, Device::Cpu).unwrap()
}

fn trained(tensors: &Tensors, params: &Params, backend: Backend) -> Trained {
    let trainer = begun(tensors, params, backend);
    trainer.run(&mut |_| Flow::Continue).unwrap()
}

fn simulated(trained: &Trained, tensors: &Tensors, state: State) -> Vec<f32> {
    let all = trained.simulate(tensors, Days::All, state, 25, &mut || Flow::Continue);
    all.unwrap()
}

fn values(model: &Network) -> Vec<f32> {
    Vec::try_from(model.flat()).unwrap()
}

/// The vectors of all sites, a row each.
fn vectors(model: &Network) -> Vec<Vec<f32>> {
    let layout = Layout::of(model.shape());
    let last = layout.split(model.flat()).pop().unwrap();
    assert_eq!(layout.parameters().last().unwrap().name, "embedding.weight");
    let rows = last.unbind(0).into_iter();
    rows.map(|row| Vec::try_from(row).unwrap()).collect()
}

#[test]
fn a_native_training_with_vectors_of_sites_follows_that_of_libtorch() {
    let tensors = tensors();
    for params in MODELS {
        let [torch, native] = BACKENDS.map(|backend| trained(&tensors, &params, backend));
        for (a, b) in native.losses.iter().zip(&torch.losses) {
            let both = (&native.losses, &torch.losses);
            assert!((a - b).abs() < 1e-4 * b, "{both:?}");
        }
        for state in [State::Carried, State::Window] {
            let [a, b] = [&native, &torch].map(|trained| simulated(trained, &tensors, state));
            let pairs = a.iter().zip(&b);
            let apart = pairs.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
            assert!(apart < 1e-3, "{params:?}, {state:?}: {apart}");
        }
    }
}

#[test]
fn vectors_begin_small_and_random_and_training_moves_those_of_sites_with_a_day_to_fit_on() {
    let tensors = tensors();
    for backend in BACKENDS {
        let [params, _] = MODELS;
        let mut at_first = None;
        let stopped = begun(&tensors, &params, backend).observed_every(Duration::ZERO);
        let _ = stopped.run(&mut |progress| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("checkpoint.safetensors");
            progress.checkpoint().save("trial", &path).unwrap();
            at_first = Some(vectors(&load_weights(&path).unwrap()));
            Flow::Stop
        });
        let after = vectors(&trained(&tensors, &params, backend).model);
        let before = at_first.unwrap();
        for (site, (before, after)) in before.iter().zip(&after).enumerate() {
            if site == WITHOUT {
                assert_eq!((before, after), (&vec![0.0; 3], &vec![0.0; 3]));
                continue;
            }
            assert!(
                before
                    .iter()
                    .all(|value| value.abs() < 0.5 && *value != 0.0)
            );
            let moved = before.iter().zip(after).map(|(a, b)| (a - b).abs());
            assert!(moved.fold(0.0, f32::max) > 0.01, "{site}");
        }
    }
}

#[test]
fn a_site_that_a_model_has_no_vector_of_is_read_with_the_mean_of_all_vectors() {
    let tensors = tensors();
    let (sites, days) = (tensors.sites, tensors.days);
    for (backend, params) in BACKENDS.into_iter().zip(MODELS) {
        let trained = trained(&tensors, &params, backend);
        let of = |heads: Vec<Option<usize>>| {
            let there = Tensors {
                heads,
                ..tensors.clone()
            };
            simulated(&trained, &there, State::Carried)
        };
        let own = of((0..sites).map(Some).collect());
        let mut heads: Vec<Option<usize>> = (0..sites).map(Some).collect();
        heads[1] = None;
        let without = of(heads);
        assert_eq!(own[..days], without[..days]);
        assert_ne!(own[days..2 * days], without[days..2 * days]);
        // A site without a day to fit on is as one that the training did not have.
        let none = of(vec![None; sites]);
        assert_eq!(own[WITHOUT * days..], none[WITHOUT * days..]);
        assert_eq!(without[days..2 * days], none[days..2 * days]);

        // The same with the mean in the place of the site's own vector.
        let vectors = vectors(&trained.model);
        let width = vectors[0].len();
        let known = vectors
            .iter()
            .enumerate()
            .filter(|(site, _)| *site != WITHOUT);
        let mut mean = vec![0.0; width];
        for (_, vector) in known {
            for (sum, value) in mean.iter_mut().zip(vector) {
                *sum += value / (sites - 1) as f32;
            }
        }
        let mut weights = values(&trained.model);
        let last = weights.len() - sites * width;
        weights[last + width..][..width].copy_from_slice(&mean);
        if params.head == Head::Site {
            let layout = Layout::of(trained.model.shape());
            let mut first = 0;
            for (parameter, sizes) in layout
                .parameters()
                .iter()
                .map(|one| (one, layout.sizes(one)))
            {
                let length = usize::try_from(sizes.iter().product::<i64>()).unwrap();
                if parameter.name.starts_with("site.") {
                    let each = length / sites;
                    weights[first + each..][..each].fill(0.0);
                }
                first += length;
            }
        }
        let changed = Network::new(trained.model.shape(), Tensor::from_slice(&weights));
        // Of all but its own site the mean is another now, so only the site itself is compared.
        let found = predict(&changed, &tensors, PIECE).unwrap();
        for (a, b) in found[days..2 * days].iter().zip(&without[days..2 * days]) {
            assert!((a - b).abs() < 1e-5, "{a}, {b}");
        }
    }
}

#[test]
fn vectors_come_back_from_their_file_under_the_names_of_torch() {
    let tensors = tensors();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    for (params, width) in MODELS.into_iter().zip([3, 5]) {
        let trained = trained(&tensors, &params, Backend::Native);
        save_weights(&trained.model, &path).unwrap();
        let read = load_weights(&path).unwrap();
        assert_eq!(read.shape(), trained.model.shape());
        let [a, b] = [&trained.model, &read].map(|model| predict(model, &tensors, PIECE).unwrap());
        assert_eq!(a, b);
        let bytes = std::fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let shape = |name: &str| file.tensor(name).unwrap().shape().to_vec();
        assert_eq!(shape("embedding.weight"), [6, width]);
        assert_eq!(shape("input.weight"), [8, 5 + width]);
    }
}

#[test]
fn an_interrupted_training_with_vectors_goes_on_bit_for_bit() {
    let tensors = tensors();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    for backend in BACKENDS {
        for params in MODELS {
            let whole = trained(&tensors, &params, backend);
            for stop_after in [0, 1, 14, 15, 31] {
                let mut looks = 0;
                let trainer = begun(&tensors, &params, backend).observed_every(Duration::ZERO);
                let stopped = trainer.run(&mut |progress| {
                    looks += 1;
                    if looks <= stop_after {
                        return Flow::Continue;
                    }
                    progress.checkpoint().save("trial", &path).unwrap();
                    Flow::Stop
                });
                assert!(matches!(stopped, Err(TrialError::Interrupted)));
                let checkpoint = Checkpoint::load("trial", &path).unwrap();
                let again = begun(&tensors, &params, backend)
                    .restore(&checkpoint)
                    .unwrap();
                let again = again.run(&mut |_| Flow::Continue).unwrap();
                let [a, b] = [&whole, &again].map(|trained| values(&trained.model));
                assert_eq!(a, b, "{backend:?}, {stop_after}");
                assert_eq!(whole.losses, again.losses);
            }
        }
    }
}

#[test]
fn a_checkpoint_of_vectors_of_another_length_is_refused() {
    let tensors = tensors();
    let [params, _] = MODELS;
    let mut checkpoint = None;
    let _ = begun(&tensors, &params, Backend::Native).run(&mut |progress| {
        checkpoint = Some(progress.checkpoint());
        Flow::Stop
    });
    for embedding in [0, 4] {
        let other = Params {
            embedding,
            ..params
        };
        let other = begun(&tensors, &other, Backend::Native);
        let error = other.restore(checkpoint.as_ref().unwrap()).unwrap_err();
        assert!(matches!(error, TrialError::Checkpoint(_)), "{error}");
    }
}

#[test]
fn a_model_with_vectors_of_sites_has_no_lanes() {
    let tensors = tensors();
    let [params, _] = MODELS;
    let refused = Lanes::new(2, &tensors, &params, &recipe(Backend::Auto), Device::Cpu);
    assert_eq!(refused.unwrap_err(), TrialError::Cell);
}

/// Series of sites, one of no site and one of a site without a vector, and a model for them.
struct Case {
    shape: Shape,
    weights: Vec<f32>,
    series: Series,
    inputs: Vec<f32>,
    target: Vec<f32>,
}

impl Case {
    fn new(shape: Shape, days: usize, rows: usize) -> Self {
        let mut stream = Stream::new(3, Purpose::Starts, 1, 2);
        let mut unit = || stream.below(2001) as f32 / 1000.0 - 1.0;
        let mut weights = values(&Network::initial(shape, 5, Kind::Float, Device::Cpu));
        let sites = usize::try_from(shape.sites).unwrap();
        let width = usize::try_from(shape.embedding).unwrap();
        let first = weights.len() - sites * width;
        // The site weights of a head begin at zero, where their gradients tell less.
        let common = usize::try_from(Layout::of(shape).common_weights()).unwrap();
        weights[common..first].fill_with(|| 0.3 * unit());
        weights[first..].fill_with(|| 0.5 + 0.4 * unit());
        weights[first..][..width].fill(0.0);
        let site = |row: usize| (row % 4 != 3).then(|| row % sites);
        Self {
            shape,
            weights,
            series: Series {
                sites: (0..rows).map(site).collect(),
                masks: None,
            },
            inputs: (0..days * rows * usize::try_from(shape.inputs).unwrap())
                .map(|_| unit())
                .collect(),
            target: (0..days * rows).map(|_| unit()).collect(),
        }
    }

    fn rows(&self) -> usize {
        self.series.sites.len()
    }

    fn doubles(&self) -> Vec<f64> {
        self.weights
            .iter()
            .map(|&weight| f64::from(weight))
            .collect()
    }

    fn native(&self, level: Level) -> (f64, Vec<f32>) {
        let mut model = NativeModel::new(self.shape, &self.weights, level);
        let (inputs, target) = (&self.inputs, &self.target);
        let (square, none) = (LossFunction::Square, Factors::default());
        let (_, loss) = model.fit(inputs, target, self.rows(), square, none, &self.series);
        (loss, model.gradient())
    }

    /// By libtorch, in double precision.
    fn torch(&self, weights: &[f64]) -> (f64, Vec<f64>) {
        let double = |values: &[f32]| Tensor::from_slice(values).to_kind(Kind::Double);
        let rows = self.rows() as i64;
        let model = Network::new(self.shape, Tensor::from_slice(weights));
        let series = SeriesTensors::of(&self.series, self.shape, Device::Cpu);
        let days = double(&self.inputs).view([-1, rows, self.shape.inputs]);
        let (mode, state) = (Mode::Fit(Dropped::default()), model.zero_state(rows));
        let (predicted, _) = model.forward(&days, &state, mode, series.as_ref());
        let target = double(&self.target).view([-1, rows]);
        let count = u32::try_from(self.target.len()).unwrap();
        let ones = target.ones_like();
        let loss = masked_mean(LossFunction::Square, &predicted, &target, &ones, count);
        let gradient = Tensor::zeros([self.shape.weights()], (Kind::Double, Device::Cpu));
        model.gradient(&loss, &gradient);
        (loss.double_value(&[]), Vec::try_from(gradient).unwrap())
    }
}

#[test]
fn gradients_with_vectors_of_sites_are_those_of_libtorch_at_every_level() {
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let sizes = [
        (1, 1, 1, 1, 1),
        (3, 4, 7, 2, 16),
        (5, 17, 33, 3, 1),
        (2, 33, 16, 2, 5),
    ];
    for (inputs, hidden, width, layers, days) in sizes {
        let shape = Shape::lstm(inputs, hidden)
            .stacked(layers)
            .with_embedding(3, width);
        for shape in [
            shape,
            shape.with_site_head(3, true),
            shape.with_site_head(3, false),
        ] {
            let case = Case::new(shape, days, 9);
            let (loss, gradient) = case.torch(&case.doubles());
            for level in Level::here() {
                let (native_loss, native) = case.native(level);
                assert!(
                    (native_loss - loss).abs() < 1e-5 * loss,
                    "{shape:?}, {level:?}"
                );
                let apart = native.iter().zip(&gradient).map(|(&a, b)| f64::from(a) - b);
                let relative =
                    length(&mut apart.into_iter()) / length(&mut gradient.iter().copied());
                assert!(relative < 3e-6, "{shape:?}, {level:?}: {relative:e}");
            }
        }
    }
}

#[test]
fn gradients_of_vectors_and_of_what_reads_them_are_the_slopes_of_the_loss() {
    let shape = Shape::lstm(2, 6).with_embedding(3, 4);
    let mut case = Case::new(shape, 7, 8);
    // Through the mean, which others are read with, no gradient goes.
    case.series.sites = (0..8).map(|row| Some(1 + row % 2)).collect();
    let level = *Level::here().last().unwrap();
    let (_, gradient) = case.native(level);
    let steepest = gradient.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
    // The weights of the input layer, [H, nx + K], and the vectors of these two sites.
    let of_input = 0..6 * (2 + 4);
    let of_vectors = case.weights.len() - 2 * 4..case.weights.len();
    for place in of_input.chain(of_vectors) {
        let loss = |step: f64| {
            let mut moved = case.doubles();
            moved[place] += step;
            case.torch(&moved).0
        };
        let found = (loss(1e-6) - loss(-1e-6)) / 2e-6;
        let slope = f64::from(gradient[place]);
        let apart = (found - slope).abs();
        assert!(
            apart < 1e-5 * f64::from(steepest),
            "{place}: {found}, {slope}"
        );
    }
}
