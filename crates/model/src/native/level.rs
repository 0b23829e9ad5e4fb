//! The kernels, compiled for each instruction-set level and chosen at run time.
//!
//! A kernel is plain loops over slices. Inlined into a function for which a level is switched on, they become that
//! level's instructions, so there is one text for all levels. What is unsafe here is to enter such a function.

#![allow(
    unsafe_code,
    reason = "functions compiled for a level are entered where the processor has it"
)]

use efflux_numerics as numerics;
use efflux_numerics::random::Stream;

use super::kernels;
#[cfg(target_arch = "x86_64")]
use super::registers::{Avx2, Avx512};
use super::registers::{Baseline, Registers};

/// A level that this processor has, which is what makes it safe to enter a function compiled for it. The last bits of a
/// result depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(numerics::Level);

impl Level {
    /// What every processor of the architecture has.
    pub const BASELINE: Self = Self(numerics::Level::Baseline);

    /// The levels of this processor, the lowest first.
    pub fn here() -> Vec<Self> {
        let highest = numerics::Level::of_this_host();
        let levels = numerics::Level::ALL.into_iter();
        levels.filter(|level| *level <= highest).map(Self).collect()
    }

    /// Its name, as in records and on the command line.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Columns of a tile of a product: hidden units are padded to a multiple of it.
    pub(super) fn width(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            numerics::Level::Avx2 => Avx2::WIDTH,
            #[cfg(target_arch = "x86_64")]
            numerics::Level::Avx512 => Avx512::WIDTH,
            _ => Baseline::WIDTH,
        }
    }
}

/// A method of [`Level`] for each kernel.
macro_rules! compiled {
    ($($name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?;)*) => {
        impl Level {
            $(
                #[doc = concat!("[`kernels::", stringify!($name), "`] at this level.")]
                pub(super) fn $name(self, $($argument: $type),*) $(-> $result)? {
                    #[cfg(target_arch = "x86_64")]
                    #[target_feature(enable = "avx2,fma")]
                    fn avx2($($argument: $type),*) $(-> $result)? {
                        kernels::$name::<Avx2>($($argument),*)
                    }
                    #[cfg(target_arch = "x86_64")]
                    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                    fn avx512($($argument: $type),*) $(-> $result)? {
                        kernels::$name::<Avx512>($($argument),*)
                    }
                    match self.0 {
                        // SAFETY: only `here` makes this level, where the processor has it.
                        #[cfg(target_arch = "x86_64")]
                        numerics::Level::Avx2 => unsafe { avx2($($argument),*) },
                        // SAFETY: as above.
                        #[cfg(target_arch = "x86_64")]
                        numerics::Level::Avx512 => unsafe { avx512($($argument),*) },
                        _ => kernels::$name::<Baseline>($($argument),*),
                    }
                }
            )*
        }
    };
}

compiled! {
    multiply(product: kernels::Product, c: &mut [f32]);
    transpose(square: &[f32], transposed: &mut [f32]);
    sum_of_squares(values: &[f32]) -> f64;
    draw_masks(stream: &mut Stream, dropout: f64, factors: &mut [f32]);
    rectify(values: &mut [f32], bias: &[f32]);
    rectify_backward(gradient: &mut [f32], values: &[f32], bias: &mut [f32]);
    cell_forward(gates: &mut [f32], bias: &[f32], cell: &mut kernels::Cell, output: &[f32]) -> f32;
    cell_backward(gates: &mut [f32], cell: &mut kernels::CellGradient, output: &[f32], error: f32);
    adadelta(weights: &mut [f32], gradient: &[f32], memory: [&mut [f32]; 2], rate: f32);
    adam(weights: &mut [f32], gradient: &[f32], memory: [&mut [f32]; 2], step: kernels::AdamStep);
}

#[cfg(test)]
mod tests {
    use super::*;
    use efflux_numerics::random::Purpose;

    fn values(count: usize) -> Vec<f32> {
        let mut stream = Stream::new(1, Purpose::Weights, 2, 3);
        (0..count)
            .map(|_| stream.below(1000) as f32 / 500.0 - 1.0)
            .collect()
    }

    #[test]
    fn costs_are_estimated_with_the_units_that_are_computed() {
        for level in Level::here() {
            let registers = efflux_job::cost::registers(level.0);
            assert_eq!(registers as usize, level.width(), "{}", level.name());
        }
    }

    #[test]
    fn a_square_is_transposed_at_every_level() {
        for level in Level::here() {
            let width = level.width();
            let square = values(width * width);
            let mut transposed = vec![0.0; width * width];
            level.transpose(&square, &mut transposed);
            for (place, value) in transposed.iter().enumerate() {
                assert_eq!(*value, square[place % width * width + place / width]);
            }
        }
    }

    #[test]
    fn every_level_draws_the_same_masks_and_adds_up_the_same_squares() {
        for count in [0, 1, 31, 32, 33, 1000] {
            let expected: f64 = values(count).iter().map(|&v| f64::from(v).powi(2)).sum();
            let mut found = Vec::new();
            for level in Level::here() {
                let mut factors = vec![0.0; count];
                let mut stream = Stream::new(4, Purpose::Masks, 5, 6);
                level.draw_masks(&mut stream, 0.35, &mut factors);
                found.push((
                    factors,
                    stream.bits(),
                    level.sum_of_squares(&values(count)).to_bits(),
                ));
                let sum = level.sum_of_squares(&values(count));
                assert!((sum - expected).abs() <= 1e-12 * expected, "{count}: {sum}");
            }
            found.dedup();
            assert_eq!(found.len(), 1, "{count}");
        }
    }
}
