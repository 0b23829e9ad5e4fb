//! Which parameters a model has, and where they lie among its weights: the same for every implementation.
//!
//! The weights of a model are one array, `[N]`: the parameters of the input layer, of the cell and of the head, one after the
//! other, each row by row. Their names are those of a torch module whose members are `input` (`Linear`), the cell (`lstm`:
//! `LSTM`) and `output` (`Linear`). The weights of single sites are behind all others: those of a head with some of each, then the
//! vectors of an `embedding` (`Embedding`).

use std::ops::Range;

use efflux_data::Tensors;
use efflux_job::{self as job, Params};
use tch::Tensor;

use super::cell::Cell;
use super::parameter::{Dimension, Parameter};

/// Sizes of a model, and its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What carries the state from day to day.
    pub cell: Cell,
    /// Inputs of a day, dynamic and static.
    pub inputs: i64,
    /// Units of the input layer and of the cell.
    pub hidden: i64,
    /// Cells on top of each other, each reading the one below.
    pub layers: i64,
    /// What makes a prediction of the cell's output.
    pub head: Head,
    /// Numbers in the vector of each site that is joined to the inputs of a day; 0: there is none.
    pub embedding: i64,
    /// Sites with weights of their own; 0 for a model that does not tell sites apart.
    pub sites: i64,
}

/// What makes a prediction y of the cell's output h and the day's inputs x.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Head {
    /// The same at all sites: y = w·h + c.
    #[default]
    Shared,
    /// With weights of each site i: y = (w + wᵢ)·h + c + cᵢ, and with `skip` + (u + uᵢ)·x. The cell has one
    /// bias then, because an optimizer moves two of them twice as far.
    Site {
        /// Whether the inputs go into the head as well.
        skip: bool,
    },
}

impl Shape {
    /// A model with an LSTM.
    pub fn lstm(inputs: i64, hidden: i64) -> Self {
        Self {
            cell: Cell::Lstm,
            inputs,
            hidden,
            layers: 1,
            head: Head::Shared,
            embedding: 0,
            sites: 0,
        }
    }

    /// The same with so many layers.
    #[must_use]
    pub fn stacked(self, layers: i64) -> Self {
        Self { layers, ..self }
    }

    /// The same with a head with weights of each of so many sites.
    #[must_use]
    pub fn with_site_head(self, sites: i64, skip: bool) -> Self {
        let head = Head::Site { skip };
        Self {
            head,
            sites,
            ..self
        }
    }

    /// The same with vectors of so many numbers of each of so many sites.
    #[must_use]
    pub fn with_embedding(self, sites: i64, embedding: i64) -> Self {
        Self {
            embedding,
            sites,
            ..self
        }
    }

    /// Whether it has weights of single sites. Such models are not trained in lanes.
    pub fn knows_sites(self) -> bool {
        self.sites > 0
    }

    /// That of a trial with these parameters on these data.
    pub(super) fn of(tensors: &Tensors, params: &Params) -> Self {
        Self {
            cell: Cell::default(),
            inputs: (tensors.dynamic + tensors.statics) as i64,
            hidden: i64::from(params.hidden_size),
            layers: i64::from(params.layers),
            head: match params.head {
                job::Head::Shared => Head::Shared,
                job::Head::Site => Head::Site { skip: params.skip },
            },
            embedding: i64::from(params.embedding),
            sites: if params.knows_sites() {
                tensors.heads.iter().flatten().count() as i64
            } else {
                0
            },
        }
    }

    /// Number of weights and biases.
    pub fn weights(self) -> i64 {
        Layout::of(self).weights()
    }

    fn size(self, dimension: Dimension) -> i64 {
        match dimension {
            Dimension::One => 1,
            Dimension::Inputs => self.inputs,
            Dimension::Embedding => self.embedding,
            Dimension::Joined => self.inputs + self.embedding,
            Dimension::Units(blocks) => blocks * self.hidden,
            Dimension::Sites => self.sites,
        }
    }
}

/// The parameters of a model in the order in which they lie among its weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    shape: Shape,
    parameters: Vec<Parameter>,
    /// How many of them are common to all sites: the first.
    common: usize,
}

/// How many parameters the input layer has, and the head: weight and bias.
const LINEAR: usize = 2;

impl Layout {
    /// That of a model of this shape.
    pub fn of(shape: Shape) -> Self {
        use Dimension::{Embedding, Inputs, Joined, One, Sites, Units};
        let mut parameters = vec![
            Parameter::new("input.weight", &[Units(1), Joined], Joined),
            Parameter::new("input.bias", &[Units(1)], Joined),
        ];
        parameters.extend(shape.cell.definition().parameters(shape.layers));
        parameters.push(Parameter::new("output.weight", &[One, Units(1)], Units(1)));
        parameters.push(Parameter::new("output.bias", &[One], Units(1)));
        let mut common = parameters.len();
        if let Head::Site { skip } = shape.head {
            if skip {
                parameters.push(Parameter::new("skip.weight", &[One, Inputs], Inputs));
                common += 1;
            }
            parameters.push(Parameter::new("site.state", &[Sites, Units(1)], Units(1)));
            parameters.push(Parameter::new("site.bias", &[Sites], Units(1)));
            if skip {
                parameters.push(Parameter::new("site.input", &[Sites, Inputs], Inputs));
            }
        }
        if shape.embedding > 0 {
            let vectors = Parameter::new("embedding.weight", &[Sites, Embedding], Embedding);
            parameters.push(vectors);
        }
        Self {
            shape,
            parameters,
            common,
        }
    }

    /// The shape of the model.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Which of them are the cell's, layer by layer: the input layer's come before, the head's behind.
    pub(super) fn cell(&self) -> Range<usize> {
        {
            let cell = self.shape.cell.definition().parameters(self.shape.layers);
            LINEAR..LINEAR + cell.len()
        }
    }

    /// Which of them are the weights of single sites; they are behind all others.
    pub(super) fn of_sites(&self) -> Range<usize> {
        self.common..self.parameters.len()
    }

    /// Which of them are the head's.
    pub(super) fn head(&self) -> Range<usize> {
        self.cell().end..self.embedding().unwrap_or(self.parameters.len())
    }

    /// Which of them are the weights of single sites in the head.
    pub(super) fn site_head(&self) -> Range<usize> {
        self.common..self.head().end
    }

    /// Which of them are the vectors of sites, if there are any.
    pub(super) fn embedding(&self) -> Option<usize> {
        (self.shape.embedding > 0).then(|| self.parameters.len() - 1)
    }

    /// Number of weights that all sites have in common.
    pub fn common_weights(&self) -> i64 {
        let parameters = self.parameters[..self.common].iter();
        parameters.map(|one| self.length(one)).sum()
    }

    /// Whether a parameter is zero and stays so.
    pub(super) fn is_fixed(&self, parameter: &Parameter) -> bool {
        parameter.is_second && self.shape.head != Head::Shared
    }

    /// The sizes of a parameter.
    pub fn sizes(&self, parameter: &Parameter) -> Vec<i64> {
        let dimensions = parameter.dimensions.iter();
        dimensions.map(|&one| self.shape.size(one)).collect()
    }

    /// The n of [`Parameter::fan_in`].
    pub(super) fn fan_in(&self, parameter: &Parameter) -> i64 {
        self.shape.size(parameter.fan_in)
    }

    /// Number of weights and biases, N.
    pub fn weights(&self) -> i64 {
        let parameters = self.parameters.iter();
        parameters.map(|one| self.length(one)).sum()
    }

    /// The sizes of the parameters whose weights dropout may drop.
    pub(super) fn dropped(&self) -> Vec<Vec<i64>> {
        let parameters = self.parameters.iter().filter(|one| one.drops);
        parameters.map(|one| self.sizes(one)).collect()
    }

    /// The weights, `[N]`, as the parameters, which share their memory.
    pub fn split(&self, flat: &Tensor) -> Vec<Tensor> {
        let mut offset = 0;
        let parameters = self.parameters.iter();
        parameters
            .map(|parameter| {
                let length = self.length(parameter);
                offset += length;
                flat.narrow(0, offset - length, length)
                    .view(&self.sizes(parameter)[..])
            })
            .collect()
    }

    /// The weights of several models, `[L, N]` or longer rows, as their parameters, whose first dimension is L.
    pub(super) fn split_rows(&self, rows: &Tensor) -> Vec<Tensor> {
        let mut offset = 0;
        let parameters = self.parameters.iter();
        parameters
            .map(|parameter| {
                let length = self.length(parameter);
                offset += length;
                let sizes = [vec![-1], self.sizes(parameter)].concat();
                rows.narrow(1, offset - length, length).view(&sizes[..])
            })
            .collect()
    }

    fn length(&self, parameter: &Parameter) -> i64 {
        self.sizes(parameter).iter().product()
    }
}
