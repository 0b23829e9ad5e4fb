//! What the model computes: linear → ReLU → LSTM → linear, one value a day.

use efflux_data::Tensors;
use efflux_job::Params;
use efflux_numerics::random::{Purpose, Stream};
use tch::{Device, Kind, Tensor};

use super::masks::Masks;

/// Names of the parameters in the order in which they lie in the flat tensor: those of a torch module whose members are
/// `input` (`Linear`), `lstm` (`LSTM`) and `output` (`Linear`).
pub const PARAMETERS: [&str; 8] = [
    "input.weight",
    "input.bias",
    "lstm.weight_ih_l0",
    "lstm.weight_hh_l0",
    "lstm.bias_ih_l0",
    "lstm.bias_hh_l0",
    "output.weight",
    "output.bias",
];

/// Sizes of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Inputs of a day, dynamic and static.
    pub inputs: i64,
    /// Units of the input layer and of the LSTM.
    pub hidden: i64,
}

impl Shape {
    /// That of a trial with these parameters on these data.
    pub(super) fn of(tensors: &Tensors, params: &Params) -> Self {
        Self {
            inputs: (tensors.dynamic + tensors.statics) as i64,
            hidden: i64::from(params.hidden_size),
        }
    }

    /// The shape of each parameter, in the order of [`PARAMETERS`]. The four row blocks of the LSTM's are the input,
    /// forget, cell and output gates.
    pub fn parameters(self) -> [Vec<i64>; 8] {
        let Self { inputs, hidden } = self;
        [
            vec![hidden, inputs],
            vec![hidden],
            vec![4 * hidden, hidden],
            vec![4 * hidden, hidden],
            vec![4 * hidden],
            vec![4 * hidden],
            vec![1, hidden],
            vec![1],
        ]
    }

    /// Number of weights and biases.
    pub fn weights(self) -> i64 {
        self.parameters()
            .iter()
            .map(|shape| shape.iter().product::<i64>())
            .sum()
    }

    /// Number of weights that dropout may drop: those of the LSTM, without its biases.
    pub(super) fn masked(self) -> i64 {
        8 * self.hidden * self.hidden
    }

    /// A flat tensor `[N]` as its parameters; they share its memory.
    pub fn split(self, flat: &Tensor) -> [Tensor; 8] {
        let mut offset = 0;
        self.parameters().map(|shape| {
            let length = shape.iter().product();
            offset += length;
            flat.narrow(0, offset - length, length).view(&shape[..])
        })
    }

    /// The same of several models, `[L, N]` or longer rows: the parameters have L as their first dimension.
    pub(super) fn split_rows(self, rows: &Tensor) -> [Tensor; 8] {
        let mut offset = 0;
        self.parameters().map(|shape| {
            let length = shape.iter().product();
            offset += length;
            let shape: Vec<i64> = [-1].into_iter().chain(shape).collect();
            rows.narrow(1, offset - length, length).view(&shape[..])
        })
    }
}

/// What the LSTM remembers from one day to the next.
#[derive(Debug)]
pub struct State {
    /// Output of the hidden units, `[1, B, H]`.
    pub hidden: Tensor,
    /// Cell state, `[1, B, H]`.
    pub cell: Tensor,
}

impl State {
    /// That of the first `rows` series.
    pub fn first(&self, rows: i64) -> Self {
        Self {
            hidden: self.hidden.narrow(1, 0, rows).contiguous(),
            cell: self.cell.narrow(1, 0, rows).contiguous(),
        }
    }
}

/// What a forward pass is for.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// A gradient will be taken; the LSTM's weights are multiplied by the masks, if there are any.
    Fit(Option<&'a Masks>),
    /// The output is all.
    Run,
}

/// The model: its weights and what they are.
#[derive(Debug)]
pub struct Lstm {
    shape: Shape,
    flat: Tensor,
    parameters: [Tensor; 8],
}

impl Lstm {
    /// A model with these weights, `[N]` in the order of [`PARAMETERS`], which it takes over.
    pub fn new(shape: Shape, flat: Tensor) -> Self {
        // The views share memory with `flat` but are leaves of the graph, so that the optimizer may write to `flat`
        // and gradients are those of the parameters.
        let parameters = shape
            .split(&flat)
            .map(|view| view.detach().set_requires_grad(true));
        Self {
            shape,
            flat,
            parameters,
        }
    }

    /// The model with which the trial of this seed begins: every parameter uniform in ±1/√n, where n is the number of
    /// inputs of a linear layer, and of hidden units for all of the LSTM.
    ///
    /// # Source
    ///
    /// `reset_parameters` of `torch.nn.Linear` and of hydroDL's `CudnnLstm`.
    pub fn initial(shape: Shape, seed: u64, kind: Kind, device: Device) -> Self {
        // Some at a time, so that a model takes its own memory and no more.
        const BLOCK: usize = 1 << 16;
        let mut stream = Stream::new(seed, Purpose::Weights, 0, 0);
        let flat = Tensor::zeros([shape.weights()], (kind, device));
        for (name, parameter) in PARAMETERS.iter().zip(shape.split(&flat)) {
            let fan_in = if name.starts_with("input") {
                shape.inputs
            } else {
                shape.hidden
            };
            let bound = 1.0 / (fan_in as f64).sqrt();
            for mut block in parameter.view([-1]).split(BLOCK as i64, 0) {
                let draws: Vec<f64> = (0..block.numel())
                    .map(|_| (2.0 * stream.unit() - 1.0) * bound)
                    .collect();
                block.copy_(&Tensor::from_slice(&draws));
            }
        }
        Self::new(shape, flat)
    }

    /// Its sizes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// All weights, `[N]` in the order of [`PARAMETERS`].
    pub fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// All weights, to be changed in place.
    pub fn flat_mut(&mut self) -> &mut Tensor {
        &mut self.flat
    }

    /// The state before anything was seen, for `rows` series.
    pub fn zero_state(&self, rows: i64) -> State {
        let zeros = || {
            Tensor::zeros(
                [1, rows, self.shape.hidden],
                (self.flat.kind(), self.flat.device()),
            )
        };
        State {
            hidden: zeros(),
            cell: zeros(),
        }
    }

    /// Runs `B` series over `T` days.
    ///
    /// * `inputs`: `[T, B, inputs]`, scaled.
    /// * returns the predictions, `[T, B]`, scaled, and the state after the last day.
    ///
    /// # Source
    ///
    /// Hochreiter and Schmidhuber (1997), *Neural Comput.* 9(8), with a forget gate, as `torch.nn.LSTM`; layers and
    /// place of the masks as hydroDL's `CudnnLstmModel`.
    pub fn forward(&self, inputs: &Tensor, state: &State, mode: Mode) -> (Tensor, State) {
        let [w_in, b_in, w_ih, w_hh, b_ih, b_hh, w_out, b_out] = &self.parameters;
        let dropped = match mode {
            Mode::Fit(Some(masks)) => Some((w_ih * &masks.input, w_hh * &masks.recurrent)),
            Mode::Fit(None) | Mode::Run => None,
        };
        let (w_ih, w_hh) = match &dropped {
            Some((input, recurrent)) => (input, recurrent),
            None => (w_ih, w_hh),
        };
        let fit = matches!(mode, Mode::Fit(_));
        let activated = inputs.linear(w_in, Some(b_in)).relu(); // [T, B, H]
        let (output, hidden, cell) = activated.lstm(
            &[&state.hidden, &state.cell],
            &[w_ih, w_hh, b_ih, b_hh],
            true,  // biases
            1,     // layers
            0.0,   // dropout between layers
            fit,   // keep what the gradient needs
            false, // one direction
            false, // time first
        );
        let predicted = output.linear(w_out, Some(b_out)).squeeze_dim(2); // [T, B]
        (predicted, State { hidden, cell })
    }

    /// The gradient of `loss`, a scalar made by [`Lstm::forward`], written to `gradient`, `[N]`.
    pub fn gradient(&self, loss: &Tensor, gradient: &Tensor) {
        let parts = Tensor::run_backward(&[loss], &self.parameters, false, false);
        let flat: Vec<Tensor> = parts.iter().map(|part| part.reshape([-1])).collect();
        let _ = Tensor::cat_out(gradient, &flat, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initial_weights_fill_the_range_of_their_layer_and_follow_the_seed() {
        let shape = Shape {
            inputs: 25,
            hidden: 64,
        };
        let model = |seed| Lstm::initial(shape, seed, Kind::Float, Device::Cpu);
        assert_eq!(model(1).flat(), model(1).flat());
        assert_ne!(model(1).flat(), model(2).flat());
        for (name, parameter) in PARAMETERS.iter().zip(shape.split(model(1).flat())) {
            let bound = if name.starts_with("input") {
                0.2
            } else {
                0.125
            };
            let largest = parameter.abs().max().double_value(&[]);
            assert!(largest <= bound, "{name}: {largest}");
            if parameter.numel() > 1 {
                assert!(largest > 0.9 * bound, "{name}: {largest}");
            }
        }
    }
}
