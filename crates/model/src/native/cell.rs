//! What a recurrent cell computes natively.

use std::fmt::Debug;
use std::ops::Range;

use super::aligned::Aligned;
use super::layout::Layout;
use super::level::Level;
use super::run::{Begin, Block};

/// The equations of a cell over blocks of days, and their gradient. It keeps its states, and what the gradient needs of the
/// forward run.
///
/// The head is computed with it, while the outputs are in registers.
pub(super) trait NativeCell: Debug {
    /// Takes over the parameters of its layer, padded; those that dropout may drop times their factors in `masks`, which are without
    /// padding, if there are any.
    fn load(&mut self, weights: &[f32], masks: Option<&[f32]>);

    /// Makes the buffers long enough for a run of this many rows and series.
    fn grow(&mut self, rows: usize, series: usize);

    /// Keeps the states after a run for the next one to begin with.
    ///
    /// * `rows`: of the run; `series`: those whose state is kept.
    fn carry(&mut self, rows: usize, series: usize);

    /// Runs the series over the days of a block, and fills in their predictions, `[rows]`.
    fn forward(&mut self, days: &Days<'_>, begin: Begin, predicted: &mut [f32]);

    /// The output on the days of a block that [`NativeCell::forward`] has just run, `[rows of the block, H]`.
    fn output(&self, block: &Block, output: &mut [f32]);

    /// Prepares the gradient of a run. Its blocks follow, the last one first.
    fn begin_backward(&mut self);

    /// The gradient over the days of a block, where the loss has these slopes by the predictions, `[rows]`.
    fn backward(&mut self, days: &Days<'_>, slopes: &[f32], gradient: Gradient<'_>);

    /// Completes the gradient of its parameters.
    fn end_backward(&self, gradient: &mut [f32]);
}

/// What a cell reads of a block.
#[derive(Debug)]
pub(super) struct Days<'a> {
    pub(super) block: &'a Block,
    /// Series running on each day of the run.
    pub(super) counts: &'a [usize],
    /// What the cell reads, `[rows, H]`, as all buffers of rows with [`PAD`](super::run::PAD) between them.
    pub(super) inputs: &'a [f32],
    pub(super) head: &'a Head,
}

/// What a cell writes of the gradient.
#[derive(Debug)]
pub(super) struct Gradient<'a> {
    /// Of its parameters, added to. That of a weight that dropout may drop still lacks its factor.
    pub(super) cell: &'a mut [f32],
    /// Of the head's weight, in its shape, added to.
    pub(super) head: &'a mut [f32],
    /// Of the cell's inputs on the block's days, `[rows of the block, H]`, to be filled.
    pub(super) inputs: &'a mut [f32],
    /// Of the cell's output by what reads it beside the head, `[rows of the block, H]`, if anything does.
    pub(super) above: Option<&'a [f32]>,
}

/// The layer that makes a prediction of the cell's output.
#[derive(Debug)]
pub(super) struct Head {
    /// `[H]`, or `[B, H]` where series differ.
    pub(super) weight: Aligned,
    pub(super) bias: f32,
    /// H, with its padding.
    pub(super) width: usize,
    /// Whether series differ.
    pub(super) by_series: bool,
}

impl Head {
    /// One of zeros, the same for all series.
    pub(super) fn none(padded: usize) -> Self {
        Self {
            weight: Aligned::zeros(padded),
            bias: 0.0,
            width: padded,
            by_series: false,
        }
    }

    /// Where the weight of a series lies, and its gradient.
    pub(super) fn place(&self, series: usize) -> Range<usize> {
        let first = if self.by_series {
            series * self.width
        } else {
            0
        };
        first..first + self.width
    }
}

/// How a cell is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition {
    /// For a model of this layout.
    pub(super) new: fn(Level, &Layout) -> Box<dyn NativeCell>,
    /// How many `f32` a layer allocates for a run of this many rows and series.
    pub(super) numbers: fn(&Layout, usize, usize) -> usize,
}
