//! The validation score of a model in training: cheap enough for every epoch.

use std::ops::Range;

use tch::{Kind, Tensor};

use super::device::values;
use super::judge::{medians, physical};
use super::lstm::{Lstm, Mode};
use super::resident::Resident;
use crate::analysis::medians::Medians;
use crate::data::Tensors;
use crate::job::{Part, VALIDATION_DAYS};

/// The runs that give a model's validation days.
///
/// The final score of a trial comes from a run over the whole calendar. This one begins at a zero state a training window
/// before a site's first validation day, which costs a hundredth of it: a model trained on windows remembers nothing
/// older.
#[derive(Debug)]
pub(super) struct Validation {
    /// Longest first, so that the sites still running are always the first ones.
    runs: Vec<Run>,
    /// First rows of the resident data, `[runs]`, on the device.
    starts: Tensor,
    /// 0, 1, 2 … as a column, `[PIECE, 1]`, on the device.
    offsets: Tensor,
}

#[derive(Debug)]
struct Run {
    site: usize,
    days: Range<usize>,
}

/// Days that are run at a time.
const PIECE: usize = 64;

impl Validation {
    /// The runs over the sites with enough validation days, before each as many days as the model is trained on; none
    /// where there are no such sites, or where their validation days are fitted on.
    pub(super) fn new(tensors: &Tensors, run_up: usize, device: tch::Device) -> Option<Self> {
        let mut runs: Vec<Run> = tensors
            .parts
            .iter()
            .enumerate()
            .filter(|(site, parts)| {
                let first = site * tensors.days;
                let days = parts.validation.clone().map(|day| first + day);
                let observed = days
                    .clone()
                    .filter(|&day| !tensors.observed[day].is_nan())
                    .count();
                observed >= VALIDATION_DAYS && days.clone().all(|day| tensors.target[day].is_nan())
            })
            .map(|(site, parts)| Run {
                site,
                days: parts.validation.start.saturating_sub(run_up)..parts.validation.end,
            })
            .collect();
        if runs.is_empty() {
            return None;
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.days.len()));
        let starts: Vec<i64> = runs
            .iter()
            .map(|run| (run.site * tensors.days + run.days.start) as i64)
            .collect();
        Some(Self {
            runs,
            starts: Tensor::from_slice(&starts).to_device(device),
            offsets: Tensor::arange(PIECE as i64, (Kind::Int64, device)).unsqueeze(1),
        })
    }

    /// Runs the model and compares. Waits for the device.
    pub(super) fn score(&self, model: &Lstm, resident: &Resident, tensors: &Tensors) -> Medians {
        let mut flux = vec![f32::NAN; tensors.sites * tensors.days];
        for (first, rows, predicted) in tch::no_grad(|| self.simulate(model, resident)) {
            let simulated = physical(tensors, &values(&predicted)); // [T, rows]
            for (offset, values) in (first..).zip(simulated.chunks_exact(rows)) {
                for (run, value) in self.runs.iter().zip(values) {
                    if offset < run.days.len() {
                        flux[run.site * tensors.days + run.days.start + offset] = *value;
                    }
                }
            }
        }
        medians(tensors, &flux, Part::Validation, VALIDATION_DAYS)
    }

    /// Pieces of all runs: the number of the first day, how many sites run, and what the model gives, `[T, sites]`.
    fn simulate(&self, model: &Lstm, resident: &Resident) -> Vec<(usize, usize, Tensor)> {
        let mut pieces = Vec::new();
        let mut state = model.zero_state(self.runs.len() as i64);
        for first in (0..self.runs[0].days.len()).step_by(PIECE) {
            let rows = self.runs.partition_point(|run| run.days.len() > first);
            let width = rows as i64;
            let starts = self.starts.narrow(0, 0, width) + first as i64;
            // A run that ends in this piece goes on into days that nobody looks at.
            let inputs = resident.days(&(&self.offsets + starts)); // [T, rows, nx]
            let (predicted, after) = model.forward(&inputs, &state.first(width), Mode::Run);
            pieces.push((first, rows, predicted));
            state = after;
        }
        pieces
    }
}
