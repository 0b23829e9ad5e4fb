//! Random numbers for the synthetic pack: the same on every machine and in every thread, one stream per purpose.

use efflux_numerics::random::{GAMMA, Stream, mix};

/// A number for the stream of a site that is known by its name.
pub(super) fn key(name: &str) -> u64 {
    let bytes = name.bytes();
    bytes.fold(GAMMA, |key, byte| mix(key ^ u64::from(byte)))
}

/// Draws from one stream.
#[derive(Clone, Debug)]
pub(super) struct Random(Stream);

impl Random {
    /// The stream of a seed that belongs to this site and purpose.
    pub(super) fn stream(seed: u64, site: u64, purpose: u64) -> Self {
        let key = mix(seed.wrapping_add(GAMMA));
        let key = mix(key ^ site.wrapping_mul(GAMMA));
        let state = mix(key ^ purpose.wrapping_mul(GAMMA).rotate_left(32));
        Self(Stream::of_state(state))
    }

    /// Uniform in `[0, 1)`, in steps of 2⁻⁵³.
    pub(super) fn uniform(&mut self) -> f64 {
        self.0.unit()
    }

    /// Uniform in `[low, high)`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// A whole number in `0 .. count`; 0 if there is none.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Below count by construction.
    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.uniform() * count as f64) as usize
    }

    /// Standard normal (Box and Muller 1958; one of the pair).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Exponential with mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_moments_they_should_have() {
        let mut random = Random::stream(1, 2, 3);
        let count = 100_000;
        let normals: Vec<f64> = (0..count).map(|_| random.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(count);
        let variance = normals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(count);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02);
        let mean = (0..count).map(|_| random.exponential()).sum::<f64>() / f64::from(count);
        assert!((mean - 1.0).abs() < 0.02);
    }

    #[test]
    fn streams_of_other_sites_and_purposes_are_other_streams() {
        let first = |site, purpose| Random::stream(7, site, purpose).0.bits();
        let all = [first(0, 0), first(0, 1), first(1, 0), first(1, 1)];
        for (index, value) in all.iter().enumerate() {
            assert!(!all[..index].contains(value));
        }
    }
}
