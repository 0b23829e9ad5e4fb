//! Long short-term memory with a forget gate, as `torch.nn.LSTM`.
//!
//! # Source
//!
//! Hochreiter and Schmidhuber (1997), *Neural Comput.* 9(8); Gers et al. (2000), *Neural Comput.* 12(10).

use tch::Tensor;

use super::{Recurrence, State};
use crate::parameter::Dimension::Units;
use crate::parameter::Parameter;

/// The cell.
#[derive(Debug)]
pub(super) struct Lstm;

impl Recurrence for Lstm {
    /// The four blocks of rows are the input, forget, cell and output gates.
    fn parameters(&self, layers: i64) -> Vec<Parameter> {
        let parameter = |name: String, dimensions: &[_]| Parameter::new(name, dimensions, Units(1));
        let of_layer = |layer| {
            [
                parameter(format!("lstm.weight_ih_l{layer}"), &[Units(4), Units(1)]).dropped(),
                parameter(format!("lstm.weight_hh_l{layer}"), &[Units(4), Units(1)]).dropped(),
                parameter(format!("lstm.bias_ih_l{layer}"), &[Units(4)]),
                parameter(format!("lstm.bias_hh_l{layer}"), &[Units(4)]).second(),
            ]
        };
        (0..layers).flat_map(of_layer).collect()
    }

    /// The output and the cell's own state.
    fn states(&self) -> usize {
        2
    }

    fn forward(
        &self,
        weights: &[Tensor],
        inputs: &Tensor,
        state: &State,
        fit: bool,
    ) -> (Tensor, State) {
        let (output, hidden, cell) = inputs.lstm(
            &state.0, weights, true,  // biases
            1,     // layers
            0.0,   // dropout between layers
            fit,   // keep what the gradient needs
            false, // one direction
            false, // time first
        );
        (output, State(vec![hidden, cell]))
    }
}
