//! The second pooled process: the effects of a site are correlated, and a site has an amplitude and a noise of its own.

use crate::Day;
use crate::constants;
use crate::kernel::{Fourier, Nearness};
use crate::plain::linear;
use crate::pooled::{Climate, Definition, by_lag};

/// Effects of a site: level, t, t², c, sn, s, s², ds.
const EFFECTS: usize = 8;

/// Its constants. Every size is a standard deviation in asinh units.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    covariance: [[f64; EFFECTS]; EFFECTS],
    linear: f64,
    fourier: Fourier,
    fourier_lengths: [f64; 9],
    slow: [f64; 2],
    fast: [f64; 2],
    nearness: Nearness,
    noise: f64,
}

/// The constants by name, as files have them.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// C of the covariance C·Cᵀ of the effects, a row an effect.
    pub(crate) effects_chol_rows: Vec<Vec<f64>>,
    pub(crate) linear: f64,
    pub(crate) fourier: f64,
    /// Of t, t30, c, sn, s, ds, lat, and of mean and spread of the temperature.
    pub(crate) fourier_lengths: [f64; 9],
    pub(crate) frequencies: Vec<Vec<f64>>,
    pub(crate) phases: Vec<f64>,
    pub(crate) slow: f64,
    pub(crate) slow_days: f64,
    pub(crate) fast: f64,
    pub(crate) fast_days: f64,
    pub(crate) rbf: f64,
    /// Of t, s, c, sn, t30, ds.
    pub(crate) rbf_lengths: [f64; 6],
    pub(crate) noise: f64,
}

impl Default for Effects {
    /// Measured on the first 40 % of the records of 56 sites of COSORE: means of logarithms over five fits.
    fn default() -> Self {
        Self::named(constants::effects())
    }
}

impl Effects {
    /// The process with the constants of a JSON object.
    ///
    /// # Errors
    ///
    /// What of it cannot be read.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self::named)
    }

    fn named(named: Named) -> Self {
        let rows = &named.effects_chol_rows;
        let product = |a: usize, b: usize| {
            let pairs = rows[a].iter().zip(&rows[b]);
            pairs.map(|(x, y)| x * y).sum()
        };
        let row = |a| std::array::from_fn(|b| product(a, b));
        Self {
            covariance: std::array::from_fn(row),
            linear: named.linear,
            fourier: Fourier {
                size: named.fourier,
                frequencies: named.frequencies,
                phases: named.phases,
            },
            fourier_lengths: named.fourier_lengths,
            slow: [named.slow, named.slow_days],
            fast: [named.fast, named.fast_days],
            nearness: Nearness {
                size: named.rbf,
                lengths: named.rbf_lengths,
            },
            noise: named.noise,
        }
    }
}

/// What the effects multiply.
fn effects(day: &Day) -> [f64; EFFECTS] {
    let Day {
        t, c, sn, s, ds, ..
    } = *day;
    [1.0, t, t * t, c, sn, s, s * s, ds]
}

impl Definition for Effects {
    fn features(&self, day: &Day, climate: Climate, features: &mut Vec<f64>) {
        features.extend(linear(day).map(|feature| self.linear * feature));
        let mut point = [
            day.t,
            day.t30,
            day.c,
            day.sn,
            day.s,
            day.ds,
            day.lat,
            climate.mean,
            climate.spread,
        ];
        for (value, length) in point.iter_mut().zip(&self.fourier_lengths) {
            *value /= length;
        }
        features.extend(self.fourier.of(&point));
    }

    fn covariance(&self, a: &Day, b: &Day) -> f64 {
        let (of_a, of_b) = (effects(a), effects(b));
        let rows = self.covariance.iter().zip(&of_a);
        let of_effects: f64 = rows
            .map(|(row, x)| {
                let row = row.iter().zip(&of_b);
                x * row.map(|(covariance, y)| covariance * y).sum::<f64>()
            })
            .sum();
        of_effects + self.nearness.of(a, b)
    }

    fn by_lag(&self, days: usize) -> Vec<f64> {
        by_lag(self.slow, self.fast, days)
    }

    fn noise(&self) -> f64 {
        self.noise
    }
}
