//! The recurrent cells: what carries a state from one day to the next.
//!
//! A new cell is a file beside `lstm` with its [`Recurrence`], and its lines in [`Cell`]. libtorch can train it then; for native
//! training it needs a `NativeCell` as well, and a line in `native::cells`.

mod lstm;

use std::fmt::Debug;

use tch::Tensor;

use super::parameter::Parameter;

/// The cell of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cell {
    /// Long short-term memory.
    #[default]
    Lstm,
}

impl Cell {
    /// All there are.
    pub(super) const ALL: [Self; 1] = [Self::Lstm];

    /// Its parameters and equations.
    pub(super) fn definition(self) -> &'static dyn Recurrence {
        match self {
            Self::Lstm => &lstm::Lstm,
        }
    }
}

/// The parameters of a cell, and its equations with libtorch.
pub(super) trait Recurrence: Debug {
    /// Those of so many layers, in the order in which they lie among a model's weights.
    fn parameters(&self, layers: i64) -> Vec<Parameter>;

    /// Tensors of its state.
    fn states(&self) -> usize;

    /// Runs `B` series over `T` days through one layer.
    ///
    /// * `weights`: the layer's parameters; `inputs`: `[T, B, H]`; `state`: the layer's.
    /// * `fit`: whether a gradient will be taken.
    /// * returns its output on each day, `[T, B, H]`, and the state after the last.
    fn forward(
        &self,
        weights: &[Tensor],
        inputs: &Tensor,
        state: &State,
        fit: bool,
    ) -> (Tensor, State);
}

/// What a cell remembers from one day to the next: tensors of `[layers, B, H]`.
#[derive(Debug)]
pub struct State(pub Vec<Tensor>);

impl State {
    /// That of the first `rows` series.
    pub fn first(&self, rows: i64) -> Self {
        let tensors = self.0.iter();
        let first = |tensor: &Tensor| tensor.narrow(1, 0, rows).contiguous();
        Self(tensors.map(first).collect())
    }

    /// That of one layer.
    pub(super) fn layer(&self, layer: i64) -> Self {
        let tensors = self.0.iter();
        Self(tensors.map(|tensor| tensor.narrow(0, layer, 1)).collect())
    }

    /// That of all layers, from the lowest to the highest.
    pub(super) fn of_layers(layers: &[Self]) -> Self {
        let count = layers.first().map_or(0, |layer| layer.0.len());
        let stacked = |place: usize| {
            let of_layers: Vec<&Tensor> = layers.iter().map(|layer| &layer.0[place]).collect();
            match of_layers[..] {
                [only] => only.shallow_clone(),
                _ => Tensor::cat(&of_layers, 0),
            }
        };
        Self((0..count).map(stacked).collect())
    }
}
