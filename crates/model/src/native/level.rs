//! The kernels, compiled for each instruction-set level and chosen at run time.
//!
//! A kernel is plain loops over slices. Inlined into a function for which a level is switched on, they become that
//! level's instructions, so there is one text for all levels. All that is unsafe is to enter such a function, and to
//! read the factors of a tile without a check for each.

#![allow(
    unsafe_code,
    reason = "instructions of a level, and tiles without bounds checks: nothing else of the module is unsafe"
)]

use efflux_numerics as numerics;
use efflux_numerics::random::Stream;

use super::kernels;

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

/// What a level computes with.
pub(super) trait Registers {
    /// Some numbers side by side.
    type Vector: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// Rows of a tile of a product, at most 6.
    const ROWS: usize;
    /// Vectors in a row of a tile: as many as leave registers for its factors.
    const COLUMNS: usize;
    /// Columns of a tile.
    const WIDTH: usize = Self::COLUMNS * Self::LANES;
    /// Whether a product and a sum are rounded once.
    const FUSED: bool;

    /// # Safety
    ///
    /// The processor has the level, and there are as many numbers at this address as in a vector.
    unsafe fn load(from: *const f32) -> Self::Vector;

    /// # Safety
    ///
    /// As of [`Registers::load`].
    unsafe fn store(vector: Self::Vector, to: *mut f32);

    /// Has the cache fetch what lies here, as it will be written.
    #[inline(always)]
    fn expect(_to: *const f32) {}

    /// `c + a · b`.
    ///
    /// # Safety
    ///
    /// The processor has the level.
    unsafe fn add_multiple(c: Self::Vector, a: f32, b: Self::Vector) -> Self::Vector;

    /// `a · b + c`.
    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        if Self::FUSED {
            a.mul_add(b, c)
        } else {
            a * b + c
        }
    }
}

pub(super) struct Baseline;

impl Registers for Baseline {
    type Vector = [f32; 4];
    const LANES: usize = 4;
    const ROWS: usize = 4;
    const COLUMNS: usize = 2;
    const FUSED: bool = false;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        // SAFETY: the caller's.
        unsafe { from.cast::<[f32; 4]>().read() }
    }

    #[inline(always)]
    unsafe fn store(vector: [f32; 4], to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[f32; 4]>().write(vector) }
    }

    #[inline(always)]
    unsafe fn add_multiple(c: [f32; 4], a: f32, b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|lane| c[lane] + a * b[lane])
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! x86_registers {
    ($level:ident: $vector:ident, $lanes:literal lanes, $rows:literal rows of $columns:literal,
     $load:ident $store:ident $splat:ident $fused:ident) => {
        pub(super) struct $level;

        impl Registers for $level {
            type Vector = std::arch::x86_64::$vector;
            const LANES: usize = $lanes;
            const ROWS: usize = $rows;
            const COLUMNS: usize = $columns;
            const FUSED: bool = true;

            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self::Vector {
                // SAFETY: the caller's.
                unsafe { std::arch::x86_64::$load(from) }
            }

            #[inline(always)]
            unsafe fn store(vector: Self::Vector, to: *mut f32) {
                // SAFETY: the caller's.
                unsafe { std::arch::x86_64::$store(to, vector) }
            }

            #[inline(always)]
            fn expect(to: *const f32) {
                use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
                // SAFETY: a hint, which is without effect where there is no memory.
                unsafe { _mm_prefetch::<_MM_HINT_ET0>(to.cast()) }
            }

            #[inline(always)]
            unsafe fn add_multiple(c: Self::Vector, a: f32, b: Self::Vector) -> Self::Vector {
                use std::arch::x86_64::{$fused, $splat};
                // SAFETY: the caller's.
                unsafe { $fused($splat(a), b, c) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
x86_registers!(Avx2: __m256, 8 lanes, 6 rows of 2, _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_fmadd_ps);
#[cfg(target_arch = "x86_64")]
x86_registers!(Avx512: __m512, 16 lanes, 6 rows of 4, _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_fmadd_ps);

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

/// One tile of a product: R rows of C vectors of sums, which stay in registers over the whole depth.
///
/// * `a`: R rows at a distance, and `depth` elements at a distance in each.
/// * `b`: `depth` rows of C vectors at a distance.
/// * `c`: R rows at a distance of `c_row`; added to if `add`, else overwritten.
#[inline(always)]
pub(super) fn tile<G: Registers, const R: usize, const C: usize>(
    depth: usize,
    (a, a_row, a_step): (&[f32], usize, usize),
    (b, b_row): (&[f32], usize),
    (c, c_row): (&mut [f32], usize),
    add: bool,
) {
    assert!(depth > 0 && (R - 1) * a_row + (depth - 1) * a_step < a.len());
    assert!((depth - 1) * b_row + C * G::LANES <= b.len());
    assert!((R - 1) * c_row + C * G::LANES <= c.len());
    let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
    // SAFETY: rows are below R, columns below C and k below `depth`, so every place is within its slice by the assertions
    // above; the processor has the level, because only `Level` calls kernels for one.
    unsafe {
        let mut sums = [[G::load([0.0; 16].as_ptr()); C]; R];
        for (row, sums) in sums.iter_mut().enumerate() {
            for (column, sum) in sums.iter_mut().enumerate() {
                let c = c.add(row * c_row + column * G::LANES);
                if add {
                    *sum = G::load(c);
                } else {
                    // A run of a year is larger than any cache: its rows come from memory while the sums are made.
                    G::expect(c);
                }
            }
        }
        for k in 0..depth {
            let b: [G::Vector; C] =
                std::array::from_fn(|column| G::load(b.add(k * b_row + column * G::LANES)));
            for (row, sums) in sums.iter_mut().enumerate() {
                let a = *a.add(row * a_row + k * a_step);
                for (sum, &b) in sums.iter_mut().zip(&b) {
                    *sum = G::add_multiple(*sum, a, b);
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            for (column, &sum) in sums.iter().enumerate() {
                G::store(sum, c.add(row * c_row + column * G::LANES));
            }
        }
    }
}
