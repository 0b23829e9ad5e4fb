//! Points that fill a cube more evenly than chance does.

/// Of each dimension but the first: the degree of its polynomial, the coefficients between its first and its last as bits,
/// and the first direction numbers, as many as the degree.
///
/// # Source
///
/// Joe and Kuo (2008), *Constructing Sobol sequences with better two-dimensional projections*, SIAM J. Sci. Comput. 30,
/// 2635–2654, doi:10.1137/070709359: the first lines of `new-joe-kuo-6.21201`.
const POLYNOMIALS: [(u32, u32, &[u32]); DIMENSIONS - 1] = [
    (1, 0, &[1]),
    (2, 1, &[1, 3]),
    (3, 1, &[1, 3, 1]),
    (3, 2, &[1, 1, 1]),
    (4, 1, &[1, 1, 3, 3]),
    (4, 4, &[1, 3, 5, 13]),
    (5, 2, &[1, 1, 5, 5, 17]),
    (5, 4, &[1, 1, 5, 5, 5]),
    (5, 7, &[1, 1, 7, 11, 19]),
    (5, 11, &[1, 1, 5, 1, 1]),
    (5, 13, &[1, 1, 1, 3, 11]),
    (5, 14, &[1, 3, 5, 5, 31]),
    (6, 1, &[1, 3, 3, 9, 7, 49]),
    (6, 13, &[1, 1, 1, 15, 21, 21]),
    (6, 16, &[1, 3, 1, 13, 27, 49]),
    (6, 19, &[1, 1, 1, 15, 7, 5]),
    (6, 22, &[1, 3, 1, 15, 13, 25]),
    (6, 25, &[1, 1, 5, 5, 19, 61]),
    (7, 1, &[1, 3, 7, 11, 23, 15, 103]),
    (7, 4, &[1, 3, 7, 13, 13, 15, 69]),
];

/// Dimensions that there are points in.
pub const DIMENSIONS: usize = 21;

/// One coordinate of Sobol's sequence: [`Sobol::at`] is a function of the number of the point, so a longer sequence begins
/// with every shorter one.
#[derive(Clone, Debug)]
pub struct Sobol([u32; 32]);

impl Sobol {
    /// The coordinate in this dimension, counted from 0; none beyond [`DIMENSIONS`].
    pub fn new(dimension: usize) -> Option<Self> {
        let mut directions = [0_u32; 32];
        let Some(place) = dimension.checked_sub(1) else {
            for (bit, direction) in (0..32).zip(&mut directions) {
                *direction = 1 << (31 - bit);
            }
            return Some(Self(directions));
        };
        let &(degree, coefficients, first) = POLYNOMIALS.get(place)?;
        let back = first.len();
        for bit in 0..32 {
            directions[bit] = if bit < back {
                first[bit] << (31 - bit)
            } else {
                let start = directions[bit - back];
                (1..back).fold(start ^ (start >> degree), |sum, step| {
                    let is_in = coefficients >> (back - 1 - step) & 1;
                    sum ^ (directions[bit - step] * is_in)
                })
            };
        }
        Some(Self(directions))
    }

    /// Of a point, counted from 0, as parts of 2³².
    pub fn at(&self, number: u32) -> u32 {
        let gray = number ^ (number >> 1);
        let bits = (0..32).filter(|bit| gray >> bit & 1 == 1);
        bits.fold(0, |sum, bit| sum ^ self.0[bit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Point 999 as `scipy.stats.qmc.Sobol(d=21, scramble=False, bits=32)` of scipy has it.
    #[test]
    fn points_are_those_of_scipy() {
        let found: Vec<u32> = (0..DIMENSIONS)
            .map(|dimension| Sobol::new(dimension).unwrap().at(999))
            .collect();
        let expected = [
            675_282_944,
            3_904_897_024,
            348_127_232,
            4_248_829_952,
            4_156_555_264,
            3_628_072_960,
            3_686_793_216,
            3_057_647_616,
            3_493_855_232,
            2_713_714_688,
            96_468_992,
            1_900_019_712,
            2_034_237_440,
            4_064_280_576,
            3_569_352_704,
            2_394_947_584,
            1_212_153_856,
            2_822_766_592,
            2_915_041_280,
            163_577_856,
            1_438_646_272,
        ];
        assert_eq!(found, expected);
        assert!(Sobol::new(DIMENSIONS).is_none());
    }

    #[test]
    fn a_power_of_two_of_points_has_one_in_every_interval_of_every_dimension() {
        for dimension in 0..DIMENSIONS {
            let sequence = Sobol::new(dimension).unwrap();
            let mut intervals: Vec<u32> =
                (0..256).map(|number| sequence.at(number) >> 24).collect();
            intervals.sort_unstable();
            assert_eq!(intervals, (0..256).collect::<Vec<u32>>());
        }
    }
}
