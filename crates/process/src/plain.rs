//! The first pooled process: independent effects of a site.

use crate::Day;
use crate::kernel::{Fourier, Nearness};
use crate::pooled::{Climate, Definition, by_lag};

/// Its constants. Every size is a standard deviation in asinh units.
#[derive(Clone, Debug, PartialEq)]
pub struct Plain {
    /// Of the weights of the linear features.
    pub linear: f64,
    /// The random features, of t, t30, c, sn, s, ds, lat.
    pub fourier: Fourier,
    /// Lengths of temperature, mean temperature, season, moisture and latitude.
    pub fourier_lengths: [f64; 5],
    /// Of a site's level.
    pub constant: f64,
    /// Of its response to temperature.
    pub temperature: f64,
    /// Of the square of that.
    pub temperature_squared: f64,
    /// Of its season.
    pub season: f64,
    /// Of half a year's.
    pub half_season: f64,
    /// Of its response to moisture.
    pub moisture: f64,
    /// Of a response to temperature that changes with the season.
    pub temperature_by_season: f64,
    /// Slow part and its days.
    pub slow: [f64; 2],
    /// Fast part and its days.
    pub fast: [f64; 2],
    /// Of what follows the inputs.
    pub rbf: f64,
    /// Of the noise.
    pub noise: f64,
}

impl Definition for Plain {
    fn features(&self, day: &Day, _: Climate, features: &mut Vec<f64>) {
        features.extend(linear(day).map(|feature| self.linear * feature));
        let [t, t30, season, moisture, lat] = self.fourier_lengths;
        let point = [
            day.t / t,
            day.t30 / t30,
            day.c / season,
            day.sn / season,
            day.s / moisture,
            day.ds / moisture,
            day.lat / lat,
        ];
        features.extend(self.fourier.of(&point));
    }

    fn covariance(&self, a: &Day, b: &Day) -> f64 {
        let (temperature, season) = (a.t * b.t, a.c * b.c + a.sn * b.sn);
        let ([c, s], [other_c, other_s]) = (a.second_harmonic(), b.second_harmonic());
        let nearness = Nearness {
            size: self.rbf,
            lengths: [1.0, 1.5, 0.7, 0.7, f64::INFINITY, f64::INFINITY],
        };
        self.constant.powi(2)
            + self.temperature.powi(2) * temperature
            + self.temperature_squared.powi(2) * temperature * temperature
            + self.season.powi(2) * season
            + self.half_season.powi(2) * (c * other_c + s * other_s)
            + self.moisture.powi(2) * a.s * b.s
            + self.temperature_by_season.powi(2) * temperature * season
            + nearness.of(a, b)
    }

    fn by_lag(&self, days: usize) -> Vec<f64> {
        by_lag(self.slow, self.fast, days)
    }

    fn noise(&self) -> f64 {
        self.noise
    }
}

/// The linear features that both pooled processes have in common, 18.
pub(crate) fn linear(day: &Day) -> [f64; 18] {
    let Day {
        t,
        s,
        c,
        sn,
        lat,
        t7,
        t30,
        s30,
        ds,
        ..
    } = *day;
    [
        1.0,
        t,
        t * t,
        c,
        sn,
        t30,
        t7,
        s,
        s * s,
        s * t,
        ds,
        s30,
        t * c,
        t * sn,
        lat,
        lat * t,
        lat * c,
        lat * sn,
    ]
}
