//! The members' simulations as one file: of a run's own pack, or of any other.

use std::path::Path;

use efflux_analysis::ensemble;
use efflux_base::error::Result;
use efflux_data::{DaysOf, Ensemble, Filled, Interval, Member, Pack, SiteDistances};
use efflux_numerics::SiteByDay;

use super::forecast;
use super::results::Results;
use super::uncertainty::from_validation;

/// What the members say together, `[S, D]`, in the unit of the target and in the 32 bits that files keep.
#[derive(Clone, Debug)]
pub struct Together {
    /// Their mean.
    pub mean: Vec<f32>,
    /// Their standard deviation; NaN if there is one member.
    pub sd: Vec<f32>,
    /// Calibrated intervals about the mean by rising level.
    pub intervals: Vec<Interval>,
    /// What they are calibrated on, for people.
    pub calibrated_on: &'static str,
}

/// What is told of the days and sites that were simulated.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Which days had inputs that were not measured.
    pub filled: &'a Filled,
    /// What the days are to the training.
    pub days: DaysOf<'a>,
    /// How far the sites are from those of the training, if that is known.
    pub distances: Option<&'a SiteDistances>,
}

impl Together {
    /// Of members that simulated the same days.
    pub fn of(members: &[Member]) -> Self {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "fluxes are kept in 32 bits"
        )]
        let rounded = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
        let series: Vec<&[f32]> = members.iter().map(|member| &member.flux[..]).collect();
        let cells = series.first().map_or(0, |flux| flux.len());
        let ensemble::Together { mean, spread } = ensemble::Together::of(&series, cells);
        Self {
            mean: rounded(mean),
            sd: rounded(spread),
            intervals: Vec::new(),
            calibrated_on: "",
        }
    }

    /// With intervals that errors of forecasts calibrate.
    ///
    /// * `sd`: standard deviations of an observation, asinh units, `[S, D]`; NaN where there is to be no interval.
    /// * `factors`: by rising level, how many of them it reaches to either side.
    pub(super) fn expect_from_forecasts(&mut self, sd: &SiteByDay<f32>, factors: &[(f64, f64)]) {
        let of_level = |&(level, factor)| forecast::interval(&self.mean, sd, level, factor);
        self.intervals = factors.iter().map(of_level).collect();
        self.calibrated_on = "forecasts of earlier days";
    }

    /// With intervals for sites that members have not seen, that folds of sites calibrate.
    ///
    /// * `factors`: by rising level, how many asinh units it reaches to either side.
    pub(super) fn expect_from_folds(&mut self, days: usize, factors: &[(f64, f64)]) {
        let units = SiteByDay::of(days, vec![1.0; self.mean.len()]);
        self.expect_from_forecasts(&units, factors);
        self.calibrated_on = "sites held out";
    }

    /// Without intervals at a site.
    pub(super) fn expect_nothing(&mut self, days: usize, site: usize) {
        for of in &mut self.intervals {
            for ends in [&mut of.lower, &mut of.upper] {
                ends[site * days..][..days].fill(f32::NAN);
            }
        }
    }

    /// With intervals that validation days calibrate.
    pub(super) fn expect_from_validation(&mut self, results: &Results<'_>) {
        self.intervals = from_validation(results, &self.mean, &self.sd);
        self.calibrated_on = "validation days";
    }

    /// `predictions.nc`: every member, of so many that there are to be, their mean, spread and intervals, and what is told of
    /// their days.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](efflux_base::error::Error::Io) if it cannot be written.
    pub fn write(
        &self,
        path: &Path,
        name: &str,
        pack: &Pack,
        (members, planned): (&[Member], usize),
        told: Told<'_>,
    ) -> Result<()> {
        let Told {
            filled,
            days,
            distances,
        } = told;
        let ensemble = Ensemble {
            job: name,
            pack_digest: &pack.digest,
            calendar: pack.calendar,
            sites: &pack.sites,
            target: &pack.target,
            observed: &pack.flux,
            mean: &self.mean,
            sd: &self.sd,
            intervals: &self.intervals,
            calibrated_on: self.calibrated_on,
            members,
            planned,
            filled,
            days,
            distances,
        };
        efflux_data::write_ensemble(path, &ensemble)
    }
}
