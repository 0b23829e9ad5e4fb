//! Which numbers a seed stands for.
//!
//! Every draw of a training is a function of (seed, purpose, epoch, iteration) and of nothing else: not of what was drawn before, not
//! of the machine. So an interrupted trial goes on with the numbers it would have had.

/// What numbers are drawn for. Streams of different purposes have nothing in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial weights.
    Weights = 1,
    /// First days of the windows.
    Starts = 2,
    /// Dropped weights.
    Masks = 3,
    /// Configurations of a search.
    Configurations = 4,
}

/// An endless sequence of random numbers.
///
/// # Source
///
/// SplitMix64: Steele, Lea and Flood (2014), *Fast splittable pseudorandom number generators*, OOPSLA,
/// doi:10.1145/2660193.2660195; constants of Vigna's reference implementation.
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

/// What a stream's state grows by from one number to the next.
pub const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A state becomes a number by three shifts, each folded in by an exclusive or, with these products after the first two.
pub const SHIFTS: [u32; 3] = [30, 27, 31];
/// The products after the first two shifts.
pub const FACTORS: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// The number of a state: a bijection, whose bits look like chance.
#[inline(always)]
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> SHIFTS[0])).wrapping_mul(FACTORS[0]);
    z = (z ^ (z >> SHIFTS[1])).wrapping_mul(FACTORS[1]);
    z ^ (z >> SHIFTS[2])
}

impl Stream {
    /// The sequence that begins behind this state. States that are [`mix`]ed of different keys give sequences that have
    /// nothing in common.
    pub fn of_state(state: u64) -> Self {
        Self { state }
    }

    /// The sequence that belongs to one iteration of one epoch of the trial with this seed.
    pub fn new(seed: u64, purpose: Purpose, epoch: u32, iteration: u32) -> Self {
        let place = u64::from(epoch) << 32 | u64::from(iteration);
        let key = mix(seed.wrapping_add(GAMMA)) ^ (purpose as u64).wrapping_mul(GAMMA);
        Self::of_state(mix(mix(key) ^ mix(place.wrapping_add(GAMMA))))
    }

    /// A sequence that has nothing in common with what is drawn from this one.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::of_state(mix(!self.state))
    }

    /// Where it stands: the next number is that of this state plus [`GAMMA`].
    pub fn state(&self) -> u64 {
        self.state
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// The next of them, 64 at each place: what as many calls of [`Stream::bits`] give, but none waits for the one before.
    #[inline(always)]
    pub fn fill<const N: usize>(&mut self, bits: &mut [u64; N]) {
        let mut steps = 0_u64;
        for bits in bits {
            steps = steps.wrapping_add(GAMMA);
            *bits = mix(self.state.wrapping_add(steps));
        }
        self.state = self.state.wrapping_add(steps);
    }

    /// Uniform in `[0, 1)`, with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal with mean 0 and variance 1, to a difference of a few thousandths in its distribution: the sum of twelve uniform
    /// numbers, less its mean. It takes no function whose last bit another machine may have otherwise.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Uniform in `[0, bound)`: the upper half of a 128-bit product. Its bias, `bound / 2^64`, is out of reach of any test.
    pub fn below(&mut self, bound: u32) -> u32 {
        let product = u128::from(self.bits()) * u128::from(bound);
        u32::try_from(product >> 64).expect("a number below a u32 fits into one")
    }

    /// A place in a list of so many, drawn as [`Stream::below`] draws numbers.
    pub fn index(&mut self, count: usize) -> usize {
        let product = u128::from(self.bits()) * count as u128;
        usize::try_from(product >> 64).expect("a number below a usize fits into one")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_the_same_on_every_machine() {
        let mut stream = Stream::of_state(0);
        // First outputs of the published SplitMix64 for state 0.
        assert_eq!(stream.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(stream.bits(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn another_state_gives_the_published_numbers_too() {
        let mut stream = Stream::of_state(1_234_567);
        assert_eq!(stream.bits(), 6_457_827_717_110_365_317);
        assert_eq!(stream.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn many_numbers_at_once_are_the_next_ones() {
        let mut one_by_one = Stream::new(5, Purpose::Masks, 6, 7);
        let mut at_once = one_by_one.clone();
        let mut bits = [0; 3];
        at_once.fill(&mut bits);
        assert_eq!(bits, [(); 3].map(|()| one_by_one.bits()));
        assert_eq!(at_once.bits(), one_by_one.bits());
    }

    #[test]
    fn streams_differ_in_seed_purpose_epoch_and_iteration() {
        let first =
            |seed, purpose, epoch, iteration| Stream::new(seed, purpose, epoch, iteration).bits();
        let numbers = [
            first(0, Purpose::Starts, 0, 0),
            first(1, Purpose::Starts, 0, 0),
            first(0, Purpose::Masks, 0, 0),
            first(0, Purpose::Starts, 1, 0),
            first(0, Purpose::Starts, 0, 1),
        ];
        for (index, number) in numbers.iter().enumerate() {
            assert!(!numbers[..index].contains(number));
        }
    }

    #[test]
    fn numbers_below_a_bound_are_uniform() {
        let mut stream = Stream::new(7, Purpose::Starts, 3, 4);
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            counts[stream.below(10) as usize] += 1;
        }
        // Five standard deviations of a binomial with n = 100,000 and p = 0.1.
        assert!(
            counts.iter().all(|&count| count.abs_diff(10_000) < 475),
            "{counts:?}"
        );
    }
    #[test]
    fn normal_numbers_have_the_moments_and_the_tails_of_a_normal_distribution() {
        let mut stream = Stream::new(7, Purpose::Weights, 3, 4);
        let count = 100_000;
        let draws: Vec<f64> = (0..count).map(|_| stream.normal()).collect();
        let mean =
            |of: fn(f64) -> f64| draws.iter().copied().map(of).sum::<f64>() / f64::from(count);
        assert!(mean(|draw| draw).abs() < 0.015);
        assert!((mean(|draw| draw * draw) - 1.0).abs() < 0.02);
        let beyond = mean(|draw| f64::from(u8::from(draw.abs() > 1.96)));
        assert!((beyond - 0.05).abs() < 0.005, "{beyond}");
    }
}
