//! The arrays a model reads: a pack as one contract sees it, scaled, with every target masked that is not fitted on.

use std::fmt;

use super::pack::{Pack, single};
use super::scale::Scale;
use super::split::SiteParts;
use crate::error::{Error, Result};
use crate::job::{Contract, Fit, Missing, Scaling, Transformation};

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
    /// The arrays for trials of a contract that fit on these days.
    ///
    /// Inputs are scaled by their range over all sites and all days: they are known for all days, so nothing of the
    /// target leaks. The target is scaled by its range over the days fitted on, or over all observed days if the
    /// contract says so. Where a site lacks an input, the mean of the other sites' means stands in and the input's 0/1
    /// column is 1.
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
        let (sites, days) = (pack.sites.len(), pack.calendar.days);
        let parts: Vec<SiteParts> = (0..sites)
            .map(|site| SiteParts::of(pack.flux_of(site), &contract.split))
            .collect();

        let dynamic = columns(contract, &contract.dynamic, |name| {
            let variable = pack.dynamic.iter().position(|v| v.name == name)?;
            Some(
                (0..sites)
                    .map(|site| pack.series(site, variable).collect())
                    .collect(),
            )
        })?;
        let statics = columns(contract, &contract.statics, |name| {
            let attribute = pack.statics.iter().position(|v| v.name == name)?;
            Some(
                (0..sites)
                    .map(|site| vec![pack.attribute(site, attribute)])
                    .collect(),
            )
        })?;

        let mut fitted = vec![f32::NAN; sites * days];
        for (site, parts) in parts.iter().enumerate() {
            let kept_back = match fit {
                Fit::Train => 0..0,
                Fit::TrainValidation => parts.validation.clone(),
            };
            for day in parts.train.clone().chain(kept_back) {
                fitted[site * days + day] = pack.flux[site * days + day];
            }
        }
        let range = match contract.transform.scaling {
            Scaling::Training => &fitted,
            Scaling::All => &pack.flux,
        };
        let nothing = || {
            Error::Usage(format!(
                "no site has a day to fit on: split.train = {} leaves none",
                contract.split.train
            ))
        };
        if fitted.iter().all(|value| value.is_nan()) {
            return Err(nothing());
        }
        let scale =
            Scale::fit(contract.transform.target, range.iter().copied()).ok_or_else(nothing)?;

        Ok(Self {
            sites,
            days,
            dynamic: dynamic.len(),
            statics: statics.len(),
            dynamic_values: interleaved(&dynamic, sites, days),
            static_values: interleaved(&statics, sites, 1),
            target: fitted
                .iter()
                .map(|&flux| single(scale.apply(flux)))
                .collect(),
            scale,
            observed: pack.flux.clone(),
            parts,
            site_ids: pack.sites.iter().map(|site| site.id.clone()).collect(),
        })
    }
}

/// One input at all sites, each with its days (a static attribute has one): shape `[S][D]`.
type Column = Vec<Vec<f32>>;

/// The scaled columns of these names, then their 0/1 columns.
fn columns(
    contract: &Contract,
    names: &[String],
    find: impl Fn(&str) -> Option<Column>,
) -> Result<Vec<Column>> {
    let mut scaled = Vec::new();
    let mut indicators = Vec::new();
    for name in names {
        let column = find(name).ok_or_else(|| {
            Error::Usage(format!(
                "the contract uses `{name}`, which the pack does not have"
            ))
        })?;
        let (column, indicator) = complete(&column, contract.transform.inputs);
        if let Some(indicator) = indicator {
            if contract.missing == Missing::Error {
                let reason = format!("the contract uses `{name}`, which some sites do not have");
                return Err(Error::Usage(reason));
            }
            indicators.push(indicator);
        }
        scaled.push(column);
    }
    scaled.append(&mut indicators);
    Ok(scaled)
}

/// A scaled column without gaps, and the 0/1 column that tells where it was missing, if it was anywhere.
fn complete(column: &Column, transformation: Transformation) -> (Column, Option<Column>) {
    let known = |site: &Vec<f32>| !site.iter().any(|value| value.is_nan());
    let means = column
        .iter()
        .filter(|site| known(site))
        .map(|site| site.iter().map(|&value| f64::from(value)).sum::<f64>() / site.len() as f64);
    let (sum, count) = means.fold((0.0, 0usize), |(sum, count), mean| (sum + mean, count + 1));
    let present = column.iter().filter(|site| known(site)).flatten().copied();
    // Known nowhere: 0 at every site, and the indicator says so.
    let scale = Scale::fit(transformation, present);
    let scaled = |value: f64| single(scale.map_or(0.0, |scale| scale.apply(value)));
    let stand_in = scaled(sum / count.max(1) as f64);
    let values = column.iter().map(|site| {
        if known(site) {
            site.iter().map(|&value| scaled(value.into())).collect()
        } else {
            vec![stand_in; site.len()]
        }
    });
    let indicator = (count < column.len()).then(|| {
        let flags = column.iter().map(|site| {
            let flag = if known(site) { 0.0 } else { 1.0 };
            vec![flag; site.len()]
        });
        flags.collect()
    });
    (values.collect(), indicator)
}

/// Columns `[F][S][D]` as one array `[S, D, F]`.
fn interleaved(columns: &[Column], sites: usize, days: usize) -> Vec<f32> {
    let mut values = vec![0.0; sites * days * columns.len()];
    for (index, column) in columns.iter().enumerate() {
        let places = values.iter_mut().skip(index).step_by(columns.len());
        for (place, value) in places.zip(column.iter().flatten()) {
            *place = *value;
        }
    }
    values
}
