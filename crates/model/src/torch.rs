//! Training with libtorch, on CPUs and GPUs.

use std::rc::Rc;

use efflux_data::Tensors;
use efflux_job::{Params, Training};
use efflux_numerics::random::Stream;
use tch::{Device, Kind, Tensor};

use super::cell::State;
use super::device::{send, values};
use super::device_data::{DeviceData, Gathered};
use super::engine::{Engine, Lane};
use super::layout::{Layout, Shape};
use super::loss::{LossFunction, masked_mean, ridge};
use super::masks::{self, Drawer, Dropped, Masks};
use super::network::{Mode, Network, SeriesTensors};
use super::optimizer::{Optimizer, Step};
use super::series::{Series, StateMasks};
use super::windows::{self, Batch};

/// What a call of the LSTM costs on a CPU, in days of a window: see `benches/results`.
const CALL: usize = 60;

/// Days of a simulation that are run at a time.
const PIECE: usize = 64;

/// A trial's weights, its optimizer's memory and its data, all on the device.
#[derive(Debug)]
pub(super) struct Torch {
    device: Device,
    dropout: f64,
    /// Share of what layers hand to each other that is dropped.
    layer_dropout: f64,
    /// Draws masks without the host, if the device is a GPU.
    drawer: Option<Drawer>,
    loss_function: LossFunction,
    device_data: Rc<DeviceData>,
    model: Network,
    optimizer: Optimizer,
    gradient: Tensor, // [N]
    /// First rows of the epoch's windows.
    starts: Tensor,
    /// Predictions of the batch, and their loss, until they have given their gradient.
    predicted: Vec<Predicted>,
    loss: Option<Tensor>,
    /// Sums over this epoch's batches, in f64: they are read once an epoch.
    loss_sum: Tensor,
    norm_sum: Tensor,
    state_dropout: f64,
    /// What the sum of squares of all weights of single sites adds to the loss.
    ridge: f64,
    /// Which weights each site has in a head with some of each, `[S]`, and the days of a record, D.
    heads: Vec<Option<usize>>,
    days: usize,
    /// Its place in the tensors of several trials, if its own are rows of them.
    pub(super) lane: Option<Lane>,
}

/// The predictions for a piece of a batch, `[T, B]`, and what they are compared with.
#[derive(Debug)]
pub(super) struct Predicted {
    values: Tensor,
    target: Tensor,
    weight: Tensor,
}

/// Predicts a batch that is run in these pieces, one after the other with the state carried on.
pub(super) fn forward(
    model: &Network,
    dropped: Dropped<'_>,
    series: Option<&SeriesTensors>,
    pieces: impl Iterator<Item = Gathered>,
) -> Vec<Predicted> {
    let mut before: Option<State> = None;
    let mut first = 0;
    let predict = |piece: Gathered| {
        let (days, rows) = (piece.inputs.size()[0], piece.inputs.size()[1]);
        let of_piece = |factors: &Tensor| factors.narrow(1, first, days).narrow(2, 0, rows);
        let between = dropped.between.map(of_piece);
        first += days;
        let state = match &before {
            None => model.zero_state(rows),
            Some(state) => state.first(rows),
        };
        let series = series.map(|series| series.first(rows));
        let mode = Mode::Fit(Dropped {
            between: between.as_ref(),
            ..dropped
        });
        let (values, after) = model.forward(&piece.inputs, &state, mode, series.as_ref());
        before = Some(after);
        Predicted {
            values,
            target: piece.target,
            weight: piece.weight,
        }
    };
    pieces.map(predict).collect()
}

/// The loss of all pieces of a batch: a scalar from which a gradient can be taken.
///
/// * `targets`: how many targets the batch holds.
pub(super) fn loss(loss_function: LossFunction, pieces: &[Predicted], targets: u32) -> Tensor {
    let losses = pieces.iter().map(|piece| {
        let Predicted {
            values,
            target,
            weight,
        } = piece;
        masked_mean(loss_function, values, target, weight, targets)
    });
    losses
        .reduce(|sum, part| sum + part)
        .expect("a batch of at least one piece")
}

impl Torch {
    /// The model of a trial before its first iteration.
    pub(super) fn new(
        tensors: &Tensors,
        params: &Params,
        training: &Training,
        seed: u64,
        (loss_function, site_weights): (LossFunction, Vec<f32>),
        device: Device,
    ) -> Self {
        let shape = Shape::of(tensors, params);
        let (window, warm_up) = (
            training.window_days as usize,
            training.warm_up_days as usize,
        );
        let device_data = DeviceData::new(tensors, window, warm_up, &site_weights, device);
        let zero = || Tensor::zeros([], (Kind::Double, device));
        let mut torch = Self::of(
            Rc::new(device_data),
            Network::of_trial(tensors, params, seed, device),
            Optimizer::new(training, shape.weights(), Kind::Float, device)
                .decaying(Layout::of(shape).common_weights()),
            Tensor::zeros([shape.weights()], (Kind::Float, device)),
            [zero(), zero()],
            loss_function,
            params.dropout,
        );
        torch.layer_dropout = params.layer_dropout;
        torch.at(tensors, params)
    }

    /// The same on these sites, which a head with weights of each tells apart.
    fn at(self, tensors: &Tensors, params: &Params) -> Self {
        Self {
            state_dropout: params.state_dropout,
            ridge: ridge(tensors, params),
            heads: tensors.heads.clone(),
            days: tensors.days,
            ..self
        }
    }

    /// The series that begin at these rows, for a model that tells sites apart.
    fn series(&self, starts: &[i64], masks: Option<StateMasks>) -> Option<SeriesTensors> {
        let series = Series {
            masks,
            ..Series::of_rows(&self.heads, self.days, starts)
        };
        SeriesTensors::of(&series, self.model.shape(), self.device)
    }

    /// A model of these parts, which may be views of larger tensors.
    pub(super) fn of(
        device_data: Rc<DeviceData>,
        model: Network,
        optimizer: Optimizer,
        gradient: Tensor,
        [loss_sum, norm_sum]: [Tensor; 2],
        loss_function: LossFunction,
        dropout: f64,
    ) -> Self {
        let device = gradient.device();
        let drawer = device
            .is_cuda()
            .then(|| Drawer::new(&Layout::of(model.shape()), &[dropout], device));
        Self {
            device,
            dropout,
            layer_dropout: 0.0,
            drawer,
            loss_function,
            device_data,
            model,
            optimizer,
            gradient,
            starts: Tensor::zeros([0], (Kind::Int64, device)),
            predicted: Vec::new(),
            loss: None,
            loss_sum,
            norm_sum,
            state_dropout: 0.0,
            ridge: 0.0,
            heads: Vec::new(),
            days: 1,
            lane: None,
        }
    }

    /// Factors of what layers hand to each other in a batch, if any may be dropped.
    fn between(&self, stream: &Stream, lengths: &[usize]) -> Option<Tensor> {
        let Shape { hidden, layers, .. } = self.model.shape();
        if self.layer_dropout == 0.0 || layers == 1 {
            return None;
        }
        let (days, series) = (lengths[0] as i64, lengths.len() as i64);
        let sizes = [layers - 1, days, series, hidden];
        let count: i64 = sizes.iter().product();
        let mut factors = vec![0.0; usize::try_from(count).expect("sizes are positive")];
        masks::draw_between(stream, self.layer_dropout, &mut factors);
        Some(
            Tensor::from_slice(&factors)
                .view(sizes)
                .to_device(self.device),
        )
    }

    fn masks(&self, stream: &mut Stream) -> Masks {
        let Some(drawer) = &self.drawer else {
            let layout = Layout::of(self.model.shape());
            return Masks::draw(stream, &layout, self.dropout);
        };
        drawer.draw_one(stream)
    }
}

impl Engine for Torch {
    fn begin_epoch(&mut self, starts: &[i64]) {
        self.starts = send(starts, self.device);
    }

    fn forward(&mut self, starts: &[i64], batch: &Batch, masks: &mut Stream) {
        let stream = masks;
        let between = self.between(stream, &batch.lengths);
        let masks = (self.dropout > 0.0).then(|| self.masks(stream));
        let state_masks = (self.state_dropout > 0.0).then(|| {
            let hidden = self.model.shape().hidden;
            StateMasks::draw(stream, self.state_dropout, starts.len(), hidden)
        });
        let series = self.series(starts, state_masks);
        let dropped = Dropped {
            weights: masks.as_ref(),
            between: between.as_ref(),
        };
        // On a GPU, rows that have ended cost less than a second call.
        let call = if self.device == Device::Cpu {
            CALL
        } else {
            1 << 40
        };
        let pieces = windows::pieces(&batch.lengths, call);
        let gathered = pieces
            .iter()
            .map(|piece| self.device_data.gather(&self.starts, batch, piece));
        self.predicted = forward(&self.model, dropped, series.as_ref(), gathered);
    }

    fn loss(&mut self, _: &[i64], batch: &Batch) {
        let of_targets = loss(self.loss_function, &self.predicted, batch.targets);
        let ridge = self.model.ridge().filter(|_| self.ridge > 0.0);
        self.loss = Some(match ridge {
            Some(squares) => of_targets + squares * self.ridge,
            None => of_targets,
        });
    }

    fn backward(&mut self) {
        let loss = self.loss.as_ref().expect("a loss before its gradient");
        self.model.gradient(loss, &self.gradient);
        self.predicted.clear();
    }

    fn clip(&mut self, longest: Option<f64>) -> bool {
        let loss = self.loss.take().expect("a loss before its gradient");
        let norm = self.gradient.norm();
        let _ = self.loss_sum.g_add_(&loss.detach());
        let _ = self.norm_sum.g_add_(&norm);
        // Reading a number back from a GPU would make the host wait for it.
        if self.device == Device::Cpu {
            let sum = loss.double_value(&[]) + norm.double_value(&[]);
            if !sum.is_finite() {
                return false;
            }
        }
        if let Some(longest) = longest {
            let factor = ((norm + 1e-6).reciprocal() * longest).clamp_max(1.0);
            let _ = self.gradient.g_mul_(&factor);
        }
        true
    }

    fn zero_gradient(&mut self) {
        let _ = self.gradient.zero_();
    }

    fn step(&mut self, Step { rate, number }: Step) {
        let weights = self.model.flat_mut();
        self.optimizer.step(weights, &self.gradient, rate, number);
    }

    fn sums(&self) -> [f64; 2] {
        [&self.loss_sum, &self.norm_sum].map(|sum| sum.double_value(&[]))
    }

    fn set_sums(&mut self, [loss, norm]: [f64; 2]) {
        let _ = self.loss_sum.fill_(loss);
        let _ = self.norm_sum.fill_(norm);
    }

    fn weights(&self) -> Vec<f32> {
        values(self.model.flat())
    }

    fn memory(&self) -> [(&'static str, Vec<f32>); 2] {
        self.optimizer
            .state()
            .map(|(name, tensor)| (name, values(tensor)))
    }

    fn restore(&mut self, weights: &[f32], memory: &[Vec<f32>; 2]) {
        self.model.flat_mut().copy_(&Tensor::from_slice(weights));
        self.optimizer.remember(memory);
    }

    fn simulate(
        &mut self,
        starts: &[i64],
        lengths: &[usize],
        each: &mut dyn FnMut(usize, usize, f32),
    ) {
        let _off = tch::no_grad_guard();
        let series = self.series(starts, None);
        let starts = Tensor::from_slice(starts).to_device(self.device);
        let offsets = Tensor::arange(PIECE as i64, (Kind::Int64, self.device)).unsqueeze(1);
        let mut state = self.model.zero_state(lengths.len() as i64);
        for first in (0..lengths[0]).step_by(PIECE) {
            let rows = lengths.partition_point(|&length| length > first);
            let width = rows as i64;
            let starts = starts.narrow(0, 0, width) + first as i64;
            // A series that ends in this piece goes on into days that nobody looks at.
            let inputs = self.device_data.days(&(&offsets + starts)); // [T, rows, nx]
            let series = series.as_ref().map(|series| series.first(width));
            let state_before = state.first(width);
            let (predicted, after) =
                self.model
                    .forward(&inputs, &state_before, Mode::Run, series.as_ref());
            state = after;
            for (day, values) in (first..).zip(values(&predicted).chunks_exact(rows)) {
                for (series, &value) in values.iter().enumerate() {
                    if day < lengths[series] {
                        each(day, series, value);
                    }
                }
            }
        }
    }
    fn shape(&self) -> Shape {
        self.model.shape()
    }

    fn note(&self) -> &'static str {
        match self.lane {
            Some(_) => ", in lanes",
            None => "",
        }
    }

    fn lane(&self) -> Option<&Lane> {
        self.lane.as_ref()
    }
}

#[cfg(test)]
pub(super) mod tests;
