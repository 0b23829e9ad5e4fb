//! Numbers whose bits everybody has to agree on: the one random generator, exact conversions, and the instructions that
//! results are computed with; and the array that has one number for each site and day. Needs nobody.

mod level;
pub mod random;
mod site_by_day;
pub mod sobol;

pub use level::Level;
pub use site_by_day::SiteByDay;

/// Bytes as hexadecimal digits, two each.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digit = |digit: u8| char::from(b"0123456789abcdef"[usize::from(digit)]);
    digits.map(digit).collect()
}

/// A number in single precision, to the nearest one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "it rounds, which is what is asked for"
)]
#[inline]
pub fn single(value: f64) -> f32 {
    value as f32
}
