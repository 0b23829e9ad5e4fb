//! The training loop.

use std::time::{Duration, Instant};

use tch::{Device, Kind, Tensor};

use super::checkpoint::Checkpoint;
use super::device;
use super::failure::{TrialError, guarded};
use super::loss::masked_mse;
use super::lstm::{Lstm, Mode, Shape};
use super::masks::Masks;
use super::optimizer::Adadelta;
use super::random::{Purpose, Stream};
use super::resident::Resident;
use super::windows::{Batch, Sampler};
use crate::data::Tensors;
use crate::data::iterations_per_epoch;
use crate::job::{Params, Training};

/// How often a long epoch lets itself be looked at, unless told otherwise.
const PACE: Duration = Duration::from_secs(1);

/// A model that was trained to the end, and how it went.
#[derive(Debug)]
pub struct Trained {
    /// With the last epoch's weights.
    pub model: Lstm,
    /// Optimizer steps taken.
    pub updates: u64,
    /// Mean loss of each epoch's batches that held a target, scaled units, with dropout at work.
    pub losses: Vec<f64>,
    /// Share of the drawn windows that held a target.
    pub window_share: f64,
}

/// What to do after a look at a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// End with [`TrialError::Interrupted`].
    Stop,
}

/// A training between two iterations.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Epochs finished.
    pub epoch: u32,
    /// Iterations done of the epoch after them.
    pub iteration: u32,
    /// Epochs in all.
    pub epochs: u32,
    /// Iterations of each epoch.
    pub iterations: u32,
    /// Mean loss of the epoch last finished, scaled units.
    pub loss: Option<f64>,
    trainer: &'a Trainer,
}

impl Progress<'_> {
    /// All that is needed to go on from here, bit for bit. Waits for the device.
    pub fn checkpoint(&self) -> Checkpoint {
        self.trainer.checkpoint()
    }
}

/// One trial in training.
#[derive(Debug)]
pub struct Trainer {
    model: Lstm,
    optimizer: Adadelta,
    gradient: Tensor, // [N]
    resident: Resident,
    sampler: Sampler,
    device: Device,
    threads: u32,
    seed: u64,
    dropout: f64,
    sites: usize,
    epochs: u32,
    iterations: u32,
    pace: Duration,
    at: Position,
    /// Sum of this epoch's batch losses, on the device and in f64: it is read once an epoch.
    loss_sum: Tensor,
}

/// How far a training has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Position {
    pub epoch: u32,
    pub iteration: u32,
    /// Batches of this epoch that held a target.
    pub batches: u32,
    /// Windows computed since the beginning.
    pub windows: u64,
    pub losses: Vec<f64>,
}

impl Trainer {
    /// A trial before its first iteration.
    ///
    /// What becomes of it depends on these arguments alone (on the CPU; `device` and `training.threads` included).
    ///
    /// # Errors
    ///
    /// [`TrialError::Window`] if the windows do not fit into the calendar; [`TrialError::Torch`] if there is no room
    /// for the data on the device.
    pub fn new(
        tensors: &Tensors,
        params: &Params,
        training: &Training,
        seed: u64,
        device: Device,
    ) -> Result<Self, TrialError> {
        let window = params.window_days as usize;
        let iterations =
            iterations_per_epoch(tensors.sites, tensors.days, tensors.sites, window, 0)
                .filter(|_| window < tensors.days)
                .ok_or(TrialError::Window {
                    window: params.window_days,
                    days: tensors.days,
                })?;
        device::set_threads(training.threads);
        let shape = Shape {
            inputs: (tensors.dynamic + tensors.statics) as i64,
            hidden: i64::from(params.hidden_size),
        };
        guarded(|| {
            Ok(Self {
                model: Lstm::initial(shape, seed, Kind::Float, device),
                optimizer: Adadelta::new(shape.weights(), Kind::Float, device),
                gradient: Tensor::zeros([shape.weights()], (Kind::Float, device)),
                resident: Resident::new(tensors, window, device),
                sampler: Sampler::new(tensors, window),
                device,
                threads: training.threads,
                seed,
                dropout: params.dropout,
                sites: tensors.sites,
                epochs: training.epochs,
                iterations,
                pace: PACE,
                at: Position::default(),
                loss_sum: Tensor::zeros([], (Kind::Double, device)),
            })
        })
    }

    /// The same trial where a checkpoint left it.
    ///
    /// # Errors
    ///
    /// [`TrialError::Checkpoint`] if the checkpoint is of a model of another shape or of a longer training.
    pub fn restore(mut self, checkpoint: &Checkpoint) -> Result<Self, TrialError> {
        let Position {
            epoch, iteration, ..
        } = checkpoint.at;
        if checkpoint.shape != self.model.shape() {
            return Err(TrialError::Checkpoint(format!(
                "of a model of {:?}, not {:?}",
                checkpoint.shape,
                self.model.shape()
            )));
        }
        if epoch > self.epochs || iteration >= self.iterations {
            return Err(TrialError::Checkpoint(format!(
                "epoch {epoch}, iteration {iteration} is beyond {} epochs of {} iterations",
                self.epochs, self.iterations
            )));
        }
        guarded(|| {
            let flat = Tensor::from_slice(&checkpoint.weights).to_device(self.device);
            self.model = Lstm::new(checkpoint.shape, flat);
            let state = &mut self.optimizer;
            state
                .square_avg
                .copy_(&Tensor::from_slice(&checkpoint.square_avg));
            state
                .acc_delta
                .copy_(&Tensor::from_slice(&checkpoint.acc_delta));
            let _ = self.loss_sum.fill_(checkpoint.loss_sum);
            self.at = checkpoint.at.clone();
            Ok(self)
        })
    }

    /// The same trial, looked at this often within an epoch instead of about once a second.
    pub fn observed_every(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Trains to the end. `observe` is called after each epoch and about once a second in between.
    ///
    /// # Errors
    ///
    /// [`TrialError::Diverged`] after an epoch that left a loss or weight not finite, [`TrialError::NoTarget`] after
    /// one without a target, [`TrialError::Interrupted`] if `observe` says so, [`TrialError::Torch`] if libtorch
    /// reports a failure.
    pub fn run(
        mut self,
        observe: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Trained, TrialError> {
        guarded(move || {
            let mut shown = Instant::now();
            while self.at.epoch < self.epochs {
                let epoch = self
                    .sampler
                    .epoch(self.seed, self.at.epoch, self.iterations);
                let starts = Tensor::from_slice(&epoch.starts).to_device(self.device);
                while self.at.iteration < self.iterations {
                    if shown.elapsed() >= self.pace {
                        self.show(&mut shown, observe)?;
                    }
                    self.update(&starts, &epoch.batches[self.at.iteration as usize]);
                    self.at.iteration += 1;
                }
                self.finish_epoch()?;
                self.show(&mut shown, observe)?;
            }
            Ok(Trained {
                updates: self.updates(),
                window_share: self.at.windows as f64 / (self.updates() * self.sites as u64) as f64,
                losses: self.at.losses,
                model: self.model,
            })
        })
    }

    /// One iteration: windows, masks, forward, loss, gradient, step.
    fn update(&mut self, starts: &Tensor, batch: &Batch) {
        if batch.targets == 0 {
            // As torch: the loss of nothing has zero gradient, and the optimizer's means decay.
            let _ = self.gradient.zero_();
        } else {
            let data = self.resident.gather(starts, batch);
            let masks = self.masks();
            let state = self.model.zero_state(batch.rows.len() as i64);
            let mode = Mode::Fit(masks.as_ref());
            let (predicted, _) = self.model.forward(&data.inputs, &state, mode); // [T, B]
            let loss = masked_mse(&predicted, &data.target, &data.present, batch.targets);
            self.model.gradient(&loss, &self.gradient);
            let _ = self.loss_sum.g_add_(&loss.detach());
            self.at.batches += 1;
            self.at.windows += batch.rows.len() as u64;
        }
        self.optimizer.step(self.model.flat_mut(), &self.gradient);
    }

    fn masks(&self) -> Option<Masks> {
        (self.dropout > 0.0).then(|| {
            let Position {
                epoch, iteration, ..
            } = self.at;
            let mut stream = Stream::new(self.seed, Purpose::Masks, epoch, iteration);
            Masks::draw(&mut stream, self.model.shape(), self.dropout, self.device)
        })
    }

    /// The epoch's only wait for the device.
    fn finish_epoch(&mut self) -> Result<(), TrialError> {
        let at = &mut self.at;
        at.epoch += 1;
        at.iteration = 0;
        if at.batches == 0 {
            return Err(TrialError::NoTarget { epoch: at.epoch });
        }
        let loss = self.loss_sum.double_value(&[]) / f64::from(at.batches);
        let finite = self.model.flat().isfinite().all().int64_value(&[]) == 1;
        if !loss.is_finite() || !finite {
            return Err(TrialError::Diverged { epoch: at.epoch });
        }
        at.losses.push(loss);
        at.batches = 0;
        let _ = self.loss_sum.zero_();
        Ok(())
    }

    fn updates(&self) -> u64 {
        u64::from(self.at.epoch) * u64::from(self.iterations) + u64::from(self.at.iteration)
    }

    fn show(
        &self,
        shown: &mut Instant,
        observe: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<(), TrialError> {
        *shown = Instant::now();
        let progress = Progress {
            epoch: self.at.epoch,
            iteration: self.at.iteration,
            epochs: self.epochs,
            iterations: self.iterations,
            loss: self.at.losses.last().copied(),
            trainer: self,
        };
        match observe(&progress) {
            Flow::Continue => Ok(()),
            Flow::Stop => Err(TrialError::Interrupted),
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        let values = |tensor: &Tensor| {
            let mut values = vec![0.0_f32; tensor.numel()];
            tensor.copy_data(&mut values, tensor.numel());
            values
        };
        Checkpoint {
            shape: self.model.shape(),
            device: device::describe(self.device, self.threads),
            at: self.at.clone(),
            loss_sum: self.loss_sum.double_value(&[]),
            weights: values(self.model.flat()),
            square_avg: values(&self.optimizer.square_avg),
            acc_delta: values(&self.optimizer.acc_delta),
        }
    }
}
