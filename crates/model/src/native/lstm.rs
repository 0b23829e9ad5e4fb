//! The LSTM natively: as `model::cell::lstm`.
//!
//! # Source
//!
//! The gradient is backpropagation through time, Werbos (1990), *Proc. IEEE* 78(10).

use super::aligned::Aligned;
use super::cell::{Days, Definition, Gradient, NativeCell};
use super::kernels::{Cell, CellGradient, Panels, Product, Rows};
use super::layout::Layout;
use super::level::Level;
use super::run::{Begin, Block, PAD};

/// Gates: input, forget, cell, output.
const GATES: usize = 4;

/// How it is made.
pub(super) const DEFINITION: Definition = Definition {
    new: |level, layout| Box::new(LstmCell::new(level, layout)),
    numbers: LstmCell::numbers,
};

/// The weights in the order in which products read them, less those that are dropped, and the states of a run. The buffers
/// grow to the largest run and stay.
#[derive(Debug)]
struct LstmCell {
    level: Level,
    /// Hidden units, without padding and with it: H below.
    hidden: usize,
    padded: usize,
    /// b_ih + b_hh, `[4H]`.
    bias: Aligned,
    /// W_ih and W_hh as factors of a row of H values, `[H, 4H]` in panels.
    to_gates: [Aligned; 2],
    /// The same as factors of a row of 4H gradients, `[4H, H]` in panels.
    from_gates: [Aligned; 2],
    /// A row of weights while it is copied.
    row: Aligned,
    /// i, f, g, o, and after [`LstmCell::backward`] their gradients, `[rows, 4H]`.
    gates: Aligned,
    /// hₜ₋₁ and cₜ₋₁, `[rows + series, H]`: after the rows, the states after the last day.
    outputs: Aligned,
    cells: Aligned,
    /// tanh cₜ, `[rows, H]`.
    squashed: Aligned,
    /// Gradients of the state, `[series, H]`.
    d_outputs: Aligned,
    d_cells: Aligned,
    /// A series that has ended writes its state here, where nobody reads it.
    nowhere: [Aligned; 2],
}

/// The parameters, or their gradients.
struct Parts<T> {
    /// `[4H, H]`
    w_ih: T,
    /// `[4H, H]`
    w_hh: T,
    /// `[4H]`
    b_ih: T,
    /// `[4H]`
    b_hh: T,
}

impl LstmCell {
    fn new(level: Level, layout: &Layout) -> Self {
        let padded = layout.padded;
        let square = || Aligned::zeros(GATES * padded * padded);
        Self {
            level,
            hidden: layout.hidden,
            padded,
            bias: Aligned::zeros(GATES * padded),
            to_gates: [square(), square()],
            from_gates: [square(), square()],
            row: Aligned::zeros(padded),
            gates: Aligned::default(),
            outputs: Aligned::default(),
            cells: Aligned::default(),
            squashed: Aligned::default(),
            d_outputs: Aligned::default(),
            d_cells: Aligned::default(),
            nowhere: [Aligned::default(), Aligned::default()],
        }
    }

    fn numbers(layout: &Layout, rows: usize, series: usize) -> usize {
        rows * (GATES + 3) * (layout.padded + PAD) + 4 * series * (layout.padded + PAD)
    }

    /// Distances of rows of H and of 4H values.
    fn strides(&self) -> (usize, usize) {
        (self.padded + PAD, GATES * self.padded + PAD)
    }

    fn parts<'a>(&self, weights: &'a [f32]) -> Parts<&'a [f32]> {
        let (square, gates) = (GATES * self.padded * self.padded, GATES * self.padded);
        let (w_ih, rest) = weights.split_at(square);
        let (w_hh, rest) = rest.split_at(square);
        let (b_ih, b_hh) = rest.split_at(gates);
        Parts {
            w_ih,
            w_hh,
            b_ih,
            b_hh,
        }
    }

    fn parts_mut<'a>(&self, weights: &'a mut [f32]) -> Parts<&'a mut [f32]> {
        let (square, gates) = (GATES * self.padded * self.padded, GATES * self.padded);
        let (w_ih, rest) = weights.split_at_mut(square);
        let (w_hh, rest) = rest.split_at_mut(square);
        let (b_ih, b_hh) = rest.split_at_mut(gates);
        Parts {
            w_ih,
            w_hh,
            b_ih,
            b_hh,
        }
    }

    /// The cells of all series on a day, whose first row is `first`, and the head behind them.
    fn day(&mut self, days: &Days<'_>, day: usize, first: usize, predicted: &mut [f32]) {
        let (stride, wide) = self.strides();
        let (count, next) = (days.counts[day], days.counts[day + 1]);
        let after = (first + count) * stride;
        let (cells, cells_after) = self.cells.split_at_mut(after);
        let outputs_after = &mut self.outputs[after..];
        let [no_output, no_cell] = &mut self.nowhere;
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
                squashed: &mut self.squashed[row * stride..],
                hidden: if runs_on {
                    &mut outputs_after[at..]
                } else {
                    no_output
                },
            };
            let gates = &mut self.gates[row * wide..];
            let weight = &days.head.weight[days.head.place(series)];
            let output = self
                .level
                .cell_forward(gates, &self.bias, &mut cell, weight);
            predicted[row] = output + days.head.bias;
        }
    }

    /// The cells of all series on a day, backwards.
    fn day_backward(
        &mut self,
        days: &Days<'_>,
        count: usize,
        first: usize,
        slopes: &[f32],
        d_bias: &mut [f32],
        d_head: &mut [f32],
    ) {
        let (stride, wide) = self.strides();
        for series in 0..count {
            let (row, at) = (first + series, series * stride);
            let mut cell = CellGradient {
                before: &self.cells[row * stride..],
                squashed: &self.squashed[row * stride..],
                hidden: &self.d_outputs[at..],
                cell: &mut self.d_cells[at..],
                bias: &mut *d_bias,
                output: &mut d_head[days.head.place(series)],
            };
            let gates = &mut self.gates[row * wide..];
            let weight = &days.head.weight[days.head.place(series)];
            self.level
                .cell_backward(gates, &mut cell, weight, slopes[row]);
        }
    }

    /// Weights as factors of rows of H values.
    fn gate_panels<'a>(&self, values: &'a [f32]) -> Panels<'a> {
        let (width, padded) = (self.level.width(), self.padded);
        Panels {
            values,
            count: GATES * padded / width,
            panel: padded * width,
            row: width,
        }
    }

    /// Weights as factors of rows of 4H values.
    fn unit_panels<'a>(&self, values: &'a [f32]) -> Panels<'a> {
        let (width, padded) = (self.level.width(), self.padded);
        Panels {
            values,
            count: padded / width,
            panel: GATES * padded * width,
            row: width,
        }
    }
}

impl NativeCell for LstmCell {
    fn load(&mut self, weights: &[f32], masks: Option<&[f32]>) {
        let (hidden, padded, width) = (self.hidden, self.padded, self.level.width());
        let parts = self.parts(weights);
        for ((sum, a), b) in self.bias.iter_mut().zip(parts.b_ih).zip(parts.b_hh) {
            *sum = a + b;
        }
        for (half, source) in [parts.w_ih, parts.w_hh].into_iter().enumerate() {
            let (to, from) = (&mut self.to_gates[half], &mut self.from_gates[half]);
            let units = (0..GATES).flat_map(|gate| (0..hidden).map(move |unit| (gate, unit)));
            for (gate, unit) in units {
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

    fn grow(&mut self, rows: usize, series: usize) {
        let (stride, wide) = self.strides();
        let [no_output, no_cell] = &mut self.nowhere;
        for (buffer, length) in [
            (&mut self.gates, rows * wide),
            (&mut self.outputs, (rows + series) * stride),
            (&mut self.cells, (rows + series) * stride),
            (&mut self.squashed, rows * stride),
            (&mut self.d_outputs, series * stride),
            (&mut self.d_cells, series * stride),
            (no_output, stride),
            (no_cell, stride),
        ] {
            buffer.grow(length);
        }
    }

    fn carry(&mut self, rows: usize, series: usize) {
        let (stride, _) = self.strides();
        let states = rows * stride..(rows + series) * stride;
        self.outputs.copy_within(states.clone(), 0);
        self.cells.copy_within(states, 0);
    }

    fn forward(&mut self, days: &Days<'_>, begin: Begin, predicted: &mut [f32]) {
        let (stride, wide) = self.strides();
        let Block {
            mut first,
            rows,
            days: ref block,
        } = *days.block;
        if begin == Begin::Fresh && block.start == 0 {
            let states = ..days.counts[0] * stride;
            self.outputs[states].fill(0.0);
            self.cells[states].fill(0.0);
        }
        let a = Rows::of(&days.inputs[first * stride..], stride);
        let panels = self.gate_panels(&self.to_gates[0]);
        let product = Product::of(a, rows, self.padded, panels, wide);
        self.level
            .multiply(product, &mut self.gates[first * wide..]);
        for day in block.clone() {
            if day > 0 || begin == Begin::Carried {
                let h = Rows::of(&self.outputs[first * stride..], stride);
                let panels = self.gate_panels(&self.to_gates[1]);
                let product = Product::of(h, days.counts[day], self.padded, panels, wide);
                self.level
                    .multiply(product.added(), &mut self.gates[first * wide..]);
            }
            self.day(days, day, first, predicted);
            first += days.counts[day];
        }
    }

    fn output(&self, block: &Block, output: &mut [f32]) {
        let (stride, wide) = self.strides();
        let gates = self.gates[block.first * wide..].chunks_exact(wide);
        let squashed = self.squashed[block.first * stride..].chunks_exact(stride);
        let rows = output.chunks_exact_mut(stride).zip(gates).zip(squashed);
        for ((output, gates), squashed) in rows.take(block.rows) {
            let open = &gates[(GATES - 1) * self.padded..][..self.padded];
            for ((output, open), squashed) in output.iter_mut().zip(open).zip(squashed) {
                *output = open * squashed;
            }
        }
    }

    fn begin_backward(&mut self) {
        self.d_outputs.fill(0.0);
        self.d_cells.fill(0.0);
    }

    fn backward(&mut self, days: &Days<'_>, slopes: &[f32], gradient: Gradient<'_>) {
        let (level, padded) = (self.level, self.padded);
        let (stride, wide) = self.strides();
        let Block {
            first,
            rows,
            days: ref block,
        } = *days.block;
        let parts = self.parts_mut(gradient.cell);
        let mut after = first + rows;
        for day in block.clone().rev() {
            let next = days.counts[day + 1];
            let d = Rows::of(&self.gates[after * wide..], wide);
            let panels = self.unit_panels(&self.from_gates[1]);
            let product = Product::of(d, next, GATES * padded, panels, stride);
            level.multiply(product, &mut self.d_outputs);
            after -= days.counts[day];
            let count = days.counts[day];
            if let Some(above) = gradient.above {
                let of_day = &above[(after - first) * stride..][..count * stride];
                let sums = self.d_outputs.iter_mut().zip(of_day);
                sums.for_each(|(sum, above)| *sum += above);
            }
            self.day_backward(days, count, after, slopes, parts.b_ih, gradient.head);
        }
        let d_gates = &self.gates[first * wide..];
        let panels = self.unit_panels(&self.from_gates[0]);
        let product = Product::of(
            Rows::of(d_gates, wide),
            rows,
            GATES * padded,
            panels,
            stride,
        );
        level.multiply(product, gradient.inputs);

        // The gradient of weights: the sum over rows of the input times the gradient of the output.
        let natural = |values| Panels::of(values, stride, padded, level.width());
        let inputs = natural(&days.inputs[first * stride..]);
        let d = Rows::transposed(d_gates, wide);
        let product = Product::of(d, GATES * padded, rows, inputs, padded);
        level.multiply(product.added(), parts.w_ih);
        // On the first day no state comes in.
        let from = first.max(days.counts[0]);
        let d = Rows::transposed(&self.gates[from * wide..], wide);
        let outputs = natural(&self.outputs[from * stride..]);
        let product = Product::of(d, GATES * padded, first + rows - from, outputs, padded);
        level.multiply(product.added(), parts.w_hh);
    }

    fn end_backward(&self, gradient: &mut [f32]) {
        let parts = self.parts_mut(gradient);
        parts.b_hh.copy_from_slice(parts.b_ih);
    }
}
