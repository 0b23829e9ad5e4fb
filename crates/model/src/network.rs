//! What the model computes, with libtorch: input layer → cell → head, one value a day.

use efflux_numerics::random::{Purpose, Stream};
use tch::{Device, Kind, Tensor};

use super::cell::{Recurrence, State};
use super::layout::{Layout, Shape};
use super::masks::Masks;

/// What a forward pass is for.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// A gradient will be taken; the weights that dropout may drop are multiplied by the masks, if there are any.
    Fit(Option<&'a Masks>),
    /// The output is all.
    Run,
}

/// A model: its weights, and the parts that read them.
#[derive(Debug)]
pub struct Network {
    layout: Layout,
    flat: Tensor,
    /// The parameters of all parts, in the order of the layout.
    parameters: Vec<Tensor>,
    input: Linear,
    cell: &'static dyn Recurrence,
    head: Linear,
}

/// A linear layer.
#[derive(Debug)]
struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// That of these parameters: weight and bias.
    fn of(parameters: &[Tensor]) -> Self {
        Self {
            weight: parameters[0].shallow_clone(),
            bias: parameters[1].shallow_clone(),
        }
    }

    /// `[…, outputs]` of `[…, inputs]`.
    fn forward(&self, inputs: &Tensor) -> Tensor {
        inputs.linear(&self.weight, Some(&self.bias))
    }
}

impl Network {
    /// A model with these weights, `[N]` in the order of its layout, which it takes over.
    pub fn new(shape: Shape, flat: Tensor) -> Self {
        let layout = Layout::of(shape);
        // The views share memory with `flat` but are leaves of the graph, so that the optimizer may write to `flat`
        // and gradients are those of the parameters.
        let views = layout.split(&flat).into_iter();
        let parameters = views.map(|view| view.detach().set_requires_grad(true));
        let parameters: Vec<Tensor> = parameters.collect();
        let cell = layout.cell();
        Self {
            input: Linear::of(&parameters[..cell.start]),
            cell: shape.cell.definition(),
            head: Linear::of(&parameters[cell.end..]),
            parameters,
            layout,
            flat,
        }
    }

    /// The model with which the trial of this seed begins: every parameter uniform in ±1/√n, where n is the number of
    /// inputs of a linear layer, and of hidden units for all of the cell.
    ///
    /// # Source
    ///
    /// `reset_parameters` of `torch.nn.Linear` and of hydroDL's `CudnnLstm`.
    pub fn initial(shape: Shape, seed: u64, kind: Kind, device: Device) -> Self {
        // Some at a time, so that a model takes its own memory and no more.
        const BLOCK: usize = 1 << 16;
        let layout = Layout::of(shape);
        let mut stream = Stream::new(seed, Purpose::Weights, 0, 0);
        let flat = Tensor::zeros([layout.weights()], (kind, device));
        for (parameter, values) in layout.parameters().iter().zip(layout.split(&flat)) {
            let bound = 1.0 / (layout.fan_in(parameter) as f64).sqrt();
            for mut block in values.view([-1]).split(BLOCK as i64, 0) {
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
        self.layout.shape()
    }

    /// All weights, `[N]` in the order of its layout.
    pub fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// All weights, to be changed in place.
    pub fn flat_mut(&mut self) -> &mut Tensor {
        &mut self.flat
    }

    /// The state before anything was seen, for `rows` series.
    pub fn zero_state(&self, rows: i64) -> State {
        let hidden = self.shape().hidden;
        let options = (self.flat.kind(), self.flat.device());
        let zeros = |_| Tensor::zeros([1, rows, hidden], options);
        State((0..self.cell.states()).map(zeros).collect())
    }

    /// Runs `B` series over `T` days.
    ///
    /// * `inputs`: `[T, B, inputs]`, scaled.
    /// * returns the predictions, `[T, B]`, scaled, and the state after the last day.
    ///
    /// # Source
    ///
    /// Layers and place of the masks as hydroDL's `CudnnLstmModel`.
    pub fn forward(&self, inputs: &Tensor, state: &State, mode: Mode) -> (Tensor, State) {
        let (weights, fit) = match mode {
            Mode::Fit(masks) => (self.cell_weights(masks), true),
            Mode::Run => (self.cell_weights(None), false),
        };
        let activated = self.input.forward(inputs).relu(); // [T, B, H]
        let (output, after) = self.cell.forward(&weights, &activated, state, fit);
        let predicted = self.head.forward(&output).squeeze_dim(2); // [T, B]
        (predicted, after)
    }

    /// The gradient of `loss`, a scalar made by [`Network::forward`], written to `gradient`, `[N]`.
    pub fn gradient(&self, loss: &Tensor, gradient: &Tensor) {
        let parts = Tensor::run_backward(&[loss], &self.parameters, false, false);
        let flat: Vec<Tensor> = parts.iter().map(|part| part.reshape([-1])).collect();
        let _ = Tensor::cat_out(gradient, &flat, 0);
    }

    /// The cell's parameters; those that dropout may drop times their masks, if there are any.
    fn cell_weights(&self, masks: Option<&Masks>) -> Vec<Tensor> {
        let cell = self.layout.cell();
        let about = &self.layout.parameters()[cell.clone()];
        let mut masks = masks.map(|masks| masks.0.iter());
        let mut weight = |drops: bool, values: &Tensor| match &mut masks {
            Some(masks) if drops => values * masks.next().expect("a mask for each that drops"),
            _ => values.shallow_clone(),
        };
        let parameters = about.iter().zip(&self.parameters[cell]);
        parameters
            .map(|(about, values)| weight(about.drops, values))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initial_weights_fill_the_range_of_their_layer_and_follow_the_seed() {
        let shape = Shape::lstm(25, 64);
        let model = |seed| Network::initial(shape, seed, Kind::Float, Device::Cpu);
        assert_eq!(model(1).flat(), model(1).flat());
        assert_ne!(model(1).flat(), model(2).flat());
        let layout = Layout::of(shape);
        let values = layout.split(model(1).flat());
        for (parameter, values) in layout.parameters().iter().zip(values) {
            let name = parameter.name;
            let bound = if name.starts_with("input") {
                0.2
            } else {
                0.125
            };
            let largest = values.abs().max().double_value(&[]);
            assert!(largest <= bound, "{name}: {largest}");
            if values.numel() > 1 {
                assert!(largest > 0.9 * bound, "{name}: {largest}");
            }
        }
    }
}
