//! The members' simulations as one file: of a run's own pack, or of any other.

use std::path::Path;

use efflux_analysis::ensemble;
use efflux_base::error::Result;
use efflux_data::{Ensemble, Extrapolation, Filled, Interval, Member, Pack, SiteDistances};

/// What the members say together, `[S, D]`, µmol m⁻² s⁻¹, in the 32 bits that files keep.
#[derive(Clone, Debug)]
pub struct Together {
    /// Their mean.
    pub mean: Vec<f32>,
    /// Their standard deviation; NaN if there is one member.
    pub sd: Vec<f32>,
    /// The interval about the mean from forecasts; none where the pooled process is no member.
    pub interval: Option<Interval>,
}

/// What is told of the inputs that a pack was simulated with.
#[derive(Clone, Copy, Debug)]
pub struct OfInputs<'a> {
    /// Which days had inputs that were not measured.
    pub filled: &'a Filled,
    /// Where they leave the range of the training, if that is known.
    pub extrapolation: Option<&'a Extrapolation>,
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
            interval: None,
        }
    }

    /// `predictions.nc`: every member, of so many that there are to be, their mean and spread, and what is told of their inputs.
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
        of_inputs: OfInputs<'_>,
    ) -> Result<()> {
        let OfInputs {
            filled,
            extrapolation,
            distances,
        } = of_inputs;
        let ensemble = Ensemble {
            job: name,
            pack_digest: &pack.digest,
            calendar: pack.calendar,
            sites: &pack.sites,
            observed: &pack.flux,
            mean: &self.mean,
            sd: &self.sd,
            interval: self.interval.as_ref(),
            members,
            planned,
            filled,
            extrapolation,
            distances,
        };
        efflux_data::write_ensemble(path, &ensemble)
    }
}
