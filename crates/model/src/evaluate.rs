//! How good a model is, in physical units.

use efflux_analysis::medians::Medians;
use efflux_analysis::metrics::Pairs;
use efflux_data::Tensors;
use efflux_job::Part;

/// Medians over the sites with at least `least` observed days in a part.
///
/// * `flux`: simulated, shape `[S, D]`, in the unit of the target; only the days of the part are looked at.
/// * `counts`: whether a site is among them.
pub fn medians(
    tensors: &Tensors,
    flux: &[f32],
    part: Part,
    least: usize,
    counts: impl Fn(usize) -> bool,
) -> Medians {
    let sites = (0..tensors.sites).filter(|&site| counts(site));
    let sites = sites.map(|site| pairs(tensors, flux, part, site));
    Medians::over(sites, least)
}

/// Observed and simulated on the observed days of a part at a site.
///
/// * `flux`: as for [`medians`].
pub(crate) fn pairs(tensors: &Tensors, flux: &[f32], part: Part, site: usize) -> Pairs {
    let days = tensors.parts.days(site, part);
    let places = days.map(|day| tensors.observed.place(site, day));
    places
        .map(|place| (tensors.observed.values()[place], flux[place]))
        .map(|(observed, simulated)| (f64::from(observed), f64::from(simulated)))
        .collect()
}

/// What a model gives, scaled, in the unit of the target; of any shape.
pub fn physical(tensors: &Tensors, scaled: &[f32]) -> Vec<f32> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "fluxes are kept in 32 bits"
    )]
    let flux = |&scaled: &f32| tensors.scale.inverse(scaled) as f32;
    scaled.iter().map(flux).collect()
}
