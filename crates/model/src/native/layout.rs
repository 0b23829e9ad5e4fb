//! Where a weight lies: as in `model::lstm`, but with the hidden units padded with zeros to whole registers.
//!
//! A padded unit has no weight in or out, so it stays 0, as does its gradient, and no optimizer moves it.

use super::aligned::Aligned;
use super::level::Level;
use crate::Shape;

/// Gates of the LSTM: input, forget, cell, output.
pub(super) const GATES: usize = 4;

/// Sizes of a model and of its padded weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) inputs: usize,
    pub(super) hidden: usize,
    /// Hidden units with the padding: H below.
    pub(super) padded: usize,
}

/// The parameters, by torch's names but for the prefixes.
#[derive(Debug)]
pub(super) struct Parts<T> {
    /// `[nx, H]`: the transpose of torch's.
    pub(super) w_in: T,
    /// `[H]`
    pub(super) b_in: T,
    /// `[4H, H]`
    pub(super) w_ih: T,
    /// `[4H, H]`
    pub(super) w_hh: T,
    /// `[4H]`
    pub(super) b_ih: T,
    /// `[4H]`
    pub(super) b_hh: T,
    /// `[H]`
    pub(super) w_out: T,
    /// `[1]`
    pub(super) b_out: T,
}

impl Layout {
    /// For a model of this shape at a level.
    pub(super) fn of(shape: Shape, level: Level) -> Self {
        let size = |size: i64| usize::try_from(size).expect("sizes are positive");
        let hidden = size(shape.hidden);
        Self {
            inputs: size(shape.inputs),
            hidden,
            padded: hidden.next_multiple_of(level.width()),
        }
    }

    fn lengths(self) -> [usize; 8] {
        let Self { inputs, padded, .. } = self;
        let gates = GATES * padded;
        [
            inputs * padded,
            padded,
            gates * padded,
            gates * padded,
            gates,
            gates,
            padded,
            1,
        ]
    }

    /// Numbers in the padded weights.
    pub(super) fn weights(self) -> usize {
        self.lengths().iter().sum()
    }

    /// The padded weights as parameters.
    pub(super) fn parts(self, mut weights: &[f32]) -> Parts<&[f32]> {
        let [w_in, b_in, w_ih, w_hh, b_ih, b_hh, w_out, b_out] = self.lengths().map(|length| {
            let (part, rest) = weights.split_at(length);
            weights = rest;
            part
        });
        Parts {
            w_in,
            b_in,
            w_ih,
            w_hh,
            b_ih,
            b_hh,
            w_out,
            b_out,
        }
    }

    /// The padded weights as parameters, to be changed.
    pub(super) fn parts_mut(self, weights: &mut [f32]) -> Parts<&mut [f32]> {
        let mut weights = weights;
        let [w_in, b_in, w_ih, w_hh, b_ih, b_hh, w_out, b_out] = self.lengths().map(|length| {
            let (part, rest) = std::mem::take(&mut weights).split_at_mut(length);
            weights = rest;
            part
        });
        Parts {
            w_in,
            b_in,
            w_ih,
            w_hh,
            b_ih,
            b_hh,
            w_out,
            b_out,
        }
    }

    /// The gates' rows that are not padding: gate and unit.
    pub(super) fn gate_units(self) -> impl Iterator<Item = (usize, usize)> {
        (0..GATES).flat_map(move |gate| (0..self.hidden).map(move |unit| (gate, unit)))
    }

    /// Multiplies padded weights of the LSTM by their factors, `[2 · 4H · H]` with the hidden units that are not padding.
    pub(super) fn mask(self, weights: &mut [f32], masks: &[f32]) {
        let parts = self.parts_mut(weights);
        let half = GATES * self.hidden * self.hidden;
        for (part, masks) in [parts.w_ih, parts.w_hh]
            .into_iter()
            .zip(masks.chunks_exact(half))
        {
            for ((gate, unit), factors) in self.gate_units().zip(masks.chunks_exact(self.hidden)) {
                let row = &mut part[(gate * self.padded + unit) * self.padded..];
                for (weight, factor) in row.iter_mut().zip(factors) {
                    *weight *= factor;
                }
            }
        }
    }

    /// Weights in torch's order as padded ones.
    pub(super) fn pad(self, flat: &[f32]) -> Aligned {
        let mut padded = Aligned::zeros(self.weights());
        for (place, &value) in self.places().zip(flat) {
            padded[place] = value;
        }
        padded
    }

    /// Padded weights in torch's order.
    pub(super) fn flat(self, padded: &[f32]) -> Vec<f32> {
        self.places().map(|place| padded[place]).collect()
    }

    /// Where the weights lie, in torch's order.
    fn places(self) -> impl Iterator<Item = usize> {
        let Self {
            inputs,
            hidden,
            padded,
        } = self;
        let mut first = 0;
        let [w_in, b_in, w_ih, w_hh, b_ih, b_hh, w_out, b_out] = self.lengths().map(|length| {
            first += length;
            first - length
        });
        let input = (0..hidden)
            .flat_map(move |unit| (0..inputs).map(move |input| w_in + input * padded + unit));
        let square = move |from: usize| {
            self.gate_units().flat_map(move |(gate, unit)| {
                (0..hidden).map(move |column| from + (gate * padded + unit) * padded + column)
            })
        };
        let gates = move |from: usize| {
            self.gate_units()
                .map(move |(gate, unit)| from + gate * padded + unit)
        };
        input
            .chain(b_in..b_in + hidden)
            .chain(square(w_ih))
            .chain(square(w_hh))
            .chain(gates(b_ih))
            .chain(gates(b_hh))
            .chain(w_out..w_out + hidden)
            .chain(b_out..=b_out)
    }
}
