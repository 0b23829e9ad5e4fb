//! What a trained model predicts for the whole calendar.

use efflux_data::Tensors;
use efflux_job as job;
use efflux_job::{Params, Training};
use tch::{Device, Kind, Tensor};

use super::backend;
use super::by_window::{by_window, early_days};
use super::device::values;
use super::device_data;
use super::failure::{TrialError, guarded};
use super::native::{Level, NativeModel};
use super::network::{Mode, Network, SeriesTensors};
use super::progress::Flow;
use super::series::Series;

/// Days of all sites that are run at a time, so that memory does not grow with the calendar. The result does not depend
/// on it.
pub const PIECE: usize = 512;

/// Which days of all sites a simulation is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// All of them, `[S, D]`.
    All,
    /// Those with an observation, in order of sites and days.
    Observed,
}

impl Days {
    /// How many of them a site has.
    pub fn of_site(self, tensors: &Tensors, site: usize) -> usize {
        match self {
            Self::All => tensors.days,
            Self::Observed => {
                let days = tensors.observed.site(site).iter();
                days.filter(|value| !value.is_nan()).count()
            }
        }
    }

    /// Their indices in an array of shape `[S, D]`, in ascending order.
    fn places(self, tensors: &Tensors) -> Vec<usize> {
        let all = 0..tensors.sites * tensors.days;
        match self {
            Self::All => all.collect(),
            Self::Observed => all
                .filter(|&place| !tensors.observed.values()[place].is_nan())
                .collect(),
        }
    }

    /// The values of these days, out of those of all days, `[S, D]`.
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

/// A model that was trained to the end, and how it went.
#[derive(Debug)]
pub struct Trained {
    /// With the weights of the epoch that the job keeps.
    pub model: Network,
    /// How it was trained.
    pub(super) params: Params,
    /// How it was trained.
    pub(super) training: Training,
    /// The level at which it was trained natively, and is run; absent if libtorch trained it.
    pub(super) level: Option<Level>,
    /// That epoch, counted from 1.
    pub epoch: u32,
    /// Optimizer steps taken.
    pub updates: u64,
    /// Mean loss of each epoch's batches that held a target, scaled units, with dropout at work.
    pub losses: Vec<f64>,
    /// Share of the drawn windows that held a target.
    pub window_share: f64,
}

impl Trained {
    /// The same with another model, such as one of other sites, in the place of its own.
    #[must_use]
    pub fn with_model(&self, model: Network) -> Self {
        Self {
            model,
            losses: self.losses.clone(),
            ..*self
        }
    }

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
        let simulation = Simulation {
            tensors,
            days,
            state,
            window,
        };
        let simulated = simulation.run(&self.model, self.level, observe);
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
    model: &Network,
    training: &Training,
    device: Device,
    tensors: &Tensors,
    state: job::State,
    window: usize,
) -> Result<Vec<f32>, TrialError> {
    let level = backend::native_level(training, model.shape().cell, device)?;
    let there = guarded(|| Ok(Network::new(model.shape(), model.flat().to_device(device))))?;
    let simulation = Simulation {
        tensors,
        days: Days::All,
        state,
        window,
    };
    simulation.run(&there, level, &mut || Flow::Continue)
}

/// What is to be simulated.
#[derive(Clone, Copy, Debug)]
struct Simulation<'a> {
    tensors: &'a Tensors,
    days: Days,
    state: job::State,
    /// Days of a window and its warm-up.
    window: usize,
}

impl Simulation<'_> {
    /// Simulates with native kernels at this level, or with libtorch if there is none.
    fn run(
        self,
        model: &Network,
        level: Option<Level>,
        observe: &mut dyn FnMut() -> Flow,
    ) -> Result<Vec<f32>, TrialError> {
        let Self {
            tensors,
            days,
            state,
            window,
        } = self;
        let places = || days.places(tensors);
        let Some(level) = level else {
            return match state {
                job::State::Carried => Ok(days.of(tensors, predict(model, tensors, PIECE)?)),
                job::State::Window => predict_by_window(model, tensors, window, &places(), observe),
            };
        };
        guarded(|| {
            let weights = values(model.flat());
            let mut model = NativeModel::new(model.shape(), &weights, level);
            match state {
                job::State::Carried => Ok(days.of(tensors, model.predict(tensors))),
                job::State::Window => model.predict_by_window(tensors, window, &places(), observe),
            }
        })
    }
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
pub fn predict(model: &Network, tensors: &Tensors, piece: usize) -> Result<Vec<f32>, TrialError> {
    without_gradient(|| {
        let inputs = device_data::inputs(tensors, model.flat().device());
        let series = carried(model, tensors, &inputs, tensors.days as i64, piece);
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
    model: &Network,
    tensors: &Tensors,
    window: usize,
    places: &[usize],
    observe: &mut dyn FnMut() -> Flow,
) -> Result<Vec<f32>, TrialError> {
    without_gradient(|| {
        let inputs = device_data::inputs(tensors, model.flat().device());
        let first = match early_days(tensors, window) {
            0 => Vec::new(),
            early => {
                Vec::try_from(carried(model, tensors, &inputs, early as i64, PIECE).view([-1]))?
            }
        };
        let rows = inputs.flatten(0, 1); // [S·D, nx]
        let offsets = Tensor::arange(window as i64, (Kind::Int64, rows.device())).unsqueeze(1);
        by_window(tensors, window, places, &first, observe, |starts| {
            let index = &offsets + Tensor::from_slice(starts).to_device(rows.device());
            let width = starts.len() as i64;
            let inputs = rows
                .index_select(0, &index.view([-1]))
                .view([window as i64, width, -1]);
            let series = Series::of_rows(&tensors.heads, tensors.days, starts);
            let series = SeriesTensors::of(&series, model.shape(), rows.device());
            let state = model.zero_state(width);
            let (predicted, _) = model.forward(&inputs, &state, Mode::Run, series.as_ref());
            Ok(Vec::try_from(predicted.get(window as i64 - 1))?)
        })
    })
}

fn without_gradient<T>(work: impl FnOnce() -> Result<T, TrialError>) -> Result<T, TrialError> {
    guarded(|| {
        // A closure of tch's would leave gradients off after a panic.
        let _off = tch::no_grad_guard();
        work()
    })
}

/// The first days of `inputs`, `[S, D, nx]`, as `[S, days]`.
fn carried(model: &Network, tensors: &Tensors, inputs: &Tensor, days: i64, piece: usize) -> Tensor {
    let series = Series {
        sites: tensors.heads.clone(),
        masks: None,
    };
    let series = SeriesTensors::of(&series, model.shape(), inputs.device());
    let mut state = model.zero_state(inputs.size()[0]);
    let mut pieces = Vec::new();
    for start in (0..days).step_by(piece) {
        let length = (piece as i64).min(days - start);
        let piece = inputs.narrow(1, start, length).transpose(0, 1); // [T, S, nx]
        let (predicted, after) =
            model.forward(&piece.contiguous(), &state, Mode::Run, series.as_ref());
        pieces.push(predicted);
        state = after;
    }
    Tensor::cat(&pieces, 0).transpose(0, 1).contiguous()
}
