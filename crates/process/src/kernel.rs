//! How alike two days are.

use crate::Day;

/// Two exponentials of the time between days: `slow² exp(−|d−d'|/slow_days) + fast² exp(−|d−d'|/fast_days)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exponentials {
    pub(crate) slow: f64,
    pub(crate) slow_days: f64,
    pub(crate) fast: f64,
    pub(crate) fast_days: f64,
}

impl Exponentials {
    /// Their sum for each lag below this many days.
    pub(crate) fn by_lag(self, days: usize) -> Vec<f64> {
        let of = |lag: f64| {
            self.slow.powi(2) * (-lag / self.slow_days).exp()
                + self.fast.powi(2) * (-lag / self.fast_days).exp()
        };
        (0..days).map(|lag| of(lag as f64)).collect()
    }
}

/// A squared exponential, `size² exp(−|x−x'|²/2)` with x = (t, s, c, sn, t30, ds) / lengths. An infinite length leaves an
/// input out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Nearness {
    pub(crate) size: f64,
    pub(crate) lengths: [f64; 6],
}

impl Nearness {
    pub(crate) fn of(&self, a: &Day, b: &Day) -> f64 {
        let differences = [
            a.t - b.t,
            a.s - b.s,
            a.c - b.c,
            a.sn - b.sn,
            a.t30 - b.t30,
            a.ds - b.ds,
        ];
        let scaled = differences.iter().zip(&self.lengths);
        let square: f64 = scaled.map(|(d, length)| (d / length).powi(2)).sum();
        self.size.powi(2) * (-0.5 * square).exp()
    }
}

/// Some of the random features of a squared exponential: `size √(2/m) cos(x·W + b)`, m of them.
///
/// # Source
///
/// Rahimi and Recht (2007), *Advances in Neural Information Processing Systems* 20.
#[derive(Clone, Debug, PartialEq)]
pub struct Fourier {
    /// Standard deviation of their weights.
    pub size: f64,
    /// W, `[inputs][m]`.
    pub frequencies: Vec<Vec<f64>>,
    /// b, `[m]`.
    pub phases: Vec<f64>,
}

impl Fourier {
    /// The features of a point, scaled by its lengths.
    pub(crate) fn of<'a>(&'a self, point: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let factor = self.size * (2.0 / self.phases.len() as f64).sqrt();
        self.phases.iter().enumerate().map(move |(feature, phase)| {
            let inputs = point.iter().zip(&self.frequencies);
            let angle: f64 = inputs.map(|(x, of_input)| x * of_input[feature]).sum();
            factor * (angle + phase).cos()
        })
    }
}
