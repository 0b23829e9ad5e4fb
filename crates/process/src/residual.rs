//! The process of what a network leaves over at one site.

use std::f64::consts::TAU;

use faer::Mat;

use crate::day::{lag, lags};
use crate::dense::{Factor, dot};
use crate::kernel::{Exponentials, Nearness};
use crate::{Day, Seen, Singular, Stretch};

/// The constants of the process:
///
/// ```text
/// k(d,d') = slow² exp(−|d−d'|/slow_days) + fast² exp(−|d−d'|/fast_days) + rbf² exp(−|r−r'|²/2)
/// ```
///
/// with r = (t, s, c, sn, t30, ds) / rbf_lengths, and noise² on the diagonal of the training days. They are fixed: the
/// residuals of a network on its own training days are too small to tell them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// Standard deviation of the slow part, asinh units.
    pub slow: f64,
    /// Its range, days.
    pub slow_days: f64,
    /// Standard deviation of the fast part, asinh units.
    pub fast: f64,
    /// Its range, days.
    pub fast_days: f64,
    /// Standard deviation of the part that follows the inputs, asinh units.
    pub rbf: f64,
    /// Its ranges, in the units of the inputs; infinite where an input has no part in it.
    pub rbf_lengths: [f64; 6],
    /// Standard deviation of the noise, asinh units.
    pub noise: f64,
}

impl Default for Residual {
    /// Measured on the first 80 % of 56 sites of COSORE.
    fn default() -> Self {
        Self {
            slow: 0.19,
            slow_days: 350.0,
            fast: 0.133,
            fast_days: 10.0,
            rbf: 0.15,
            rbf_lengths: [1.0, 1.5, 0.7, 0.7, 3.0, 3.0],
            noise: 0.123,
        }
    }
}

/// A process that has seen the residuals of a site.
#[derive(Debug)]
pub struct ResidualPosterior<'a> {
    process: Residual,
    seen: &'a [Seen],
    factor: Factor,
    /// Inverse of the covariance times the residuals.
    solved: Mat<f64>,
    residuals: Mat<f64>,
}

impl Residual {
    /// Conditions the process on the residuals of `[n]` days: their targets.
    ///
    /// # Errors
    ///
    /// [`Singular`] if an input, a residual or a constant is not finite, or the noise is zero.
    pub fn condition(self, seen: &[Seen]) -> Result<ResidualPosterior<'_>, Singular> {
        let by_lag = self
            .exponentials()
            .by_lag(lags(seen.iter().map(|day| day.number)));
        let (nearness, count) = (self.nearness(), seen.len());
        let covariance = Mat::from_fn(count, count, |row, column| {
            if column > row {
                return 0.0;
            }
            let (a, b) = (&seen[row], &seen[column]);
            let noise = if row == column {
                self.noise.powi(2)
            } else {
                0.0
            };
            by_lag[lag(a.number, b.number)] + nearness.of(&a.inputs, &b.inputs) + noise
        });
        let factor = Factor::of(&covariance)?;
        let residuals = Mat::from_fn(count, 1, |row, _| seen[row].target);
        Ok(ResidualPosterior {
            process: self,
            seen,
            solved: factor.solve(&residuals),
            factor,
            residuals,
        })
    }

    fn exponentials(&self) -> Exponentials {
        Exponentials {
            slow: self.slow,
            slow_days: self.slow_days,
            fast: self.fast,
            fast_days: self.fast_days,
        }
    }

    fn nearness(&self) -> Nearness {
        Nearness {
            size: self.rbf,
            lengths: self.rbf_lengths,
        }
    }
}

impl ResidualPosterior<'_> {
    /// What is to be expected on each of these days, asinh units, `[D]`.
    pub fn mean(&self, on: Stretch<'_>) -> Vec<f64> {
        let by_lag = self.by_lag(on);
        let of = |day| {
            let weights = self.solved.col_as_slice(0);
            let covariances = self.with_seen(&by_lag, day).zip(weights);
            covariances.map(|(k, weight)| k * weight).sum()
        };
        on.numbered().map(of).collect()
    }

    /// The variance of that, without the noise of an observation, `[D]`.
    pub fn variance(&self, on: Stretch<'_>) -> Vec<f64> {
        let (days, by_lag) = (on.days.len(), self.by_lag(on));
        let mut cross = Mat::zeros(self.seen.len(), days);
        for (column, day) in on.numbered().enumerate() {
            for (row, k) in self.with_seen(&by_lag, day).enumerate() {
                cross[(row, column)] = k;
            }
        }
        let half = self.factor.half_solve(cross);
        let own = by_lag.first().copied().unwrap_or(0.0) + self.process.rbf.powi(2);
        let known = |day| {
            half.col_as_slice(day)
                .iter()
                .map(|k: &f64| k * k)
                .sum::<f64>()
        };
        (0..days).map(|day| own - known(day)).collect()
    }

    /// The negative logarithm of the residuals' likelihood.
    pub fn negative_log_likelihood(&self) -> f64 {
        let constant = self.seen.len() as f64 * TAU.ln();
        0.5 * (dot(&self.residuals, &self.solved) + self.factor.log_determinant() + constant)
    }

    fn by_lag(&self, on: Stretch<'_>) -> Vec<f64> {
        self.process.exponentials().by_lag(on.lags(self.seen))
    }

    /// Covariances of a day with those that were seen.
    fn with_seen(
        &self,
        by_lag: &[f64],
        (number, inputs): (i32, &Day),
    ) -> impl Iterator<Item = f64> {
        let nearness = self.process.nearness();
        self.seen
            .iter()
            .map(move |seen| by_lag[lag(number, seen.number)] + nearness.of(inputs, &seen.inputs))
    }
}
