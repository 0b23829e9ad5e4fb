//! What the model computes, with libtorch: input layer → cell → head, one value a day.

use efflux_data::Tensors;
use efflux_job::Params;
use efflux_numerics::random::{Purpose, Stream};
use tch::{Device, Kind, Tensor};

use super::cell::{Recurrence, State};
use super::embedding::{self, Embedding};
use super::layout::{Head, Layout, Shape};
use super::masks::{Dropped, Masks};
use super::series::Series;

/// What a forward pass is for.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// A gradient will be taken; what dropout may drop is multiplied by its factors, if there are any.
    Fit(Dropped<'a>),
    /// The output is all.
    Run,
}

/// [`Series`] on a device.
#[derive(Debug)]
pub struct SeriesTensors {
    /// Whose weights a series has, `[B]`; as many as there are sites for those that all have in common, alone.
    pub sites: Tensor,
    /// Factors of the input layer's and of the cell's output, `[B, H]`.
    pub masks: Option<[Tensor; 2]>,
}

impl SeriesTensors {
    /// The series of a model of this shape; none where it does not tell sites apart.
    pub fn of(series: &Series, shape: Shape, device: Device) -> Option<Self> {
        if !shape.knows_sites() {
            return None;
        }
        let own = |site: &Option<usize>| site.map_or(shape.sites, |site| site as i64);
        let of_series: Vec<i64> = series.sites.iter().map(own).collect();
        let factors = |factors: &[f32]| {
            let factors = Tensor::from_slice(factors).view([-1, shape.hidden]);
            factors.to_device(device)
        };
        Some(Self {
            sites: Tensor::from_slice(&of_series).to_device(device),
            masks: series
                .masks
                .as_ref()
                .map(|masks| [factors(&masks.activated), factors(&masks.output)]),
        })
    }

    /// Those of the first `rows`.
    pub(super) fn first(&self, rows: i64) -> Self {
        let first = |tensor: &Tensor| tensor.narrow(0, 0, rows);
        Self {
            sites: first(&self.sites),
            masks: self.masks.as_ref().map(|masks| masks.each_ref().map(first)),
        }
    }
}

/// A model: its weights, and the parts that read them.
#[derive(Debug)]
pub struct Network {
    layout: Layout,
    flat: Tensor,
    /// The parameters of all parts, in the order of the layout.
    parameters: Vec<Tensor>,
    embedding: Option<Embedding>,
    input: Linear,
    cell: &'static dyn Recurrence,
    head: Linear,
    site_head: Option<SiteHead>,
}

/// What a head with weights of each site has besides the common weight and bias.
#[derive(Debug)]
struct SiteHead {
    /// `[S, H]`
    state: Tensor,
    /// `[S]`
    bias: Tensor,
    /// Common weights of the inputs, `[1, nx]`, and those of each site, `[S, nx]`.
    inputs: Option<[Tensor; 2]>,
}

impl SiteHead {
    fn of(shape: Shape, parameters: &[Tensor]) -> Option<Self> {
        let own = |tensor: &Tensor| tensor.shallow_clone();
        match (shape.head, parameters) {
            (Head::Site { .. }, [common, state, bias, inputs]) => Some(Self {
                state: own(state),
                bias: own(bias),
                inputs: Some([own(common), own(inputs)]),
            }),
            (Head::Site { .. }, [state, bias]) => Some(Self {
                state: own(state),
                bias: own(bias),
                inputs: None,
            }),
            _ => None,
        }
    }

    /// Predictions `[T, B]` of outputs `[T, B, H]` and inputs `[T, B, nx]`.
    fn forward(&self, head: &Linear, output: &Tensor, inputs: &Tensor, sites: &Tensor) -> Tensor {
        // A row of zeros behind those of the sites, for series without weights of their own.
        let of_series = |values: &Tensor| {
            let mut size = values.size();
            size[0] = 1;
            let none = Tensor::zeros(&size[..], (values.kind(), values.device()));
            Tensor::cat(&[values, &none], 0).index_select(0, sites)
        };
        let kind = output.kind();
        let sum = |products: Tensor| products.sum_dim_intlist(-1, false, kind);
        let predicted = sum(output * (&head.weight + of_series(&self.state)))
            + &head.bias
            + of_series(&self.bias);
        match &self.inputs {
            Some([common, own]) => predicted + sum(inputs * (common + of_series(own))),
            None => predicted,
        }
    }
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
            embedding: layout.embedding().map(|at| Embedding::of(&parameters[at])),
            input: Linear::of(&parameters[..cell.start]),
            cell: shape.cell.definition(),
            head: Linear::of(&parameters[layout.head()]),
            site_head: SiteHead::of(shape, &parameters[layout.head()][2..]),
            parameters,
            layout,
            flat,
        }
    }

    /// The model with which the trial of this seed begins: every parameter uniform in ±1/√n, where n is the number of
    /// inputs of a linear layer, and of hidden units for all of the cell. Weights of single sites begin at zero, their vectors
    /// at draws from a normal distribution of standard deviation 0.1.
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
        let common = layout.parameters()[..layout.of_sites().start].iter();
        for (parameter, values) in common.zip(layout.split(&flat)) {
            if layout.is_fixed(parameter) {
                continue;
            }
            let bound = 1.0 / (layout.fan_in(parameter) as f64).sqrt();
            for mut block in values.view([-1]).split(BLOCK as i64, 0) {
                let draws: Vec<f64> = (0..block.numel())
                    .map(|_| (2.0 * stream.unit() - 1.0) * bound)
                    .collect();
                block.copy_(&Tensor::from_slice(&draws));
            }
        }
        if let Some(at) = layout.embedding() {
            embedding::draw(&mut stream, &mut layout.split(&flat)[at]);
        }
        Self::new(shape, flat)
    }

    /// The model with which a trial with these parameters begins on these data, in single precision. A site without a day to
    /// fit on has no vector.
    pub(super) fn of_trial(tensors: &Tensors, params: &Params, seed: u64, device: Device) -> Self {
        let shape = Shape::of(tensors, params);
        let initial = Self::initial(shape, seed, Kind::Float, device);
        if let Some(at) = initial.layout.embedding() {
            let vectors = &initial.layout.split(&initial.flat)[at];
            for (site, row) in tensors.heads.iter().enumerate() {
                if let Some(row) = row.filter(|_| tensors.fitted(site).is_empty()) {
                    let _ = vectors.get(row as i64).zero_();
                }
            }
        }
        match params.forget_bias {
            Some(bias) => initial.with_forget_bias(bias),
            None => initial,
        }
    }

    /// The same with this bias of the LSTM's forget gates, which keeps them open at first.
    ///
    /// # Source
    ///
    /// Gers et al. (2000), *Neural Comput.* 12(10).
    #[must_use]
    pub fn with_forget_bias(self, bias: f64) -> Self {
        let (parameters, views) = (self.layout.parameters(), self.layout.split(&self.flat));
        let hidden = self.shape().hidden;
        for (parameter, values) in parameters.iter().zip(views) {
            if parameter.name == "lstm.bias_ih_l0" {
                let _ = values.narrow(0, hidden, hidden).fill_(bias);
            } else if parameter.name == "lstm.bias_hh_l0" {
                let _ = values.narrow(0, hidden, hidden).fill_(0.0);
            }
        }
        self
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
        let Shape { hidden, layers, .. } = self.shape();
        let options = (self.flat.kind(), self.flat.device());
        let zeros = |_| Tensor::zeros([layers, rows, hidden], options);
        State((0..self.cell.states()).map(zeros).collect())
    }

    /// Runs `B` series over `T` days.
    ///
    /// * `inputs`: `[T, B, inputs]`, scaled; `series`: for models with weights of each site.
    /// * returns the predictions, `[T, B]`, scaled, and the state after the last day.
    ///
    /// # Source
    ///
    /// Layers and place of the masks as hydroDL's `CudnnLstmModel`; cells on top of each other and dropout between them as
    /// `torch.nn.LSTM`.
    pub fn forward(
        &self,
        inputs: &Tensor,
        state: &State,
        mode: Mode,
        series: Option<&SeriesTensors>,
    ) -> (Tensor, State) {
        let (dropped, fit) = match mode {
            Mode::Fit(dropped) => (dropped, true),
            Mode::Run => (Dropped::default(), false),
        };
        let weights = self.cell_weights(dropped.weights);
        let layers = usize::try_from(self.shape().layers).expect("sizes are positive");
        let each = weights.len() / layers;
        let activated = match &self.embedding {
            Some(embedding) => self.input.forward(&embedding.join(inputs, series)),
            None => self.input.forward(inputs),
        };
        let activated = activated.relu(); // [T, B, H]
        // Not in place: what was there is needed for the gradient.
        let masks = series.and_then(|series| series.masks.as_ref());
        let masked = |values: Tensor, which: usize| match masks {
            Some(masks) => values * &masks[which],
            None => values,
        };
        let mut values = masked(activated, 0);
        let mut after = Vec::new();
        for (layer, weights) in (0..).zip(weights.chunks_exact(each)) {
            if let Some(between) = dropped.between.filter(|_| layer > 0) {
                values = values.g_mul(&between.get(layer - 1));
            }
            let before = state.layer(layer);
            let (output, state) = self.cell.forward(weights, &values, &before, fit);
            values = output;
            after.push(state);
        }
        let output = masked(values, 1);
        let predicted = match (&self.site_head, series) {
            (Some(site_head), Some(series)) => {
                site_head.forward(&self.head, &output, inputs, &series.sites)
            }
            _ => self.head.forward(&output).squeeze_dim(2),
        };
        (predicted, State::of_layers(&after)) // [T, B]
    }

    /// The sum of squares of all weights of single sites, a scalar; none where there are no such weights.
    pub fn ridge(&self) -> Option<Tensor> {
        let own = self.parameters[self.layout.of_sites()].iter();
        own.map(|values| values.square().sum(values.kind()))
            .reduce(|sum, part| sum + part)
    }

    /// The gradient of `loss`, a scalar made by [`Network::forward`], written to `gradient`, `[N]`.
    pub fn gradient(&self, loss: &Tensor, gradient: &Tensor) {
        let parts = Tensor::run_backward(&[loss], &self.parameters, false, false);
        let about = self.layout.parameters().iter();
        let flat: Vec<Tensor> = parts
            .iter()
            .zip(about)
            .map(|(part, parameter)| {
                let flat = part.reshape([-1]);
                if self.layout.is_fixed(parameter) {
                    flat.zeros_like()
                } else {
                    flat
                }
            })
            .collect();
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
            let name = &parameter.name;
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
