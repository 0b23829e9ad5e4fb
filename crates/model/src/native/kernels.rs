//! What is computed in inner loops: products of matrices, the cell of the LSTM, the steps of the optimizers.
//!
//! Everything is `f32`, padded with zeros to a multiple of the level's width.

use efflux_numerics::random::Stream;

use super::level::{Registers, tile};
use crate::masks;

/// `c = a · b`, or `c += a · b`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product<'a> {
    pub(super) a: Rows<'a>,
    pub(super) b: Panels<'a>,
    /// Rows of a and c.
    pub(super) rows: usize,
    /// Columns of a, rows of b.
    pub(super) depth: usize,
    /// Distance of the rows of c.
    pub(super) c_row: usize,
    /// Whether c is added to.
    pub(super) add: bool,
}

impl Product<'_> {
    /// The same product, added to what is there.
    pub(super) fn added(self) -> Self {
        Self { add: true, ..self }
    }
}

/// A matrix whose element (i, k) lies at `i · row + k · step`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    pub(super) values: &'a [f32],
    pub(super) row: usize,
    pub(super) step: usize,
}

/// A matrix cut into panels of the level's width: element (k, j) of panel p lies at `p · panel + k · row + j`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panels<'a> {
    pub(super) values: &'a [f32],
    pub(super) count: usize,
    pub(super) panel: usize,
    pub(super) row: usize,
}

/// Rows of b that are multiplied at a time, so that they stay in a near cache while all rows of a pass.
const DEPTH: usize = 256;

/// Multiplies two matrices. What is added up, and in which order, does not depend on the number of rows.
#[inline(always)]
pub(super) fn multiply<G: Registers>(product: Product, c: &mut [f32]) {
    let Product {
        a,
        b,
        rows,
        depth,
        c_row,
        add,
    } = product;
    if depth == 0 && !add {
        for row in 0..rows {
            c[row * c_row..][..b.count * G::WIDTH].fill(0.0);
        }
    }
    // Tiles of as equal a height as can be.
    let tiles = rows.div_ceil(G::ROWS);
    for first in (0..depth).step_by(DEPTH) {
        let depth = DEPTH.min(depth - first);
        let add = add || first > 0;
        for panel in 0..b.count {
            let factors = (&b.values[panel * b.panel + first * b.row..], b.row);
            let mut row = 0;
            for tile in 0..tiles {
                let height = (rows - row).div_ceil(tiles - tile);
                let series = (&a.values[row * a.row + first * a.step..], a.row, a.step);
                let sums = (&mut c[row * c_row + panel * G::WIDTH..], c_row);
                of_height::<G>(height, depth, series, factors, sums, add);
                row += height;
            }
        }
    }
}

#[inline(always)]
fn of_height<G: Registers>(
    height: usize,
    depth: usize,
    a: (&[f32], usize, usize),
    b: (&[f32], usize),
    c: (&mut [f32], usize),
    add: bool,
) {
    macro_rules! heights {
        ($($rows:literal)*) => {
            match (height, G::COLUMNS) {
                $(($rows, 2) => tile::<G, $rows, 2>(depth, a, b, c, add),)*
                $(($rows, 4) => tile::<G, $rows, 4>(depth, a, b, c, add),)*
                _ => unreachable!("a tile has 1 to 6 rows of 2 or 4 vectors"),
            }
        };
    }
    heights!(1 2 3 4 5 6);
}

/// A square of the level's width with its rows as columns.
#[inline(always)]
pub(super) fn transpose<G: Registers>(square: &[f32], transposed: &mut [f32]) {
    // Small blocks, whose columns are gathered in registers.
    const BLOCK: usize = 4;
    let width = G::WIDTH;
    for row in (0..width).step_by(BLOCK) {
        for column in (0..width).step_by(BLOCK) {
            let block: [[f32; BLOCK]; BLOCK] = std::array::from_fn(|i| {
                let values = &square[(row + i) * width + column..][..BLOCK];
                std::array::from_fn(|j| values[j])
            });
            for j in 0..BLOCK {
                let values = &mut transposed[(column + j) * width + row..][..BLOCK];
                values.copy_from_slice(&std::array::from_fn::<_, BLOCK, _>(|i| block[i][j]));
            }
        }
    }
}

/// The sum of squares.
#[inline(always)]
pub(super) fn sum_of_squares<G: Registers>(values: &[f32]) -> f64 {
    // Enough sums side by side that none waits for the one before it.
    const SUMS: usize = 32;
    let mut sums = [0.0; SUMS];
    let (rows, rest) = values.as_chunks::<SUMS>();
    for row in rows {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    let rest: f64 = rest.iter().map(|&value| f64::from(value).powi(2)).sum();
    sums.iter().sum::<f64>() + rest
}

/// [`masks::fill`].
#[inline(always)]
pub(super) fn draw_masks<G: Registers>(stream: &mut Stream, dropout: f64, factors: &mut [f32]) {
    masks::fill(stream, dropout, factors);
}

/// `max(values + bias, 0)` in each row; a NaN stays one.
#[inline(always)]
pub(super) fn rectify<G: Registers>(values: &mut [f32], bias: &[f32]) {
    for row in values.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            let sum = *value + bias;
            *value = if sum < 0.0 { 0.0 } else { sum };
        }
    }
}

/// The gradient before [`rectify`] from the one behind it, and its sum over the rows for the bias.
#[inline(always)]
pub(super) fn rectify_backward<G: Registers>(
    gradient: &mut [f32],
    values: &[f32],
    bias: &mut [f32],
) {
    let width = bias.len();
    for (gradient, values) in gradient
        .chunks_exact_mut(width)
        .zip(values.chunks_exact(width))
    {
        for ((gradient, &value), bias) in gradient.iter_mut().zip(values).zip(bias.iter_mut()) {
            *gradient = if value > 0.0 { *gradient } else { 0.0 };
            *bias += *gradient;
        }
    }
}

/// One series on one day, `[H]` each.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    /// cₜ₋₁
    pub(super) before: &'a [f32],
    /// cₜ
    pub(super) after: &'a mut [f32],
    /// tanh cₜ
    pub(super) squashed: &'a mut [f32],
    /// hₜ
    pub(super) hidden: &'a mut [f32],
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
pub(super) fn cell_forward<G: Registers>(
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
pub(super) struct CellGradient<'a> {
    /// cₜ₋₁
    pub(super) before: &'a [f32],
    /// tanh cₜ
    pub(super) squashed: &'a [f32],
    /// ∂L/∂hₜ by the days after t.
    pub(super) hidden: &'a [f32],
    /// ∂L/∂cₜ by the days after t, and then ∂L/∂cₜ₋₁.
    pub(super) cell: &'a mut [f32],
    /// ∂L/∂b, `[4H]`, added to.
    pub(super) bias: &'a mut [f32],
    /// ∂L/∂w, added to.
    pub(super) output: &'a mut [f32],
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
pub(super) fn cell_backward<G: Registers>(
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

/// 1 / (1 + e⁻ˣ), to 1.2·10⁻⁷.
#[inline(always)]
fn sigmoid<G: Registers>(x: f32) -> f32 {
    1.0 / (2.0 + exp_m1::<G>(-x))
}

/// tanh x = (e²ˣ − 1) / (e²ˣ + 1), to 1.5·10⁻⁷.
#[inline(always)]
fn tanh<G: Registers>(x: f32) -> f32 {
    let e = exp_m1::<G>(2.0 * x);
    e / (e + 2.0)
}

/// eˣ − 1 with x cut to ±87; a NaN stays one.
///
/// # Source
///
/// Range reduction by Cody and Waite (1980), *Software manual for the elementary functions*; the Taylor polynomial of degree 7,
/// whose remainder at ln 2 / 2 is below half a unit in the last place.
#[inline(always)]
fn exp_m1<G: Registers>(x: f32) -> f32 {
    /// Added to a number below 2²², it leaves the nearest integer in the last bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2, in a part with few bits and the rest.
    const LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = if x > 87.0 { 87.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let rounded = G::multiply_add(x, std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = G::multiply_add(-n, LN2[0], x);
    let r = G::multiply_add(-n, LN2[1], r);
    let mut p = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5] {
        p = G::multiply_add(p, r, factor);
    }
    let q = G::multiply_add(p * r, r, r); // eʳ − 1
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(0x3f80_0000)); // 2ⁿ
    G::multiply_add(q, power, power - 1.0)
}

/// One step of Adadelta; `memory` is its two running means.
#[inline(always)]
pub(super) fn adadelta<G: Registers>(
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
pub(super) struct AdamStep {
    /// The learning rate over 1 − β₁ⁿ.
    pub(super) rate: f32,
    /// √(1 − β₂ⁿ)
    pub(super) scale: f32,
    /// What is left of a weight after its decay.
    pub(super) kept: f32,
}

/// One step of Adam or AdamW; `memory` is its two running means.
#[inline(always)]
pub(super) fn adam<G: Registers>(
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

#[cfg(test)]
mod tests {
    use super::super::level::Level;
    use super::*;
    use efflux_numerics::random::Purpose;

    fn values(count: usize) -> Vec<f32> {
        let mut stream = Stream::new(1, Purpose::Weights, 2, 3);
        (0..count)
            .map(|_| stream.below(1000) as f32 / 500.0 - 1.0)
            .collect()
    }

    #[test]
    fn a_square_is_transposed_at_every_level() {
        for level in Level::here() {
            let width = level.width();
            let square = values(width * width);
            let mut transposed = vec![0.0; width * width];
            level.transpose(&square, &mut transposed);
            for (place, value) in transposed.iter().enumerate() {
                assert_eq!(*value, square[place % width * width + place / width]);
            }
        }
    }

    #[test]
    fn every_level_draws_the_same_masks_and_adds_up_the_same_squares() {
        for count in [0, 1, 31, 32, 33, 1000] {
            let expected: f64 = values(count).iter().map(|&v| f64::from(v).powi(2)).sum();
            let mut found = Vec::new();
            for level in Level::here() {
                let mut factors = vec![0.0; count];
                let mut stream = Stream::new(4, Purpose::Masks, 5, 6);
                level.draw_masks(&mut stream, 0.35, &mut factors);
                found.push((
                    factors,
                    stream.bits(),
                    level.sum_of_squares(&values(count)).to_bits(),
                ));
                let sum = level.sum_of_squares(&values(count));
                assert!((sum - expected).abs() <= 1e-12 * expected, "{count}: {sum}");
            }
            found.dedup();
            assert_eq!(found.len(), 1, "{count}");
        }
    }
}
