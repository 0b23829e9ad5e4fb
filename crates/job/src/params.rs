//! `[model]`: the sizes and rates of the network. Whatever is left out is the paper.

use serde::{Deserialize, Serialize};

use super::settings::Fault;

/// `[model]`: the sizes and rates of the network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Units of the input layer and of the LSTM.
    pub hidden_size: u32,
    /// Share of the LSTM's weights that is dropped in an iteration, in each layer.
    pub dropout: f64,
    /// LSTMs on top of each other, as `num_layers` of `torch.nn.LSTM`. Lanes on a GPU train models of one layer alone: with
    /// more, `--lanes` is refused and trials train one at a time.
    pub layers: u32,
    /// Share of what each layer but the last hands to the next that is dropped in an iteration, as `dropout` of
    /// `torch.nn.LSTM`; only with `layers` of 2 or 3.
    pub layer_dropout: f64,
    /// What makes a prediction of the LSTM's output.
    pub head: Head,
    /// Whether the inputs of a day go into the head as well.
    pub skip: bool,
    /// Times the sum of squares of all weights of single sites, over the number of targets: what they add to the loss.
    pub site_penalty: f64,
    /// What is expected of the weights of a site that a model has no day of; only with `head = "site"`.
    pub site_prior: SitePrior,
    /// Share of the units of the input layer and of the LSTM's output that is dropped, the same on all days of a window;
    /// only with `head = "site"`.
    pub state_dropout: f64,
    /// Numbers, up to 4096, in a vector of each site that is learned with the weights and joined to the inputs of every day,
    /// before the input layer; 0: none. A site without a day to fit on, and one that the training did not have, gets the mean of the
    /// others. `site_penalty` counts these numbers, `weight_decay` does not. Not trained in lanes.
    pub embedding: u32,
    /// Bias of the LSTM's forget gates at the start. Left out, it is drawn like all others.
    pub forget_bias: Option<f64>,
    /// Whether a Gaussian process of each site, conditioned on the days fitted on, adds to every simulation what it expects
    /// of its errors, in `efflux predict`, too: at sites of the run, the less the farther from those days.
    pub residual_process: bool,
}

/// What makes a prediction of the LSTM's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Head {
    /// The same weights at all sites.
    #[default]
    Shared,
    /// Weights of each site beside those that all have in common; sites that a model was not trained with get what
    /// `site_prior` says. Not trained in lanes.
    Site,
}

/// What is expected of the weights of a site that a model has no day of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SitePrior {
    /// Nothing: those that all sites have in common, alone.
    #[default]
    Zero,
    /// What follows from the site's mean and standard deviation of each input, by a linear law of the sites of the training;
    /// their mean weights, where leaving places out shows no such law.
    Attributes,
}

impl Default for Params {
    fn default() -> Self {
        Self::PAPER
    }
}

impl Params {
    /// The most layers that there may be.
    pub const MOST_LAYERS: u32 = 3;

    /// The most numbers that there may be in the vector of a site.
    const MOST_EMBEDDING: u32 = 4096;

    /// The configuration that the paper selected.
    pub const PAPER: Self = Self {
        hidden_size: 128,
        dropout: 0.2,
        layers: 1,
        layer_dropout: 0.0,
        head: Head::Shared,
        skip: false,
        site_penalty: 1.0,
        site_prior: SitePrior::Zero,
        state_dropout: 0.0,
        embedding: 0,
        forget_bias: None,
        residual_process: false,
    };

    /// Whether a model has weights of single sites. Such models are not trained in lanes.
    pub fn knows_sites(&self) -> bool {
        self.head == Head::Site || self.embedding > 0
    }

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
            site_prior,
            state_dropout,
            embedding,
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
        if embedding > Self::MOST_EMBEDDING {
            return Some(("embedding", embedding.to_string(), "0 to 4096"));
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
        if head == Head::Shared && site_prior == SitePrior::Attributes {
            let expected = "\"zero\" unless `head` is \"site\"";
            return Some(("site_prior", "\"attributes\"".to_owned(), expected));
        }
        if head == Head::Shared && state_dropout > 0.0 {
            let expected = "0 unless `head` is \"site\"";
            return Some(("state_dropout", state_dropout.to_string(), expected));
        }
        None
    }
}
