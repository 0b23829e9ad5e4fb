//! The steps of the optimizers.

use crate::native::registers::Registers;

/// One step of Adadelta; `memory` is its two running means.
#[inline(always)]
pub(in crate::native) fn adadelta<G: Registers>(
    weights: &mut [f32],
    gradient: &[f32],
    memory: [&mut [f32]; 2],
    rate: f32,
) {
    const KEPT: f32 = 0.9;
    const EPSILON: f32 = 1e-6;
    let [square_avg, acc_delta] = memory;
    let means = square_avg.iter_mut().zip(acc_delta);
    for ((weight, &g), (v, u)) in weights.iter_mut().zip(gradient).zip(means) {
        *v = G::multiply_add(1.0 - KEPT, g * g - *v, *v);
        let delta = ((*u + EPSILON) / (*v + EPSILON)).sqrt() * g;
        *u = G::multiply_add(1.0 - KEPT, delta * delta - *u, *u);
        *weight -= rate * delta;
    }
}

/// What a step of Adam depends on besides the gradient.
#[derive(Clone, Copy, Debug)]
pub(in crate::native) struct AdamStep {
    /// The learning rate over 1 − β₁ⁿ.
    pub(in crate::native) rate: f32,
    /// √(1 − β₂ⁿ)
    pub(in crate::native) scale: f32,
    /// What is left of a weight after its decay.
    pub(in crate::native) kept: f32,
}

/// One step of Adam or AdamW; `memory` is its two running means.
#[inline(always)]
pub(in crate::native) fn adam<G: Registers>(
    weights: &mut [f32],
    gradient: &[f32],
    memory: [&mut [f32]; 2],
    step: AdamStep,
) {
    let [exp_avg, exp_avg_sq] = memory;
    let means = exp_avg.iter_mut().zip(exp_avg_sq);
    for ((weight, &g), (m, v)) in weights.iter_mut().zip(gradient).zip(means) {
        *m = G::multiply_add(0.1, g - *m, *m);
        *v = G::multiply_add(0.001, g * g - *v, *v);
        let delta = step.rate * (*m / (v.sqrt() / step.scale + 1e-8));
        *weight = *weight * step.kept - delta;
    }
}
