//! Trials of one shape that a device trains at once, each as it would be trained alone.
//!
//! A trial of the paper's size keeps a GPU busy for a fraction of the time that it takes the host to ask for the work.
//! Side by side in lanes, as many trials share each call: weights, gradients and the optimizer's memory are rows of
//! common tensors, and every product is one over a batch of matrices. Seeds, dropout and progress differ from lane to
//! lane; trials come and go at any iteration. Lanes whose steps differ (Adam's by their number, all rules' by a learning
//! rate that changes) take them one after the other: those that begin together stay together.

mod fused;
mod kernels;
mod network;
mod packed;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use efflux_data::Tensors;
use efflux_job::{Backend, Params, Training};
use tch::{Device, Kind, Tensor};

use super::cell::Cell;
use super::device::send;
use super::device_data::DeviceData;
use super::engine::{Engine, Lane};
use super::epoch_plan::EpochPlan;
use super::failure::{TrialError, guarded};
use super::layout::{Layout, Shape};
use super::loss::{self, LossFunction};
use super::masks::{Drawer, Masks};
use super::network::Network;
use super::optimizer::Optimizer;
use super::progress::EpochReport;
use super::torch::Torch;
use super::train::Trainer;
use super::windows::Task;
use kernels::Kernels;

/// Numbers that rows are filled up to a multiple of, so that all begin where products of matrices read fastest.
const ALIGNED: i64 = 32;

/// The lanes of a device.
#[derive(Debug)]
pub struct Lanes<'a> {
    tensors: &'a Tensors,
    training: Training,
    /// What all trials have in common: hidden size and window.
    params: Params,
    shape: Shape,
    device: Device,
    loss_function: LossFunction,
    device_data: Rc<DeviceData>,
    /// Which windows they see, and how they are validated.
    plan: Rc<EpochPlan>,
    weights: Tensor,      // [K, P]: a row is N numbers and zeros behind them
    gradient: Tensor,     // [K, P]
    optimizer: Optimizer, // [K, P]
    loss_sums: Tensor,    // [K], in f64
    norm_sums: Tensor,    // [K], in f64
    /// A trial holds a second reference to that of its lane.
    places: Vec<Rc<()>>,
    /// Draws masks for trials with these shares of dropped weights.
    drawer: Option<(Vec<f64>, Drawer)>,
    /// What a GPU updates all lanes with, where there are kernels for models of this shape.
    kernels: Option<Rc<Kernels>>,
}

impl<'a> Lanes<'a> {
    /// So many lanes for trials like one with these settings (`Trial::is_like`), all empty. They are trained by libtorch,
    /// whatever the job's backend.
    ///
    /// # Errors
    ///
    /// [`TrialError::Memory`] if there is no room for them, [`TrialError::Cell`] if models with this cell, or of several layers, have no lanes.
    pub fn new(
        lanes: usize,
        tensors: &'a Tensors,
        params: &Params,
        training: &Training,
        device: Device,
    ) -> Result<Self, TrialError> {
        let made = guarded(|| {
            let shape = Shape::of(tensors, params);
            if shape.cell != Cell::Lstm || shape.knows_sites() || shape.layers > 1 {
                return Err(TrialError::Cell);
            }
            let (loss_function, site_weights) = loss::of_trial(tensors, training);
            let (window, warm_up) = (
                training.window_days as usize,
                training.warm_up_days as usize,
            );
            let device_data = DeviceData::new(tensors, window, warm_up, &site_weights, device);
            let rows = lanes as i64;
            let width = (shape.weights() + ALIGNED - 1) / ALIGNED * ALIGNED;
            let zeros = || Tensor::zeros([rows, width], (Kind::Float, device));
            let sums = || Tensor::zeros([rows], (Kind::Double, device));
            Ok(Self {
                tensors,
                training: Training {
                    backend: Backend::Torch,
                    ..*training
                },
                params: *params,
                plan: Rc::new(EpochPlan::new(tensors, training)?),
                shape,
                device,
                loss_function,
                device_data: Rc::new(device_data),
                weights: zeros(),
                gradient: zeros(),
                optimizer: Optimizer::of_rows(training, &zeros),
                loss_sums: sums(),
                norm_sums: sums(),
                places: (0..lanes).map(|_| Rc::new(())).collect(),
                drawer: None,
                kernels: kernels(shape, device),
            })
        });
        made.map_err(|error| error.sized(tensors, params, training))
    }

    /// A lane for one trial at a time, where that trains it faster than [`Trainer::new`] would: on a GPU for which there are
    /// kernels.
    ///
    /// # Errors
    ///
    /// Those of [`Lanes::new`].
    pub fn for_one(
        tensors: &'a Tensors,
        params: &Params,
        training: &Training,
        device: Device,
    ) -> Result<Option<Self>, TrialError> {
        if device == Device::Cpu || !Kernels::fit(Shape::of(tensors, params)) {
            return Ok(None);
        }
        let lanes = Self::new(1, tensors, params, training, device)?;
        Ok(lanes.kernels.is_some().then_some(lanes))
    }

    /// A trial before its first iteration, in a lane that is free for as long as the trial lives; none if all are taken.
    /// It must be like the one that the lanes were made for: then dropout, steps and end are its own.
    ///
    /// # Errors
    ///
    /// Those of [`Trainer::new`].
    pub fn begin(
        &self,
        params: &Params,
        training: &Training,
        seed: u64,
    ) -> Result<Option<Trainer<'a>>, TrialError> {
        let is_free = |place: &Rc<()>| Rc::strong_count(place) == 1;
        let Some(index) = self.places.iter().position(is_free) else {
            return Ok(None);
        };
        if training.needs_validation() && self.plan.validation.is_none() {
            return Err(TrialError::NoValidation);
        }
        let training = Training {
            backend: Backend::Torch,
            ..*training
        };
        let lane = Lane {
            index,
            _place: Rc::clone(&self.places[index]),
        };
        let engine = || Ok(Box::new(self.torch(lane, params.dropout, seed)) as Box<dyn Engine>);
        let plan = Rc::clone(&self.plan);
        let (tensors, device) = (self.tensors, self.device);
        Trainer::with(tensors, params, &training, seed, device, plan, engine).map(Some)
    }

    /// A trial whose tensors are rows of the common ones.
    fn torch(&self, lane: Lane, dropout: f64, seed: u64) -> Torch {
        let row = |values: &Tensor| values.get(lane.index as i64);
        let weights = self.shape.weights();
        let own = |values: &Tensor| row(values).narrow(0, 0, weights);
        let initial = Network::initial(self.shape, seed, Kind::Float, self.device);
        let mut model = Network::new(self.shape, own(&self.weights));
        model.flat_mut().copy_(initial.flat());
        let (loss_sum, norm_sum) = (row(&self.loss_sums), row(&self.norm_sums));
        let mut optimizer = self.optimizer.part(own);
        optimizer.forget();
        let mut torch = Torch::of(
            Rc::clone(&self.device_data),
            model,
            optimizer,
            own(&self.gradient),
            [loss_sum, norm_sum],
            self.loss_function,
            dropout,
        );
        torch.set_sums([0.0; 2]);
        torch.lane = Some(lane);
        torch
    }

    /// One iteration of each of these trials, which are all that have a lane here: what [`Trainer::update`] would give each.
    /// Numbers that are not finite show at the end of an epoch.
    ///
    /// # Errors
    ///
    /// [`TrialError::Memory`] and [`TrialError::Torch`] if libtorch reports a failure of what is computed for all at once:
    /// none of them can go on, and any may have been the cause.
    pub fn update(
        &mut self,
        trainers: &mut [&mut Trainer<'a>],
    ) -> Result<Vec<Result<Option<EpochReport>, TrialError>>, TrialError> {
        let done = guarded(|| {
            self.draw_epochs(trainers);
            let epochs: Vec<_> = trainers
                .iter_mut()
                .map(|trainer| trainer.take_epoch())
                .collect();
            let mut tasks: Vec<LaneTask> = Vec::new();
            for (trainer, epoch) in trainers.iter().zip(&epochs) {
                let lane = trainer.engine().lane().ok_or_else(|| {
                    TrialError::Defect("a trial without a lane among those with one".into())
                })?;
                tasks.push(LaneTask {
                    lane: lane.index,
                    dropout: trainer.dropout(),
                    task: trainer.task(epoch),
                });
            }
            tasks.sort_by_key(|task| task.lane);
            let _off = tch::no_grad_guard();
            self.learn(&tasks)?;
            Ok((epochs, self.validate(trainers)?))
        });
        let (epochs, predicted) =
            done.map_err(|error| error.sized(self.tensors, &self.params, &self.training))?;
        let trainers = trainers.iter_mut().zip(epochs.into_iter().zip(predicted));
        Ok(trainers
            .map(|(trainer, (epoch, predicted))| trainer.advance(epoch, predicted))
            .collect())
    }

    /// Draws the windows of trials that begin an epoch, on all processors of this process: for a hundred lanes one would
    /// take a third of the time that a GPU trains an epoch in.
    fn draw_epochs(&self, trainers: &mut [&mut Trainer<'a>]) {
        let (sampler, iterations) = (&self.plan.sampler, self.plan.iterations);
        let mut beginning: Vec<_> = trainers
            .iter_mut()
            .filter_map(|trainer| Some((trainer.begins_epoch()?, trainer, None)))
            .collect();
        if beginning.is_empty() {
            // Nearly always; and the number of processors is read from files.
            return;
        }
        let processors = std::thread::available_parallelism().map_or(1, Into::into);
        let share = beginning.len().div_ceil(processors);
        let mut drawn: Vec<_> = beginning
            .iter_mut()
            .map(|((seed, epoch), _, drawn)| (*seed, *epoch, drawn))
            .collect();
        std::thread::scope(|scope| {
            for share in drawn.chunks_mut(share) {
                scope.spawn(move || {
                    for (seed, epoch, drawn) in share {
                        **drawn = Some(sampler.epoch(*seed, *epoch, iterations));
                    }
                });
            }
        });
        for (_, trainer, drawn) in beginning {
            drawn
                .into_iter()
                .for_each(|drawn| trainer.begin_epoch(drawn));
        }
    }

    /// Gradients and steps.
    fn learn(&mut self, tasks: &[LaneTask<'_>]) -> Result<(), TrialError> {
        let Some(last) = tasks.last() else {
            return Ok(());
        };
        if let Some(kernels) = &self.kernels {
            return fused::learn(kernels, &self.fused(), tasks);
        }
        let lanes = last.lane as i64 + 1;
        let rows = |values: &Tensor| values.narrow(0, 0, lanes);
        let mut gradient = rows(&self.gradient);
        let days = tasks
            .iter()
            .filter_map(|task| task.task.batch.lengths.first());
        if let Some(&days) = days.max() {
            let numbers = Numbers::of(tasks, &self.device_data, self.device);
            let masks = self.masks(tasks, &numbers.states);
            let losses = network::learn(
                self.shape,
                &rows(&self.weights),
                &gradient,
                masks.as_ref(),
                &self.device_data.windows(&numbers.starts, days),
                &numbers.targets,
                self.loss_function,
            );
            let norms = gradient.norm_scalaropt_dim(2, [1].as_slice(), false);
            let _ = rows(&self.loss_sums).g_add_(&losses);
            let _ = rows(&self.norm_sums).g_add_(&norms);
            if let Some(longest) = last.task.clip {
                let factors = ((norms + 1e-6).reciprocal() * longest).clamp_max(1.0);
                let _ = gradient.g_mul_(&factors.unsqueeze(1));
            }
        } else {
            // As torch: the loss of nothing has zero gradient, and the optimizer's means decay.
            let _ = gradient.zero_();
        }
        let is_one = |a: &LaneTask<'_>, b: &LaneTask<'_>| {
            self.optimizer.is_one_step(a.task.step, b.task.step)
        };
        for group in tasks.chunk_by(is_one) {
            let (first, last) = (group[0].lane as i64, group[group.len() - 1].lane as i64);
            let part = |values: &Tensor| values.narrow(0, first, last + 1 - first);
            let step = group[0].task.step;
            let mut weights = part(&self.weights);
            self.optimizer.part(part).step(
                &mut weights,
                &part(&self.gradient),
                step.rate,
                step.number,
            );
        }
        Ok(())
    }

    /// What kernels read and write.
    fn fused(&self) -> fused::LaneTensors<'_> {
        fused::LaneTensors {
            shape: self.shape,
            loss_function: self.loss_function,
            device_data: &self.device_data,
            weights: &self.weights,
            gradient: &self.gradient,
            optimizer: &self.optimizer,
            loss_sums: &self.loss_sums,
            norm_sums: &self.norm_sums,
        }
    }

    /// What validation runs of the trials that end an epoch give, each at the place of its trainer, where kernels run them
    /// all at once.
    fn validate(&self, trainers: &[&mut Trainer<'a>]) -> Result<Vec<Option<Vec<f32>>>, TrialError> {
        let mut found = vec![None; trainers.len()];
        let (Some(kernels), Some(validation)) = (&self.kernels, &self.plan.validation) else {
            return Ok(found);
        };
        let mut ending: Vec<(usize, usize)> = (0..)
            .zip(trainers)
            .filter(|(_, trainer)| trainer.ends_epoch())
            .filter_map(|(place, trainer)| Some((trainer.engine().lane()?.index, place)))
            .collect();
        ending.sort_unstable();
        let lanes: Vec<usize> = ending.iter().map(|(lane, _)| *lane).collect();
        let (starts, lengths) = validation.runs();
        let predicted = fused::simulate(kernels, &self.fused(), &lanes, starts, lengths)?;
        for ((_, place), predicted) in ending.into_iter().zip(predicted) {
            found[place] = Some(predicted);
        }
        Ok(found)
    }

    /// The masks of all lanes up to the last in use.
    fn masks(&mut self, tasks: &[LaneTask<'_>], states: &Tensor) -> Option<Masks> {
        let mut dropouts = vec![0.0; tasks.last()?.lane + 1];
        for task in tasks {
            dropouts[task.lane] = task.dropout;
        }
        if dropouts.iter().all(|&dropout| dropout == 0.0) {
            return None;
        }
        if self
            .drawer
            .as_ref()
            .is_none_or(|(known, _)| *known != dropouts)
        {
            let drawer = Drawer::new(&Layout::of(self.shape), &dropouts, self.device);
            self.drawer = Some((dropouts, drawer));
        }
        self.drawer.as_ref().map(|(_, drawer)| drawer.draw(states))
    }
}

/// The kernels for models of this shape on this device; without them libtorch's own do as well, only slower.
fn kernels(shape: Shape, device: Device) -> Option<Rc<Kernels>> {
    if !device.is_cuda() || !Kernels::fit(shape) {
        return None;
    }
    // The driver is asked for the device that libtorch has made its own in this thread.
    let _ = Tensor::zeros([1], (Kind::Float, device));
    Kernels::of(shape)
        .inspect_err(|reason| tracing::warn!("lanes take several times as long: {reason}"))
        .ok()
}

/// The iteration of the trial in a lane.
struct LaneTask<'t> {
    lane: usize,
    dropout: f64,
    task: Task<'t>,
}

/// What an iteration of all lanes needs of the host, in one transfer. Lanes without a trial, and rows beyond a lane's
/// own, are windows of nothing.
struct Numbers {
    /// First rows of the windows, `[L, B]`.
    starts: Tensor,
    /// States of the streams that masks are drawn from, `[L]`.
    states: Tensor,
    /// Targets of each batch, `[L]`; a number above 0 where there is none.
    targets: Tensor,
}

impl Numbers {
    fn of(tasks: &[LaneTask<'_>], device_data: &DeviceData, device: Device) -> Self {
        let lanes = tasks.last().map_or(0, |task| task.lane + 1);
        let series = tasks.iter().map(|task| task.task.starts.len());
        let series = series.max().unwrap_or_default();
        let width = series + 2;
        let mut numbers = vec![device_data.nowhere(); lanes * width];
        for LaneTask { lane, task, .. } in tasks {
            let row = &mut numbers[lane * width..][..width];
            row[..task.starts.len()].copy_from_slice(task.starts);
            row[series] = task.masks.state().cast_signed();
            row[series + 1] = i64::from(task.batch.targets.max(1));
        }
        let numbers = send(&numbers, device).view([lanes as i64, width as i64]);
        Self {
            starts: numbers.narrow(1, 0, series as i64),
            states: numbers.select(1, series as i64),
            targets: numbers.select(1, series as i64 + 1).to_kind(Kind::Float),
        }
    }
}
