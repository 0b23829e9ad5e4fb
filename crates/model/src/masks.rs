//! Which weights an iteration drops.

use efflux_numerics::random::{FACTORS, GAMMA, SHIFTS, Stream};
use tch::{Device, Kind, Tensor};

use super::lstm::Shape;

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
    /// Draws the masks of one iteration on the host; `dropout` is the share p of dropped weights, in (0, 1).
    pub fn draw(stream: &mut Stream, shape: Shape, dropout: f64) -> Self {
        let weights = usize::try_from(shape.masked()).expect("sizes are positive");
        let mut factors = vec![0.0; weights];
        fill(stream, dropout, &mut factors);
        let halves = Tensor::from_slice(&factors).view([2, 4 * shape.hidden, shape.hidden]);
        Self {
            input: halves.get(0),
            recurrent: halves.get(1),
        }
    }
}

/// The share of dropped weights in 1/65536, below which sixteen random bits drop one, and the factor of those that stay.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Rounded and cut on purpose.
fn rule(dropout: f64) -> (u16, f32) {
    (
        (dropout * 65_536.0).round() as u16,
        (1.0 / (1.0 - dropout)) as f32,
    )
}

/// Draws factors: 0 with probability `dropout`, rounded to 2⁻¹⁶, else 1/(1−p). Sixteen bits decide, because drawing
/// them is a visible part of an iteration.
#[allow(clippy::cast_possible_truncation)] // Cut on purpose.
#[inline(always)]
pub(super) fn fill(stream: &mut Stream, dropout: f64, factors: &mut [f32]) {
    let (threshold, keep) = rule(dropout);
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

/// Draws the masks of an iteration of several trials on their device: the factors that [`Masks::draw`] gives each of
/// them, bit for bit.
#[derive(Debug)]
pub(super) struct Drawer {
    shape: Shape,
    /// How far the states of the numbers that decide are beyond a stream's, `[1, W/4]`: each decides on four weights.
    steps: Tensor,
    /// `[K, 1]`, moved down by 2¹⁵, because whole numbers have a sign here.
    thresholds: Tensor,
    /// `[K, 1]`
    keep: Tensor,
}

/// The sign bits of four numbers of sixteen bits.
const SIGNS: u64 = 0x8000_8000_8000_8000;

impl Drawer {
    /// For trials with these shares of dropped weights; one may be 0.
    pub(super) fn new(shape: Shape, dropouts: &[f64], device: Device) -> Self {
        let numbers = u64::try_from(shape.masked() / 4).expect("sizes are positive");
        let steps: Vec<i64> = (1..=numbers)
            .map(|number| GAMMA.wrapping_mul(number).cast_signed())
            .collect();
        let (thresholds, keep): (Vec<i16>, Vec<f32>) = dropouts
            .iter()
            .map(|&dropout| {
                let (threshold, keep) = rule(dropout);
                ((threshold ^ 1 << 15).cast_signed(), keep)
            })
            .unzip();
        Self {
            shape,
            steps: Tensor::from_slice(&steps).to_device(device).unsqueeze(0),
            thresholds: Tensor::from_slice(&thresholds)
                .to_device(device)
                .unsqueeze(1),
            keep: Tensor::from_slice(&keep).to_device(device).unsqueeze(1),
        }
    }

    /// The masks, `[K, 4H, H]` each, for streams in these states, `[K]`.
    pub(super) fn draw(&self, states: &Tensor) -> Masks {
        self.decide(&self.steps + states.unsqueeze(1))
    }

    /// Those of a single trial, `[4H, H]` each, without any transfer.
    pub(super) fn draw_one(&self, stream: &Stream) -> Masks {
        let state = stream.state().cast_signed();
        let Masks { input, recurrent } = self.decide(self.steps.g_add_scalar(state));
        Masks {
            input: input.get(0),
            recurrent: recurrent.get(0),
        }
    }

    /// What the numbers of these states, `[K, W/4]`, decide.
    fn decide(&self, mut bits: Tensor) -> Masks {
        for (index, shift) in SHIFTS.into_iter().enumerate() {
            // The sign would be shifted in.
            let shifted = bits
                .bitwise_right_shift_tensor_scalar(i64::from(shift))
                .bitwise_and_((1_i64 << (64 - shift)) - 1);
            let _ = bits.bitwise_xor_tensor_(&shifted);
            if let Some(factor) = FACTORS.get(index) {
                let _ = bits.g_mul_scalar_(factor.cast_signed());
            }
        }
        let draws = bits
            .bitwise_xor_(SIGNS.cast_signed())
            .view_dtype(Kind::Int16);
        let (rows, hidden) = (4 * self.shape.hidden, self.shape.hidden);
        let factors = draws.ge_tensor(&self.thresholds) * &self.keep;
        let halves = factors.view([-1, 2, rows, hidden]);
        Masks {
            input: halves.select(1, 0),
            recurrent: halves.select(1, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use efflux_numerics::random::Purpose;

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

    #[test]
    fn masks_drawn_on_a_device_are_those_of_the_host() {
        for hidden in [1, 7, 64] {
            let shape = Shape { inputs: 3, hidden };
            let dropouts = [0.2, 0.0, 0.5, 0.999];
            let streams: Vec<Stream> = (0..4)
                .map(|seed| Stream::new(seed, Purpose::Masks, 3, 70_000))
                .collect();
            let states: Vec<i64> = streams
                .iter()
                .map(|stream| stream.state().cast_signed())
                .collect();
            let drawer = Drawer::new(shape, &dropouts, Device::Cpu);
            let there = drawer.draw(&Tensor::from_slice(&states));
            for (trial, (mut stream, dropout)) in (0..).zip(streams.into_iter().zip(dropouts)) {
                let one = Drawer::new(shape, &[dropout], Device::Cpu).draw_one(&stream);
                let here = Masks::draw(&mut stream, shape, dropout);
                assert_eq!(one.input, here.input);
                assert_eq!(one.recurrent, here.recurrent);
                assert_eq!(there.input.get(trial), here.input);
                assert_eq!(there.recurrent.get(trial), here.recurrent);
            }
        }
    }
}
