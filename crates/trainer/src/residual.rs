//! What a trained network leaves over at each site, and what a Gaussian process makes of it.

use efflux_data::{Pack, ProcessVariables, Tensors};
use efflux_numerics::single;
use efflux_process::{Residual, Singular};

/// Adds to a simulation, `[S, D]` in µmol m⁻² s⁻¹, what the process expects of its errors: conditioned at each site on the
/// days that were fitted on, in asinh units. Sites without a temperature or without such a day stay as they are.
///
/// # Errors
///
/// [`Singular`] if the values of a site are beyond what can be computed with.
pub(crate) fn correct(pack: &Pack, tensors: &Tensors, flux: &mut [f32]) -> Result<(), Singular> {
    let Some(variables) = ProcessVariables::of_soil(pack) else {
        return Ok(());
    };
    let days_of_year = pack.days_of_year();
    for (site, flux) in flux.chunks_exact_mut(pack.calendar.days).enumerate() {
        let target = tensors.target.site(site).iter().enumerate();
        let fitted = target.filter(|(_, value)| !value.is_nan());
        let fitted: Vec<usize> = fitted.map(|(day, _)| day).collect();
        if fitted.is_empty() {
            continue;
        }
        let Some(record) = variables.site(pack, site, &days_of_year, fitted.clone()) else {
            continue;
        };
        let residuals: Vec<f64> = record
            .target
            .iter()
            .zip(&fitted)
            .map(|(target, &day)| target - f64::from(flux[day]).asinh())
            .collect();
        let seen = Residual::default().condition(&record.days, &record.training, &residuals)?;
        for (day, expected) in record.span.clone().zip(seen.mean()) {
            flux[day] = single((f64::from(flux[day]).asinh() + expected).sinh());
        }
    }
    Ok(())
}
