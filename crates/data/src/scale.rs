//! From physical values to the numbers a model sees, and back.

use std::cmp::Ordering;

use efflux_job::Transformation;
use serde::{Deserialize, Serialize};

/// `s = (D* − min*) / (max* − min*)`, where `D*` is the transformed value and the range is that of the values it was
/// fitted to. A constant variable is 0 everywhere.
///
/// The transformation is a real inverse hyperbolic sine: the paper's `ln(D + √(1 + D²))` is the same function, but
/// loses every digit of a large negative `D`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Applied before scaling.
    pub transformation: Transformation,
    /// Least transformed value.
    pub min: f64,
    /// Greatest transformed value.
    pub max: f64,
}

impl Scale {
    /// The scale of these values, NaN being missing; `None` if there is none.
    pub fn fit<T: Into<f64>>(
        transformation: Transformation,
        values: impl IntoIterator<Item = T>,
    ) -> Option<Self> {
        // Both transformations are monotonic, so the range can be taken first: one asinh instead of millions.
        let (min, max) = values
            .into_iter()
            .map(Into::into)
            .filter(|value| !value.is_nan())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| {
                (min.min(value), max.max(value))
            });
        (min <= max).then(|| Self {
            transformation,
            min: transform(transformation, min),
            max: transform(transformation, max),
        })
    }

    /// The same transformation, and nothing besides.
    #[must_use]
    pub fn without_range(self) -> Self {
        Self {
            min: 0.0,
            max: 1.0,
            ..self
        }
    }

    /// The scaled value; NaN stays NaN.
    pub fn apply(&self, value: impl Into<f64>) -> f64 {
        let value = value.into();
        if value.is_nan() {
            f64::NAN
        } else if self.min == self.max {
            0.0
        } else {
            (transform(self.transformation, value) - self.min) / (self.max - self.min)
        }
    }

    /// On which side of the range a value lies; `Equal` is within, ends included.
    pub fn side(&self, value: impl Into<f64>) -> Ordering {
        let transformed = transform(self.transformation, value.into());
        if transformed < self.min {
            Ordering::Less
        } else if transformed > self.max {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }

    /// The physical value of a scaled one, inside `[0, 1]` or not.
    pub fn inverse(&self, scaled: impl Into<f64>) -> f64 {
        let transformed = scaled.into() * (self.max - self.min) + self.min;
        match self.transformation {
            Transformation::None => transformed,
            Transformation::Asinh => transformed.sinh(),
        }
    }
}

fn transform(transformation: Transformation, value: f64) -> f64 {
    match transformation {
        Transformation::None => value,
        Transformation::Asinh => value.asinh(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_known_has_no_scale() {
        assert_eq!(Scale::fit(Transformation::None, [f64::NAN]), None);
    }

    #[test]
    fn a_constant_becomes_zero_and_comes_back() {
        let scale = Scale::fit(Transformation::Asinh, [3.5f32, f32::NAN, 3.5]).unwrap();
        assert_eq!(scale.apply(3.5), 0.0);
        assert!((scale.inverse(0.0) - 3.5).abs() < 1e-12);
        assert!(scale.apply(f64::NAN).is_nan());
    }

    proptest! {
        #[test]
        fn inverse_undoes_apply(
            values in prop::collection::vec(-1e4f64..1e4, 2..40),
            asinh in any::<bool>(),
        ) {
            let transformation = if asinh { Transformation::Asinh } else { Transformation::None };
            let scale = Scale::fit(transformation, values.iter().copied()).unwrap();
            for value in values {
                let scaled = scale.apply(value);
                prop_assert!((0.0..=1.0).contains(&scaled));
                let back = scale.inverse(scaled);
                prop_assert!((back - value).abs() <= 1e-8 * value.abs().max(1.0), "{} {}", value, back);
            }
        }
    }
}
