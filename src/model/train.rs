//! The training loop.

use std::time::{Duration, Instant};

use tch::{Device, Kind, Tensor};

use super::checkpoint::Checkpoint;
use super::device::{self, values};
use super::failure::{TrialError, guarded};
use super::loss::{self, Form, batch_loss};
use super::lstm::{Lstm, Shape};
use super::masks::Masks;
use super::optimizer::Optimizer;
use super::progress::{EpochReport, Flow, Position, Progress, Trained};
use super::random::{Purpose, Stream};
use super::resident::Resident;
use super::validation::Validation;
use super::windows::{self, Batch, Sampler};
use crate::data::{Tensors, iterations_per_epoch};
use crate::job::{Keep, Params, Training};

/// How often a long epoch lets itself be looked at, unless told otherwise.
const PACE: Duration = Duration::from_secs(1);

/// What a call of the LSTM costs on a CPU, in days of a window: see `benches/results`.
const CALL: usize = 60;

/// One trial in training.
#[derive(Debug)]
pub struct Trainer<'a> {
    tensors: &'a Tensors,
    training: Training,
    params: Params,
    seed: u64,
    device: Device,
    iterations: u32,
    pace: Duration,
    sampler: Sampler,
    resident: Resident,
    form: Form,
    validation: Option<Validation>,
    model: Lstm,
    optimizer: Optimizer,
    gradient: Tensor, // [N]
    at: Position,
    /// Sums over this epoch's batches, on the device and in f64: they are read once an epoch.
    loss_sum: Tensor,
    norm_sum: Tensor,
    /// Weights of the best epoch so far, `[N]`, if they are to be kept.
    best: Option<Tensor>,
}

impl<'a> Trainer<'a> {
    /// A trial before its first iteration.
    ///
    /// What becomes of it depends on these arguments alone (on the CPU; `device` and `training.threads` included).
    ///
    /// # Errors
    ///
    /// [`TrialError::Window`] if the windows do not fit into the calendar; [`TrialError::NoValidation`] if the job's
    /// rules need a validation score and no site gives one; [`TrialError::Memory`] if there is no room for the data.
    pub fn new(
        tensors: &'a Tensors,
        params: &Params,
        training: &Training,
        seed: u64,
        device: Device,
    ) -> Result<Self, TrialError> {
        let (window, warm_up) = (params.window_days as usize, training.warm_up_days as usize);
        let (sites, days) = (tensors.sites, tensors.days);
        let iterations = iterations_per_epoch(sites, days, sites, window, warm_up)
            .filter(|_| window + warm_up < days)
            .ok_or(TrialError::Window {
                window: params.window_days + training.warm_up_days,
                days,
            })?;
        device::set_threads(training.threads);
        let shape = Shape {
            inputs: (tensors.dynamic + tensors.statics) as i64,
            hidden: i64::from(params.hidden_size),
        };
        let (form, site_weights) = loss::of_trial(tensors, training);
        let made = guarded(|| {
            let zero = || Tensor::zeros([], (Kind::Double, device));
            Ok(Self {
                tensors,
                training: *training,
                params: *params,
                seed,
                device,
                iterations,
                pace: PACE,
                sampler: Sampler::new(tensors, window, warm_up, training.sampler),
                resident: Resident::new(tensors, window, warm_up, &site_weights, device),
                form,
                validation: Validation::new(tensors, window + warm_up, device),
                model: Lstm::initial(shape, seed, Kind::Float, device),
                optimizer: Optimizer::new(training, shape.weights(), Kind::Float, device),
                gradient: Tensor::zeros([shape.weights()], (Kind::Float, device)),
                at: Position::default(),
                loss_sum: zero(),
                norm_sum: zero(),
                best: None,
            })
        });
        let trainer = made.map_err(|error| error.sized(tensors, params, training))?;
        if training.needs_validation() && trainer.validation.is_none() {
            return Err(TrialError::NoValidation);
        }
        Ok(trainer)
    }

    /// The same trial where a checkpoint left it.
    ///
    /// # Errors
    ///
    /// [`TrialError::Checkpoint`] if the checkpoint is of a model of another shape, of another optimizer or of a longer
    /// training.
    pub fn restore(mut self, checkpoint: &Checkpoint) -> Result<Self, TrialError> {
        let refused = |reason: String| Err(TrialError::Checkpoint(reason));
        let Position {
            epoch, iteration, ..
        } = checkpoint.at;
        let (found, shape) = (checkpoint.shape, self.model.shape());
        if found != shape {
            return refused(format!("of a model of {found:?}, not {shape:?}"));
        }
        if epoch > self.training.epochs || iteration >= self.iterations {
            return refused(format!(
                "epoch {epoch}, iteration {iteration} is beyond {} epochs of {} iterations",
                self.training.epochs, self.iterations
            ));
        }
        let names = self.optimizer.state().map(|(name, _)| name);
        if checkpoint.memory_names != names {
            return refused(format!(
                "holds {:?} of the optimizer, not {names:?}",
                checkpoint.memory_names
            ));
        }
        guarded(|| {
            let flat = |values: &[f32]| Tensor::from_slice(values).to_device(self.device);
            self.model = Lstm::new(checkpoint.shape, flat(&checkpoint.weights));
            self.best = checkpoint.best.as_deref().map(flat);
            self.optimizer.remember(&checkpoint.memory);
            let _ = self.loss_sum.fill_(checkpoint.loss_sum);
            let _ = self.norm_sum.fill_(checkpoint.norm_sum);
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
    /// [`TrialError::Diverged`] as soon as a loss or weight is not finite (on a GPU: after that epoch),
    /// [`TrialError::NoTarget`] after an epoch without a target, [`TrialError::Interrupted`] if `observe` says so,
    /// [`TrialError::Memory`] and [`TrialError::Torch`] if libtorch reports a failure.
    pub fn run(
        mut self,
        observe: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Trained, TrialError> {
        let (tensors, params, training) = (self.tensors, self.params, self.training);
        let trained = guarded(move || {
            let mut shown = Instant::now();
            while !self.is_over() {
                let mut pace = Pace::begin();
                let epoch = self
                    .sampler
                    .epoch(self.seed, self.at.epoch, self.iterations);
                let starts = Tensor::from_slice(&epoch.starts).to_device(self.device);
                while self.at.iteration < self.iterations {
                    if shown.elapsed() >= self.pace {
                        shown = Instant::now();
                        self.show(None, observe)?;
                    }
                    self.update(&starts, &epoch.batches[self.at.iteration as usize])?;
                    self.at.iteration += 1;
                    pace.iterations += 1;
                }
                let finished = self.finish_epoch(&pace)?;
                shown = Instant::now();
                self.show(Some(finished), observe)?;
            }
            Ok(self.finish())
        });
        trained.map_err(|error| error.sized(tensors, &params, &training))
    }

    /// Whether all epochs are done, or as many without a better score as patience allows.
    fn is_over(&self) -> bool {
        let impatient = match (self.training.patience, self.at.best) {
            (Some(patience), Some((best, _))) => self.at.epoch - best >= patience,
            (Some(patience), None) => self.at.epoch >= patience,
            (None, _) => false,
        };
        self.at.epoch >= self.training.epochs || impatient
    }

    /// One iteration: windows, masks, forward, loss, gradient, step.
    fn update(&mut self, starts: &Tensor, batch: &Batch) -> Result<(), TrialError> {
        if batch.targets == 0 {
            // As torch: the loss of nothing has zero gradient, and the optimizer's means decay.
            let _ = self.gradient.zero_();
        } else {
            let loss = self.loss(starts, batch);
            self.model.gradient(&loss, &self.gradient);
            let norm = self.gradient.norm();
            let _ = self.loss_sum.g_add_(&loss.detach());
            let _ = self.norm_sum.g_add_(&norm);
            // Reading a number back from a GPU would make the host wait for it: there, the end of the epoch tells.
            if self.device == Device::Cpu {
                let sum = loss.double_value(&[]) + norm.double_value(&[]);
                if !sum.is_finite() {
                    return Err(self.diverged());
                }
            }
            if let Some(longest) = self.training.clip_norm {
                let factor = ((norm + 1e-6).reciprocal() * longest).clamp_max(1.0);
                let _ = self.gradient.g_mul_(&factor);
            }
            self.at.batches += 1;
            self.at.windows += batch.rows.len() as u64;
        }
        let (rate, number) = (
            self.training.learning_rate(self.at.epoch),
            self.updates() + 1,
        );
        self.optimizer
            .step(self.model.flat_mut(), &self.gradient, rate, number);
        Ok(())
    }

    /// The loss of a batch that holds a target.
    fn loss(&self, starts: &Tensor, batch: &Batch) -> Tensor {
        let masks = self.masks();
        // On a GPU, rows that have ended cost less than a second call.
        let call = if self.device == Device::Cpu {
            CALL
        } else {
            1 << 40
        };
        let pieces = windows::pieces(&batch.lengths, call);
        let gathered = pieces
            .iter()
            .map(|piece| self.resident.gather(starts, batch, piece));
        batch_loss(
            &self.model,
            masks.as_ref(),
            self.form,
            gathered,
            batch.targets,
        )
    }

    fn masks(&self) -> Option<Masks> {
        let dropout = self.params.dropout;
        (dropout > 0.0).then(|| {
            let Position {
                epoch, iteration, ..
            } = self.at;
            let mut stream = Stream::new(self.seed, Purpose::Masks, epoch, iteration);
            Masks::draw(&mut stream, self.model.shape(), dropout, self.device)
        })
    }

    /// The epoch's only wait for the device.
    fn finish_epoch(&mut self, pace: &Pace) -> Result<EpochReport, TrialError> {
        if self.at.batches == 0 {
            let epoch = self.at.epoch + 1;
            return Err(TrialError::NoTarget { epoch });
        }
        let batches = f64::from(self.at.batches);
        let loss = self.loss_sum.double_value(&[]) / batches;
        let gradient_norm = self.norm_sum.double_value(&[]) / batches;
        let finite = self.model.flat().isfinite().all().int64_value(&[]) == 1;
        if !loss.is_finite() || !gradient_norm.is_finite() || !finite {
            return Err(self.diverged());
        }
        let iterations_per_second = pace.per_second();
        let validation = self
            .validation
            .as_ref()
            .map(|runs| runs.score(&self.model, &self.resident, self.tensors))
            .unwrap_or_default();
        let at = &mut self.at;
        let drawn = u64::from(self.iterations) * self.tensors.sites as u64;
        let report = EpochReport {
            epoch: at.epoch + 1,
            loss,
            gradient_norm,
            learning_rate: self.training.learning_rate(at.epoch),
            window_share: (at.windows - at.windows_before) as f64 / drawn as f64,
            iterations_per_second,
            validation,
        };
        at.epoch += 1;
        at.iteration = 0;
        at.batches = 0;
        at.windows_before = at.windows;
        at.losses.push(loss);
        let _ = self.loss_sum.zero_();
        let _ = self.norm_sum.zero_();
        if let Some(score) = validation.nse
            && self.training.needs_validation()
            && self.at.best.is_none_or(|(_, best)| score > best)
        {
            self.at.best = Some((self.at.epoch, score));
            self.best = (self.training.keep == Keep::Best).then(|| self.model.flat().copy());
        }
        Ok(report)
    }

    fn finish(self) -> Trained {
        let updates = self.updates();
        let (model, epoch) = match (self.best, self.at.best) {
            (Some(weights), Some((epoch, _))) => (Lstm::new(self.model.shape(), weights), epoch),
            _ => (self.model, self.at.epoch),
        };
        Trained {
            model,
            epoch,
            updates,
            window_share: self.at.windows as f64 / (updates * self.tensors.sites as u64) as f64,
            losses: self.at.losses,
        }
    }

    fn diverged(&self) -> TrialError {
        TrialError::Diverged {
            epoch: self.at.epoch + 1,
        }
    }

    fn updates(&self) -> u64 {
        u64::from(self.at.epoch) * u64::from(self.iterations) + u64::from(self.at.iteration)
    }

    fn show(
        &self,
        finished: Option<EpochReport>,
        observe: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<(), TrialError> {
        let progress = Progress {
            epoch: self.at.epoch,
            iteration: self.at.iteration,
            epochs: self.training.epochs,
            iterations: self.iterations,
            loss: self.at.losses.last().copied(),
            finished,
            trainer: self,
        };
        match observe(&progress) {
            Flow::Continue => Ok(()),
            Flow::Stop => Err(TrialError::Interrupted),
        }
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        let memory = self.optimizer.state();
        Checkpoint {
            shape: self.model.shape(),
            device: device::describe(self.device, self.training.threads),
            at: self.at.clone(),
            loss_sum: self.loss_sum.double_value(&[]),
            norm_sum: self.norm_sum.double_value(&[]),
            weights: values(self.model.flat()),
            memory_names: memory.map(|(name, _)| name.to_owned()),
            memory: memory.map(|(_, tensor)| values(tensor)),
            best: self.best.as_ref().map(values),
        }
    }
}

/// How fast iterations go, for people.
struct Pace {
    since: Instant,
    iterations: u32,
}

impl Pace {
    fn begin() -> Self {
        Self {
            since: Instant::now(),
            iterations: 0,
        }
    }

    fn per_second(&self) -> f64 {
        f64::from(self.iterations) / self.since.elapsed().as_secs_f64().max(f64::EPSILON)
    }
}
