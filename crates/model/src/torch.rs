//! Training with libtorch, on CPUs and GPUs.

use std::rc::Rc;

use efflux_data::Tensors;
use efflux_job::{Params, Training};
use efflux_numerics::random::Stream;
use tch::{Device, Kind, Tensor};

use super::device::{send, values};
use super::engine::Task;
use super::loss::{Form, batch_loss};
use super::lstm::{Lstm, Mode, Shape};
use super::masks::{Drawer, Masks};
use super::optimizer::Optimizer;
use super::resident::Resident;
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
    /// Draws masks without the host, if the device is a GPU.
    drawer: Option<Drawer>,
    form: Form,
    resident: Rc<Resident>,
    model: Lstm,
    optimizer: Optimizer,
    gradient: Tensor, // [N]
    /// First rows of the epoch's windows.
    starts: Tensor,
    /// Sums over this epoch's batches, in f64: they are read once an epoch.
    loss_sum: Tensor,
    norm_sum: Tensor,
    /// Whose tensors these are rows of, if it is not alone.
    pub(super) lane: Option<Lane>,
}

/// The place of a trial among those of [`Lanes`](super::Lanes).
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) index: usize,
    /// As long as it is held, nobody else has the place.
    pub(super) _place: Rc<()>,
}

impl Torch {
    pub(super) fn new(
        tensors: &Tensors,
        params: &Params,
        training: &Training,
        seed: u64,
        (form, site_weights): (Form, Vec<f32>),
        device: Device,
    ) -> Self {
        let shape = Shape::of(tensors, params);
        let (window, warm_up) = (params.window_days as usize, training.warm_up_days as usize);
        let resident = Resident::new(tensors, window, warm_up, &site_weights, device);
        let zero = || Tensor::zeros([], (Kind::Double, device));
        Self::of(
            Rc::new(resident),
            Lstm::initial(shape, seed, Kind::Float, device),
            Optimizer::new(training, shape.weights(), Kind::Float, device),
            Tensor::zeros([shape.weights()], (Kind::Float, device)),
            [zero(), zero()],
            form,
            params.dropout,
        )
    }

    /// Of these parts, which may be those of larger ones.
    pub(super) fn of(
        resident: Rc<Resident>,
        model: Lstm,
        optimizer: Optimizer,
        gradient: Tensor,
        [loss_sum, norm_sum]: [Tensor; 2],
        form: Form,
        dropout: f64,
    ) -> Self {
        let device = gradient.device();
        let drawer = device
            .is_cuda()
            .then(|| Drawer::new(model.shape(), &[dropout], device));
        Self {
            device,
            dropout,
            drawer,
            form,
            resident,
            model,
            optimizer,
            gradient,
            starts: Tensor::zeros([0], (Kind::Int64, device)),
            loss_sum,
            norm_sum,
            lane: None,
        }
    }

    pub(super) fn shape(&self) -> Shape {
        self.model.shape()
    }

    pub(super) fn begin_epoch(&mut self, starts: &[i64]) {
        self.starts = send(starts, self.device);
    }

    /// See `Engine::update`.
    pub(super) fn update(&mut self, task: Task<'_>) -> bool {
        let Task {
            batch,
            mut masks,
            step,
            ..
        } = task;
        if batch.targets == 0 {
            // As torch: the loss of nothing has zero gradient, and the optimizer's means decay.
            let _ = self.gradient.zero_();
        } else {
            let loss = self.loss(batch, &mut masks);
            self.model.gradient(&loss, &self.gradient);
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
            if let Some(longest) = step.clip {
                let factor = ((norm + 1e-6).reciprocal() * longest).clamp_max(1.0);
                let _ = self.gradient.g_mul_(&factor);
            }
        }
        self.optimizer.step(
            self.model.flat_mut(),
            &self.gradient,
            step.rate,
            step.number,
        );
        true
    }

    /// The loss of a batch that holds a target.
    fn loss(&self, batch: &Batch, masks: &mut Stream) -> Tensor {
        let masks = (self.dropout > 0.0).then(|| self.masks(masks));
        // On a GPU, rows that have ended cost less than a second call.
        let call = if self.device == Device::Cpu {
            CALL
        } else {
            1 << 40
        };
        let pieces = windows::pieces(&batch.lengths, call);
        let gathered = pieces
            .iter()
            .map(|piece| self.resident.gather(&self.starts, batch, piece));
        batch_loss(
            &self.model,
            masks.as_ref(),
            self.form,
            gathered,
            batch.targets,
        )
    }

    fn masks(&self, stream: &mut Stream) -> Masks {
        let Some(drawer) = &self.drawer else {
            return Masks::draw(stream, self.model.shape(), self.dropout);
        };
        drawer.draw_one(stream)
    }

    pub(super) fn sums(&self) -> [f64; 2] {
        [&self.loss_sum, &self.norm_sum].map(|sum| sum.double_value(&[]))
    }

    pub(super) fn set_sums(&mut self, [loss, norm]: [f64; 2]) {
        let _ = self.loss_sum.fill_(loss);
        let _ = self.norm_sum.fill_(norm);
    }

    pub(super) fn weights(&self) -> Vec<f32> {
        values(self.model.flat())
    }

    pub(super) fn memory(&self) -> [(&'static str, Vec<f32>); 2] {
        self.optimizer
            .state()
            .map(|(name, tensor)| (name, values(tensor)))
    }

    pub(super) fn restore(&mut self, weights: &[f32], memory: &[Vec<f32>; 2]) {
        self.model.flat_mut().copy_(&Tensor::from_slice(weights));
        self.optimizer.remember(memory);
    }

    /// See `Engine::simulate`.
    pub(super) fn simulate(
        &self,
        starts: &[i64],
        lengths: &[usize],
        each: &mut dyn FnMut(usize, usize, f32),
    ) {
        let _off = tch::no_grad_guard();
        let starts = Tensor::from_slice(starts).to_device(self.device);
        let offsets = Tensor::arange(PIECE as i64, (Kind::Int64, self.device)).unsqueeze(1);
        let mut state = self.model.zero_state(lengths.len() as i64);
        for first in (0..lengths[0]).step_by(PIECE) {
            let rows = lengths.partition_point(|&length| length > first);
            let width = rows as i64;
            let starts = starts.narrow(0, 0, width) + first as i64;
            // A series that ends in this piece goes on into days that nobody looks at.
            let inputs = self.resident.days(&(&offsets + starts)); // [T, rows, nx]
            let (predicted, after) = self.model.forward(&inputs, &state.first(width), Mode::Run);
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
}
