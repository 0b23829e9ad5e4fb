//! What the weights of a site follow from: a linear law of its attributes.

use faer::Mat;

use crate::Singular;
use crate::dense::Factor;

/// The ridges that are tried, in units of the rows' scatter over that of the law: no relation is one more choice.
pub const PENALTIES: [f64; 6] = [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0];

/// An attribute whose values differ by less, compared with their size, does not differ.
const SAME: f64 = 1e-6;

/// The law wᵢ = c + A·zᵢ + εᵢ of rows of weights wᵢ, `[R]`, of sites i with attributes zᵢ, `[P]`, in standard deviations from
/// their mean.
///
/// It is the first level of a hierarchy: wᵢ ~ Normal(c + A·zᵢ, Σ) with Σ = σ²·1, because one ridge held all of the rows in
/// the training; the elements of A ~ Normal(0, σ²/`penalty`), and c is free. The law is the mean of this posterior. How large
/// σ² is against A, those empirical Bayes of leaving places out tells. Σ would say how far a new site may be from the law
/// (`error` estimates its trace); predictions take the mean alone.
///
/// # Source
///
/// Lindley and Smith (1972), *J. R. Stat. Soc. B* 34(1), doi:10.1111/j.2517-6161.1972.tb00885.x.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteLaw {
    /// Mean and standard deviation over the sites of each attribute, `[P]`; a standard deviation of 0 where they do not
    /// differ.
    pub attributes: Vec<[f64; 2]>,
    /// c: the row of a site with mean attributes, `[R]`.
    pub intercept: Vec<f64>,
    /// A, by attribute, `[P, R]`; zeros without a relation.
    pub slopes: Vec<Vec<f64>>,
    /// How well that was found to do at places that were left out.
    pub found: LeftOut,
}

/// What leaving places out has told of a law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeftOut {
    /// The ridge of the law; none: rows do not follow from attributes, and their mean stands for them.
    pub penalty: Option<f64>,
    /// Mean over sites of the squared distance of their row from what the law of the other places says; none of a single
    /// place.
    pub error: Option<f64>,
    /// The same of the mean row.
    pub error_of_mean: Option<f64>,
}

impl LeftOut {
    /// What share of the scatter of rows about their mean the law tells of at places that it was not fitted to.
    pub fn explained(&self) -> Option<f64> {
        let share = 1.0 - self.error? / self.error_of_mean?;
        share.is_finite().then_some(share)
    }
}

impl SiteLaw {
    /// The law of these sites, under the ridge with the least error at places that are left out. Rows follow from no attribute
    /// if none of them does better than their mean.
    ///
    /// * `attributes`: `[S, P]`; `rows`: `[S, R]`; `places`: sites of the same number are left out together, `[S]`.
    ///
    /// # Errors
    ///
    /// [`Singular`] if there is no site, or an attribute or a row is not finite.
    pub fn fit(
        attributes: &[Vec<f64>],
        rows: &[Vec<f64>],
        places: &[usize],
    ) -> Result<Self, Singular> {
        let mut values = attributes.iter().chain(rows).flatten();
        if !values.all(|value| value.is_finite()) {
            return Err(Singular { days: rows.len() });
        }
        let scales = scales(attributes);
        let width = rows.first().map_or(0, Vec::len);
        let target = Mat::from_fn(rows.len(), width, |site, column| rows[site][column]);
        let features = Mat::from_fn(rows.len(), 1 + scales.len(), |site, column| match column {
            0 => 1.0,
            _ => standardised(attributes[site][column - 1], scales[column - 1]),
        });
        let mean = features.subcols(0, 1).to_owned();
        let mean = Ridge::fit(&mean, &target, 0.0, places)?;
        let error_of_mean = mean.error;
        let (mut best, mut penalty) = (mean, None);
        for tried in PENALTIES {
            let law = Ridge::fit(&features, &target, tried, places)?;
            if let (Some(error), Some(least)) = (law.error, best.error)
                && error < least
            {
                (best, penalty) = (law, Some(tried));
            }
        }
        let row = |of: usize| -> Vec<f64> {
            let known = of < best.weights.nrows();
            let weight = |column| {
                if known {
                    best.weights[(of, column)]
                } else {
                    0.0
                }
            };
            (0..width).map(weight).collect()
        };
        Ok(Self {
            intercept: row(0),
            slopes: (1..=scales.len()).map(row).collect(),
            attributes: scales,
            found: LeftOut {
                penalty,
                error: best.error,
                error_of_mean,
            },
        })
    }

    /// What the law says of a site with these attributes, `[P]`: its row, `[R]`.
    pub fn row(&self, attributes: &[f64]) -> Vec<f64> {
        let mut row = self.intercept.clone();
        let terms = attributes.iter().zip(&self.attributes).zip(&self.slopes);
        for ((&value, &scale), slopes) in terms {
            let standardised = standardised(value, scale);
            for (weight, slope) in row.iter_mut().zip(slopes) {
                *weight += standardised * slope;
            }
        }
        row
    }
}

/// Mean and standard deviation of each attribute.
fn scales(attributes: &[Vec<f64>]) -> Vec<[f64; 2]> {
    let sites = attributes.len() as f64;
    let of = |column: usize| {
        let values = || attributes.iter().map(|of| of[column]);
        let mean = values().sum::<f64>() / sites;
        let squares = values().map(|value| (value - mean).powi(2));
        let deviation = (squares.sum::<f64>() / sites).sqrt();
        let differs = deviation > SAME * mean.abs().max(1.0);
        [mean, if differs { deviation } else { 0.0 }]
    };
    (0..attributes.first().map_or(0, Vec::len))
        .map(of)
        .collect()
}

fn standardised(value: f64, [mean, deviation]: [f64; 2]) -> f64 {
    if deviation > 0.0 {
        (value - mean) / deviation
    } else {
        0.0
    }
}

/// A fit whose first weight is free.
struct Ridge {
    /// By feature, `[1 + P, R]`.
    weights: Mat<f64>,
    /// As [`LeftOut::error`].
    error: Option<f64>,
}

impl Ridge {
    /// * `features`: `[S, 1 + P]`, the first of them 1; `target`: `[S, R]`.
    fn fit(
        features: &Mat<f64>,
        target: &Mat<f64>,
        penalty: f64,
        places: &[usize],
    ) -> Result<Self, Singular> {
        let ridge = Mat::from_fn(features.ncols(), features.ncols(), |row, column| {
            if row == column && row > 0 {
                penalty
            } else {
                0.0
            }
        });
        let factor = Factor::of(&(features.transpose() * features + ridge))?;
        let weights = factor.solve(&(features.transpose() * target));
        let hat = features * factor.solve(&features.transpose().to_owned());
        let residuals = target - features * &weights;
        Ok(Self {
            error: left_out(&hat, &residuals, places)?,
            weights,
        })
    }
}

/// The mean over sites of the squared error of fits without their place, from one fit of all: with the hat matrix H and
/// residuals e, those of a place are (1 − H)⁻¹ e of its block. None of a single place.
///
/// # Source
///
/// Allen (1974), *Technometrics* 16(1), doi:10.1080/00401706.1974.10489157, for single cases; Cook and Weisberg (1982),
/// *Residuals and Influence in Regression*, for several at a time.
fn left_out(
    hat: &Mat<f64>,
    residuals: &Mat<f64>,
    places: &[usize],
) -> Result<Option<f64>, Singular> {
    let mut distinct = places.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 2 {
        return Ok(None);
    }
    let mut sum = 0.0;
    for place in distinct {
        let sites: Vec<usize> = (0..places.len())
            .filter(|&site| places[site] == place)
            .collect();
        let block = Mat::from_fn(sites.len(), sites.len(), |row, column| {
            f64::from(u8::from(row == column)) - hat[(sites[row], sites[column])]
        });
        let own = Mat::from_fn(sites.len(), residuals.ncols(), |row, column| {
            residuals[(sites[row], column)]
        });
        let errors = Factor::of(&block)?.solve(&own);
        sum += errors.squared_norm_l2();
    }
    Ok(Some(sum / places.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many attributes of sites, some at one place, that no two share.
    fn attributes(sites: usize) -> (Vec<Vec<f64>>, Vec<usize>) {
        let of = |site: usize| {
            let at = site as f64;
            vec![
                10.0 + 4.0 * (1.7 * at).sin(),
                0.3,
                100.0 * (2.3 * at + 1.0).cos(),
            ]
        };
        (
            (0..sites).map(of).collect(),
            (0..sites).map(|site| site * 2 / 3).collect(),
        )
    }

    /// Numbers that have to do with nothing.
    fn noise(sites: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut state = seed;
        let mut next = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
        };
        (0..sites)
            .map(|_| (0..8).map(|_| next()).collect())
            .collect()
    }

    #[test]
    fn a_linear_law_of_attributes_is_found_and_says_the_rows_of_sites_that_it_has_not_seen() {
        let (all, places) = attributes(40);
        let law = |of: &Vec<f64>| vec![1.0 + 0.2 * of[0], -3.0, 0.01 * of[2] - 0.1 * of[0]];
        let rows: Vec<Vec<f64>> = all.iter().map(law).collect();
        let (seen, new) = all.split_at(30);
        let found = SiteLaw::fit(seen, &rows[..30], &places[..30]).unwrap();
        assert_eq!(found.found.penalty, Some(PENALTIES[0]));
        assert!(found.found.explained().unwrap() > 0.999);
        for (attributes, row) in new.iter().zip(&rows[30..]) {
            for (said, truth) in found.row(attributes).iter().zip(row) {
                assert!((said - truth).abs() < 1e-3, "{said} for {truth}");
            }
        }
        // An attribute in which sites do not differ says nothing, whatever a new site has.
        assert_eq!(found.attributes[1][1], 0.0);
        let unlike = [all[35][0], 7.0, all[35][2]];
        assert_eq!(found.row(&unlike), found.row(&all[35]));
    }

    #[test]
    fn the_error_of_left_out_places_is_that_of_fits_without_them() {
        let (all, places) = attributes(20);
        let rows: Vec<Vec<f64>> = (all.iter().zip(noise(20, 3)))
            .map(|(of, noise)| vec![of[0] + 3.0 * noise[0], noise[1], noise[2] + 0.01 * of[2]])
            .collect();
        let scales = scales(&all);
        let features = Mat::from_fn(20, 4, |site, column| match column {
            0 => 1.0,
            _ => standardised(all[site][column - 1], scales[column - 1]),
        });
        let target = Mat::from_fn(20, 3, |site, column| rows[site][column]);
        for penalty in PENALTIES {
            let mut sum = 0.0;
            for place in 0..=places[19] {
                let others: Vec<usize> = (0..20).filter(|&site| places[site] != place).collect();
                let of = |from: &Mat<f64>| {
                    Mat::from_fn(others.len(), from.ncols(), |row, column| {
                        from[(others[row], column)]
                    })
                };
                let without = Ridge::fit(&of(&features), &of(&target), penalty, &[]).unwrap();
                let said = &features * &without.weights;
                for site in (0..20).filter(|&site| places[site] == place) {
                    for column in 0..3 {
                        sum += (target[(site, column)] - said[(site, column)]).powi(2);
                    }
                }
            }
            let found = Ridge::fit(&features, &target, penalty, &places).unwrap();
            let found = found.error.unwrap();
            assert!(
                (found - sum / 20.0).abs() < 1e-12 * found,
                "{penalty}: {found}"
            );
        }
    }

    #[test]
    fn rows_that_follow_from_no_attribute_are_told_by_their_mean() {
        let (all, places) = attributes(30);
        for seed in 1..6 {
            let rows = noise(30, seed);
            let found = SiteLaw::fit(&all, &rows, &places).unwrap();
            assert_eq!(found.found.penalty, None, "{seed}: {:?}", found.found);
            assert_eq!(found.found.explained(), Some(0.0));
            let said = found.row(&[1e3, 1e3, 1e3]);
            for (column, said) in said.into_iter().enumerate() {
                let mean = rows.iter().map(|row| row[column]).sum::<f64>() / 30.0;
                assert!((said - mean).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn of_a_single_place_nothing_can_be_left_out_and_its_mean_is_all_there_is() {
        let found =
            SiteLaw::fit(&[vec![1.0], vec![2.0]], &[vec![3.0], vec![5.0]], &[4, 4]).unwrap();
        assert!((found.row(&[9.0])[0] - 4.0).abs() < 1e-12);
        assert_eq!((found.found.penalty, found.found.explained()), (None, None));
        assert!(SiteLaw::fit(&[], &[], &[]).is_err());
        assert!(SiteLaw::fit(&[vec![1.0]], &[vec![f64::NAN]], &[0]).is_err());
    }
}
