//! Days that are each simulated by a run of their own, whatever runs them.

use efflux_data::Tensors;

use super::failure::TrialError;
use super::progress::Flow;

/// Days of all windows that are run at a time: a fraction of a second's work.
const WINDOW_DAYS: usize = 1 << 16;

/// Days of each site that no whole window ends with.
pub(super) fn early_days(tensors: &Tensors, window: usize) -> usize {
    (window - 1).min(tensors.days)
}

/// Simulates each of these days from the window that ends with it, in the order of `places`.
///
/// * `places`: site · D + day of each; `first`: the early days of all sites in one run, `[S, early_days]`.
/// * `last`: simulates the last day of each window that begins at one of these rows of `[S·D]`.
/// * `observe` is called from time to time.
pub(super) fn by_window(
    tensors: &Tensors,
    window: usize,
    places: &[usize],
    first: &[f32],
    observe: &mut dyn FnMut() -> Flow,
    mut last: impl FnMut(&[i64]) -> Result<Vec<f32>, TrialError>,
) -> Result<Vec<f32>, TrialError> {
    let early = early_days(tensors, window);
    let mut simulated = vec![0.0; places.len()];
    let mut late = Vec::new();
    for (index, &place) in places.iter().enumerate() {
        let (site, day) = (place / tensors.days, place % tensors.days);
        if day < early {
            simulated[index] = first[site * early + day];
        } else {
            late.push(index);
        }
    }
    for late in late.chunks((WINDOW_DAYS / window).max(1)) {
        let starts = late
            .iter()
            .map(|&index| (places[index] + 1 - window) as i64);
        let starts: Vec<i64> = starts.collect();
        for (&index, value) in late.iter().zip(last(&starts)?) {
            simulated[index] = value;
        }
        if observe() == Flow::Stop {
            return Err(TrialError::Interrupted);
        }
    }
    Ok(simulated)
}
