//! How wrong a prediction is.

use efflux_data::Tensors;
use efflux_job::{Loss, Training};
use tch::{Reduction, Tensor};

use super::lstm::{Lstm, Mode, State};
use super::masks::Masks;
use super::resident::Gathered;

/// How one error counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// By its square.
    Square,
    /// By half its square up to delta, and beyond that by delta times what it is longer than half of delta.
    ///
    /// # Source
    ///
    /// Huber (1964), *Ann. Math. Statist.* 35(1); `torch.nn.HuberLoss`.
    Huber {
        /// In the units of the prediction.
        delta: f64,
    },
}

impl Form {
    /// What an error counts, and how much more a larger one would.
    pub(super) fn of(self, error: f64) -> (f64, f64) {
        match self {
            Self::Square => (error * error, 2.0 * error),
            Self::Huber { delta } if error.abs() > delta => {
                (delta * (error.abs() - 0.5 * delta), delta * error.signum())
            }
            Self::Huber { .. } => (0.5 * error * error, error),
        }
    }
}

/// Mean over all targets of a batch: one mean, in which a site with more targets has more weight.
///
/// * `predicted`, `target`, `weight`: `[T, B]`. `weight` is 0 where there is no target, and else the weight of its
///   error; `target` must be finite everywhere, because a NaN would pass through a product with 0 into the gradient.
/// * `targets`: how many targets there are, known to the caller, who must not call this with none.
///
/// # Source
///
/// hydroDL `crit.MSELoss` with one output variable, where every weight is 1.
pub fn masked_mean(
    form: Form,
    predicted: &Tensor,
    target: &Tensor,
    weight: &Tensor,
    targets: u32,
) -> Tensor {
    let counted = match form {
        Form::Square => (predicted - target).square(),
        Form::Huber { delta } => predicted.huber_loss(target, Reduction::None, delta),
    };
    (counted * weight).sum(predicted.kind()) / f64::from(targets)
}

/// The loss of a batch that is run in these pieces, one after the other with the state carried on: a scalar from which a
/// gradient can be taken.
pub(super) fn batch_loss(
    model: &Lstm,
    masks: Option<&Masks>,
    form: Form,
    pieces: impl Iterator<Item = Gathered>,
    targets: u32,
) -> Tensor {
    let mut before: Option<State> = None;
    let mut total: Option<Tensor> = None;
    for piece in pieces {
        let rows = piece.inputs.size()[1];
        let state = match &before {
            None => model.zero_state(rows),
            Some(state) => state.first(rows),
        };
        let (predicted, after) = model.forward(&piece.inputs, &state, Mode::Fit(masks));
        let part = masked_mean(form, &predicted, &piece.target, &piece.weight, targets);
        total = Some(match total {
            None => part,
            Some(sum) => sum + part,
        });
        before = Some(after);
    }
    total.expect("a batch of at least one piece")
}

/// The loss of a trial: the form of an error, and what an error weighs at each site, `[S]`.
///
/// # Source
///
/// The weights of [`Loss::Nse`]: Kratzert et al. (2019), *Hydrol. Earth Syst. Sci.* 23, 5089–5110, eq. 14, whose 0.1 is
/// in units of the standard deviation of all targets.
pub(super) fn of_trial(tensors: &Tensors, training: &Training) -> (Form, Vec<f32>) {
    let all = deviation(&tensors.target);
    let form = match training.loss {
        Loss::Mse | Loss::Nse => Form::Square,
        Loss::Huber => Form::Huber {
            // Without any variation every delta is as good.
            delta: training.huber_delta.unwrap_or(1.0) * if all > 0.0 { all } else { 1.0 },
        },
    };
    let weights = tensors.target.chunks_exact(tensors.days).map(|site| {
        if training.loss != Loss::Nse || all == 0.0 {
            return 1.0;
        }
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a weight needs no more than 32 bits"
        )]
        let weight = (deviation(site) + 0.1 * all).powi(-2) as f32;
        weight
    });
    (form, weights.collect())
}

/// The population standard deviation of what is not NaN, 0 of fewer than two values.
fn deviation(values: &[f32]) -> f64 {
    let known = || {
        values
            .iter()
            .filter(|value| !value.is_nan())
            .map(|&value| f64::from(value))
    };
    let count = known().count().max(1) as f64;
    let mean = known().sum::<f64>() / count;
    (known().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
}
