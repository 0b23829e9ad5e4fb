//! A parameter of a model: its name and its dimensions.

/// A dimension of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// 1.
    One,
    /// The inputs of a day.
    Inputs,
    /// Numbers in the vector of a site.
    Embedding,
    /// The inputs of a day with the vector of the site joined to them.
    Joined,
    /// This many blocks of hidden units, one for each gate.
    Units(i64),
    /// The sites that a model has weights of their own for.
    Sites,
}

/// A parameter of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// As in torch.
    pub name: String,
    /// One dimension, or rows and columns.
    pub dimensions: Vec<Dimension>,
    /// Initial values are uniform in ±1/√n for this n.
    pub fan_in: Dimension,
    /// Whether dropout may drop its weights.
    pub drops: bool,
    /// Whether it is only ever added to another one, so that a model may do without: it is zero then, and stays so.
    pub is_second: bool,
}

impl Parameter {
    /// One that dropout leaves alone.
    pub(super) fn new(
        name: impl Into<String>,
        dimensions: &[Dimension],
        fan_in: Dimension,
    ) -> Self {
        Self {
            name: name.into(),
            dimensions: dimensions.to_vec(),
            fan_in,
            drops: false,
            is_second: false,
        }
    }

    /// The same, only ever added to another one.
    pub(super) fn second(self) -> Self {
        Self {
            is_second: true,
            ..self
        }
    }

    /// The same, with weights that dropout may drop.
    pub(super) fn dropped(self) -> Self {
        Self {
            drops: true,
            ..self
        }
    }
}
