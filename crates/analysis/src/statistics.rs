//! Summaries of a handful of numbers, as over sites or over members.

use super::{Defined, Undefined, finite};

/// The arithmetic mean.
///
/// # Errors
///
/// [`Undefined::TooFew`] without values.
pub fn mean(values: &[f64]) -> Defined {
    enough(values, 1)?;
    finite(values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation of a sample (divisor `n - 1`), in the unit of the values.
///
/// # Errors
///
/// [`Undefined::TooFew`] below two values.
pub fn standard_deviation(values: &[f64]) -> Defined {
    enough(values, 2)?;
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    finite((squares / (values.len() - 1) as f64).sqrt())
}

/// The median: the middle value, or the mean of the two in the middle.
///
/// # Errors
///
/// [`Undefined::TooFew`] without values.
pub fn median(values: &[f64]) -> Defined {
    quantile(&sorted(values), 0.5)
}

/// The smallest and the largest value.
///
/// # Errors
///
/// [`Undefined::TooFew`] without values.
pub fn range(values: &[f64]) -> Defined<(f64, f64)> {
    enough(values, 1)?;
    Ok(values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        }))
}

/// The values in ascending order.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The quantile of type 7, linear between order statistics: at `h = (n - 1) p`, between the values ranked `⌊h⌋` and
/// `⌊h⌋ + 1`.
///
/// `sorted` is ascending, `p` lies in `[0, 1]`. Interpolates as `a + (b - a) g`, because only this form gives back a
/// tied value exactly, and strict comparisons with a quantile depend on it.
///
/// # Errors
///
/// [`Undefined::TooFew`] without values.
///
/// # Source
///
/// Hyndman and Fan (1996), *Am. Stat.* 50(4), 361–365, doi:10.2307/2684934. The default of R and numpy.
///
/// # Examples
///
/// ```
/// # use efflux_analysis::statistics::quantile;
/// assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0], 0.25), Ok(1.75));
/// ```
pub fn quantile(sorted: &[f64], p: f64) -> Defined {
    enough(sorted, 1)?;
    let last = sorted.len() - 1;
    let position = p.clamp(0.0, 1.0) * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 ≤ position ≤ last"
    )]
    let below = position as usize;
    let (a, b) = (sorted[below], sorted[(below + 1).min(last)]);
    finite(a + (b - a) * (position - below as f64))
}

/// Tukey's fences: values beyond them are called outliers, values on them are not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fences {
    /// The lower quartile.
    pub q1: f64,
    /// The upper quartile.
    pub q3: f64,
    /// `q1 - 1.5 (q3 - q1)`.
    pub low: f64,
    /// `q3 + 1.5 (q3 - q1)`.
    pub high: f64,
}

impl Fences {
    /// The fences of these values, with quartiles of type 7.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] without values.
    pub fn new(values: &[f64]) -> Defined<Self> {
        let sorted = sorted(values);
        let (q1, q3) = (quantile(&sorted, 0.25)?, quantile(&sorted, 0.75)?);
        let reach = 1.5 * (q3 - q1);
        Ok(Self {
            q1,
            q3,
            low: q1 - reach,
            high: q3 + reach,
        })
    }

    /// Whether a value is no outlier.
    pub fn hold(&self, value: f64) -> bool {
        !(value < self.low || value > self.high)
    }
}

/// How many values are greater than `threshold`.
pub fn count_above(values: &[f64], threshold: f64) -> usize {
    values.iter().filter(|&&value| value > threshold).count()
}

fn enough(values: &[f64], needed: usize) -> Defined<()> {
    if values.len() < needed {
        return Err(Undefined::TooFew {
            found: values.len(),
            needed,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_hit_order_statistics_and_both_ends() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (p, expected) in [
            (0.0, 1.0),
            (0.25, 2.0),
            (0.5, 4.0),
            (1.0, 16.0),
            (0.95, 14.4),
        ] {
            assert!((quantile(&values, p).unwrap() - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_quantile_between_ties_is_the_tied_value() {
        assert_eq!(quantile(&[0.1, 0.3, 0.3, 0.7], 0.41), Ok(0.3));
    }

    #[test]
    fn summaries_of_nothing_are_undefined() {
        let none = Undefined::TooFew {
            found: 0,
            needed: 1,
        };
        assert_eq!(mean(&[]), Err(none));
        assert_eq!(median(&[]), Err(none));
        assert_eq!(range(&[]), Err(none));
        assert!(standard_deviation(&[1.0]).is_err());
    }
}
