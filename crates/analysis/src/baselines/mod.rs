//! What a simulation must beat to be worth its cost: models of one site with a handful of parameters, fitted by least
//! squares to the site's own record in milliseconds.

mod climatology;
mod least_squares;
mod temperature;

use climatology::Climatology;
pub use temperature::Response;

use super::statistics::mean;
use super::{Defined, Undefined};

/// One day of a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Day {
    /// Day of the year, 1 to 366.
    pub of_year: u16,
    /// Temperature, °C; NaN if unknown.
    pub temperature: f64,
    /// Observed flux, in its own unit; NaN if there is none.
    pub flux: f64,
}

/// A model of one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Baseline {
    /// The mean of the training days.
    TrainingMean,
    /// The mean of the training days of the same fortnight of the year.
    Climatology,
    /// `a exp(b T)`, least squares on flux: a Q10 model, with `Q10 = exp(10 b)`.
    Exponential,
    /// Lloyd and Taylor's with the respiration at 10 °C fitted, least squares on flux, and their activation energy.
    LloydTaylor,
    /// `asinh(flux) = a + b T + c T² + d sin + e cos` of the time of the year, least squares in asinh units.
    Harmonic,
}

impl Baseline {
    /// All of them, the simplest first.
    pub const ALL: [Self; 5] = [
        Self::TrainingMean,
        Self::Climatology,
        Self::Exponential,
        Self::LloydTaylor,
        Self::Harmonic,
    ];

    /// What tables call it.
    pub fn key(self) -> &'static str {
        match self {
            Self::TrainingMean => "training-mean",
            Self::Climatology => "climatology",
            Self::Exponential => "exponential",
            Self::LloydTaylor => "lloyd-taylor",
            Self::Harmonic => "harmonic",
        }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::TrainingMean => "training mean",
            Self::Climatology => "day-of-year climatology",
            Self::Exponential => "exponential (Q10)",
            Self::LloydTaylor => "Lloyd–Taylor",
            Self::Harmonic => "temperature and annual harmonic",
        }
    }

    /// Whether it needs a temperature.
    pub fn needs_temperature(self) -> bool {
        matches!(self, Self::Exponential | Self::LloydTaylor | Self::Harmonic)
    }

    /// Fits it to the days that have a flux and, if it needs one, a temperature.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] without enough such days, [`Undefined::Missing`] if none of them has a temperature that is
    /// needed, [`Undefined::Underdetermined`] if they do not determine the parameters.
    pub fn fit(self, training: &[Day]) -> Defined<Fitted> {
        let observed = training.iter().filter(|day| day.flux.is_finite());
        let days: Vec<Day> = observed
            .copied()
            .filter(|day| !self.needs_temperature() || day.temperature.is_finite())
            .collect();
        if days.is_empty() && training.iter().any(|day| day.flux.is_finite()) {
            return Err(Undefined::Missing("temperature"));
        }
        Ok(match self {
            Self::TrainingMean => {
                let fluxes: Vec<f64> = days.iter().map(|day| day.flux).collect();
                Fitted::Constant(mean(&fluxes)?)
            }
            Self::Climatology => Fitted::Climatology(Climatology::fit(&days)?),
            Self::Exponential => Fitted::Exponential(Response::fit(&days)?),
            Self::LloydTaylor => Fitted::LloydTaylor(temperature::lloyd_taylor(&days)?),
            Self::Harmonic => Fitted::Harmonic(temperature::harmonic(&days)?),
        })
    }
}

/// A model with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Fitted {
    /// The same flux on every day.
    Constant(f64),
    /// A flux for each day of the year.
    Climatology(Climatology),
    /// An exponential response to temperature.
    Exponential(Response),
    /// Respiration at 10 °C.
    LloydTaylor(f64),
    /// The five coefficients in asinh units.
    Harmonic([f64; 5]),
}

impl Fitted {
    /// The flux of a day, in its own unit; NaN where the temperature it takes is unknown.
    pub fn flux(&self, of_year: u16, temperature: f64) -> f64 {
        match self {
            Self::Constant(flux) => *flux,
            Self::Climatology(climatology) => climatology.flux(of_year),
            Self::Exponential(response) => response.flux(temperature),
            Self::LloydTaylor(at_10) => at_10 * temperature::lloyd_taylor_factor(temperature),
            Self::Harmonic(coefficients) => {
                let terms = temperature::harmonic_terms(of_year, temperature);
                let sum: f64 = terms.iter().zip(coefficients).map(|(a, b)| a * b).sum();
                sum.sinh()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn days(flux: impl Fn(u16, f64) -> f64) -> Vec<Day> {
        let day = |of_year: u16| {
            let temperature =
                10.0 - 9.0 * (f64::from(of_year) / 58.0).cos() + f64::from(of_year % 5);
            Day {
                of_year,
                temperature,
                flux: flux(of_year, temperature),
            }
        };
        (1..=365).map(day).collect()
    }

    fn assert_meets(baseline: Baseline, truth: impl Fn(u16, f64) -> f64) {
        let fitted = baseline.fit(&days(&truth)).unwrap();
        for day in days(&truth) {
            let found = fitted.flux(day.of_year, day.temperature);
            assert!(
                (found - day.flux).abs() < 1e-6 * day.flux.abs().max(1.0),
                "{baseline:?}: {found} {day:?}"
            );
        }
    }

    #[test]
    fn a_record_that_follows_the_model_gives_back_the_model() {
        assert_meets(Baseline::TrainingMean, |_, _| 2.0);
        assert_meets(Baseline::Exponential, |_, t| 0.7 * (0.08 * t).exp());
        assert_meets(Baseline::Exponential, |_, t| 3.0 * (-0.02 * t).exp());
        assert_meets(Baseline::LloydTaylor, |_, t| {
            1.3 * (308.56 * (1.0 / 56.02 - 1.0 / (t + 46.02))).exp()
        });
        assert_meets(Baseline::Harmonic, |day, t| {
            let phase = std::f64::consts::TAU * f64::from(day) / 365.25;
            (0.3 + 0.05 * t - 0.001 * t * t + 0.2 * phase.sin() - 0.1 * phase.cos()).sinh()
        });
    }

    #[test]
    fn an_exponential_response_comes_back_to_nine_digits_out_of_noise_that_cancels() {
        // Noise that leaves the sum of squares where it is smallest: it is orthogonal to the model and to its slope.
        let truth = Response {
            at_zero: 1.7,
            rate: 0.083,
        };
        let day = |temperature: f64, noise: f64| Day {
            of_year: 1,
            temperature,
            flux: truth.flux(temperature) + noise,
        };
        let days: Vec<Day> = (-5..=25)
            .flat_map(|t| [day(f64::from(t), 0.4), day(f64::from(t), -0.4)])
            .collect();
        let found = Response::fit(&days).unwrap();
        assert!((found.rate / truth.rate - 1.0).abs() < 1e-12, "{found:?}");
        assert!(
            (found.at_zero / truth.at_zero - 1.0).abs() < 1e-12,
            "{found:?}"
        );
    }

    #[test]
    fn a_site_without_temperature_still_has_a_climatology() {
        let mut days = days(|_, t| t);
        for day in &mut days {
            day.temperature = f64::NAN;
        }
        let missing = Err(Undefined::Missing("temperature"));
        assert_eq!(Baseline::Exponential.fit(&days), missing);
        assert!(Baseline::Climatology.fit(&days).is_ok());
    }

    #[test]
    fn nothing_to_fit_on_is_nothing_to_compare_with() {
        for baseline in Baseline::ALL {
            assert!(baseline.fit(&[]).is_err());
        }
    }

    #[test]
    fn one_temperature_does_not_determine_a_response() {
        let mut days = days(|_, t| t);
        for day in &mut days {
            day.temperature = 10.0;
        }
        assert_eq!(
            Baseline::Exponential.fit(&days),
            Err(Undefined::Underdetermined)
        );
        assert_eq!(
            Baseline::Harmonic.fit(&days),
            Err(Undefined::Underdetermined)
        );
    }

    proptest! {
        #[test]
        fn a_fitted_model_is_no_worse_than_any_other_of_its_kind(
            noise in prop::collection::vec(0.0f64..4.0, 365),
            other in (0.01f64..5.0, -0.1f64..0.2),
        ) {
            let days = days(|day, t| noise[usize::from(day) - 1] * (0.05 * t).exp());
            let error = |flux: &dyn Fn(f64) -> f64| -> f64 {
                days.iter().map(|day| (flux(day.temperature) - day.flux).powi(2)).sum()
            };
            let fitted = Baseline::Exponential.fit(&days).unwrap();
            let ours = error(&|t| fitted.flux(1, t));
            let theirs = error(&|t| other.0 * (other.1 * t).exp());
            prop_assert!(ours <= theirs * (1.0 + 1e-9), "{} {}", ours, theirs);
        }
    }
}
