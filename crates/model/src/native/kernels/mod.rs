//! What is computed in inner loops.
//!
//! Everything is `f32`, padded with zeros to a multiple of the level's width.
//!
//! | file | answers |
//! | --- | --- |
//! | `product` | products of matrices |
//! | `functions` | the functions of a cell's gates |
//! | `lstm` | the cell of the LSTM |
//! | `steps` | the steps of the optimizers |

mod functions;
mod lstm;
mod product;
mod steps;

use efflux_numerics::random::Stream;

pub(super) use self::lstm::{Cell, CellGradient, cell_backward, cell_forward};
pub(super) use self::product::{Panels, Product, Rows, multiply, transpose};
pub(super) use self::steps::{AdamStep, adadelta, adam};
use super::registers::Registers;
use crate::masks;

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
