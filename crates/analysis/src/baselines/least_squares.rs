//! Linear least squares with a few columns.

use crate::{Defined, Undefined};

/// The coefficients whose combination of `N` columns comes closest to `target`. Each row of `rows` holds one value of
/// each column.
///
/// By the modified Gram–Schmidt factorisation of the columns with the target beside them, which is as stable as
/// Householder's.
///
/// # Errors
///
/// [`Undefined::TooFew`] with no more rows than columns, [`Undefined::Underdetermined`] if a column is a combination
/// of the others.
///
/// # Source
///
/// Björck (1967), *BIT* 7, 1–21, doi:10.1007/BF01934122.
pub(super) fn least_squares<const N: usize>(
    rows: &[[f64; N]],
    target: &[f64],
) -> Defined<[f64; N]> {
    if rows.len() <= N {
        return Err(Undefined::TooFew {
            found: rows.len(),
            needed: N + 1,
        });
    }
    let mut columns: Vec<Vec<f64>> = (0..N)
        .map(|column| rows.iter().map(|row| row[column]).collect())
        .collect();
    columns.push(target.to_vec());
    // The triangle, and the target's share of each orthogonal column.
    let mut triangle = vec![[0.0; N]; N + 1];
    for place in 0..N {
        let whole = norm(&rows.iter().map(|row| row[place]).collect::<Vec<f64>>());
        let length = norm(&columns[place]);
        if length <= 1e-10 * whole {
            return Err(Undefined::Underdetermined);
        }
        triangle[place][place] = length;
        let unit: Vec<f64> = columns[place].iter().map(|value| value / length).collect();
        for later in place + 1..=N {
            let share: f64 = unit.iter().zip(&columns[later]).map(|(a, b)| a * b).sum();
            triangle[later][place] = share;
            for (value, unit) in columns[later].iter_mut().zip(&unit) {
                *value -= share * unit;
            }
        }
    }
    let mut coefficients = [0.0; N];
    for place in (0..N).rev() {
        let known: f64 = (place + 1..N)
            .map(|later| triangle[later][place] * coefficients[later])
            .sum();
        coefficients[place] = (triangle[N][place] - known) / triangle[place][place];
    }
    Ok(coefficients)
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}
