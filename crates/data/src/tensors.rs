//! The arrays a model reads: a pack as one contract sees it, scaled, with every target masked that is not fitted on.

use std::fmt;

use efflux_base::error::{Error, Result};
use efflux_job::{Contract, Fit, Split};
use efflux_numerics::single;

use super::pack::Pack;
use super::scale::Scale;
use super::scales::{Input, InputScale, Scales};
use super::split::SiteParts;

/// Scaled inputs and targets. S sites, D days, F daily inputs, A static inputs, all arrays row-major.
#[derive(Clone)]
pub struct Tensors {
    /// S.
    pub sites: usize,
    /// D.
    pub days: usize,
    /// F: the contract's daily inputs, then one 0/1 column for each that some site lacks.
    pub dynamic: usize,
    /// A: the contract's static inputs, then one 0/1 column for each that some site lacks.
    pub statics: usize,
    /// Shape `[S, D, F]`, in `[0, 1]`, complete.
    pub dynamic_values: Vec<f32>,
    /// Shape `[S, A]`, in `[0, 1]`, complete.
    pub static_values: Vec<f32>,
    /// Shape `[S, D]`, scaled; NaN on every day that is not fitted on: validation (unless fitted on) and test days
    /// are not in here at all.
    pub target: Vec<f32>,
    /// From `target` and from what the model gives back to µmol m⁻² s⁻¹.
    pub scale: Scale,
    /// Shape `[S, D]`: the observed flux of all parts, µmol m⁻² s⁻¹, NaN on a day without a value. For scores only.
    pub observed: Vec<f32>,
    /// The parts of each site's record, shape `[S]`.
    pub parts: Vec<SiteParts>,
    /// The ids of the sites, shape `[S]`.
    pub site_ids: Vec<String>,
}

/// Without the arrays: they would bury whatever else is shown.
impl fmt::Debug for Tensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensors")
            .field("sites", &self.sites)
            .field("days", &self.days)
            .field("dynamic", &self.dynamic)
            .field("statics", &self.statics)
            .field("scale", &self.scale)
            .finish_non_exhaustive()
    }
}

impl Tensors {
    /// The arrays for trials of a contract that fit on these days, scaled by [`Scales::fit`]. Where a site lacks an
    /// input, the mean of the other sites' means stands in and the input's 0/1 column is 1.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] if the pack is not the contract's, or if there is no day to fit on.
    pub fn build(pack: &Pack, contract: &Contract, fit: Fit) -> Result<Self> {
        if pack.digest != contract.pack_digest {
            return Err(Error::Usage(format!(
                "the pack has digest {}, expected {} (the pack was changed after this run was started)",
                pack.digest, contract.pack_digest
            )));
        }
        let scales = Scales::fit(pack, contract, fit)?;
        let target = fitted(pack, &contract.split, fit)
            .iter()
            .map(|&flux| single(scales.target.apply(flux)))
            .collect();
        Ok(Self {
            target,
            parts: parts(pack, &contract.split),
            ..Self::to_predict(pack, &scales)
        })
    }

    /// The arrays for a trained model that is to simulate any pack: scaled as its training scaled them, with nothing to
    /// fit on. What [`Scales::check`] refuses is stood in for.
    pub fn to_predict(pack: &Pack, scales: &Scales) -> Self {
        let (sites, days) = (pack.sites.len(), pack.calendar.days);
        let daily = scales.dynamic.iter();
        let fixed = scales.statics.iter();
        let daily = daily.map(|scale| (scale, Input::daily(pack, &scale.name)));
        let fixed = fixed.map(|scale| (scale, Input::fixed(pack, &scale.name)));
        let (dynamic, dynamic_values) = columns(&daily.collect::<Vec<_>>(), sites, days);
        let (statics, static_values) = columns(&fixed.collect::<Vec<_>>(), sites, 1);
        Self {
            sites,
            days,
            dynamic,
            statics,
            dynamic_values,
            static_values,
            target: vec![f32::NAN; sites * days],
            scale: scales.target,
            observed: pack.flux.clone(),
            parts: vec![SiteParts::default(); sites],
            site_ids: pack.sites.iter().map(|site| site.id.clone()).collect(),
        }
    }
}

/// The parts of all sites' records.
fn parts(pack: &Pack, split: &Split) -> Vec<SiteParts> {
    let sites = 0..pack.sites.len();
    sites
        .map(|site| SiteParts::of(pack.flux_of(site), split))
        .collect()
}

/// The observed flux of the days that are fitted on, `[S, D]`, NaN on all others.
pub(super) fn fitted(pack: &Pack, split: &Split, fit: Fit) -> Vec<f32> {
    let days = pack.calendar.days;
    let mut fitted = vec![f32::NAN; pack.flux.len()];
    for (site, parts) in parts(pack, split).iter().enumerate() {
        let kept_back = match fit {
            Fit::Train => 0..0,
            Fit::TrainValidation => parts.validation.clone(),
        };
        for day in parts.train.clone().chain(kept_back) {
            fitted[site * days + day] = pack.flux[site * days + day];
        }
    }
    fitted
}

/// The scaled columns of these inputs, then the 0/1 columns of those that have one: their number F and the values,
/// `[S, D, F]`.
fn columns(
    inputs: &[(&InputScale, Option<Input<'_>>)],
    sites: usize,
    days: usize,
) -> (usize, Vec<f32>) {
    let indicators = inputs.iter().filter(|(scale, _)| scale.indicator).count();
    let width = inputs.len() + indicators;
    let mut values = vec![0.0; sites * days * width];
    let mut indicator = inputs.len();
    for (column, (scale, input)) in inputs.iter().enumerate() {
        for site in 0..sites {
            let rows = values[site * days * width..][..days * width].chunks_exact_mut(width);
            match input.as_ref().and_then(|input| input.series(site)) {
                Some(series) => {
                    for (row, value) in rows.zip(series) {
                        row[column] = single(scale.scale.map_or(0.0, |scale| scale.apply(value)));
                    }
                }
                None => {
                    for row in rows {
                        row[column] = single(scale.stand_in);
                        if scale.indicator {
                            row[indicator] = 1.0;
                        }
                    }
                }
            }
        }
        indicator += usize::from(scale.indicator);
    }
    (width, values)
}
