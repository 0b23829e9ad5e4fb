//! Symmetric positive definite systems, by Cholesky's factorisation.

use faer::linalg::solvers::Llt;
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::prelude::*;
use faer::{Mat, Par, Side};
use thiserror::Error;

/// A covariance that is none: some number in it is not finite, or the noise is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the covariance of {days} days is not positive definite")]
pub struct Singular {
    /// Its rows.
    pub days: usize,
}

/// The factor L of a matrix L·Lᵀ.
#[derive(Debug)]
pub(crate) struct Factor(Llt<f64>);

impl Factor {
    /// Of the lower triangle of a matrix.
    pub(crate) fn of(matrix: &Mat<f64>) -> Result<Self, Singular> {
        let days = matrix.nrows();
        let factor = matrix.llt(Side::Lower).map_err(|_| Singular { days })?;
        let positive = (0..days).all(|row| factor.L()[(row, row)].is_finite());
        if positive {
            Ok(Self(factor))
        } else {
            Err(Singular { days })
        }
    }

    /// The inverse of the matrix times these columns.
    pub(crate) fn solve(&self, columns: &Mat<f64>) -> Mat<f64> {
        self.0.solve(columns)
    }

    /// L⁻¹ times these columns.
    pub(crate) fn half_solve(&self, mut columns: Mat<f64>) -> Mat<f64> {
        solve_lower_triangular_in_place(self.0.L(), columns.as_mut(), Par::Seq);
        columns
    }

    /// The logarithm of the matrix' determinant.
    pub(crate) fn log_determinant(&self) -> f64 {
        let diagonal = (0..self.0.L().nrows()).map(|row| self.0.L()[(row, row)].ln());
        2.0 * diagonal.sum::<f64>()
    }
}

/// The sum of products of two columns.
pub(crate) fn dot(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    (0..a.nrows()).map(|row| a[(row, 0)] * b[(row, 0)]).sum()
}
