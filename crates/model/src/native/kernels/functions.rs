//! The functions that open and close the gates of a cell.

use crate::native::registers::Registers;

/// 1 / (1 + e⁻ˣ), to 1.2·10⁻⁷.
#[inline(always)]
pub(super) fn sigmoid<G: Registers>(x: f32) -> f32 {
    1.0 / (2.0 + exp_m1::<G>(-x))
}

/// tanh x = (e²ˣ − 1) / (e²ˣ + 1), to 1.5·10⁻⁷.
#[inline(always)]
pub(super) fn tanh<G: Registers>(x: f32) -> f32 {
    let e = exp_m1::<G>(2.0 * x);
    e / (e + 2.0)
}

/// eˣ − 1 with x cut to ±87; a NaN stays one.
///
/// # Source
///
/// Range reduction by Cody and Waite (1980), *Software manual for the elementary functions*; the Taylor polynomial of degree 7,
/// whose remainder at ln 2 / 2 is below half a unit in the last place.
#[inline(always)]
fn exp_m1<G: Registers>(x: f32) -> f32 {
    /// Added to a number below 2²², it leaves the nearest integer in the last bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2, in a part with few bits and the rest.
    const LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = if x > 87.0 { 87.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let rounded = G::multiply_add(x, std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = G::multiply_add(-n, LN2[0], x);
    let r = G::multiply_add(-n, LN2[1], r);
    let mut p = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5] {
        p = G::multiply_add(p, r, factor);
    }
    let q = G::multiply_add(p * r, r, r); // eʳ − 1
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(0x3f80_0000)); // 2ⁿ
    G::multiply_add(q, power, power - 1.0)
}
