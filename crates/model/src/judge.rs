//! How good a model is, in physical units.

use efflux_analysis::medians::Medians;
use efflux_analysis::metrics::Pairs;
use efflux_data::Tensors;
use efflux_job::Part;

/// Medians over the sites with at least `least` observed days in a part.
///
/// * `flux`: simulated, shape `[S, D]`, µmol m⁻² s⁻¹; only the days of the part are looked at.
pub fn medians(tensors: &Tensors, flux: &[f32], part: Part, least: usize) -> Medians {
    let sites = tensors.parts.iter().enumerate().map(|(site, parts)| {
        let first = site * tensors.days;
        parts
            .part(part)
            .map(|day| first + day)
            .map(|index| (f64::from(tensors.observed[index]), f64::from(flux[index])))
            .collect::<Pairs>()
    });
    Medians::over(sites, least)
}

/// What a model gives, scaled, in µmol m⁻² s⁻¹; of any shape.
pub fn physical(tensors: &Tensors, scaled: &[f32]) -> Vec<f32> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "fluxes are kept in 32 bits"
    )]
    let flux = |&scaled: &f32| tensors.scale.inverse(scaled) as f32;
    scaled.iter().map(flux).collect()
}
