//! A site that a training did not have gets a head of its own from a few of its days, in closed form.

use efflux_data::Tensors;
use efflux_job::{Head, Params};
use efflux_numerics::single;
use efflux_process::{Singular, ridge};

/// Adds to a simulation, `[S, D]` in the units that a model gives, a bias and, if the head reads the inputs, weights on them at
/// each site that the training did not have: by least squares on the days on which the pack has a flux, under the ridge of
/// the training. That is what the days change about the weights that the simulation was made with: those that all sites have in
/// common, and what was expected of the site, towards which the ridge draws. Weights on the state stay those.
///
/// # Errors
///
/// [`Singular`] if the values of a site are beyond what can be computed with.
pub(crate) fn heads(
    tensors: &Tensors,
    params: &Params,
    scaled: &mut [f32],
) -> Result<(), Singular> {
    if params.head != Head::Site {
        return Ok(());
    }
    for (site, scaled) in scaled.chunks_exact_mut(tensors.days).enumerate() {
        let days = tensors.observed_anew(site);
        if days.is_empty() {
            continue;
        }
        let inputs = |day: usize| {
            let first = (site * tensors.days + day) * tensors.dynamic;
            let daily = &tensors.dynamic_values[first..][..tensors.dynamic];
            let fixed = &tensors.static_values[site * tensors.statics..][..tensors.statics];
            let read = daily.iter().chain(fixed).filter(|_| params.skip);
            let read = read.map(|&value| f64::from(value));
            std::iter::once(1.0).chain(read).collect::<Vec<f64>>()
        };
        let rows: Vec<Vec<f64>> = days.iter().map(|&day| inputs(day)).collect();
        let left = days.iter().map(|&day| {
            let observed = tensors
                .scale
                .apply(f64::from(tensors.observed[(site, day)]));
            observed - f64::from(scaled[day])
        });
        let left: Vec<f64> = left.collect();
        let weights = ridge(&rows, &left, params.site_penalty)?;
        for (day, simulated) in scaled.iter_mut().enumerate() {
            let own = inputs(day).into_iter().zip(&weights);
            let own: f64 = own.map(|(input, weight)| input * weight).sum();
            *simulated = single(f64::from(*simulated) + own);
        }
    }
    Ok(())
}
