//! The members' simulations as one file: of a run's own pack, or of any other.

use std::path::Path;

use efflux_analysis::{Defined, ensemble};
use efflux_base::error::Result;
use efflux_data as data;
use efflux_data::{Ensemble, Extrapolation, Member, Pack};

/// What the members say together, `[S, D]`, µmol m⁻² s⁻¹.
pub(super) struct Together {
    /// Their mean.
    pub(super) mean: Vec<f32>,
    /// Their standard deviation; NaN if there is one member.
    pub(super) sd: Vec<f32>,
}

impl Together {
    pub(super) fn of(members: &[Member]) -> Self {
        let cells = members.first().map_or(0, |member| member.flux.len());
        let over_members = |statistic: fn(&[f64]) -> Defined| -> Vec<f32> {
            let mut of_day = vec![0.0; members.len()];
            #[allow(
                clippy::cast_possible_truncation,
                reason = "fluxes are kept in 32 bits"
            )]
            let day = |index: usize| {
                for (value, member) in of_day.iter_mut().zip(members) {
                    *value = f64::from(member.flux[index]);
                }
                statistic(&of_day).map_or(f32::NAN, |value| value as f32)
            };
            (0..cells).map(day).collect()
        };
        Self {
            mean: over_members(ensemble::mean),
            sd: over_members(ensemble::spread),
        }
    }

    /// `predictions.nc`: every member, their mean and spread, and where they extrapolate if that is known.
    pub(super) fn write(
        &self,
        path: &Path,
        name: &str,
        pack: &Pack,
        members: &[Member],
        extrapolation: Option<&Extrapolation>,
    ) -> Result<()> {
        let ensemble = Ensemble {
            job: name,
            pack_digest: &pack.digest,
            calendar: pack.calendar,
            sites: &pack.sites,
            observed: &pack.flux,
            mean: &self.mean,
            sd: &self.sd,
            members,
            extrapolation,
        };
        data::write_ensemble(path, &ensemble)
    }
}
