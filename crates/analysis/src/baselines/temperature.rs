//! Fluxes that follow temperature.

use std::f64::consts::TAU;

use super::Day;
use super::least_squares::least_squares;
use crate::{Defined, Undefined, finite};

/// An exponential response to temperature, `a exp(b T)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Response {
    /// Flux at 0 °C, in its own unit.
    pub at_zero: f64,
    /// Relative change per °C.
    pub rate: f64,
}

impl Response {
    /// By least squares on the flux of days that have a temperature. For each rate the flux at 0 °C is known, so only
    /// the rate is searched, between −0.5 and 0.5 per °C (a Q10 of 0.007 to 148).
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] below three days, [`Undefined::Underdetermined`] if all have the same temperature or the
    /// best rate lies beyond those limits.
    pub fn fit(days: &[Day]) -> Defined<Self> {
        const LIMIT: f64 = 0.5;
        const STEPS: u32 = 200;
        at_least(days, 3)?;
        let first = days[0].temperature;
        if days.iter().all(|day| day.temperature == first) {
            return Err(Undefined::Underdetermined);
        }
        // Around the mean temperature, so that no exponential leaves its range.
        let centre = days.iter().map(|day| day.temperature).sum::<f64>() / days.len() as f64;
        let level = |rate: f64| {
            let (mut with_flux, mut square) = (0.0, 0.0);
            for day in days {
                let factor = (rate * (day.temperature - centre)).exp();
                with_flux += factor * day.flux;
                square += factor * factor;
            }
            (with_flux / square, with_flux * with_flux / square)
        };
        // What the model explains; the sum of squares that remains is smallest where this is largest.
        let explained = |rate: f64| level(rate).1;
        // Which way that grows. Near its largest value it is flat to rounding, while this still changes its sign.
        let grows = |rate: f64| {
            let (mut with_flux, mut square) = (0.0, 0.0);
            let level = level(rate).0;
            for day in days {
                let from_centre = day.temperature - centre;
                let factor = (rate * from_centre).exp();
                with_flux += from_centre * factor * day.flux;
                square += from_centre * factor * factor;
            }
            level * (with_flux - level * square) > 0.0
        };
        let at = |step: u32| LIMIT * (2.0 * f64::from(step) / f64::from(STEPS) - 1.0);
        let best = (0..=STEPS)
            .max_by(|&a, &b| explained(at(a)).total_cmp(&explained(at(b))))
            .filter(|&step| step > 0 && step < STEPS)
            .ok_or(Undefined::Underdetermined)?;
        let rate = turn(grows, at(best - 1), at(best + 1));
        let at_zero = finite(level(rate).0 * (-rate * centre).exp())?;
        Ok(Self { at_zero, rate })
    }

    /// The flux at a temperature.
    pub fn flux(&self, temperature: f64) -> f64 {
        self.at_zero * (self.rate * temperature).exp()
    }

    /// The factor by which flux grows over 10 °C.
    pub fn q10(&self) -> f64 {
        (10.0 * self.rate).exp()
    }
}

/// Where a function with one maximum between two points ceases to grow, to the last bit.
fn turn(grows: impl Fn(f64) -> bool, mut low: f64, mut high: f64) -> f64 {
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if grows(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// Lloyd and Taylor's response, 1 at 10 °C: `exp(308.56 (1/56.02 - 1/(T + 46.02)))`; 0 below −46 °C.
///
/// # Source
///
/// Lloyd and Taylor (1994), *Funct. Ecol.* 8(3), 315–323, doi:10.2307/2389824.
pub(super) fn lloyd_taylor_factor(temperature: f64) -> f64 {
    if temperature <= -46.02 {
        return 0.0;
    }
    (308.56 * (1.0 / 56.02 - 1.0 / (temperature + 46.02))).exp()
}

/// The respiration at 10 °C.
pub(super) fn lloyd_taylor(days: &[Day]) -> Defined {
    at_least(days, 2)?;
    let (mut with_flux, mut square) = (0.0, 0.0);
    for day in days {
        let factor = lloyd_taylor_factor(day.temperature);
        with_flux += factor * day.flux;
        square += factor * factor;
    }
    finite(with_flux / square)
}

/// What the coefficients of [`super::Baseline::Harmonic`] multiply.
pub(super) fn harmonic_terms(of_year: u16, temperature: f64) -> [f64; 5] {
    let (sin, cos) = (TAU * f64::from(of_year) / 365.25).sin_cos();
    [1.0, temperature, temperature * temperature, sin, cos]
}

pub(super) fn harmonic(days: &[Day]) -> Defined<[f64; 5]> {
    let rows: Vec<[f64; 5]> = days
        .iter()
        .map(|day| harmonic_terms(day.of_year, day.temperature))
        .collect();
    let target: Vec<f64> = days.iter().map(|day| day.flux.asinh()).collect();
    least_squares(&rows, &target)
}

fn at_least(days: &[Day], needed: usize) -> Defined<()> {
    if days.len() < needed {
        return Err(Undefined::TooFew {
            found: days.len(),
            needed,
        });
    }
    Ok(())
}
