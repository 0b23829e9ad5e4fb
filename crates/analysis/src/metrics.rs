//! How close a simulated series comes to an observed one.
//!
//! A pair counts when both of its values are there (finite); everything is computed over these pairs alone. A series is
//! constant when its largest value equals its smallest: the variance of equal doubles need not be zero. Sums take two
//! passes, the mean first.

use std::sync::OnceLock;

use super::{Defined, Undefined, finite};

/// The pairs of an observed and a simulated series at which both have a value.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    observed: Vec<f64>,
    simulated: Vec<f64>,
    /// Computed once: measures take it and its parts one by one.
    kge: OnceLock<Defined<Kge>>,
}

/// The Kling–Gupta efficiency and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kge {
    /// The efficiency, in `(-∞, 1]`.
    pub value: f64,
    /// Pearson's correlation.
    pub r: f64,
    /// Standard deviation of the simulation over that of the observations.
    pub alpha: f64,
    /// Mean of the simulation over that of the observations.
    pub beta: f64,
}

impl FromIterator<(f64, f64)> for Pairs {
    /// From (observed, simulated); NaN or infinite on either side is missing.
    fn from_iter<I: IntoIterator<Item = (f64, f64)>>(pairs: I) -> Self {
        let (observed, simulated) = pairs
            .into_iter()
            .filter(|(observed, simulated)| observed.is_finite() && simulated.is_finite())
            .unzip();
        Self {
            observed,
            simulated,
            kge: OnceLock::new(),
        }
    }
}

impl Pairs {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.observed.len()
    }

    /// Each, observed and simulated.
    pub fn iter(&self) -> impl Iterator<Item = (f64, f64)> {
        let observed = self.observed.iter().copied();
        observed.zip(self.simulated.iter().copied())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.observed.is_empty()
    }

    /// Nash–Sutcliffe efficiency, `1 - Σ(sim - obs)² / Σ(obs - mean(obs))²`, in `(-∞, 1]`: 1 is a perfect simulation,
    /// 0 is as good as the mean of the observations that it is judged on.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] below two pairs, [`Undefined::ConstantObservations`].
    ///
    /// # Source
    ///
    /// Nash and Sutcliffe (1970), *J. Hydrol.* 10(3), 282–290, doi:10.1016/0022-1694(70)90255-6.
    ///
    /// # Examples
    ///
    /// ```
    /// # use efflux_analysis::metrics::Pairs;
    /// let pairs: Pairs = [(1.0, 1.0), (2.0, 2.0), (f64::NAN, 9.0), (3.0, 4.0)].into_iter().collect();
    /// assert_eq!(pairs.nse(), Ok(0.5));
    /// ```
    pub fn nse(&self) -> Defined {
        self.at_least(2)?;
        if is_constant(&self.observed) {
            return Err(Undefined::ConstantObservations);
        }
        let error = self.sum_of(|error| error * error);
        finite(1.0 - error / squares(&deviations(&self.observed)))
    }

    /// Pearson's correlation, in `[-1, 1]`.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] below two pairs, [`Undefined::ConstantObservations`], [`Undefined::ConstantSimulation`].
    pub fn r(&self) -> Defined {
        self.at_least(2)?;
        if is_constant(&self.observed) {
            return Err(Undefined::ConstantObservations);
        }
        if is_constant(&self.simulated) {
            return Err(Undefined::ConstantSimulation);
        }
        let (observed, simulated) = (deviations(&self.observed), deviations(&self.simulated));
        let products: f64 = observed.iter().zip(&simulated).map(|(a, b)| a * b).sum();
        let r = products / (squares(&observed) * squares(&simulated)).sqrt();
        Ok(finite(r)?.clamp(-1.0, 1.0))
    }

    /// Kling–Gupta efficiency of 2009, `1 - √((r - 1)² + (α - 1)² + (β - 1)²)` with the ratios `α` of the standard
    /// deviations and `β` of the means, in `(-∞, 1]`.
    ///
    /// Not defined for a constant simulation: the often quoted -0.41 of the observed mean sets `r = 0` by convention.
    ///
    /// # Errors
    ///
    /// Those of [`Pairs::r`], and [`Undefined::ZeroMean`] when `|Σobs| ≤ 10⁻¹² Σ|obs|`.
    ///
    /// # Source
    ///
    /// Gupta, Kling, Yilmaz and Martinez (2009), *J. Hydrol.* 377(1–2), 80–91, doi:10.1016/j.jhydrol.2009.08.003.
    pub fn kge(&self) -> Defined<Kge> {
        *self.kge.get_or_init(|| self.kling_gupta())
    }

    fn kling_gupta(&self) -> Defined<Kge> {
        let r = self.r()?;
        let total: f64 = self.observed.iter().sum();
        let magnitude: f64 = self.observed.iter().map(|value| value.abs()).sum();
        if total.abs() <= 1e-12 * magnitude {
            return Err(Undefined::ZeroMean);
        }
        // The divisors of both standard deviations and of both means cancel.
        let alpha =
            (squares(&deviations(&self.simulated)) / squares(&deviations(&self.observed))).sqrt();
        let beta = self.simulated.iter().sum::<f64>() / total;
        let distance = (r - 1.0).powi(2) + (alpha - 1.0).powi(2) + (beta - 1.0).powi(2);
        Ok(Kge {
            value: finite(1.0 - distance.sqrt())?,
            r,
            alpha,
            beta,
        })
    }

    /// Mean squared error, in the unit squared.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] without pairs.
    pub fn mse(&self) -> Defined {
        self.mean_of(|error| error * error)
    }

    /// Mean absolute error.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] without pairs.
    pub fn mae(&self) -> Defined {
        self.mean_of(f64::abs)
    }

    /// Mean of simulated minus observed.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] without pairs.
    pub fn bias(&self) -> Defined {
        self.mean_of(|error| error)
    }

    fn mean_of(&self, of: impl Fn(f64) -> f64) -> Defined {
        self.at_least(1)?;
        finite(self.sum_of(of) / self.len() as f64)
    }

    /// Sum over the pairs of a function of simulated minus observed.
    fn sum_of(&self, of: impl Fn(f64) -> f64) -> f64 {
        let errors = self.simulated.iter().zip(&self.observed);
        errors
            .map(|(simulated, observed)| of(simulated - observed))
            .sum()
    }

    fn at_least(&self, needed: usize) -> Defined<()> {
        if self.len() < needed {
            return Err(Undefined::TooFew {
                found: self.len(),
                needed,
            });
        }
        Ok(())
    }
}

fn is_constant(values: &[f64]) -> bool {
    values.iter().all(|value| *value == values[0])
}

fn deviations(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| value - mean).collect()
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_infinite_value_is_a_missing_one() {
        let pairs: Pairs = [(1.0, f64::INFINITY), (2.0, 2.0)].into_iter().collect();
        assert_eq!(pairs.len(), 1);
    }
}
