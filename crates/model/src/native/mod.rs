//! The same training without libtorch, for one core of a CPU.
//!
//! At the paper's size an iteration is so small that masks, optimizer and calls cost a general library as much as the
//! products of matrices do. Here weights are kept in the order in which products read them, nothing is allocated after the
//! first iterations, and what one step writes the next one finds in the cache.
//!
//! | file | answers |
//! | --- | --- |
//! | `model` | a model: learns from series, and runs over them |
//! | `network` | its layers, and their gradient |
//! | `cell` | what a cell computes |
//! | `lstm` | the LSTM |
//! | `site_head` | a head with weights of each site |
//! | `embedding` | vectors of sites, joined to the inputs |
//! | `cells` | which cells there are |
//! | `run` | which rows a run has |
//! | `layout` | where a weight lies |
//! | `optimizer` | what a gradient does to the weights |
//! | `kernels` | what is computed in inner loops |
//! | `aligned` | where they find their numbers |
//! | `registers` | what they compute with |
//! | `level` | how they become the processor's instructions |
//!
//! All that is unsafe is in `registers` and `level`.

mod aligned;
mod cell;
mod cells;
mod embedding;
mod kernels;
mod layout;
mod level;
mod lstm;
mod model;
mod network;
mod optimizer;
mod registers;
mod run;
mod site_head;

use tch::Device;

use self::aligned::Aligned;
pub use self::level::Level;
pub use self::model::NativeModel;
pub use self::network::Factors;
pub use self::optimizer::NativeOptimizer;
use super::cell::Cell;
use super::device::values;
use super::device_data;
use super::engine::Engine;
use super::failure::TrialError;
use super::layout::Shape;
use super::loss::{self, LossFunction};
use super::masks::draw_between;
use super::network::Network;
use super::optimizer::Step;
use super::series::{Series, StateMasks};
use super::windows::Batch;
use efflux_data::Tensors;
use efflux_job as job;
use efflux_numerics::random::Stream;
use efflux_numerics::{SiteByDay, single};

/// Whether models with this cell are computed natively.
pub(super) fn has(cell: Cell) -> bool {
    self::cells::definition(cell).is_some()
}

/// A trial in training: model, optimizer, data.
#[derive(Debug)]
pub(super) struct Native {
    model: NativeModel,
    optimizer: NativeOptimizer,
    /// Loss of the batch.
    loss: f64,
    /// Sums of the losses and of the lengths of the gradients.
    sums: [f64; 2],
    dropout: f64,
    /// Factors of the weights that dropout may drop, if it does.
    masks: Aligned,
    /// Share of what layers hand to each other that is dropped, and the factors of a batch.
    layer_dropout: f64,
    between: Vec<f32>,
    loss_function: LossFunction,
    warm_up: usize,
    /// `[S·D, nx]`
    inputs: Vec<f32>,
    /// `[S·D]`, NaN where there is none.
    target: SiteByDay<f32>,
    /// What an error weighs at each site, `[S]`.
    site_weights: Vec<f32>,
    /// Which weights each site has in a head with some of each, `[S]`.
    heads: Vec<Option<usize>>,
    /// Those of the batch.
    series: Series,
    state_dropout: f64,
    /// What the sum of squares of all weights of single sites adds to the loss.
    ridge: f64,
}

impl Native {
    /// The model of a trial before its first iteration.
    pub(super) fn new(
        tensors: &Tensors,
        params: &job::Params,
        training: &job::Training,
        seed: u64,
        (loss_function, site_weights): (LossFunction, Vec<f32>),
        level: Level,
    ) -> Result<Self, TrialError> {
        let shape = Shape::of(tensors, params);
        let days = training.sequence_days() as usize;
        let numbers = NativeModel::numbers(shape, level, tensors.sites * days, tensors.sites);
        let data = tensors.sites * tensors.days * (tensors.dynamic + tensors.statics + 1);
        has_room(numbers + data)?;
        let dropped = if params.dropout > 0.0 {
            self::layout::Layout::of(shape, level).dropped()
        } else {
            0
        };
        let initial = Network::of_trial(tensors, params, seed, Device::Cpu);
        Ok(Self {
            model: NativeModel::new(shape, &values(initial.flat()), level),
            optimizer: NativeOptimizer::new(training, shape, level),
            loss: 0.0,
            sums: [0.0; 2],
            dropout: params.dropout,
            masks: Aligned::zeros(dropped),
            layer_dropout: params.layer_dropout,
            between: Vec::new(),
            loss_function,
            warm_up: training.warm_up_days as usize,
            inputs: device_data::rows(tensors),
            target: tensors.target.clone(),
            site_weights,
            heads: tensors.heads.clone(),
            series: Series::default(),
            state_dropout: params.state_dropout,
            ridge: loss::ridge(tensors, params),
        })
    }
}

impl Engine for Native {
    fn begin_epoch(&mut self, _: &[i64]) {}

    fn forward(&mut self, starts: &[i64], batch: &Batch, masks: &mut Stream) {
        if self.layer_dropout > 0.0 {
            let Shape { hidden, layers, .. } = self.model.shape();
            let each = batch.lengths[0] * batch.lengths.len();
            self.between.resize(each * row((layers - 1) * hidden), 0.0);
            draw_between(masks, self.layer_dropout, &mut self.between);
        }
        if self.dropout > 0.0 {
            let level = self.model.level();
            level.draw_masks(masks, self.dropout, &mut self.masks);
        }
        self.series.masks = (self.state_dropout > 0.0).then(|| {
            let (series, hidden) = (starts.len(), self.model.shape().hidden);
            StateMasks::draw(masks, self.state_dropout, series, hidden)
        });
        let days = 0..batch.lengths[0];
        self.model
            .gather(&self.inputs, starts, &batch.lengths, days);
        self.series
            .set_rows(&self.heads, self.target.days(), starts);
        let factors = factors(
            [self.dropout, self.layer_dropout],
            &self.masks,
            &self.between,
        );
        self.model.forward(factors, &self.series);
    }

    fn loss(&mut self, starts: &[i64], batch: &Batch) {
        let (target, weights, loss_function) =
            (&self.target, &self.site_weights, self.loss_function);
        let (days, warm_up, count) = (target.days(), self.warm_up, f64::from(batch.targets));
        let mut loss = 0.0;
        self.model.compare(&mut |day, series, predicted| {
            let row = row(starts[series]) + day;
            let target = target.values()[row];
            if target.is_nan() || day < warm_up {
                return 0.0;
            }
            let weight = f64::from(weights[row / days]) / count;
            let (part, slope) = loss_function.with_slope(f64::from(predicted) - f64::from(target));
            loss += weight * part;
            single(weight * slope)
        });
        self.loss = loss;
    }

    fn backward(&mut self) {
        let factors = factors(
            [self.dropout, self.layer_dropout],
            &self.masks,
            &self.between,
        );
        self.model.backward(factors);
        if self.ridge > 0.0 {
            self.loss += self.model.add_ridge(self.ridge);
        }
    }

    fn clip(&mut self, longest: Option<f64>) -> bool {
        let norm = self.model.gradient_norm();
        self.sums[0] += self.loss;
        self.sums[1] += norm;
        if !(self.loss + norm).is_finite() {
            return false;
        }
        let factor = longest.map_or(1.0, |longest| longest / (norm + 1e-6));
        if factor < 1.0 {
            self.model.scale_gradient(factor);
        }
        true
    }

    fn zero_gradient(&mut self) {
        self.model.zero_gradient();
    }

    fn step(&mut self, Step { rate, number }: Step) {
        self.optimizer.step(&mut self.model, rate, number);
    }

    fn sums(&self) -> [f64; 2] {
        self.sums
    }

    fn set_sums(&mut self, sums: [f64; 2]) {
        self.sums = sums;
    }

    fn simulate(
        &mut self,
        starts: &[i64],
        lengths: &[usize],
        each: &mut dyn FnMut(usize, usize, f32),
    ) {
        let series = Series::of_rows(&self.heads, self.target.days(), starts);
        self.model
            .simulate(&self.inputs, starts, lengths, &series, each);
    }

    fn shape(&self) -> Shape {
        self.model.shape()
    }

    fn weights(&self) -> Vec<f32> {
        self.model.weights()
    }

    fn memory(&self) -> [(&'static str, Vec<f32>); 2] {
        self.optimizer.state()
    }

    fn restore(&mut self, weights: &[f32], memory: &[Vec<f32>; 2]) {
        self.model.set_weights(weights);
        self.optimizer.remember(memory);
    }
}

/// Those of shares that are dropped at all.
fn factors<'a>([weights, between]: [f64; 2], of: &'a [f32], of_between: &'a [f32]) -> Factors<'a> {
    Factors {
        weights: (weights > 0.0).then_some(of),
        between: (between > 0.0).then_some(of_between),
    }
}

/// Fails if so many `f32` cannot be allocated. It is tried beforehand because an allocation that fails in the middle of an
/// update ends the process.
fn has_room(numbers: usize) -> Result<(), TrialError> {
    let mut probe = Vec::<f32>::new();
    probe.try_reserve_exact(numbers).map_err(|_| {
        let megabytes = numbers.saturating_mul(size_of::<f32>()) / 1_000_000;
        TrialError::Memory(format!("there are no {megabytes} MB"))
    })
}

/// The index of a row of the data.
fn row(start: i64) -> usize {
    usize::try_from(start).expect("rows are counted from 0")
}
