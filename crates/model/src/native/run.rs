//! The rows of a run: series of unequal length, side by side.
//!
//! Rows are (day, series): all series of the first day, then those that are still running on the second, and so on. The
//! series that runs longest comes first, so the running ones are always the first ones.

use std::ops::Range;

use super::aligned::Aligned;
use super::layout::Layout;

/// Keeps rows from lying a power of two apart, which would crowd them into a part of the cache.
pub(super) const PAD: usize = 16;

/// Rows of a block, or a little more.
const BLOCK: usize = 192;

/// What the layers of a model hand to each other in a run. The buffers grow to the largest run and stay.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Series running on each day, and those whose state is wanted after the last.
    pub(super) counts: Vec<usize>,
    pub(super) blocks: Vec<Block>,
    /// `[rows, nx]`: to be filled before a forward run.
    pub(super) inputs: Aligned,
    /// Predictions, `[rows]`.
    pub(super) predicted: Aligned,
    /// Output of the input layer, `[rows, H]`.
    pub(super) activated: Aligned,
    /// What each layer but the last hands to the next, less what dropout takes, `[layers - 1, rows, H]`.
    pub(super) between: Vec<Aligned>,
    /// Gradients of a layer's inputs in a block, those of the layer above, and that of the input layer's bias.
    pub(super) d_inputs: Aligned,
    pub(super) d_above: Aligned,
    pub(super) d_bias: Aligned,
}

/// Some days of a run that are computed together, so that their rows stay in the second-level cache from one step to the
/// next.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) days: Range<usize>,
    /// Row of the first series on the first day.
    pub(super) first: usize,
    pub(super) rows: usize,
}

/// Whether a run begins with a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// With none: it is zero.
    Fresh,
    /// With the one that the run before it left.
    Carried,
}

impl Run {
    /// Makes the buffers long enough for a run.
    ///
    /// * `counts`: series running on each day, and those whose state is wanted after the last.
    pub(super) fn shape(&mut self, layout: &Layout, counts: impl IntoIterator<Item = usize>) {
        self.counts.clear();
        self.counts.extend(counts);
        self.cut();
        let (rows, series) = (self.rows(), self.series());
        let stride = layout.padded + PAD;
        for (buffer, length) in [
            (&mut self.inputs, rows * layout.inputs),
            (&mut self.predicted, rows),
            (&mut self.activated, rows * stride),
            (&mut self.d_inputs, (BLOCK + series) * stride),
            (&mut self.d_above, (BLOCK + series) * stride),
            (&mut self.d_bias, stride),
        ] {
            buffer.grow(length);
        }
        self.between
            .resize_with(layout.layers - 1, Aligned::default);
        for values in &mut self.between {
            values.grow(rows * stride);
        }
    }

    /// How many `f32` a run of this many rows and series allocates.
    pub(super) fn numbers(layout: &Layout, rows: usize, series: usize) -> usize {
        let stride = layout.padded + PAD;
        rows * (layout.inputs + 1 + layout.layers * stride) + 2 * (BLOCK + series) * stride
    }

    /// Day and series of each row.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let days = self.counts.len() - 1;
        (0..days).flat_map(|day| (0..self.counts[day]).map(move |series| (day, series)))
    }

    /// Rows of the run.
    pub(super) fn rows(&self) -> usize {
        self.counts[..self.counts.len() - 1].iter().sum()
    }

    /// Series on the first day.
    pub(super) fn series(&self) -> usize {
        self.counts[0]
    }

    fn cut(&mut self) {
        self.blocks.clear();
        let mut block = Block::default();
        let days = self.counts.len() - 1;
        for (day, count) in self.counts[..days].iter().enumerate() {
            block.rows += count;
            block.days.end = day + 1;
            if block.rows >= BLOCK || day + 1 == days {
                let next = Block {
                    days: day + 1..day + 1,
                    first: block.first + block.rows,
                    rows: 0,
                };
                self.blocks.push(std::mem::replace(&mut block, next));
            }
        }
    }
}
