//! Which weights an iteration drops.

use tch::{Device, Kind, Tensor};

use super::lstm::Shape;
use super::random::Stream;

/// Factors of the LSTM's weights in one iteration, 0 or 1/(1−p) each: the same for all sites and all days. Biases and
/// linear layers are never dropped.
///
/// # Source
///
/// hydroDL's dropout `drW`, after Gal and Ghahramani (2016), arXiv:1512.05287.
#[derive(Debug)]
pub struct Masks {
    /// Of the weights from the input layer, `[4H, H]`.
    pub input: Tensor,
    /// Of the weights from the day before, `[4H, H]`.
    pub recurrent: Tensor,
}

/// Weights that are decided on at a time; small enough to stay in the first-level cache.
const BLOCK: usize = 256;

impl Masks {
    /// Draws the masks of one iteration; `dropout` is the share p of dropped weights, in (0, 1).
    ///
    /// On a GPU they come from the device's own generator, seeded with the stream, so that nothing waits for the host.
    pub fn draw(stream: &mut Stream, shape: Shape, dropout: f64, device: Device) -> Self {
        let rows = 4 * shape.hidden;
        let factors = if device.is_cuda() {
            tch::manual_seed(stream.bits().cast_signed());
            let mut factors = Tensor::empty([2 * rows * shape.hidden], (Kind::Float, device));
            let _ = factors.bernoulli_float_(1.0 - dropout);
            factors.g_mul_scalar_(1.0 / (1.0 - dropout))
        } else {
            let weights = usize::try_from(2 * rows * shape.hidden).expect("sizes are positive");
            let mut factors = vec![0.0; weights];
            fill(stream, dropout, &mut factors);
            Tensor::from_slice(&factors)
        };
        let halves = factors.view([2, rows, shape.hidden]);
        Self {
            input: halves.get(0),
            recurrent: halves.get(1),
        }
    }
}

/// Draws factors: 0 with probability `dropout`, rounded to 2⁻¹⁶, else 1/(1−p). Sixteen bits decide, because drawing
/// them is a visible part of an iteration.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Rounded and cut on purpose.
#[inline(always)]
pub(super) fn fill(stream: &mut Stream, dropout: f64, factors: &mut [f32]) {
    let threshold = (dropout * 65_536.0).round() as u16;
    let keep = (1.0 / (1.0 - dropout)) as f32;
    let mut bits = [0; BLOCK / 4];
    let mut draws = [0_u16; BLOCK];
    for block in factors.chunks_mut(BLOCK) {
        stream.fill(&mut bits);
        for (four, bits) in draws.chunks_exact_mut(4).zip(bits) {
            for (place, draw) in four.iter_mut().enumerate() {
                *draw = (bits >> (16 * place)) as u16;
            }
        }
        for (factor, &draw) in block.iter_mut().zip(&draws) {
            *factor = if draw < threshold { 0.0 } else { keep };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::random::Purpose;

    #[test]
    fn the_share_of_dropped_weights_is_the_dropout() {
        for dropout in [0.2, 0.35, 0.5, 0.999] {
            let mut stream = Stream::new(3, Purpose::Masks, 1, 2);
            let mut factors = vec![0.0; 400_001];
            fill(&mut stream, dropout, &mut factors);
            let dropped = factors.iter().filter(|factor| **factor == 0.0).count() as f64;
            let deviation = (400_001.0 * dropout * (1.0 - dropout)).sqrt();
            assert!(
                (dropped - 400_001.0 * dropout).abs() < 5.0 * deviation,
                "{dropout}: {dropped}"
            );
            let kept = |&factor: &f32| (f64::from(factor) * (1.0 - dropout) - 1.0).abs() < 1e-6;
            assert!(factors.iter().all(|factor| *factor == 0.0 || kept(factor)));
        }
    }
}
