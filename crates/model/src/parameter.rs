//! A parameter of a model: its name and its dimensions.

/// A dimension of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// 1.
    One,
    /// The inputs of a day.
    Inputs,
    /// This many blocks of hidden units, one for each gate.
    Units(i64),
}

/// A parameter of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// As in torch.
    pub name: &'static str,
    /// One dimension, or rows and columns.
    pub dimensions: Vec<Dimension>,
    /// Initial values are uniform in ±1/√n for this n.
    pub fan_in: Dimension,
    /// Whether dropout may drop its weights.
    pub drops: bool,
}

impl Parameter {
    /// One that dropout leaves alone.
    pub(super) fn new(name: &'static str, dimensions: &[Dimension], fan_in: Dimension) -> Self {
        Self {
            name,
            dimensions: dimensions.to_vec(),
            fan_in,
            drops: false,
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
