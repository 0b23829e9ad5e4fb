//! What a trained model says of the whole calendar.

use efflux_data::Tensors;
use efflux_job as job;
use efflux_job::Training;
use tch::{Device, Kind, Tensor};

use super::device::values;
use super::engine;
use super::failure::{TrialError, guarded};
use super::lstm::{Lstm, Mode};
use super::native::{Level, NativeLstm};
use super::progress::{Flow, Trained};
use super::resident;

/// Days of all sites that are run at a time, so that memory does not grow with the calendar. The result does not depend
/// on it.
pub const PIECE: usize = 512;

/// Days of all windows that are run at a time: a fraction of a second's work.
const WINDOW_DAYS: usize = 1 << 16;

/// Which days of all sites a simulation is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// All of them, `[S, D]`.
    All,
    /// Those with an observation, in order of sites and days.
    Observed,
}

impl Days {
    /// Their places in an array of shape `[S, D]`, in ascending order.
    fn places(self, tensors: &Tensors) -> Vec<usize> {
        let all = 0..tensors.sites * tensors.days;
        match self {
            Self::All => all.collect(),
            Self::Observed => all
                .filter(|&place| !tensors.observed[place].is_nan())
                .collect(),
        }
    }

    /// These of all days, `[S, D]`.
    fn of(self, tensors: &Tensors, all: Vec<f32>) -> Vec<f32> {
        match self {
            Self::All => all,
            Self::Observed => {
                let places = self.places(tensors).into_iter();
                places.map(|place| all[place]).collect()
            }
        }
    }
}

impl Trained {
    /// Simulates these days of all sites with the implementation that trained the model, scaled.
    ///
    /// * `window`: days of a window and its warm-up; `observe` is called from time to time. Both are for
    ///   [`job::State::Window`].
    ///
    /// # Errors
    ///
    /// [`TrialError::Interrupted`] if `observe` says so, [`TrialError::Memory`] and [`TrialError::Torch`] if libtorch
    /// reports a failure.
    pub fn simulate(
        &self,
        tensors: &Tensors,
        days: Days,
        state: job::State,
        window: usize,
        observe: &mut dyn FnMut() -> Flow,
    ) -> Result<Vec<f32>, TrialError> {
        let simulated = by(
            &self.model,
            self.level,
            tensors,
            days,
            state,
            window,
            observe,
        );
        simulated.map_err(|error| error.sized(tensors, &self.params, &self.training))
    }
}

/// Simulates all sites over all days with weights from a file, by the implementation that would train them on this
/// device, `[S, D]`, scaled. The rest is as in [`Trained::simulate`].
///
/// # Errors
///
/// [`TrialError::Backend`] if the training is native and the device a GPU, [`TrialError::Torch`] if libtorch reports a
/// failure.
pub fn simulate(
    model: &Lstm,
    training: &Training,
    device: Device,
    tensors: &Tensors,
    state: job::State,
    window: usize,
) -> Result<Vec<f32>, TrialError> {
    let level = engine::native(training, device)?;
    let there = guarded(|| Ok(Lstm::new(model.shape(), model.flat().to_device(device))))?;
    by(
        &there,
        level,
        tensors,
        Days::All,
        state,
        window,
        &mut || Flow::Continue,
    )
}

/// Natively at a level, or by libtorch.
fn by(
    model: &Lstm,
    level: Option<Level>,
    tensors: &Tensors,
    days: Days,
    state: job::State,
    window: usize,
    observe: &mut dyn FnMut() -> Flow,
) -> Result<Vec<f32>, TrialError> {
    let Some(level) = level else {
        return match state {
            job::State::Carried => Ok(days.of(tensors, predict(model, tensors, PIECE)?)),
            job::State::Window => {
                predict_by_window(model, tensors, window, &days.places(tensors), observe)
            }
        };
    };
    guarded(|| {
        let weights = values(model.flat());
        let mut model = NativeLstm::new(model.shape(), &weights, level);
        match state {
            job::State::Carried => Ok(days.of(tensors, model.predict(tensors))),
            job::State::Window => {
                model.predict_by_window(tensors, window, &days.places(tensors), observe)
            }
        }
    })
}

/// Simulates all sites over all days in one run from a zero state, `[S, D]`, scaled.
///
/// The calendar is run in pieces of `piece` days with the state carried on.
///
/// # Errors
///
/// [`TrialError::Torch`] if libtorch reports a failure.
///
/// # Source
///
/// hydroDL's `testModel`: no warm-up, state carried from the first day to the last.
pub fn predict(model: &Lstm, tensors: &Tensors, piece: usize) -> Result<Vec<f32>, TrialError> {
    without_gradient(|| {
        let inputs = resident::inputs(tensors, model.flat().device());
        let series = carried(model, &inputs, tensors.days as i64, piece);
        Ok(Vec::try_from(series.view([-1]))?)
    })
}

/// Simulates each of these days by a run of its own over the `window` days that end with it, from a zero state, scaled.
/// Runs of the calendar's first days begin with the calendar.
///
/// A day costs `window` times as much as in [`predict`], so `observe` is called from time to time.
///
/// * `places`: site · D + day of each.
///
/// # Errors
///
/// [`TrialError::Interrupted`] if `observe` says so, [`TrialError::Torch`] if libtorch reports a failure.
pub fn predict_by_window(
    model: &Lstm,
    tensors: &Tensors,
    window: usize,
    places: &[usize],
    observe: &mut dyn FnMut() -> Flow,
) -> Result<Vec<f32>, TrialError> {
    without_gradient(|| {
        let inputs = resident::inputs(tensors, model.flat().device());
        let first = match early_days(tensors, window) {
            0 => Vec::new(),
            early => Vec::try_from(carried(model, &inputs, early as i64, PIECE).view([-1]))?,
        };
        let rows = inputs.flatten(0, 1); // [S·D, nx]
        let offsets = Tensor::arange(window as i64, (Kind::Int64, rows.device())).unsqueeze(1);
        by_window(tensors, window, places, &first, observe, |starts| {
            let index = &offsets + Tensor::from_slice(starts).to_device(rows.device());
            let width = starts.len() as i64;
            let inputs = rows
                .index_select(0, &index.view([-1]))
                .view([window as i64, width, -1]);
            let (predicted, _) = model.forward(&inputs, &model.zero_state(width), Mode::Run);
            Ok(Vec::try_from(predicted.get(window as i64 - 1))?)
        })
    })
}

/// Days of each site that no whole window ends with.
pub(super) fn early_days(tensors: &Tensors, window: usize) -> usize {
    (window - 1).min(tensors.days)
}

/// [`predict_by_window`] by any implementation.
///
/// * `first`: the early days of all sites in one run, `[S, early_days]`; `last`: the last days of the windows that begin
///   at these rows of `[S·D]`.
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

fn without_gradient<T>(work: impl FnOnce() -> Result<T, TrialError>) -> Result<T, TrialError> {
    guarded(|| {
        // A closure of tch's would leave gradients off after a panic.
        let _off = tch::no_grad_guard();
        work()
    })
}

/// The first days of `inputs`, `[S, D, nx]`, as `[S, days]`.
fn carried(model: &Lstm, inputs: &Tensor, days: i64, piece: usize) -> Tensor {
    let mut state = model.zero_state(inputs.size()[0]);
    let mut pieces = Vec::new();
    for start in (0..days).step_by(piece) {
        let length = (piece as i64).min(days - start);
        let piece = inputs.narrow(1, start, length).transpose(0, 1); // [T, S, nx]
        let (predicted, after) = model.forward(&piece.contiguous(), &state, Mode::Run);
        pieces.push(predicted);
        state = after;
    }
    Tensor::cat(&pieces, 0).transpose(0, 1).contiguous()
}
