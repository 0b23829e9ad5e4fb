//! The model's equations and their gradient, over many series of unequal length.
//!
//! Rows are (day, series): all series of the first day, then those that are still running on the second, and so on. The
//! series that runs longest comes first, so the running ones are always the first ones.
//!
//! # Source
//!
//! The equations are those of `model::lstm`; their gradient is backpropagation through time, Werbos (1990), *Proc. IEEE*
//! 78(10).

use std::ops::Range;

use super::aligned::Aligned;
use super::kernels::{Cell, CellGradient, Panels, Product, Rows};
use super::layout::{GATES, Layout};
use super::level::Level;

/// Keeps rows from lying a power of two apart, which would crowd them into a part of the cache.
const PAD: usize = 16;

/// A model ready to be run: its weights, less those that are dropped, in the order in which products read them.
#[derive(Debug)]
pub(super) struct Network {
    level: Level,
    layout: Layout,
    /// Input layer, `[nx, H]`, and its bias.
    w_in: Aligned,
    b_in: Aligned,
    /// b_ih + b_hh, `[4H]`.
    bias: Aligned,
    /// W_ih and W_hh as factors of a row of H values, `[H, 4H]` in panels.
    to_gates: [Aligned; 2],
    /// The same as factors of a row of 4H gradients, `[4H, H]` in panels.
    from_gates: [Aligned; 2],
    w_out: Aligned,
    b_out: f32,
    /// Room for a row of weights on its way.
    row: Aligned,
}

/// What a run leaves for its gradient, and for the next run. The buffers grow to the largest run and stay.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Series running on each day, and those whose state is wanted after the last.
    counts: Vec<usize>,
    blocks: Vec<Block>,
    /// `[rows, nx]`: to be filled before [`Network::forward`].
    pub(super) inputs: Aligned,
    /// Predictions, `[rows]`.
    pub(super) predicted: Aligned,
    /// Output of the input layer, `[rows, H]`.
    activated: Aligned,
    /// i, f, g, o, and after [`Network::backward`] their gradients, `[rows, 4H]`.
    gates: Aligned,
    /// hₜ₋₁ and cₜ₋₁, `[rows + series, H]`: after the rows, the states after the last day.
    hidden: Aligned,
    cell: Aligned,
    /// tanh cₜ, `[rows, H]`.
    squashed: Aligned,
    /// Gradients of the input layer's output in a block, of the state, `[series, H]`, and of the input layer's bias.
    d_activated: Aligned,
    d_hidden: Aligned,
    d_cell: Aligned,
    d_b_in: Aligned,
    /// Where a series that has ended writes its state.
    nowhere: [Aligned; 2],
}

/// Some days of a run that are computed together, so that their rows stay in the second-level cache from one step to the
/// next.
#[derive(Clone, Debug, Default)]
struct Block {
    days: Range<usize>,
    /// Row of the first series on the first day.
    first: usize,
    rows: usize,
}

/// Rows of a block, or a little more.
const BLOCK: usize = 192;

/// Whether a run begins with a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// With none: it is zero.
    Fresh,
    /// With the one that the run before it left.
    Carried,
}

impl Network {
    pub(super) fn new(level: Level, layout: Layout) -> Self {
        let Layout { inputs, padded, .. } = layout;
        let square = || Aligned::zeros(GATES * padded * padded);
        Self {
            level,
            layout,
            w_in: Aligned::zeros(inputs * padded),
            b_in: Aligned::zeros(padded + PAD),
            bias: Aligned::zeros(GATES * padded),
            to_gates: [square(), square()],
            from_gates: [square(), square()],
            w_out: Aligned::zeros(padded),
            b_out: 0.0,
            row: Aligned::zeros(padded),
        }
    }

    /// Takes over these weights, each of the LSTM's times its factor in `masks`, `[2 · 4H · H]`, if there are any.
    pub(super) fn load(&mut self, weights: &[f32], masks: Option<&[f32]>) {
        let Layout { hidden, padded, .. } = self.layout;
        let width = self.level.width();
        let parts = self.layout.parts(weights);
        self.w_in.copy_from_slice(parts.w_in);
        self.b_in[..padded].copy_from_slice(parts.b_in);
        self.w_out.copy_from_slice(parts.w_out);
        self.b_out = parts.b_out[0];
        for ((sum, a), b) in self.bias.iter_mut().zip(parts.b_ih).zip(parts.b_hh) {
            *sum = a + b;
        }
        for (half, source) in [parts.w_ih, parts.w_hh].into_iter().enumerate() {
            let (to, from) = (&mut self.to_gates[half], &mut self.from_gates[half]);
            for (gate, unit) in self.layout.gate_units() {
                let place = gate * padded + unit;
                let row = &mut self.row;
                row.copy_from_slice(&source[place * padded..][..padded]);
                if let Some(masks) = masks {
                    let first = ((half * GATES + gate) * hidden + unit) * hidden;
                    for (weight, factor) in row.iter_mut().zip(&masks[first..][..hidden]) {
                        *weight *= factor;
                    }
                }
                for (panel, values) in row.chunks_exact(width).enumerate() {
                    from[(panel * GATES * padded + place) * width..][..width]
                        .copy_from_slice(values);
                }
            }
            // Panels of both orders are made of the same squares, transposed.
            let (units, gates) = (padded / width, GATES * padded / width);
            let squares = from.chunks_exact(width * width).enumerate();
            for (square, values) in squares {
                let (unit, gate) = (square / gates, square % gates);
                let place = (gate * units + unit) * width * width;
                self.level
                    .transpose(values, &mut to[place..][..width * width]);
            }
        }
    }

    /// Runs the series from the inputs in `run`; their predictions are in `run` afterwards.
    pub(super) fn forward(&self, run: &mut Run, begin: Begin) {
        let Layout { inputs, padded, .. } = self.layout;
        let (level, stride, wide) = (self.level, padded + PAD, GATES * padded + PAD);
        if begin == Begin::Fresh {
            let states = ..run.counts[0] * stride;
            run.hidden[states].fill(0.0);
            run.cell[states].fill(0.0);
        }
        for block in 0..run.blocks.len() {
            let Block { first, rows, days } = run.blocks[block].clone();
            let x = Rows {
                values: &run.inputs[first * inputs..],
                row: inputs,
                step: 1,
            };
            let product = self.product(x, rows, inputs, self.natural(&self.w_in, padded), stride);
            let activated = &mut run.activated[first * stride..][..rows * stride];
            level.multiply(product, activated);
            level.rectify(activated, &self.b_in);
            let a = Rows {
                values: activated,
                row: stride,
                step: 1,
            };
            let product = self.product(a, rows, padded, self.gate_panels(&self.to_gates[0]), wide);
            level.multiply(product, &mut run.gates[first * wide..]);
            let mut first = first;
            for day in days {
                if day > 0 || begin == Begin::Carried {
                    let h = Rows {
                        values: &run.hidden[first * stride..],
                        row: stride,
                        step: 1,
                    };
                    let panels = self.gate_panels(&self.to_gates[1]);
                    let product = self.product(h, run.counts[day], padded, panels, wide);
                    level.multiply(product.added(), &mut run.gates[first * wide..]);
                }
                self.cells(run, day, first);
                first += run.counts[day];
            }
        }
    }

    /// The cells of all series on a day, whose first row is `first`.
    fn cells(&self, run: &mut Run, day: usize, first: usize) {
        let (stride, wide) = (self.layout.padded + PAD, GATES * self.layout.padded + PAD);
        let (count, next) = (run.counts[day], run.counts[day + 1]);
        let after = (first + count) * stride;
        let (cells, cells_after) = run.cell.split_at_mut(after);
        let hidden_after = &mut run.hidden[after..];
        let [no_cell, no_hidden] = &mut run.nowhere;
        for series in 0..count {
            let row = first + series;
            let runs_on = series < next;
            let at = series * stride;
            let mut cell = Cell {
                before: &cells[row * stride..],
                after: if runs_on {
                    &mut cells_after[at..]
                } else {
                    no_cell
                },
                squashed: &mut run.squashed[row * stride..],
                hidden: if runs_on {
                    &mut hidden_after[at..]
                } else {
                    no_hidden
                },
            };
            let gates = &mut run.gates[row * wide..];
            let output = self
                .level
                .cell_forward(gates, &self.bias, &mut cell, &self.w_out);
            run.predicted[row] = output + self.b_out;
        }
    }

    /// The gradient of a loss whose gradient of the predictions is `errors`, `[rows]`, after a forward run that began
    /// fresh; that of a weight of the LSTM still lacks its factor in the masks.
    pub(super) fn backward(&self, run: &mut Run, errors: &[f32], gradient: &mut [f32]) {
        let Layout { inputs, padded, .. } = self.layout;
        let (level, stride, wide) = (self.level, padded + PAD, GATES * padded + PAD);
        gradient.fill(0.0);
        let parts = self.layout.parts_mut(gradient);
        run.d_hidden.fill(0.0);
        run.d_cell.fill(0.0);
        run.d_b_in.fill(0.0);
        let begun = run.counts[0];
        for block in (0..run.blocks.len()).rev() {
            let Block { first, rows, days } = run.blocks[block].clone();
            let mut after = first + rows;
            for day in days.rev() {
                let next = run.counts[day + 1];
                let d = Rows {
                    values: &run.gates[after * wide..],
                    row: wide,
                    step: 1,
                };
                let panels = self.unit_panels(&self.from_gates[1]);
                let product = self.product(d, next, GATES * padded, panels, stride);
                level.multiply(product, &mut run.d_hidden);
                after -= run.counts[day];
                for series in 0..run.counts[day] {
                    let (row, at) = (after + series, series * stride);
                    let mut cell = CellGradient {
                        before: &run.cell[row * stride..],
                        squashed: &run.squashed[row * stride..],
                        hidden: &run.d_hidden[at..],
                        cell: &mut run.d_cell[at..],
                        bias: &mut *parts.b_ih,
                        output: &mut *parts.w_out,
                    };
                    let gates = &mut run.gates[row * wide..];
                    level.cell_backward(gates, &mut cell, &self.w_out, errors[row]);
                }
            }
            let d_gates = &run.gates[first * wide..];
            let d = Rows {
                values: d_gates,
                row: wide,
                step: 1,
            };
            let panels = self.unit_panels(&self.from_gates[0]);
            let product = self.product(d, rows, GATES * padded, panels, stride);
            let d_activated = &mut run.d_activated[..rows * stride];
            level.multiply(product, d_activated);
            let activated = &run.activated[first * stride..];
            level.rectify_backward(d_activated, activated, &mut run.d_b_in);

            // Of weights: the sum over rows of what comes in times the gradient of what goes out.
            let x = Rows {
                values: &run.inputs[first * inputs..],
                row: 1,
                step: inputs,
            };
            let product = self.product(x, inputs, rows, self.natural(d_activated, stride), padded);
            level.multiply(product.added(), parts.w_in);
            let d = Rows {
                values: d_gates,
                row: 1,
                step: wide,
            };
            let product = self.product(
                d,
                GATES * padded,
                rows,
                self.natural(activated, stride),
                padded,
            );
            level.multiply(product.added(), parts.w_ih);
            // On the first day no state comes in.
            let from = first.max(begun);
            let d = Rows {
                values: &run.gates[from * wide..],
                row: 1,
                step: wide,
            };
            let hidden = self.natural(&run.hidden[from * stride..], stride);
            let product = self.product(d, GATES * padded, first + rows - from, hidden, padded);
            level.multiply(product.added(), parts.w_hh);
        }
        parts.b_in.copy_from_slice(&run.d_b_in[..padded]);
        parts.b_hh.copy_from_slice(parts.b_ih);
        parts.b_out[0] = errors.iter().sum();
    }

    fn product<'a>(
        &self,
        a: Rows<'a>,
        rows: usize,
        depth: usize,
        b: Panels<'a>,
        c_row: usize,
    ) -> Product<'a> {
        Product {
            a,
            b,
            rows,
            depth,
            c_row,
            add: false,
        }
    }

    /// A matrix of H columns, row by row.
    fn natural<'a>(&self, values: &'a [f32], row: usize) -> Panels<'a> {
        let width = self.level.width();
        Panels {
            values,
            count: self.layout.padded / width,
            panel: width,
            row,
        }
    }

    fn gate_panels<'a>(&self, values: &'a [f32]) -> Panels<'a> {
        let (width, padded) = (self.level.width(), self.layout.padded);
        Panels {
            values,
            count: GATES * padded / width,
            panel: padded * width,
            row: width,
        }
    }

    fn unit_panels<'a>(&self, values: &'a [f32]) -> Panels<'a> {
        let (width, padded) = (self.level.width(), self.layout.padded);
        Panels {
            values,
            count: padded / width,
            panel: GATES * padded * width,
            row: width,
        }
    }
}

impl Run {
    /// Makes room for series of these lengths, longest first.
    pub(super) fn shape(&mut self, layout: Layout, counts: impl IntoIterator<Item = usize>) {
        let Layout { inputs, padded, .. } = layout;
        self.counts.clear();
        self.counts.extend(counts);
        self.cut();
        let (rows, series) = (self.rows(), self.counts[0]);
        let stride = padded + PAD;
        let [no_hidden, no_cell] = &mut self.nowhere;
        for (buffer, length) in [
            (&mut self.inputs, rows * inputs),
            (&mut self.predicted, rows),
            (&mut self.activated, rows * stride),
            (&mut self.gates, rows * (GATES * padded + PAD)),
            (&mut self.hidden, (rows + series) * stride),
            (&mut self.cell, (rows + series) * stride),
            (&mut self.squashed, rows * stride),
            (&mut self.d_activated, (BLOCK + series) * stride),
            (&mut self.d_hidden, series * stride),
            (&mut self.d_cell, series * stride),
            (&mut self.d_b_in, stride),
            (no_hidden, stride),
            (no_cell, stride),
        ] {
            buffer.grow(length);
        }
    }

    /// Numbers in a run of so many rows.
    pub(super) fn numbers(layout: Layout, rows: usize, series: usize) -> usize {
        let stride = layout.padded + PAD;
        let row = layout.inputs + 1 + (GATES + 4) * stride;
        rows * row + (BLOCK + 5 * series) * stride
    }

    /// Makes the states after this run those that the next one begins with.
    pub(super) fn carry(&mut self, layout: Layout) {
        let stride = layout.padded + PAD;
        let first = self.rows() * stride;
        let states = first..first + self.counts.last().map_or(0, |count| count * stride);
        self.hidden.copy_within(states.clone(), 0);
        self.cell.copy_within(states, 0);
    }

    /// Day and series of each row.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let days = self.counts.len() - 1;
        (0..days).flat_map(|day| (0..self.counts[day]).map(move |series| (day, series)))
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

    /// Rows of the run.
    pub(super) fn rows(&self) -> usize {
        self.counts[..self.counts.len() - 1].iter().sum()
    }
}
