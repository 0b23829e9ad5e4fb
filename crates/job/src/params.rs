//! `[model]`: the sizes and rates of the network. Whatever is left out is the paper.

use serde::{Deserialize, Serialize};

use super::settings::Fault;

/// `[model]`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Units of the input layer and of the LSTM.
    pub hidden_size: u32,
    /// Share of the LSTM's weights that is dropped in an iteration.
    pub dropout: f64,
    /// LSTMs on top of each other, each reading the one below.
    pub layers: u32,
    /// Share of what each of them but the last hands to the next that is dropped in an iteration.
    pub layer_dropout: f64,
    /// What makes a prediction of the LSTM's output.
    pub head: Head,
    /// Whether the inputs of a day go into a head with weights of each site as well.
    pub skip: bool,
    /// What the squares of all weights of single sites cost, over the number of targets.
    pub site_penalty: f64,
    /// Share of the units of the input layer and of the LSTM that is dropped in a window.
    pub state_dropout: f64,
    /// Bias of the LSTM's forget gates at the start; absent: drawn as all others.
    pub forget_bias: Option<f64>,
    /// Whether a Gaussian process of each site adds to a simulation what it expects of its errors.
    pub residual_process: bool,
}

/// What makes a prediction of the LSTM's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Head {
    /// The same weights at all sites.
    #[default]
    Shared,
    /// Weights of each site beside those that all have in common.
    Site,
}

impl Default for Params {
    fn default() -> Self {
        Self::PAPER
    }
}

impl Params {
    /// The most layers that there may be.
    pub const MOST_LAYERS: u32 = 3;

    /// The configuration that the paper selected.
    pub const PAPER: Self = Self {
        hidden_size: 128,
        dropout: 0.2,
        layers: 1,
        layer_dropout: 0.0,
        head: Head::Shared,
        skip: false,
        site_penalty: 1.0,
        state_dropout: 0.0,
        forget_bias: None,
        residual_process: false,
    };

    /// The first value that cannot be.
    pub(super) fn fault(&self) -> Option<Fault> {
        let Self {
            hidden_size,
            dropout,
            layers,
            layer_dropout,
            head,
            skip,
            site_penalty,
            state_dropout,
            forget_bias,
            residual_process: _,
        } = *self;
        if !(1..=4096).contains(&hidden_size) {
            return Some(("hidden_size", hidden_size.to_string(), "1 to 4096"));
        }
        if !(1..=Self::MOST_LAYERS).contains(&layers) {
            return Some(("layers", layers.to_string(), "1, 2 or 3"));
        }
        for (key, share) in [
            ("dropout", dropout),
            ("layer_dropout", layer_dropout),
            ("state_dropout", state_dropout),
        ] {
            if !(0.0..1.0).contains(&share) {
                return Some((key, share.to_string(), "at least 0 and below 1"));
            }
        }
        if !(site_penalty.is_finite() && site_penalty >= 0.0) {
            return Some(("site_penalty", site_penalty.to_string(), "0 or more"));
        }
        if let Some(bias) = forget_bias.filter(|bias| !bias.is_finite()) {
            return Some(("forget_bias", bias.to_string(), "a number"));
        }
        if layer_dropout > 0.0 && layers == 1 {
            let expected = "0, because one layer has none above it (layers is 1)";
            return Some(("layer_dropout", layer_dropout.to_string(), expected));
        }
        if head == Head::Shared && skip {
            let expected = "false unless `head` is \"site\"";
            return Some(("skip", "true".to_owned(), expected));
        }
        if head == Head::Shared && state_dropout > 0.0 {
            let expected = "0 unless `head` is \"site\"";
            return Some(("state_dropout", state_dropout.to_string(), expected));
        }
        None
    }
}
