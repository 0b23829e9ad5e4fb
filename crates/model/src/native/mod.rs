//! The same training without libtorch, for one core of a CPU.
//!
//! At the paper's size an iteration is so small that masks, optimizer and calls cost a general library as much as the
//! products of matrices do. Here weights are kept in the order in which products read them, nothing is allocated after the
//! first iterations, and what one step writes the next one finds in the cache.
//!
//! | file | answers |
//! | --- | --- |
//! | `network` | the equations and their gradient over many series |
//! | `kernels` | what is computed in inner loops |
//! | `aligned` | where they find their numbers |
//! | `level` | how that becomes the processor's instructions: all that is unsafe |
//! | `layout` | where a weight lies |
//! | `lstm` | a model: learns from series, and runs over them |
//! | `optimizer` | what a gradient does to its weights |

mod aligned;
mod kernels;
mod layout;
mod level;
mod lstm;
mod network;
mod optimizer;

use tch::{Device, Kind};

use self::aligned::Aligned;
pub use self::level::Level;
pub use self::lstm::NativeLstm;
pub use self::optimizer::NativeOptimizer;
use super::device::values;
use super::engine::Task;
use super::failure::TrialError;
use super::loss::Form;
use super::lstm::{Lstm, Shape};
use super::resident;
use super::windows::Batch;
use efflux_data::Tensors;
use efflux_job as job;
use efflux_numerics::random::Stream;
use efflux_numerics::single;

/// A trial in training: model, optimizer, data.
#[derive(Debug)]
pub(super) struct Native {
    pub(super) model: NativeLstm,
    pub(super) optimizer: NativeOptimizer,
    /// Of losses and of lengths of gradients.
    pub(super) sums: [f64; 2],
    dropout: f64,
    masks: Aligned,
    form: Form,
    warm_up: usize,
    /// `[S·D, nx]`
    inputs: Vec<f32>,
    /// `[S·D]`, NaN where there is none.
    target: Vec<f32>,
    days: usize,
    /// What an error weighs at each site, `[S]`.
    site_weights: Vec<f32>,
}

impl Native {
    pub(super) fn new(
        tensors: &Tensors,
        params: &job::Params,
        training: &job::Training,
        seed: u64,
        (form, site_weights): (Form, Vec<f32>),
        level: Level,
    ) -> Result<Self, TrialError> {
        let shape = Shape::of(tensors, params);
        let hidden = params.hidden_size as usize;
        let days = (params.window_days + training.warm_up_days) as usize;
        let numbers = NativeLstm::numbers(shape, level, tensors.sites * days, tensors.sites);
        let data = tensors.sites * tensors.days * (tensors.dynamic + tensors.statics + 1);
        has_room(numbers + data)?;
        let masked = if params.dropout > 0.0 {
            8 * hidden * hidden
        } else {
            0
        };
        let initial = Lstm::initial(shape, seed, Kind::Float, Device::Cpu);
        Ok(Self {
            model: NativeLstm::new(shape, &values(initial.flat()), level),
            optimizer: NativeOptimizer::new(training, shape, level),
            sums: [0.0; 2],
            dropout: params.dropout,
            masks: Aligned::zeros(masked),
            form,
            warm_up: training.warm_up_days as usize,
            inputs: resident::rows(tensors),
            target: tensors.target.clone(),
            days: tensors.days,
            site_weights,
        })
    }

    /// See `Engine::update`.
    pub(super) fn update(&mut self, task: Task<'_>) -> bool {
        let Task {
            starts,
            batch,
            mut masks,
            step,
        } = task;
        if batch.targets == 0 {
            // As torch: the loss of nothing has zero gradient, and the optimizer's means decay.
            self.model.forget_gradient();
        } else {
            let loss = self.learn(starts, batch, &mut masks);
            let norm = self.model.gradient_norm();
            self.sums[0] += loss;
            self.sums[1] += norm;
            if !(loss + norm).is_finite() {
                return false;
            }
            let factor = step.clip.map_or(1.0, |longest| longest / (norm + 1e-6));
            if factor < 1.0 {
                self.model.scale_gradient(factor);
            }
        }
        self.optimizer.step(&mut self.model, step.rate, step.number);
        true
    }

    /// The gradient of a batch that holds a target; returns the loss.
    fn learn(&mut self, starts: &[i64], batch: &Batch, stream: &mut Stream) -> f64 {
        let masks = (self.dropout > 0.0).then(|| {
            let level = self.model.level();
            level.draw_masks(stream, self.dropout, &mut self.masks);
            &self.masks[..]
        });
        let (target, weights, form) = (&self.target, &self.site_weights, self.form);
        let (days, warm_up, count) = (self.days, self.warm_up, f64::from(batch.targets));
        let mut loss = 0.0;
        self.model
            .gather(&self.inputs, starts, &batch.lengths, 0..batch.lengths[0]);
        self.model.learn(masks, &mut |day, series, predicted| {
            let row = row(starts[series]) + day;
            if target[row].is_nan() || day < warm_up {
                return 0.0;
            }
            let weight = f64::from(weights[row / days]) / count;
            let (part, slope) = form.of(f64::from(predicted) - f64::from(target[row]));
            loss += weight * part;
            single(weight * slope)
        });
        loss
    }

    /// See `Engine::simulate`.
    pub(super) fn simulate(
        &mut self,
        starts: &[i64],
        lengths: &[usize],
        each: &mut dyn FnMut(usize, usize, f32),
    ) {
        self.model.simulate(&self.inputs, starts, lengths, each);
    }
}

/// Asks for the memory of so many numbers, and gives it back. An allocation in the middle of an update could only end the
/// process.
fn has_room(numbers: usize) -> Result<(), TrialError> {
    let mut probe = Vec::<f32>::new();
    probe.try_reserve_exact(numbers).map_err(|_| {
        let megabytes = numbers.saturating_mul(size_of::<f32>()) / 1_000_000;
        TrialError::Memory(format!("there are no {megabytes} MB"))
    })
}

/// A row of the data.
fn row(start: i64) -> usize {
    usize::try_from(start).expect("rows are counted from 0")
}
