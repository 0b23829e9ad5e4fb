//! The optimizers with libtorch: how a gradient changes the weights.
//!
//! All tensors are flat and of equal length: a step is about ten operations in place over the whole model, however many
//! parameters it has.

use efflux_job as job;
use tch::{Device, Kind, Tensor};

/// What a step depends on besides the gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// The learning rate.
    pub(super) rate: f64,
    /// Counted from 1.
    pub(super) number: u64,
}

/// The rule of a trial and its memory.
#[derive(Debug)]
pub enum Optimizer {
    /// Needs no learning rate.
    Adadelta(Adadelta),
    /// With or without weight decay.
    Adam(Adam),
}

/// What torch calls the two running means.
pub(super) const ADADELTA_NAMES: [&str; 2] = ["square_avg", "acc_delta"];
/// What torch calls the two running means.
pub(super) const ADAM_NAMES: [&str; 2] = ["exp_avg", "exp_avg_sq"];

impl Optimizer {
    /// The state before the first step of a model with this many weights.
    pub fn new(training: &job::Training, weights: i64, kind: Kind, device: Device) -> Self {
        Self::of_rows(training, &|| Tensor::zeros([weights], (kind, device)))
    }

    /// The same without weight decay of any but the first `weights`.
    #[must_use]
    pub fn decaying(self, weights: i64) -> Self {
        match self {
            Self::Adadelta(_) => self,
            Self::Adam(rule) => Self::Adam(Adam {
                decaying: Some(weights),
                ..rule
            }),
        }
    }

    /// The same for several models, whose weights have the shape of `zeros`.
    pub(super) fn of_rows(training: &job::Training, zeros: &dyn Fn() -> Tensor) -> Self {
        let adam = |decay| Self::Adam(Adam::new(decay, zeros));
        match training.optimizer {
            job::Optimizer::Adadelta => Self::Adadelta(Adadelta::new(zeros)),
            job::Optimizer::Adam => adam(0.0),
            job::Optimizer::AdamW { decay } => adam(decay.unwrap_or(DECAY)),
        }
    }

    /// The optimizer of some of the weights. Its running means are views of those of all weights.
    pub(super) fn part(&self, part: impl Fn(&Tensor) -> Tensor) -> Self {
        match self {
            Self::Adadelta(rule) => Self::Adadelta(Adadelta {
                square_avg: part(&rule.square_avg),
                acc_delta: part(&rule.acc_delta),
                square: part(&rule.square),
                delta: part(&rule.delta),
            }),
            Self::Adam(rule) => Self::Adam(Adam {
                exp_avg: part(&rule.exp_avg),
                exp_avg_sq: part(&rule.exp_avg_sq),
                decay: rule.decay,
                decaying: rule.decaying,
                scale: part(&rule.scale),
                delta: part(&rule.delta),
            }),
        }
    }

    /// The weight decay; 0 for a rule without.
    pub(super) fn decay(&self) -> f64 {
        match self {
            Self::Adadelta(_) => 0.0,
            Self::Adam(rule) => rule.decay,
        }
    }

    /// Whether this rule makes the same of two steps.
    pub(super) fn is_one_step(&self, one: Step, other: Step) -> bool {
        match self {
            Self::Adadelta(_) => one.rate == other.rate,
            Self::Adam(_) => one == other,
        }
    }

    /// One step, the `number`th from 1. `weights` and `gradient` are `[N]` and do not require a gradient themselves.
    pub fn step(&mut self, weights: &mut Tensor, gradient: &Tensor, rate: f64, number: u64) {
        match self {
            Self::Adadelta(rule) => rule.step(weights, gradient, rate),
            Self::Adam(rule) => rule.step(weights, gradient, rate, number),
        }
    }

    /// Its running means, `[N]` each, with torch's names.
    pub fn state(&self) -> [(&'static str, &Tensor); 2] {
        match self {
            Self::Adadelta(rule) => [
                (ADADELTA_NAMES[0], &rule.square_avg),
                (ADADELTA_NAMES[1], &rule.acc_delta),
            ],
            Self::Adam(rule) => [
                (ADAM_NAMES[0], &rule.exp_avg),
                (ADAM_NAMES[1], &rule.exp_avg_sq),
            ],
        }
    }

    /// Takes over what [`Optimizer::state`] gave, in its order.
    pub(super) fn remember(&mut self, state: &[Vec<f32>; 2]) {
        for (tensor, values) in self.memory_mut().into_iter().zip(state) {
            tensor.copy_(&Tensor::from_slice(values));
        }
    }

    /// Sets the running means to zero, as before the first step.
    pub(super) fn forget(&mut self) {
        for tensor in self.memory_mut() {
            let _ = tensor.zero_();
        }
    }

    fn memory_mut(&mut self) -> [&mut Tensor; 2] {
        match self {
            Self::Adadelta(rule) => [&mut rule.square_avg, &mut rule.acc_delta],
            Self::Adam(rule) => [&mut rule.exp_avg, &mut rule.exp_avg_sq],
        }
    }
}

/// Adadelta with torch's defaults and no weight decay.
///
/// # Source
///
/// Zeiler (2012), *ADADELTA: an adaptive learning rate method*, arXiv:1212.5701; `torch.optim.Adadelta`.
#[derive(Debug)]
pub struct Adadelta {
    /// Running mean of squared gradients, `[N]`.
    pub square_avg: Tensor,
    /// Running mean of squared steps, `[N]`.
    pub acc_delta: Tensor,
    square: Tensor,
    delta: Tensor,
}

/// Share of the running means that a step of Adadelta keeps.
const RHO: f64 = 0.9;
/// Keeps the first steps of Adadelta from being zero.
const ADADELTA_EPSILON: f64 = 1e-6;

impl Adadelta {
    fn new(zeros: &dyn Fn() -> Tensor) -> Self {
        Self {
            square_avg: zeros(),
            acc_delta: zeros(),
            square: zeros(),
            delta: zeros(),
        }
    }

    /// `v ← ρv + (1−ρ)g²`, `d = √((u+ε)/(v+ε))·g`, `u ← ρu + (1−ρ)d²`, `w ← w − rate·d`.
    fn step(&mut self, weights: &mut Tensor, gradient: &Tensor, rate: f64) {
        let Self {
            square_avg,
            acc_delta,
            square,
            delta,
        } = self;
        let _ = gradient.square_out(square);
        let _ = square_avg.lerp_(square, 1.0 - RHO);
        let _ = square_avg.add_scalar_out(square, ADADELTA_EPSILON);
        let _ = acc_delta.add_scalar_out(delta, ADADELTA_EPSILON);
        let _ = delta.g_div_(square);
        let _ = delta.sqrt_();
        let _ = delta.g_mul_(gradient);
        let _ = delta.square_out(square);
        let _ = acc_delta.lerp_(square, 1.0 - RHO);
        #[allow(clippy::float_cmp)] // 1 is the default, to the bit.
        if rate != 1.0 {
            let _ = delta.g_mul_scalar_(rate);
        }
        let _ = weights.g_sub_(delta);
    }
}

/// Adam with torch's defaults; with a decay other than 0 it is AdamW.
///
/// # Source
///
/// Kingma and Ba (2015), *Adam: a method for stochastic optimization*, arXiv:1412.6980; Loshchilov and Hutter (2019),
/// *Decoupled weight decay regularization*, arXiv:1711.05101; `torch.optim.Adam`, `torch.optim.AdamW`.
#[derive(Debug)]
pub struct Adam {
    /// Running mean of gradients, `[N]`.
    pub exp_avg: Tensor,
    /// Running mean of squared gradients, `[N]`.
    pub exp_avg_sq: Tensor,
    decay: f64,
    /// The first weights, which alone decay, if not all do.
    decaying: Option<i64>,
    scale: Tensor,
    delta: Tensor,
}

/// Shares of Adam's running means that a step keeps.
pub(super) const BETAS: [f64; 2] = [0.9, 0.999];
/// Keeps Adam from dividing by zero.
const ADAM_EPSILON: f64 = 1e-8;
/// AdamW's weight decay unless given.
pub(super) const DECAY: f64 = 0.01;

/// What Adam divides a running mean by at a step, because it began at zero.
pub(super) fn correction(beta: f64, number: u64) -> f64 {
    // After 10⁵ steps a correction is 1 to the last bit, so a step number that is cut off changes nothing.
    1.0 - beta.powi(i32::try_from(number).unwrap_or(i32::MAX))
}

impl Adam {
    fn new(decay: f64, zeros: &dyn Fn() -> Tensor) -> Self {
        Self {
            exp_avg: zeros(),
            exp_avg_sq: zeros(),
            decay,
            decaying: None,
            scale: zeros(),
            delta: zeros(),
        }
    }

    /// `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`, `w ← w − rate·decay·w − rate·m̂ / (√v̂ + ε)`, where m̂ and v̂ are
    /// divided by `1−βⁿ` at step n.
    fn step(&mut self, weights: &mut Tensor, gradient: &Tensor, rate: f64, number: u64) {
        let Self {
            exp_avg,
            exp_avg_sq,
            decay,
            decaying,
            scale,
            delta,
        } = self;
        let [first, second] = BETAS.map(|beta| correction(beta, number));
        let _ = exp_avg.lerp_(gradient, 1.0 - BETAS[0]);
        let _ = gradient.square_out(scale);
        let _ = exp_avg_sq.lerp_(scale, 1.0 - BETAS[1]);
        let _ = exp_avg_sq.sqrt_out(scale);
        let _ = scale.g_div_scalar_(second.sqrt());
        let _ = scale.g_add_scalar_(ADAM_EPSILON);
        let _ = exp_avg.divide_out(delta, scale);
        let _ = delta.g_mul_scalar_(rate / first);
        if *decay > 0.0 {
            let mut decaying = match decaying {
                None => weights.shallow_clone(),
                Some(count) => weights.narrow(0, 0, *count),
            };
            let _ = decaying.g_mul_scalar_(1.0 - rate * *decay);
        }
        let _ = weights.g_sub_(delta);
    }
}
