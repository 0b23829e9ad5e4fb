//! The validation score of a model in training: cheap enough for every epoch.

use std::ops::Range;

use efflux_analysis::measures::Measure;
use efflux_analysis::medians::Medians;
use efflux_data::Tensors;
use efflux_job::{Part, VALIDATION_DAYS};
use efflux_numerics::SiteByDay;

use super::engine::Engine;
use super::evaluate::{medians, pairs};

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
        let held_back = |site: usize| {
            let days = || tensors.parts.days(site, Part::Validation);
            let observed = days().filter(|&day| !tensors.observed[(site, day)].is_nan());
            observed.count() >= VALIDATION_DAYS
                && days().all(|day| tensors.target[(site, day)].is_nan())
        };
        // Nothing is chosen in training by sites that it must not see.
        let is_seen = |site: &usize| !tensors.held_out.contains(site);
        let sites = (0..tensors.sites)
            .filter(is_seen)
            .filter(|&site| held_back(site));
        let mut runs: Vec<Run> = sites
            .map(|site| {
                let days = tensors.parts.span(site, Part::Validation);
                Run {
                    site,
                    days: days.start.saturating_sub(run_up)..days.end,
                }
            })
            .collect();
        if runs.is_empty() {
            return None;
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.days.len()));
        let start = |run: &Run| tensors.target.place(run.site, run.days.start) as i64;
        Some(Self {
            starts: runs.iter().map(start).collect(),
            lengths: runs.iter().map(|run| run.days.len()).collect(),
            runs,
        })
    }

    /// First rows of the runs and their days, longest first.
    pub(super) fn runs(&self) -> (&[i64], &[usize]) {
        (&self.starts, &self.lengths)
    }

    /// Runs the model and compares. Waits for the device.
    ///
    /// * `predicted`: what the runs give, scaled, if they were made already: day after day of all that have it.
    pub(super) fn score(
        &self,
        engine: &mut dyn Engine,
        tensors: &Tensors,
        predicted: Option<&[f32]>,
    ) -> Medians {
        let flux = self.simulated(engine, tensors, predicted);
        let is_judged = |site| is_judged(tensors, site);
        medians(tensors, &flux, Part::Validation, VALIDATION_DAYS, is_judged)
    }

    /// Runs the model. Returns the value of a measure at each site, where it is defined and the site is judged.
    pub(super) fn score_sites(
        &self,
        engine: &mut dyn Engine,
        tensors: &Tensors,
        measure: Measure,
    ) -> Vec<Option<f64>> {
        let flux = self.simulated(engine, tensors, None);
        let of_site = |site| {
            let pairs = pairs(tensors, &flux, Part::Validation, site);
            let counts = is_judged(tensors, site) && pairs.len() >= VALIDATION_DAYS;
            counts.then(|| (measure.of)(&pairs).ok()).flatten()
        };
        (0..tensors.sites).map(of_site).collect()
    }

    /// What the model gives on the days of the runs, in the unit of the target; NaN elsewhere.
    fn simulated(
        &self,
        engine: &mut dyn Engine,
        tensors: &Tensors,
        predicted: Option<&[f32]>,
    ) -> SiteByDay<f32> {
        let mut flux = SiteByDay::filled(tensors.sites, tensors.days, f32::NAN);
        let mut note = |day: usize, series: usize, scaled: f32| {
            let run = &self.runs[series];
            #[allow(
                clippy::cast_possible_truncation,
                reason = "fluxes are kept in 32 bits"
            )]
            let value = tensors.scale.inverse(scaled) as f32;
            flux[(run.site, run.days.start + day)] = value;
        };
        match predicted {
            None => engine.simulate(&self.starts, &self.lengths, &mut note),
            Some(predicted) => {
                let running = |day| self.lengths.partition_point(|&length| length > day);
                let days = (0..self.lengths[0])
                    .flat_map(|day| (0..running(day)).map(move |series| (day, series)));
                for ((day, series), &scaled) in days.zip(predicted) {
                    note(day, series, scaled);
                }
            }
        }
        flux
    }
}

/// Whether a site is one of those that were trained on.
fn is_judged(tensors: &Tensors, site: usize) -> bool {
    !tensors.held_out.contains(&site)
}
