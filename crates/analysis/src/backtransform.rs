//! What the way back from asinh units to flux units adds to the bias, and two ways to take a site's own error out.

use super::metrics::Pairs;
use super::statistics::mean;
use super::{Defined, Undefined, finite};

/// The residuals of a site in asinh units, observed minus simulated, over the days a model was fitted on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residuals {
    /// Their mean: how far the site's level is missed.
    pub level: f64,
    /// Mean hyperbolic cosine of what remains without the mean.
    cosh: f64,
    /// Mean hyperbolic sine of the same.
    sinh: f64,
}

impl Residuals {
    /// From (observed, simulated) flux; pairs of which a side is missing are left out.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] below two pairs.
    pub fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> Defined<Self> {
        let residuals: Vec<f64> = pairs
            .into_iter()
            .map(|(observed, simulated)| observed.asinh() - simulated.asinh())
            .filter(|residual| residual.is_finite())
            .collect();
        if residuals.len() < 2 {
            return Err(Undefined::TooFew {
                found: residuals.len(),
                needed: 2,
            });
        }
        let level = mean(&residuals)?;
        let mean_of = |function: fn(f64) -> f64| {
            let values: Vec<f64> = residuals
                .iter()
                .map(|residual| function(residual - level))
                .collect();
            mean(&values)
        };
        Ok(Self {
            level,
            cosh: mean_of(f64::cosh)?,
            sinh: mean_of(f64::sinh)?,
        })
    }

    /// A simulated flux with the site's level put right.
    pub fn at_level(&self, simulated: f64) -> f64 {
        (simulated.asinh() + self.level).sinh()
    }

    /// A simulated flux as the mean over what the residuals around the level make of it, instead of their middle.
    ///
    /// # Source
    ///
    /// Duan (1983), *J. Am. Stat. Assoc.* 78(383), 605–610, doi:10.2307/2288126.
    pub fn smeared(&self, simulated: f64) -> f64 {
        // The mean of sinh(a + r) over r, without going through all r for each a.
        simulated * self.cosh + simulated.hypot(1.0) * self.sinh
    }
}

/// A bias in flux units, taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BiasParts {
    /// Due to the mean error in asinh units: the model's own.
    pub model: f64,
    /// What remains without it: a mean of asinh units is no mean of flux units.
    pub back_transform: f64,
}

/// Takes the bias of (observed, simulated) fluxes apart.
///
/// # Errors
///
/// [`Undefined::TooFew`] without pairs.
pub fn bias_parts(pairs: &[(f64, f64)]) -> Defined<BiasParts> {
    let bias = pairs.iter().copied().collect::<Pairs>().bias()?;
    let valid = pairs.iter().filter(|(a, b)| a.is_finite() && b.is_finite());
    let errors: Vec<f64> = valid
        .map(|(observed, simulated)| simulated.asinh() - observed.asinh())
        .collect();
    let error = mean(&errors)?;
    let centred = pairs
        .iter()
        .map(|&(observed, simulated)| (observed, (simulated.asinh() - error).sinh()));
    let back_transform = centred.collect::<Pairs>().bias()?;
    Ok(BiasParts {
        model: finite(bias - back_transform)?,
        back_transform,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smearing_is_the_mean_over_the_residuals() {
        let pairs = [(1.0, 0.5), (2.0, 3.0), (0.3, 0.4)];
        let found = Residuals::of(pairs).unwrap();
        let residuals: Vec<f64> = pairs
            .iter()
            .map(|(observed, simulated): &(f64, f64)| {
                observed.asinh() - simulated.asinh() - found.level
            })
            .collect();
        for flux in [-1.0_f64, 0.0, 4.0] {
            let direct = residuals
                .iter()
                .map(|r| (flux.asinh() + r).sinh())
                .sum::<f64>()
                / 3.0;
            assert!((found.smeared(flux) - direct).abs() < 1e-12);
        }
    }

    #[test]
    fn a_level_that_is_missed_is_the_models_and_scatter_is_the_back_transforms() {
        let truth = [0.5, 1.0, 4.0_f64];
        let shifted: Vec<(f64, f64)> = truth
            .iter()
            .map(|x| (*x, (x.asinh() + 0.3).sinh()))
            .collect();
        let parts = bias_parts(&shifted).unwrap();
        assert!(parts.back_transform.abs() < 1e-12 && parts.model > 0.3);
        let scatter = [
            (1.5_f64.sinh(), 1.0_f64.sinh()),
            (0.5_f64.sinh(), 1.0_f64.sinh()),
        ];
        let parts = bias_parts(&scatter).unwrap();
        assert!(parts.model.abs() < 1e-12 && parts.back_transform < 0.0);
    }

    #[test]
    fn a_corrected_level_has_no_mean_residual() {
        let pairs = [(1.0, 0.5), (2.0, 3.0), (0.3, 0.4)];
        let residuals = Residuals::of(pairs).unwrap();
        let after = Residuals::of(pairs.map(|(a, b)| (a, residuals.at_level(b)))).unwrap();
        assert!(after.level.abs() < 1e-12);
    }
}
