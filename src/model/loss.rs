//! How wrong a prediction is.

use tch::Tensor;

/// Mean squared error over all targets of a batch: one mean, in which a site with more targets has more weight.
///
/// * `predicted`, `target`, `present`: `[T, B]`. `present` is 1 where there is a target and 0 where there is none;
///   `target` must be finite everywhere, because a NaN would pass through a product with 0 into the gradient.
/// * `targets`: the number of ones in `present`, known to the caller, who must not call this with none.
///
/// # Source
///
/// hydroDL `crit.MSELoss` with one output variable.
pub fn masked_mse(predicted: &Tensor, target: &Tensor, present: &Tensor, targets: u32) -> Tensor {
    let error = (predicted - target) * present;
    error.square().sum(error.kind()) / f64::from(targets)
}
