//! How good a simulation is: pure functions of `f64`, without input or output.
//!
//! What a formula cannot give is [`Undefined`] with the reason, never NaN, infinity or a conventional number.

pub mod applicability;
pub mod backtransform;
pub mod bands;
pub mod baselines;
pub mod budyko;
pub mod classes;
pub mod conformal;
pub mod distributions;
pub mod effects;
pub mod ensemble;
pub mod events;
pub mod factorial;
pub mod importance;
pub mod measures;
pub mod medians;
pub mod metrics;
pub mod mixture;
pub mod paired;
pub mod reasons;
pub mod rhythm;
pub mod significance;
pub mod statistics;
pub mod units;
pub mod verification;

use std::fmt;

/// A number, or the reason why there is none.
pub type Defined<T = f64> = Result<T, Undefined>;

/// Why a quantity is not defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Undefined {
    /// There are fewer values than the formula needs.
    TooFew {
        /// Values there are.
        found: usize,
        /// Values it takes.
        needed: usize,
    },
    /// All observations are equal.
    ConstantObservations,
    /// All simulated values are equal.
    ConstantSimulation,
    /// The observations average to zero.
    ZeroMean,
    /// Nothing varies.
    Constant,
    /// What the formula takes is not known.
    Missing(&'static str),
    /// The values do not determine the parameters of a fit.
    Underdetermined,
    /// A sum leaves the range of `f64`.
    OutOfRange,
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { found, needed } => write!(f, "{found} values, {needed} needed"),
            Self::ConstantObservations => f.write_str("observations are constant"),
            Self::ConstantSimulation => f.write_str("simulation is constant"),
            Self::ZeroMean => f.write_str("observations average to zero"),
            Self::Constant => f.write_str("values are constant"),
            Self::Missing(what) => write!(f, "no {what}"),
            Self::Underdetermined => f.write_str("values do not determine the fit"),
            Self::OutOfRange => f.write_str("values too large or too small to compute with"),
        }
    }
}

/// Lets a number through if it is one.
///
/// # Errors
///
/// [`Undefined::OutOfRange`] if it is none.
pub fn finite(value: f64) -> Defined {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Undefined::OutOfRange)
    }
}
