//! The cell of the LSTM on one day of one series, with the head behind it: its product is taken while the output is in
//! registers.

use super::functions::{sigmoid, tanh};
use crate::native::registers::Registers;

/// One series on one day, `[H]` each.
#[derive(Debug)]
pub(in crate::native) struct Cell<'a> {
    /// cₜ₋₁
    pub(in crate::native) before: &'a [f32],
    /// cₜ
    pub(in crate::native) after: &'a mut [f32],
    /// tanh cₜ
    pub(in crate::native) squashed: &'a mut [f32],
    /// hₜ
    pub(in crate::native) hidden: &'a mut [f32],
}

/// The cell of the LSTM:
///
/// ```text
/// i = σ(zᵢ)   f = σ(z_f)   g = tanh(z_g)   o = σ(zₒ)      z = W_ih·a + b_ih + W_hh·hₜ₋₁ + b_hh
/// cₜ = f ⊙ cₜ₋₁ + i ⊙ g    hₜ = o ⊙ tanh cₜ    y = w·hₜ
/// ```
///
/// * `gates`, `[4H]`: z without its biases, and then i, f, g, o.
/// * `bias`, `[4H]`: b_ih + b_hh; `output`, `[H]`: w. Returns y without its bias.
#[inline(always)]
pub(in crate::native) fn cell_forward<G: Registers>(
    gates: &mut [f32],
    bias: &[f32],
    cell: &mut Cell,
    output: &[f32],
) -> f32 {
    let width = output.len();
    let [i, f, g, o] = four_mut(gates, width);
    let [b_i, b_f, b_g, b_o] = four(bias, width);
    let before = &cell.before[..width];
    let after = &mut cell.after[..width];
    let squashed = &mut cell.squashed[..width];
    let hidden = &mut cell.hidden[..width];
    for u in 0..width {
        i[u] = sigmoid::<G>(i[u] + b_i[u]);
        f[u] = sigmoid::<G>(f[u] + b_f[u]);
        g[u] = tanh::<G>(g[u] + b_g[u]);
        o[u] = sigmoid::<G>(o[u] + b_o[u]);
        after[u] = G::multiply_add(f[u], before[u], i[u] * g[u]);
        squashed[u] = tanh::<G>(after[u]);
        hidden[u] = o[u] * squashed[u];
    }
    let mut sums = [0.0; 8];
    for (hidden, output) in hidden.chunks_exact(8).zip(output.chunks_exact(8)) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum = G::multiply_add(hidden[lane], output[lane], *sum);
        }
    }
    sums.iter().sum()
}

/// One series on one day, backwards, `[H]` each but for the bias.
#[derive(Debug)]
pub(in crate::native) struct CellGradient<'a> {
    /// cₜ₋₁
    pub(in crate::native) before: &'a [f32],
    /// tanh cₜ
    pub(in crate::native) squashed: &'a [f32],
    /// ∂L/∂hₜ by the days after t.
    pub(in crate::native) hidden: &'a [f32],
    /// ∂L/∂cₜ by the days after t, and then ∂L/∂cₜ₋₁.
    pub(in crate::native) cell: &'a mut [f32],
    /// ∂L/∂b, `[4H]`, added to.
    pub(in crate::native) bias: &'a mut [f32],
    /// ∂L/∂w, added to.
    pub(in crate::native) output: &'a mut [f32],
}

/// The gradient of [`cell_forward`], where e = ∂L/∂y and δ is ∂L/∂ of what follows it:
///
/// ```text
/// δh = e·w + δhₜ             δc = δh ⊙ o ⊙ (1 − tanh² cₜ) + δcₜ
/// δzᵢ = δc ⊙ g ⊙ i(1 − i)    δz_f = δc ⊙ cₜ₋₁ ⊙ f(1 − f)
/// δz_g = δc ⊙ i ⊙ (1 − g²)   δzₒ = δh ⊙ tanh cₜ ⊙ o(1 − o)
/// δcₜ₋₁ = δc ⊙ f             δw += e·hₜ
/// ```
///
/// * `gates`, `[4H]`: i, f, g, o, and then δz.
#[inline(always)]
pub(in crate::native) fn cell_backward<G: Registers>(
    gates: &mut [f32],
    cell: &mut CellGradient,
    output: &[f32],
    error: f32,
) {
    let width = output.len();
    let [i, f, g, o] = four_mut(gates, width);
    let [b_i, b_f, b_g, b_o] = four_mut(cell.bias, width);
    let before = &cell.before[..width];
    let squashed = &cell.squashed[..width];
    let later = &cell.hidden[..width];
    let d_cell = &mut cell.cell[..width];
    let d_output = &mut cell.output[..width];
    for u in 0..width {
        let (i_t, f_t, g_t, o_t, s) = (i[u], f[u], g[u], o[u], squashed[u]);
        let d_hidden = G::multiply_add(error, output[u], later[u]);
        let d = G::multiply_add(d_hidden * o_t, 1.0 - s * s, d_cell[u]);
        i[u] = d * g_t * (i_t * (1.0 - i_t));
        f[u] = d * before[u] * (f_t * (1.0 - f_t));
        g[u] = d * i_t * (1.0 - g_t * g_t);
        o[u] = d_hidden * s * (o_t * (1.0 - o_t));
        d_cell[u] = d * f_t;
        d_output[u] = G::multiply_add(error, o_t * s, d_output[u]);
        b_i[u] += i[u];
        b_f[u] += f[u];
        b_g[u] += g[u];
        b_o[u] += o[u];
    }
}

fn four(values: &[f32], width: usize) -> [&[f32]; 4] {
    let (a, rest) = values.split_at(width);
    let (b, rest) = rest.split_at(width);
    let (c, rest) = rest.split_at(width);
    [a, b, c, &rest[..width]]
}

fn four_mut(values: &mut [f32], width: usize) -> [&mut [f32]; 4] {
    let (a, rest) = values.split_at_mut(width);
    let (b, rest) = rest.split_at_mut(width);
    let (c, rest) = rest.split_at_mut(width);
    [a, b, c, &mut rest[..width]]
}
