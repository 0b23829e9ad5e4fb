//! Trials of one shape that a device trains at once, each as it would be trained alone.
//!
//! A trial of the paper's size keeps a GPU busy for a fraction of the time that it takes the host to ask for the work.
//! Side by side in lanes, as many trials share each call: weights, gradients and the optimizer's memory are rows of
//! common tensors, and every product is one over a batch of matrices. Seeds, dropout and progress differ from lane to
//! lane; trials come and go at any iteration. Lanes whose steps differ (Adam's by their number, all rules' by a learning
//! rate that changes) take them one after the other: those that begin together stay together.

mod network;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use efflux_data::Tensors;
use efflux_job::{Backend, Params, Training};
use tch::{Device, Kind, Tensor};

use super::device::send;
use super::engine::{Engine, Task};
use super::failure::{TrialError, guarded};
use super::loss::{self, Form};
use super::lstm::{Lstm, Shape};
use super::masks::{Drawer, Masks};
use super::optimizer::Optimizer;
use super::progress::EpochReport;
use super::resident::Resident;
use super::torch::{Lane, Torch};
use super::train::{Rules, Trainer};

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
    form: Form,
    resident: Rc<Resident>,
    /// Which windows they see, and how they are validated.
    rules: Rc<Rules>,
    weights: Tensor,      // [K, P]: a row is N numbers and zeros behind them
    gradient: Tensor,     // [K, P]
    optimizer: Optimizer, // [K, P]
    loss_sums: Tensor,    // [K], in f64
    norm_sums: Tensor,    // [K], in f64
    /// A trial holds a second reference to that of its lane.
    places: Vec<Rc<()>>,
    /// Draws masks for trials with these shares of dropped weights.
    drawer: Option<(Vec<f64>, Drawer)>,
}

impl<'a> Lanes<'a> {
    /// So many lanes for trials with the hidden size and the window of `params`, all empty. They are trained by libtorch,
    /// whatever the job's backend.
    ///
    /// # Errors
    ///
    /// [`TrialError::Memory`] if there is no room for them.
    pub fn new(
        lanes: usize,
        tensors: &'a Tensors,
        params: &Params,
        training: &Training,
        device: Device,
    ) -> Result<Self, TrialError> {
        let made = guarded(|| {
            let shape = Shape::of(tensors, params);
            let (form, site_weights) = loss::of_trial(tensors, training);
            let (window, warm_up) = (params.window_days as usize, training.warm_up_days as usize);
            let resident = Resident::new(tensors, window, warm_up, &site_weights, device);
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
                rules: Rc::new(Rules::new(tensors, params, training)?),
                shape,
                device,
                form,
                resident: Rc::new(resident),
                weights: zeros(),
                gradient: zeros(),
                optimizer: Optimizer::of_rows(training, &zeros),
                loss_sums: sums(),
                norm_sums: sums(),
                places: (0..lanes).map(|_| Rc::new(())).collect(),
                drawer: None,
            })
        });
        made.map_err(|error| error.sized(tensors, params, training))
    }

    /// A trial before its first iteration, in a lane that is free for as long as the trial lives; none if all are taken.
    /// Its hidden size and window must be those of the lanes.
    ///
    /// # Errors
    ///
    /// Those of [`Trainer::new`].
    pub fn begin(&self, dropout: f64, seed: u64) -> Result<Option<Trainer<'a>>, TrialError> {
        let is_free = |place: &Rc<()>| Rc::strong_count(place) == 1;
        let Some(index) = self.places.iter().position(is_free) else {
            return Ok(None);
        };
        let params = Params {
            dropout,
            ..self.params
        };
        let lane = Lane {
            index,
            _place: Rc::clone(&self.places[index]),
        };
        let engine = || Ok(Engine::Torch(Box::new(self.torch(lane, dropout, seed))));
        let rules = Rc::clone(&self.rules);
        let (tensors, training) = (self.tensors, &self.training);
        Trainer::with(tensors, &params, training, seed, self.device, rules, engine).map(Some)
    }

    /// A trial whose tensors are rows of the common ones.
    fn torch(&self, lane: Lane, dropout: f64, seed: u64) -> Torch {
        let row = |values: &Tensor| values.get(lane.index as i64);
        let weights = self.shape.weights();
        let own = |values: &Tensor| row(values).narrow(0, 0, weights);
        let initial = Lstm::initial(self.shape, seed, Kind::Float, self.device);
        let mut model = Lstm::new(self.shape, own(&self.weights));
        model.flat_mut().copy_(initial.flat());
        let (loss_sum, norm_sum) = (row(&self.loss_sums), row(&self.norm_sums));
        let mut optimizer = self.optimizer.part(own);
        optimizer.forget();
        let mut torch = Torch::of(
            Rc::clone(&self.resident),
            model,
            optimizer,
            own(&self.gradient),
            [loss_sum, norm_sum],
            self.form,
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
            let epochs: Vec<_> = trainers
                .iter_mut()
                .map(|trainer| trainer.take_epoch())
                .collect();
            let mut tasks: Vec<LaneTask> = Vec::new();
            for (trainer, epoch) in trainers.iter().zip(&epochs) {
                let (lane, dropout) = trainer.lane().ok_or_else(|| {
                    TrialError::Defect("a trial without a lane among those with one".into())
                })?;
                tasks.push(LaneTask {
                    lane,
                    dropout,
                    task: trainer.task(epoch),
                });
            }
            tasks.sort_by_key(|task| task.lane);
            let _off = tch::no_grad_guard();
            self.learn(&tasks);
            Ok(epochs)
        });
        let epochs =
            done.map_err(|error| error.sized(self.tensors, &self.params, &self.training))?;
        let trainers = trainers.iter_mut().zip(epochs);
        Ok(trainers
            .map(|(trainer, epoch)| trainer.advance(epoch))
            .collect())
    }

    /// Gradients and steps.
    fn learn(&mut self, tasks: &[LaneTask<'_>]) {
        let Some(last) = tasks.last() else { return };
        let lanes = last.lane as i64 + 1;
        let rows = |values: &Tensor| values.narrow(0, 0, lanes);
        let mut gradient = rows(&self.gradient);
        let days = tasks
            .iter()
            .filter_map(|task| task.task.batch.lengths.first());
        if let Some(&days) = days.max() {
            let numbers = Numbers::of(tasks, &self.resident, self.device);
            let masks = self.masks(tasks, &numbers.states);
            let losses = network::learn(
                self.shape,
                &rows(&self.weights),
                &gradient,
                masks.as_ref(),
                &self.resident.windows(&numbers.starts, days),
                &numbers.targets,
                self.form,
            );
            let norms = gradient.norm_scalaropt_dim(2, [1].as_slice(), false);
            let _ = rows(&self.loss_sums).g_add_(&losses);
            let _ = rows(&self.norm_sums).g_add_(&norms);
            if let Some(longest) = last.task.step.clip {
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
            let drawer = Drawer::new(self.shape, &dropouts, self.device);
            self.drawer = Some((dropouts, drawer));
        }
        self.drawer.as_ref().map(|(_, drawer)| drawer.draw(states))
    }
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
    fn of(tasks: &[LaneTask<'_>], resident: &Resident, device: Device) -> Self {
        let lanes = tasks.last().map_or(0, |task| task.lane + 1);
        let series = tasks.iter().map(|task| task.task.starts.len());
        let series = series.max().unwrap_or_default();
        let width = series + 2;
        let mut numbers = vec![resident.nowhere(); lanes * width];
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
