//! Dropout: which weights an iteration drops.

use efflux_numerics::random::{FACTORS, GAMMA, SHIFTS, Stream};
use tch::{Device, Kind, Tensor};

use super::layout::Layout;

/// Factors of the weights that dropout may drop in one iteration, 0 or 1/(1−p) each: the same for all sites and all days.
/// Biases and linear layers are never dropped.
///
/// # Source
///
/// hydroDL's dropout `drW`, after Gal and Ghahramani (2016), arXiv:1512.05287.
#[derive(Debug)]
pub struct Masks(
    /// In the shape of each such parameter, in the order of the layout.
    pub Vec<Tensor>,
);

/// Weights that are decided on at a time; small enough to stay in the first-level cache.
const BLOCK: usize = 256;

/// What dropout takes away in one iteration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dropped<'a> {
    /// Factors of weights, if any may be dropped.
    pub weights: Option<&'a Masks>,
    /// Factors of what each layer but the last hands to the next, `[layers - 1, T, B, H]`, if any may be dropped.
    pub between: Option<&'a Tensor>,
}

/// Draws the factors of what layers hand to each other in one iteration, `layers - 1` times days times series times units
/// of them: 0 for a share `dropout`, else 1/(1−p), each day and series for itself. Its numbers are not those of the weights.
///
/// # Source
///
/// `dropout` of `torch.nn.LSTM`, after Zaremba et al. (2014), arXiv:1409.2329.
pub(super) fn draw_between(stream: &Stream, dropout: f64, factors: &mut [f32]) {
    fill(&mut stream.fork(), dropout, factors);
}

impl Masks {
    /// Draws the masks of one iteration on the host; `dropout` is the share p of dropped weights, in (0, 1).
    pub fn draw(stream: &mut Stream, layout: &Layout, dropout: f64) -> Self {
        let sizes = layout.dropped();
        let weights = usize::try_from(weights(&sizes)).expect("sizes are positive");
        let mut factors = vec![0.0; weights];
        fill(stream, dropout, &mut factors);
        Self::split(&Tensor::from_slice(&factors).unsqueeze(0), &sizes).of_one()
    }

    /// Factors of several models, `[K, W]`, in these shapes.
    fn split(factors: &Tensor, sizes: &[Vec<i64>]) -> Self {
        let mut offset = 0;
        let masks = sizes.iter().map(|sizes| {
            let length = sizes.iter().product();
            let sizes = [&[-1], &sizes[..]].concat();
            offset += length;
            factors.narrow(1, offset - length, length).view(&sizes[..])
        });
        Self(masks.collect())
    }

    /// Those of the first of several models.
    fn of_one(self) -> Self {
        Self(self.0.iter().map(|mask| mask.get(0)).collect())
    }
}

/// Number of weights in parameters of these sizes.
fn weights(sizes: &[Vec<i64>]) -> i64 {
    sizes
        .iter()
        .map(|sizes| sizes.iter().product::<i64>())
        .sum()
}

/// The share of dropped weights in 1/65536, below which sixteen random bits drop one, and the factor of those that stay.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Rounded and cut on purpose.
pub(super) fn rule(dropout: f64) -> (u16, f32) {
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
    /// Sizes of the parameters whose weights may be dropped; W weights in all.
    sizes: Vec<Vec<i64>>,
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
    pub(super) fn new(layout: &Layout, dropouts: &[f64], device: Device) -> Self {
        let sizes = layout.dropped();
        let weights = u64::try_from(weights(&sizes)).expect("sizes are positive");
        let numbers = weights.div_ceil(4);
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
            sizes,
            steps: Tensor::from_slice(&steps).to_device(device).unsqueeze(0),
            thresholds: Tensor::from_slice(&thresholds)
                .to_device(device)
                .unsqueeze(1),
            keep: Tensor::from_slice(&keep).to_device(device).unsqueeze(1),
        }
    }

    /// The masks, with K as their first dimension, for streams in these states, `[K]`.
    pub(super) fn draw(&self, states: &Tensor) -> Masks {
        self.decide(&self.steps + states.unsqueeze(1))
    }

    /// Those of a single trial, without any transfer.
    pub(super) fn draw_one(&self, stream: &Stream) -> Masks {
        let state = stream.state().cast_signed();
        self.decide(self.steps.g_add_scalar(state)).of_one()
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
        let factors = draws.ge_tensor(&self.thresholds) * &self.keep;
        Masks::split(&factors, &self.sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Shape;
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
            let layout = Layout::of(Shape::lstm(3, hidden));
            let dropouts = [0.2, 0.0, 0.5, 0.999];
            let streams: Vec<Stream> = (0..4)
                .map(|seed| Stream::new(seed, Purpose::Masks, 3, 70_000))
                .collect();
            let states: Vec<i64> = streams
                .iter()
                .map(|stream| stream.state().cast_signed())
                .collect();
            let drawer = Drawer::new(&layout, &dropouts, Device::Cpu);
            let there = drawer.draw(&Tensor::from_slice(&states));
            for (trial, (mut stream, dropout)) in (0..).zip(streams.into_iter().zip(dropouts)) {
                let one = Drawer::new(&layout, &[dropout], Device::Cpu).draw_one(&stream);
                let here = Masks::draw(&mut stream, &layout, dropout);
                let there: Vec<Tensor> = there.0.iter().map(|mask| mask.get(trial)).collect();
                assert_eq!(one.0, here.0);
                assert_eq!(there, here.0);
            }
        }
    }
}
