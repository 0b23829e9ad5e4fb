//! What a gradient does to the weights.

use tch::{Device, Kind, Tensor};

/// Adadelta with torch's defaults: learning rate 1, no weight decay.
///
/// All tensors are flat and of equal length; a step is ten operations in place over the whole model, however many
/// parameters it has.
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

/// Share of the running means that a step keeps.
const RHO: f64 = 0.9;
/// Keeps the first steps from being zero.
const EPSILON: f64 = 1e-6;

impl Adadelta {
    /// The state before the first step of a model with this many weights.
    pub fn new(weights: i64, kind: Kind, device: Device) -> Self {
        let zeros = || Tensor::zeros([weights], (kind, device));
        Self {
            square_avg: zeros(),
            acc_delta: zeros(),
            square: zeros(),
            delta: zeros(),
        }
    }

    /// One step: `v ← ρv + (1−ρ)g²`, `d = √((u+ε)/(v+ε))·g`, `u ← ρu + (1−ρ)d²`, `w ← w − d`.
    ///
    /// `weights` and `gradient` are `[N]` and do not require a gradient themselves.
    pub fn step(&mut self, weights: &mut Tensor, gradient: &Tensor) {
        let Self {
            square_avg,
            acc_delta,
            square,
            delta,
        } = self;
        let _ = gradient.square_out(square);
        let _ = square_avg.lerp_(square, 1.0 - RHO);
        let _ = square_avg.add_scalar_out(square, EPSILON);
        let _ = acc_delta.add_scalar_out(delta, EPSILON);
        let _ = delta.g_div_(square);
        let _ = delta.sqrt_();
        let _ = delta.g_mul_(gradient);
        let _ = delta.square_out(square);
        let _ = acc_delta.lerp_(square, 1.0 - RHO);
        let _ = weights.g_sub_(delta);
    }
}
