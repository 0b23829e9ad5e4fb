//! Weights of a linear model under a ridge, which is a Gaussian process with a linear covariance.

use faer::Mat;

use crate::Singular;
use crate::dense::Factor;

/// The weights θ that make Σ (target − θ·row)² + `penalty` |θ|² smallest.
///
/// * `rows`: `[n]` of the same width; `target`: `[n]`.
///
/// # Errors
///
/// [`Singular`] if a value is not finite, or if there is no penalty and the rows do not determine the weights.
pub fn ridge(rows: &[Vec<f64>], target: &[f64], penalty: f64) -> Result<Vec<f64>, Singular> {
    let width = rows.first().map_or(0, Vec::len);
    let features = Mat::from_fn(rows.len(), width, |row, column| rows[row][column]);
    let target = Mat::from_fn(rows.len(), 1, |row, _| target[row]);
    let normal = features.transpose() * &features + Mat::<f64>::identity(width, width) * penalty;
    let weights = Factor::of(&normal)?.solve(&(features.transpose() * target));
    Ok(weights.col_as_slice(0).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ridge_draws_weights_towards_zero_and_without_one_they_are_those_of_least_squares() {
        let rows: Vec<Vec<f64>> = (0..20).map(|day| vec![1.0, f64::from(day).sin()]).collect();
        let target: Vec<f64> = rows.iter().map(|row| 0.5 - 2.0 * row[1]).collect();
        let free = ridge(&rows, &target, 0.0).unwrap();
        assert!((free[0] - 0.5).abs() < 1e-12 && (free[1] + 2.0).abs() < 1e-12);
        let drawn = ridge(&rows, &target, 10.0).unwrap();
        assert!(drawn[0].abs() < 0.5 && drawn[1].abs() < 2.0, "{drawn:?}");
        assert!(ridge(&[vec![0.0]], &[1.0], 0.0).is_err());
    }
}
