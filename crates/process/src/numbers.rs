//! The amplitude and the noise of a site: the two numbers that are fitted, by penalised marginal likelihood.

use faer::Mat;

use crate::Singular;
use crate::pooled::{Block, Common, Definition, Site, blocks};

/// Standard deviation of what is thought of both numbers before a site is seen.
pub const PRIOR_SD: f64 = 0.4;

/// Every how many training days the numbers are fitted on: neighbours say the same, and the cost is cubic.
const EVERY: usize = 6;

/// Steps at most; five or so suffice.
const STEPS: usize = 20;

/// How much larger than elsewhere the process and the noise are at a site, as logarithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SiteNumbers {
    /// Of the standard deviation of the site's part.
    pub log_amplitude: f64,
    /// Of the standard deviation of the noise.
    pub log_noise: f64,
}

impl SiteNumbers {
    /// What is added to the negative logarithm of the likelihood, up to a constant.
    pub fn penalty(numbers: &[Self]) -> f64 {
        let squares = numbers.iter().map(|site| {
            (site.log_amplitude / PRIOR_SD).powi(2) + (site.log_noise / PRIOR_SD).powi(2)
        });
        0.5 * squares.sum::<f64>()
    }

    /// The most plausible numbers of each site, all sites together.
    ///
    /// Fisher's scoring, with the two numbers of a site in one block and half steps where a whole one leads uphill.
    ///
    /// # Errors
    ///
    /// [`Singular`] if an input or a target is not finite.
    pub fn fit(definition: &dyn Definition, sites: &[Site<'_>]) -> Result<Vec<Self>, Singular> {
        let thinned: Vec<Site<'_>> = sites.iter().map(|site| site.thinned(EVERY)).collect();
        let mut numbers = vec![Self::default(); sites.len()];
        let mut state = State::at(definition, &thinned, &numbers)?;
        for _ in 0..STEPS {
            let directions = state.directions(&numbers);
            let mut share = 1.0;
            let next = loop {
                let moved = numbers.iter().zip(&directions);
                let moved: Vec<Self> = moved
                    .map(|(site, [amplitude, noise])| Self {
                        log_amplitude: site.log_amplitude + share * amplitude,
                        log_noise: site.log_noise + share * noise,
                    })
                    .collect();
                let there = State::at(definition, &thinned, &moved)?;
                if there.objective <= state.objective || share < 0.01 {
                    break (moved, there);
                }
                share *= 0.5;
            };
            let gain = state.objective - next.1.objective;
            if gain < 0.0 {
                break;
            }
            (numbers, state) = next;
            if gain < 1e-4 {
                break;
            }
        }
        Ok(numbers)
    }
}

/// The likelihood at some numbers.
struct State {
    blocks: Vec<Block>,
    common: Common,
    objective: f64,
}

impl State {
    fn at(
        definition: &dyn Definition,
        sites: &[Site<'_>],
        numbers: &[SiteNumbers],
    ) -> Result<Self, Singular> {
        let blocks = blocks(definition, sites, numbers)?;
        let common = Common::of(&blocks)?;
        let objective = common.negative_log_likelihood + SiteNumbers::penalty(numbers);
        Ok(Self {
            blocks,
            common,
            objective,
        })
    }

    /// The step of each site's two numbers.
    fn directions(&self, numbers: &[SiteNumbers]) -> Vec<[f64; 2]> {
        let sites = self.blocks.iter().zip(numbers);
        sites
            .map(|(block, numbers)| self.direction(block, numbers))
            .collect()
    }

    /// With V the covariance of all targets, P the site's part of V⁻¹ and α that of V⁻¹z, the gradient by a number that
    /// changes V by D is (tr PD − αᵀDα)/2, and its expected curvature tr(PDPD)/2. D is 2K of the amplitude and 2σ²I of the
    /// noise.
    fn direction(&self, block: &Block, numbers: &SiteNumbers) -> [f64; 2] {
        let days = block.target.nrows();
        let prior = PRIOR_SD.powi(-2);
        let [amplitude, noise] = [numbers.log_amplitude, numbers.log_noise];
        if days == 0 {
            return [-amplitude, -noise];
        }
        let inverse = block.factor.solve(&Mat::identity(days, days));
        // A⁻¹G S⁻¹ GᵀA⁻¹ is what the common weights take away.
        let half = self
            .common
            .factor
            .half_solve(block.solved_features.transpose().to_owned());
        let precision = &inverse - half.transpose() * &half; // P
        let weights = block.weights(&self.common.weights); // α
        let with_kernel = &precision * &block.kernel; // PK
        let (mut trace_kernel, mut trace_noise) = (0.0, 0.0);
        let (mut both_kernel, mut mixed, mut both_noise) = (0.0, 0.0, 0.0);
        for column in 0..days {
            trace_kernel += with_kernel[(column, column)];
            trace_noise += precision[(column, column)];
            for row in 0..days {
                both_kernel += with_kernel[(row, column)] * with_kernel[(column, row)];
                mixed += with_kernel[(row, column)] * precision[(column, row)];
                both_noise += precision[(row, column)].powi(2);
            }
        }
        let on_kernel = &block.kernel * &weights;
        let (quadratic, square) = (
            crate::dense::dot(&weights, &on_kernel),
            crate::dense::dot(&weights, &weights),
        );
        let variance = block.noise_variance;
        let gradient = [
            trace_kernel - quadratic + amplitude * prior,
            variance * (trace_noise - square) + noise * prior,
        ];
        let [a, b, d] = [
            2.0 * both_kernel + prior,
            2.0 * variance * mixed,
            2.0 * variance * variance * both_noise + prior,
        ];
        let determinant = a * d - b * b;
        [
            -(d * gradient[0] - b * gradient[1]) / determinant,
            -(a * gradient[1] - b * gradient[0]) / determinant,
        ]
    }
}
