//! The training loop: draw, forward, loss, backward, clip, step; after each epoch validate and report; checkpoint.

mod validation;
use std::rc::Rc;
use std::time::{Duration, Instant};

use efflux_analysis::measures::NSE;
use efflux_data::Tensors;
use efflux_job::{Keep, Params, Training};
use efflux_numerics::random::{Purpose, Stream};
use tch::{Device, Tensor};

use super::checkpoint::{Checkpoint, Position};
use super::engine::Engine;
use super::epoch_plan::{EpochPlan, Speed};
use super::failure::{TrialError, guarded};
use super::network::Network;
use super::optimizer::Step;
use super::predict::Trained;
use super::progress::{EpochReport, Flow};
use super::windows::{Epoch, Task};
use super::{backend, device};

/// How often a long epoch reports on itself, unless told otherwise.
const PACE: Duration = Duration::from_secs(1);

/// One trial in training.
#[derive(Debug)]
pub struct Trainer<'a> {
    tensors: &'a Tensors,
    training: Training,
    params: Params,
    seed: u64,
    device: Device,
    plan: Rc<EpochPlan>,
    pace: Duration,
    engine: Box<dyn Engine>,
    at: Position,
    /// The windows of the epoch at hand, once it was begun here.
    epoch: Option<Epoch>,
    speed: Speed,
    /// Weights of the best epoch so far, `[N]`, if they are to be kept.
    best: Option<Vec<f32>>,
}

impl<'a> Trainer<'a> {
    /// A trial before its first iteration.
    ///
    /// What becomes of it depends on these arguments alone (on the CPU; `device` and `training.threads` included).
    ///
    /// # Errors
    ///
    /// [`TrialError::Window`] if the windows do not fit into the calendar; [`TrialError::NoValidation`] if the job's
    /// rules need a validation score and no site gives one; [`TrialError::Backend`] if they want native training on a GPU;
    /// [`TrialError::Memory`] if there is no room for the data.
    pub fn new(
        tensors: &'a Tensors,
        params: &Params,
        training: &Training,
        seed: u64,
        device: Device,
    ) -> Result<Self, TrialError> {
        let engine = || backend::engine(tensors, params, training, seed, device);
        let plan = Rc::new(EpochPlan::new(tensors, training)?);
        Self::with(tensors, params, training, seed, device, plan, engine)
    }

    /// The same with another engine than its own.
    pub(super) fn with(
        tensors: &'a Tensors,
        params: &Params,
        training: &Training,
        seed: u64,
        device: Device,
        plan: Rc<EpochPlan>,
        engine: impl FnOnce() -> Result<Box<dyn Engine>, TrialError>,
    ) -> Result<Self, TrialError> {
        device::set_threads(training.threads);
        let made = guarded(|| {
            Ok(Self {
                tensors,
                training: *training,
                params: *params,
                seed,
                device,
                plan,
                pace: PACE,
                engine: engine()?,
                at: Position::default(),
                epoch: None,
                speed: Speed::begin(),
                best: None,
            })
        });
        made.map_err(|error| error.sized(tensors, params, training))
    }

    /// The same trial where a checkpoint left it.
    ///
    /// # Errors
    ///
    /// [`TrialError::Checkpoint`] if the checkpoint is of a model of another shape, of another optimizer or of a longer
    /// training.
    pub fn restore(mut self, checkpoint: &Checkpoint) -> Result<Self, TrialError> {
        let (shape, epochs) = (self.engine.shape(), self.training.epochs);
        let names = self.engine.memory().map(|(name, _)| name);
        checkpoint.check(shape, names, epochs, self.plan.iterations)?;
        guarded(|| {
            self.engine.restore(&checkpoint.weights, &checkpoint.memory);
            self.engine
                .set_sums([checkpoint.loss_sum, checkpoint.norm_sum]);
            self.best.clone_from(&checkpoint.best);
            self.at = checkpoint.at.clone();
            Ok(self)
        })
    }

    /// The same trial, looked at this often within an epoch.
    pub fn observed_every(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Trains to the end. `observe` is called after each epoch and about once a second in between.
    ///
    /// # Errors
    ///
    /// Those of [`Trainer::update`], and [`TrialError::Interrupted`] if `observe` says so.
    pub fn run(
        mut self,
        observe: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Trained, TrialError> {
        let mut shown = Instant::now();
        let mut look = |progress: &Progress| {
            guarded(|| match observe(progress) {
                Flow::Continue => Ok(()),
                Flow::Stop => Err(TrialError::Interrupted),
            })
        };
        while !self.is_over() {
            if shown.elapsed() >= self.pace {
                shown = Instant::now();
                look(&self.progress(None))?;
            }
            if let Some(finished) = self.update()? {
                shown = Instant::now();
                look(&self.progress(Some(finished)))?;
            }
        }
        self.finish()
    }

    /// One iteration; with the last one of an epoch, that epoch's scores.
    ///
    /// # Errors
    ///
    /// [`TrialError::Diverged`] as soon as a loss or weight is not finite (on a GPU: after that epoch),
    /// [`TrialError::NoTarget`] after an epoch without a target, [`TrialError::Memory`] and [`TrialError::Torch`] if
    /// libtorch reports a failure. None of them leaves a trial that could go on.
    pub fn update(&mut self) -> Result<Option<EpochReport>, TrialError> {
        let windows = self.caught(|this| {
            let windows = this.take_epoch();
            let task = this.task(&windows);
            if this.learn(task) {
                Ok(windows)
            } else {
                Err(this.diverged())
            }
        })?;
        self.advance(windows, None)
    }

    /// Predicts the windows of an iteration, takes the gradient of the loss and changes the weights. False if the numbers
    /// are known not to be finite.
    fn learn(&mut self, task: Task<'_>) -> bool {
        let Task {
            starts,
            batch,
            mut masks,
            step,
            clip,
        } = task;
        let engine = &mut *self.engine;
        if batch.targets > 0 {
            engine.forward(starts, batch, &mut masks);
            engine.loss(starts, batch);
            engine.backward();
            if !engine.clip(clip) {
                return false;
            }
        } else {
            // As torch: the loss of nothing has zero gradient, and the optimizer's means decay.
            engine.zero_gradient();
        }
        engine.step(step);
        true
    }

    /// Whether all epochs are done, or as many without a better score as patience allows.
    pub fn is_over(&self) -> bool {
        let impatient = match (self.training.patience, self.at.best) {
            (Some(patience), Some((best, _))) => self.at.epoch - best >= patience,
            (Some(patience), None) => self.at.epoch >= patience,
            (None, _) => false,
        };
        self.at.epoch >= self.training.epochs || impatient
    }

    /// The engine of this trial.
    pub(super) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// The share of weights that it drops.
    pub(super) fn dropout(&self) -> f64 {
        self.params.dropout
    }

    /// Work in which libtorch may fail.
    fn caught<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, TrialError>,
    ) -> Result<T, TrialError> {
        let (tensors, params, training) = (self.tensors, self.params, self.training);
        guarded(|| work(self)).map_err(|error| error.sized(tensors, &params, &training))
    }

    /// The windows of the current epoch, which are drawn if it was not begun here.
    pub(super) fn take_epoch(&mut self) -> Epoch {
        if let Some((seed, epoch)) = self.begins_epoch() {
            let drawn = self.plan.sampler.epoch(seed, epoch, self.plan.iterations);
            self.begin_epoch(drawn);
        }
        self.epoch.take().unwrap_or_default()
    }

    /// The seed and the number of an epoch whose windows are yet to be drawn.
    pub(super) fn begins_epoch(&self) -> Option<(u64, u32)> {
        self.epoch.is_none().then_some((self.seed, self.at.epoch))
    }

    /// Begins an epoch with the windows that were drawn for it.
    pub(super) fn begin_epoch(&mut self, drawn: Epoch) {
        self.engine.begin_epoch(&drawn.starts);
        self.speed = Speed::begin();
        self.epoch = Some(drawn);
    }

    /// Whether the iteration at hand is the last of its epoch.
    pub(super) fn ends_epoch(&self) -> bool {
        self.at.iteration + 1 == self.plan.iterations
    }

    /// The next iteration: windows, masks, step.
    pub(super) fn task<'e>(&self, windows: &'e Epoch) -> Task<'e> {
        let Position {
            epoch, iteration, ..
        } = self.at;
        let batch = &windows.batches[iteration as usize];
        Task {
            starts: &windows.starts[batch.rows.clone()],
            batch,
            masks: Stream::new(self.seed, Purpose::Masks, epoch, iteration),
            step: Step {
                rate: self.training.rate(epoch, iteration, self.plan.iterations),
                number: self.updates() + 1,
            },
            clip: self.training.clip_norm,
        }
    }

    /// Counts an iteration that is done, of the epoch with these windows; after the last one, sums the epoch up, with what
    /// the validation runs gave if they were made already.
    pub(super) fn advance(
        &mut self,
        windows: Epoch,
        predicted: Option<Vec<f32>>,
    ) -> Result<Option<EpochReport>, TrialError> {
        let batch = &windows.batches[self.at.iteration as usize];
        if batch.targets > 0 {
            self.at.batches += 1;
            self.at.windows += batch.rows.len() as u64;
        }
        self.at.iteration += 1;
        self.speed.count();
        if self.at.iteration < self.plan.iterations {
            self.epoch = Some(windows);
            return Ok(None);
        }
        self.caught(|this| this.finish_epoch(predicted.as_deref()))
            .map(Some)
    }

    /// The epoch's only wait for the device.
    fn finish_epoch(&mut self, predicted: Option<&[f32]>) -> Result<EpochReport, TrialError> {
        if self.at.batches == 0 {
            let epoch = self.at.epoch + 1;
            return Err(TrialError::NoTarget { epoch });
        }
        let batches = f64::from(self.at.batches);
        let [loss, gradient_norm] = self.engine.sums().map(|sum| sum / batches);
        let weights = self.engine.weights();
        let finite = weights.iter().all(|weight| weight.is_finite());
        if !loss.is_finite() || !gradient_norm.is_finite() || !finite {
            return Err(self.diverged());
        }
        let iterations_per_second = self.speed.per_second();
        let validation = self
            .plan
            .validation
            .as_ref()
            .map(|runs| runs.score(&mut *self.engine, self.tensors, predicted))
            .unwrap_or_default();
        let at = &mut self.at;
        let drawn = u64::from(self.plan.iterations) * self.plan.sampler.windows() as u64;
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
        self.engine.set_sums([0.0; 2]);
        if let Some(score) = validation[NSE]
            && self.training.needs_validation()
            && self.at.best.is_none_or(|(_, best)| score > best)
        {
            self.at.best = Some((self.at.epoch, score));
            self.best = (self.training.keep == Keep::Best).then_some(weights);
        }
        Ok(report)
    }

    /// What has been trained, when it is over.
    ///
    /// # Errors
    ///
    /// [`TrialError::Memory`] and [`TrialError::Torch`] if libtorch reports a failure.
    pub fn finish(self) -> Result<Trained, TrialError> {
        let (tensors, params, training) = (self.tensors, self.params, self.training);
        let trained = guarded(|| Ok(self.trained()));
        trained.map_err(|error| error.sized(tensors, &params, &training))
    }

    fn trained(self) -> Trained {
        let updates = self.updates();
        let (weights, epoch) = match (self.best, self.at.best) {
            (Some(weights), Some((epoch, _))) => (weights, epoch),
            _ => (self.engine.weights(), self.at.epoch),
        };
        let flat = Tensor::from_slice(&weights).to_device(self.device);
        let shape = self.engine.shape();
        Trained {
            model: Network::new(shape, flat),
            params: self.params,
            training: self.training,
            level: backend::native_level(&self.training, shape.cell, self.device)
                .ok()
                .flatten(),
            epoch,
            updates,
            window_share: self.at.windows as f64
                / (updates * self.plan.sampler.windows() as u64) as f64,
            losses: self.at.losses,
        }
    }

    fn diverged(&self) -> TrialError {
        TrialError::Diverged {
            epoch: self.at.epoch + 1,
        }
    }

    fn updates(&self) -> u64 {
        u64::from(self.at.epoch) * u64::from(self.plan.iterations) + u64::from(self.at.iteration)
    }

    /// How far it is; `finished` is the epoch that has just been finished, if one has.
    pub fn progress(&self, finished: Option<EpochReport>) -> Progress<'_> {
        Progress {
            epoch: self.at.epoch,
            iteration: self.at.iteration,
            epochs: self.training.epochs,
            iterations: self.plan.iterations,
            loss: self.at.losses.last().copied(),
            finished,
            trainer: self,
        }
    }

    /// What it is trained on, as it enters a record.
    pub fn describe(&self) -> String {
        let device = backend::describe(self.device, &self.training);
        format!("{device}{}", self.engine.note())
    }

    /// All that is needed to go on from here. Waits for the device.
    pub fn checkpoint(&self) -> Checkpoint {
        let [(first, first_values), (second, second_values)] = self.engine.memory();
        let [loss_sum, norm_sum] = self.engine.sums();
        Checkpoint {
            shape: self.engine.shape(),
            device: self.describe(),
            at: self.at.clone(),
            loss_sum,
            norm_sum,
            weights: self.engine.weights(),
            memory_names: [first.to_owned(), second.to_owned()],
            memory: [first_values, second_values],
            best: self.best.clone(),
        }
    }
}

/// A training between two iterations.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Epochs finished.
    pub epoch: u32,
    /// Iterations done of the epoch after them.
    pub iteration: u32,
    /// Epochs in all, if patience does not end.
    pub epochs: u32,
    /// Iterations of each epoch.
    pub iterations: u32,
    /// Mean loss of the epoch last finished, scaled units.
    pub loss: Option<f64>,
    /// The epoch that has just been finished; absent in the middle of one.
    pub finished: Option<EpochReport>,
    trainer: &'a Trainer<'a>,
}

impl Progress<'_> {
    /// Whether nothing is left to be trained.
    pub fn is_over(&self) -> bool {
        self.trainer.is_over()
    }

    /// All that is needed to go on from here, bit for bit. Waits for the device.
    pub fn checkpoint(&self) -> Checkpoint {
        self.trainer.checkpoint()
    }
}
