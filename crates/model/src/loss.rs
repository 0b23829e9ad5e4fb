//! The loss: how wrong predictions are.

use efflux_data::Tensors;
use efflux_job::{Loss, Params, Training};
use tch::{Reduction, Tensor};

/// What one error adds to the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LossFunction {
    /// Its square.
    Square,
    /// Half its square up to delta, and a straight line beyond it: delta · (|error| − delta / 2).
    ///
    /// # Source
    ///
    /// Huber (1964), *Ann. Math. Statist.* 35(1); `torch.nn.HuberLoss`.
    Huber {
        /// In the units of the prediction.
        delta: f64,
    },
}

impl LossFunction {
    /// The loss of an error, and its derivative.
    pub(super) fn with_slope(self, error: f64) -> (f64, f64) {
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
    loss_function: LossFunction,
    predicted: &Tensor,
    target: &Tensor,
    weight: &Tensor,
    targets: u32,
) -> Tensor {
    let counted = match loss_function {
        LossFunction::Square => (predicted - target).square(),
        LossFunction::Huber { delta } => predicted.huber_loss(target, Reduction::None, delta),
    };
    (counted * weight).sum(predicted.kind()) / f64::from(targets)
}

/// The loss of a trial: its function, and the weight of an error at each site, `[S]`.
///
/// # Source
///
/// The weights of [`Loss::Nse`]: Kratzert et al. (2019), *Hydrol. Earth Syst. Sci.* 23, 5089–5110, eq. 14, whose 0.1 is
/// in units of the standard deviation of all targets.
pub(super) fn of_trial(tensors: &Tensors, training: &Training) -> (LossFunction, Vec<f32>) {
    let all = deviation(&tensors.target);
    let loss_function = match training.loss {
        Loss::Mse | Loss::Nse => LossFunction::Square,
        Loss::Huber { delta } => LossFunction::Huber {
            // Without any variation every delta is as good.
            delta: delta.unwrap_or(1.0) * if all > 0.0 { all } else { 1.0 },
        },
    };
    let weights = tensors.target.rows().map(|site| {
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
    (loss_function, weights.collect())
}

/// What the sum of squares of all weights of single sites adds to the loss of a trial.
pub(super) fn ridge(tensors: &Tensors, params: &Params) -> f64 {
    if !params.knows_sites() {
        return 0.0;
    }
    let fitted = tensors.target.iter().filter(|target| !target.is_nan());
    params.site_penalty / fitted.count().max(1) as f64
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
