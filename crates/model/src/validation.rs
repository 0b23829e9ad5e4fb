//! The validation score of a model in training: cheap enough for every epoch.

use std::ops::Range;

use efflux_analysis::medians::Medians;
use efflux_data::Tensors;
use efflux_job::{Part, VALIDATION_DAYS};

use super::engine::Engine;
use super::judge::medians;

/// The runs that give a model's validation days.
///
/// The final score of a trial comes from a run over the whole calendar. This one begins at a zero state a training window
/// before a site's first validation day, which costs a hundredth of it: a model trained on windows remembers nothing
/// older.
#[derive(Debug)]
pub(super) struct Validation {
    /// Longest first, so that the sites still running are always the first ones.
    runs: Vec<Run>,
    /// First row of each run.
    starts: Vec<i64>,
    /// Days of each run.
    lengths: Vec<usize>,
}

#[derive(Debug)]
struct Run {
    site: usize,
    days: Range<usize>,
}

impl Validation {
    /// The runs over the sites with enough validation days, before each as many days as the model is trained on; none
    /// where there are no such sites, or where their validation days are fitted on.
    pub(super) fn new(tensors: &Tensors, run_up: usize) -> Option<Self> {
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
        let start = |run: &Run| (run.site * tensors.days + run.days.start) as i64;
        Some(Self {
            starts: runs.iter().map(start).collect(),
            lengths: runs.iter().map(|run| run.days.len()).collect(),
            runs,
        })
    }

    /// Runs the model and compares. Waits for the device.
    pub(super) fn score(&self, engine: &mut Engine, tensors: &Tensors) -> Medians {
        let mut flux = vec![f32::NAN; tensors.sites * tensors.days];
        engine.simulate(&self.starts, &self.lengths, &mut |day, series, scaled| {
            let run = &self.runs[series];
            #[allow(
                clippy::cast_possible_truncation,
                reason = "fluxes are kept in 32 bits"
            )]
            let value = tensors.scale.inverse(scaled) as f32;
            flux[run.site * tensors.days + run.days.start + day] = value;
        });
        medians(tensors, &flux, Part::Validation, VALIDATION_DAYS)
    }
}
