//! What a trained model says of the whole calendar.

use tch::Tensor;

use super::failure::{TrialError, guarded};
use super::lstm::{Lstm, Mode};
use super::resident;
use crate::data::Tensors;

/// Simulates all sites over all days in one run from a zero state, `[S, D]`, scaled.
///
/// The calendar is run in pieces of `chunk` days with the state carried on, so that memory does not grow with its
/// length; a year is a good piece.
///
/// # Errors
///
/// [`TrialError::Torch`] if libtorch reports a failure.
///
/// # Source
///
/// hydroDL's `testModel`: no warm-up, state carried from the first day to the last.
pub fn predict(model: &Lstm, tensors: &Tensors, chunk: usize) -> Result<Vec<f32>, TrialError> {
    guarded(|| {
        tch::no_grad(|| {
            let inputs = resident::inputs(tensors, model.flat().device());
            let mut state = model.zero_state(tensors.sites as i64);
            let mut pieces = Vec::new();
            for start in (0..tensors.days).step_by(chunk) {
                let days = chunk.min(tensors.days - start) as i64;
                let piece = inputs.narrow(1, start as i64, days).transpose(0, 1); // [T, S, nx]
                let (predicted, after) = model.forward(&piece.contiguous(), &state, Mode::Run);
                pieces.push(predicted);
                state = after;
            }
            let series = Tensor::cat(&pieces, 0).transpose(0, 1).contiguous(); // [S, D]
            Ok(Vec::<f32>::try_from(series.view([-1]))?)
        })
    })
}
