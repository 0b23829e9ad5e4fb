//! Whether a difference or a correlation is more than chance.

use super::distributions::{fisher_upper, incomplete_beta, student_two_sided};
use super::metrics::Pairs;
use super::statistics::mean;
use super::{Defined, Undefined, finite};

/// A correlation with its two-sided p value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// Pairs.
    pub n: usize,
    /// Pearson's correlation.
    pub r: f64,
    /// How often chance alone correlates as strongly.
    pub p: f64,
}

/// Pearson's correlation over the pairs of which both sides are there. With two pairs p is 1.
///
/// # Errors
///
/// Those of [`Pairs::r`].
pub fn correlation(pairs: &Pairs) -> Defined<Correlation> {
    let (n, r) = (pairs.len(), pairs.r()?);
    let p = if n == 2 {
        1.0
    } else {
        let rest = (1.0 - r) * (1.0 + r);
        incomplete_beta(rest, r * r, (n - 2) as f64 / 2.0, 0.5)
    };
    Ok(Correlation { n, r, p })
}

/// Spearman's rank correlation: Pearson's of the ranks of each side, ties by their mean rank.
///
/// # Errors
///
/// As [`correlation`].
pub fn rank_correlation(pairs: &[(f64, f64)]) -> Defined<Correlation> {
    let there = pairs.iter().filter(|(x, y)| x.is_finite() && y.is_finite());
    let (x, y): (Vec<f64>, Vec<f64>) = there.copied().unzip();
    let ranked = ranks(&x).into_iter().zip(ranks(&y));
    correlation(&ranked.collect::<Pairs>())
}

/// From 1 on, equal values by their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let last = first + tied.len();
        for &place in tied {
            ranks[place] = (first + last + 1) as f64 / 2.0;
        }
        first = last;
    }
    ranks
}

/// The straight line `y = a + b x` with the least squares in y, as `(a, b)`, through the pairs of which both sides are
/// there.
///
/// # Errors
///
/// [`Undefined::TooFew`] below two pairs, [`Undefined::Underdetermined`] if all have the same x.
pub fn line(pairs: &[(f64, f64)]) -> Defined<(f64, f64)> {
    let there: Vec<(f64, f64)> = pairs
        .iter()
        .copied()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    if there.len() < 2 {
        return Err(Undefined::TooFew {
            found: there.len(),
            needed: 2,
        });
    }
    if there.iter().all(|(x, _)| *x == there[0].0) {
        return Err(Undefined::Underdetermined);
    }
    let of = |pick: fn(&(f64, f64)) -> f64| mean(&there.iter().map(pick).collect::<Vec<f64>>());
    let (centre, level) = (of(|(x, _)| *x)?, of(|(_, y)| *y)?);
    let (mut product, mut square) = (0.0, 0.0);
    for (x, y) in &there {
        product += (x - centre) * (y - level);
        square += (x - centre).powi(2);
    }
    let slope = finite(product / square)?;
    Ok((finite(level - slope * centre)?, slope))
}

/// A t test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TTest {
    /// Difference of the means over its standard error.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// Two-sided p value.
    pub p: f64,
}

/// Whether two samples have the same mean when their variances may differ.
///
/// # Errors
///
/// [`Undefined::TooFew`] below two values on a side, [`Undefined::Constant`] if both sides are.
///
/// # Source
///
/// Welch (1947), *Biometrika* 34(1–2), 28–35, doi:10.1093/biomet/34.1-2.28.
pub fn welch(a: &[f64], b: &[f64]) -> Defined<TTest> {
    let (a, b) = (Sample::of(a)?, Sample::of(b)?);
    both_constant(&a, &b)?;
    let (square_a, square_b) = (a.variance / a.n, b.variance / b.n);
    let df = (square_a + square_b).powi(2)
        / (square_a.powi(2) / (a.n - 1.0) + square_b.powi(2) / (b.n - 1.0));
    t_test(a.mean - b.mean, square_a + square_b, df)
}

/// Whether two samples have the same mean when their variances are taken for equal.
///
/// # Errors
///
/// As [`welch`].
pub fn student(a: &[f64], b: &[f64]) -> Defined<TTest> {
    let (a, b) = (Sample::of(a)?, Sample::of(b)?);
    both_constant(&a, &b)?;
    let df = a.n + b.n - 2.0;
    let pooled = ((a.n - 1.0) * a.variance + (b.n - 1.0) * b.variance) / df;
    t_test(a.mean - b.mean, pooled * (1.0 / a.n + 1.0 / b.n), df)
}

struct Sample {
    n: f64,
    mean: f64,
    /// Divisor `n - 1`.
    variance: f64,
    is_constant: bool,
}

impl Sample {
    fn of(values: &[f64]) -> Defined<Self> {
        if values.len() < 2 {
            return Err(Undefined::TooFew {
                found: values.len(),
                needed: 2,
            });
        }
        let mean = mean(values)?;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let n = values.len() as f64;
        let is_constant = values.iter().all(|value| *value == values[0]);
        Ok(Self {
            n,
            mean,
            variance: if is_constant {
                0.0
            } else {
                squares / (n - 1.0)
            },
            is_constant,
        })
    }
}

fn both_constant(a: &Sample, b: &Sample) -> Defined<()> {
    if a.is_constant && b.is_constant {
        return Err(Undefined::Constant);
    }
    Ok(())
}

fn t_test(difference: f64, square: f64, df: f64) -> Defined<TTest> {
    let (t, df) = (finite(difference / square.sqrt())?, finite(df)?);
    Ok(TTest {
        t,
        df,
        p: student_two_sided(t, df),
    })
}

/// How a quantity varies between groups and within them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variance {
    /// Variance of the groups' true means, estimated; 0 where the groups differ less than chance would have them.
    pub between: f64,
    /// Variance within groups.
    pub within: f64,
    /// Mean square between groups over that within.
    pub f: f64,
    /// How often chance alone separates the groups as much.
    pub p: f64,
}

/// One-way analysis of variance.
///
/// # Errors
///
/// [`Undefined::Missing`] below two groups, [`Undefined::TooFew`] without a group of two values,
/// [`Undefined::Constant`] if no group varies.
pub fn variance(groups: &[Vec<f64>]) -> Defined<Variance> {
    let groups: Vec<&Vec<f64>> = groups.iter().filter(|group| !group.is_empty()).collect();
    let all: Vec<f64> = groups.iter().copied().flatten().copied().collect();
    let (count, n) = (groups.len(), all.len());
    if count < 2 {
        return Err(Undefined::Missing("second group to compare with"));
    }
    if n <= count {
        return Err(Undefined::TooFew {
            found: n,
            needed: count + 1,
        });
    }
    let grand = mean(&all)?;
    let (mut between, mut within, mut squares) = (0.0, 0.0, 0.0);
    for group in groups {
        let (size, own) = (group.len() as f64, mean(group)?);
        between += size * (own - grand).powi(2);
        within += group.iter().map(|value| (value - own).powi(2)).sum::<f64>();
        squares += size * size;
    }
    let (df_between, df_within) = ((count - 1) as f64, (n - count) as f64);
    let (between, within) = (between / df_between, within / df_within);
    if within == 0.0 {
        return Err(Undefined::Constant);
    }
    let typical_size = (n as f64 - squares / n as f64) / df_between;
    let f = finite(between / within)?;
    Ok(Variance {
        between: ((between - within) / typical_size).max(0.0),
        within,
        f,
        p: fisher_upper(f, df_between, df_within),
    })
}

/// The p values of a family of tests, raised so that of the tests called significant at a level no more than that share
/// is expected to be chance. In the given order; a test that is not defined stays so and does not count.
///
/// # Source
///
/// Benjamini and Hochberg (1995), *J. R. Stat. Soc. B* 57(1), 289–300, doi:10.1111/j.2517-6161.1995.tb02031.x.
pub fn benjamini_hochberg(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let tests = p_values.iter().enumerate();
    let mut tests: Vec<(usize, f64)> = tests.filter_map(|(test, p)| Some((test, (*p)?))).collect();
    tests.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut adjusted = vec![None; p_values.len()];
    let mut least: f64 = 1.0;
    for (place, &(test, p)) in tests.iter().enumerate() {
        let rank = tests.len() - place;
        // The factor first: it is no less than 1, so rounding leaves no p value below the one it came from.
        least = least.min(p * (tests.len() as f64 / rank as f64));
        adjusted[test] = Some(least);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_points_that_lie_on_one_and_takes_two_places() {
        let there = [(0.0, 1.0), (2.0, 5.0), (1.0, 3.0), (f64::NAN, 99.0)];
        assert_eq!(line(&there), Ok((1.0, 2.0)));
        assert_eq!(
            line(&[(3.0, 1.0), (3.0, 2.0)]),
            Err(Undefined::Underdetermined)
        );
        assert!(line(&there[..1]).is_err());
    }

    #[test]
    fn a_rank_correlation_asks_for_order_alone_and_ties_have_their_mean_rank() {
        let rising = [(1.0, 1.0), (2.0, 10.0), (3.0, 1e6), (f64::NAN, 0.0)];
        assert_eq!(rank_correlation(&rising).unwrap().r, 1.0);
        // Ranks 1.5, 1.5, 3, 4 and 4, 3, 2, 1: by hand −4.5 / √(4.5 × 5).
        let tied = [(1.0, 9.0), (1.0, 8.0), (2.0, 7.0), (3.0, 6.0)];
        let found = rank_correlation(&tied).unwrap().r;
        assert!((found + 4.5 / 22.5_f64.sqrt()).abs() < 1e-12, "{found}");
        assert!(rank_correlation(&[(1.0, 2.0), (1.0, 3.0)]).is_err());
    }
}
