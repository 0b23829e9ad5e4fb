//! A process of all sites: features with common weights, and at each site a process of its own.
//!
//! ```text
//! zᵢ = Gᵢ w + fᵢ + ε    w ~ N(0, I)    fᵢ ~ N(0, Kᵢ)    ε ~ N(0, σᵢ²)
//! ```
//!
//! Sites meet in w alone, so with Aᵢ = Kᵢ + σᵢ²I the weights follow from S = I + Σ GᵢᵀAᵢ⁻¹Gᵢ and b = Σ GᵢᵀAᵢ⁻¹zᵢ, and no
//! matrix is larger than a site.
//!
//! # Source
//!
//! Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, 2.7: explicit basis functions.

use std::borrow::Cow;
use std::f64::consts::TAU;
use std::fmt::Debug;

use faer::Mat;

use crate::day::{lag, lags};
use crate::dense::{Factor, dot};
use crate::kernel::Exponentials;
use crate::{Day, Seen, Singular, SiteNumbers, Stretch};

/// What was observed of a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Site<'a> {
    /// The days that were seen, `[n]`; a site may have none.
    pub seen: Cow<'a, [Seen]>,
    /// Of its record.
    pub climate: Climate,
}

/// Mean and spread of the soil temperature over a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Climate {
    /// (mean − 12 °C) / 8.
    pub mean: f64,
    /// Standard deviation / 5 °C − 1.
    pub spread: f64,
}

impl Climate {
    /// Of the days of a record.
    pub fn of(days: &[Day]) -> Self {
        let count = days.len() as f64;
        let mean = days.iter().map(|day| day.t).sum::<f64>() / count;
        let squares = days.iter().map(|day| (day.t - mean).powi(2));
        let spread = (squares.sum::<f64>() / count).sqrt();
        // `t` is in 8 °C.
        Self {
            mean,
            spread: spread * 8.0 / 5.0 - 1.0,
        }
    }
}

impl Site<'_> {
    /// The same with every `every`th day, the first included.
    pub(crate) fn thinned(&self, every: usize) -> Self {
        Self {
            seen: self.seen.iter().step_by(every).copied().collect(),
            climate: self.climate,
        }
    }
}

/// What a pooled process is made of.
pub trait Definition: Debug {
    /// Appends the features of a day at a site of this climate, with their prior standard deviations as factors.
    fn features(&self, day: &Day, climate: Climate, features: &mut Vec<f64>);

    /// The covariance of two days in the site's part, without that of time.
    fn covariance(&self, a: &Day, b: &Day) -> f64;

    /// That of time, for each lag below this many days.
    fn by_lag(&self, days: usize) -> Vec<f64>;

    /// Standard deviation of the noise.
    fn noise(&self) -> f64;
}

/// The covariance of time, as a definition gives it.
pub(crate) fn by_lag(slow: [f64; 2], fast: [f64; 2], days: usize) -> Vec<f64> {
    let exponentials = Exponentials {
        slow: slow[0],
        slow_days: slow[1],
        fast: fast[0],
        fast_days: fast[1],
    };
    exponentials.by_lag(days)
}

/// The training days of a site.
#[derive(Debug)]
pub(crate) struct Block {
    /// K, both triangles, `[n, n]`.
    pub(crate) kernel: Mat<f64>,
    /// σ².
    pub(crate) noise_variance: f64,
    /// Of A = K + σ²I.
    pub(crate) factor: Factor,
    /// G, `[n, p]`.
    features: Mat<f64>,
    /// A⁻¹G, `[n, p]`.
    pub(crate) solved_features: Mat<f64>,
    /// z, `[n, 1]`.
    pub(crate) target: Mat<f64>,
    /// A⁻¹z, `[n, 1]`.
    solved_target: Mat<f64>,
}

impl Block {
    fn of(
        definition: &dyn Definition,
        site: &Site<'_>,
        numbers: SiteNumbers,
    ) -> Result<Self, Singular> {
        let (count, seen) = (site.seen.len(), &site.seen);
        let scale = (2.0 * numbers.log_amplitude).exp();
        let noise_variance = (definition.noise() * numbers.log_noise.exp()).powi(2);
        let by_lag = definition.by_lag(lags(seen.iter().map(|day| day.number)));
        let mut kernel = Mat::zeros(count, count);
        for (column, b) in seen.iter().enumerate() {
            for (row, a) in seen.iter().enumerate().skip(column) {
                let alike =
                    definition.covariance(&a.inputs, &b.inputs) + by_lag[lag(a.number, b.number)];
                kernel[(row, column)] = scale * alike;
                kernel[(column, row)] = scale * alike;
            }
        }
        let mut covariance = kernel.clone();
        for day in 0..count {
            covariance[(day, day)] += noise_variance;
        }
        let factor = Factor::of(&covariance)?;
        let features = features(definition, seen.iter().map(|day| &day.inputs), site.climate);
        let target = Mat::from_fn(count, 1, |row, _| seen[row].target);
        Ok(Self {
            kernel,
            noise_variance,
            solved_features: factor.solve(&features),
            solved_target: factor.solve(&target),
            factor,
            features,
            target,
        })
    }

    /// A⁻¹(z − Gw).
    pub(crate) fn weights(&self, weights: &Mat<f64>) -> Mat<f64> {
        &self.solved_target - &self.solved_features * weights
    }
}

/// The features of these days, a row each.
fn features<'d>(
    definition: &dyn Definition,
    days: impl Iterator<Item = &'d Day>,
    climate: Climate,
) -> Mat<f64> {
    let mut values = Vec::new();
    // How many there are is known of any day.
    definition.features(&Day::default(), climate, &mut values);
    let width = values.len();
    values.clear();
    for day in days {
        definition.features(day, climate, &mut values);
    }
    Mat::from_fn(values.len() / width, width, |row, column| {
        values[row * width + column]
    })
}

/// The training days of all sites.
pub(crate) fn blocks(
    definition: &dyn Definition,
    sites: &[Site<'_>],
    numbers: &[SiteNumbers],
) -> Result<Vec<Block>, Singular> {
    let sites = sites.iter().zip(numbers);
    sites
        .map(|(site, &numbers)| Block::of(definition, site, numbers))
        .collect()
}

/// What all sites say together.
#[derive(Debug)]
pub(crate) struct Common {
    /// Of S, `[p, p]`.
    pub(crate) factor: Factor,
    /// w, `[p, 1]`.
    pub(crate) weights: Mat<f64>,
    pub(crate) negative_log_likelihood: f64,
}

/// Sums over sites, in their order.
#[derive(Debug)]
struct Sums {
    precision: Mat<f64>,
    projected: Mat<f64>,
    quadratic: f64,
    log_determinant: f64,
    days: usize,
}

impl Sums {
    fn new(width: usize) -> Self {
        Self {
            precision: Mat::identity(width, width),
            projected: Mat::zeros(width, 1),
            quadratic: 0.0,
            log_determinant: 0.0,
            days: 0,
        }
    }

    fn add(&mut self, block: &Block) {
        self.precision += block.features.transpose() * &block.solved_features;
        self.projected += block.features.transpose() * &block.solved_target;
        self.quadratic += dot(&block.target, &block.solved_target);
        self.log_determinant += block.factor.log_determinant();
        self.days += block.target.nrows();
    }

    fn common(self) -> Result<Common, Singular> {
        let factor = Factor::of(&self.precision)?;
        let weights = factor.solve(&self.projected);
        let explained = dot(&self.projected, &weights);
        let determinant = self.log_determinant + factor.log_determinant();
        let constant = self.days as f64 * TAU.ln();
        Ok(Common {
            negative_log_likelihood: 0.5 * (self.quadratic - explained + determinant + constant),
            factor,
            weights,
        })
    }
}

impl Common {
    pub(crate) fn of(blocks: &[Block]) -> Result<Self, Singular> {
        let width = blocks.first().map_or(0, |block| block.features.ncols());
        let mut sums = Sums::new(width);
        for block in blocks {
            sums.add(block);
        }
        sums.common()
    }
}

/// A pooled process that has seen sites.
#[derive(Debug)]
pub struct Pooled<'a> {
    definition: &'a dyn Definition,
    common: Common,
}

/// What is to be expected at a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// asinh units, `[D]`.
    pub mean: Vec<f64>,
    /// The part with the common weights alone, asinh units, `[D]`.
    pub global: Vec<f64>,
    /// Without the noise of an observation, that of the weights included; `[D]`, empty if it was not asked for.
    pub variance: Vec<f64>,
    /// Of the noise at the site.
    pub noise_variance: f64,
}

impl<'a> Pooled<'a> {
    /// Finds the common weights. One site is in memory at a time.
    ///
    /// * `numbers`: of each site; zeros leave a site as the constants say.
    ///
    /// # Errors
    ///
    /// [`Singular`] if an input, a target or a constant is not finite.
    pub fn fit(
        definition: &'a dyn Definition,
        sites: &[Site<'_>],
        numbers: &[SiteNumbers],
    ) -> Result<Self, Singular> {
        let mut width = Vec::new();
        definition.features(&Day::default(), Climate::default(), &mut width);
        let mut sums = Sums::new(width.len());
        for (site, &numbers) in sites.iter().zip(numbers) {
            sums.add(&Block::of(definition, site, numbers)?);
        }
        Ok(Self {
            definition,
            common: sums.common()?,
        })
    }

    /// The common weights, in units of their prior standard deviations.
    pub fn weights(&self) -> &[f64] {
        self.common.weights.col_as_slice(0)
    }

    /// The negative logarithm of the likelihood of all sites' targets.
    pub fn negative_log_likelihood(&self) -> f64 {
        self.common.negative_log_likelihood
    }

    /// What is to be expected on some days of a site: one that the weights were found with, or a new one.
    ///
    /// # Errors
    ///
    /// [`Singular`] if an input or a target is not finite.
    pub fn posterior(
        &self,
        site: &Site<'_>,
        numbers: SiteNumbers,
        on: Stretch<'_>,
        with_variance: bool,
    ) -> Result<Posterior, Singular> {
        let block = Block::of(self.definition, site, numbers)?;
        let own = features(self.definition, on.days.iter(), site.climate); // [D, p]
        let global = &own * &self.common.weights;
        let cross = self.cross(site, numbers, on); // [n, D]
        let mean = &global + cross.transpose() * block.weights(&self.common.weights);
        let variance = if with_variance {
            self.variance(on, numbers, &block, &own, cross)
        } else {
            Vec::new()
        };
        Ok(Posterior {
            mean: mean.col_as_slice(0).to_vec(),
            global: global.col_as_slice(0).to_vec(),
            variance,
            noise_variance: block.noise_variance,
        })
    }

    /// Covariances of the days that were seen with these, `[n, D]`.
    fn cross(&self, site: &Site<'_>, numbers: SiteNumbers, on: Stretch<'_>) -> Mat<f64> {
        let scale = (2.0 * numbers.log_amplitude).exp();
        let by_lag = self.definition.by_lag(on.lags(&site.seen));
        let days: Vec<(i32, &Day)> = on.numbered().collect();
        Mat::from_fn(site.seen.len(), days.len(), |row, day| {
            let (seen, (number, inputs)) = (&site.seen[row], days[day]);
            let alike = self.definition.covariance(&seen.inputs, inputs);
            scale * (alike + by_lag[lag(seen.number, number)])
        })
    }

    /// k** − k*ᵀA⁻¹k* + rᵀS⁻¹r with r = g* − GᵀA⁻¹k*.
    fn variance(
        &self,
        on: Stretch<'_>,
        numbers: SiteNumbers,
        block: &Block,
        own: &Mat<f64>,
        cross: Mat<f64>,
    ) -> Vec<f64> {
        let scale = (2.0 * numbers.log_amplitude).exp();
        let today = self.definition.by_lag(1)[0];
        let left = own.transpose() - block.solved_features.transpose() * &cross;
        let of_weights = self.common.factor.half_solve(left);
        let known = block.factor.half_solve(cross);
        let square = |matrix: &Mat<f64>, day| {
            let values = matrix.col_as_slice(day).iter();
            values.map(|value: &f64| value * value).sum::<f64>()
        };
        let of = |(day, inputs): (usize, &Day)| {
            let prior = scale * (self.definition.covariance(inputs, inputs) + today);
            prior - square(&known, day) + square(&of_weights, day)
        };
        on.days.iter().enumerate().map(of).collect()
    }
}
