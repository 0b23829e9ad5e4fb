//! Models of unlike kinds taken together, and how wide an interval around them must be.

use super::{Defined, Undefined, finite};

/// The weighted mean of fluxes, taken in asinh units, in the unit of the fluxes.
///
/// * `members`: pairs of weight and flux; weights need not add up to 1.
///
/// # Errors
///
/// [`Undefined::TooFew`] without a positive weight, [`Undefined::OutOfRange`] if a flux is not finite.
pub fn mix(members: impl IntoIterator<Item = (f64, f64)>) -> Defined {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (weight, flux) in members {
        sum += weight * flux.asinh();
        weights += weight;
    }
    if weights <= 0.0 {
        let needed = 1;
        return Err(Undefined::TooFew { found: 0, needed });
    }
    finite((sum / weights).sinh())
}

/// The factor that makes intervals of errors hold a `level` of the days: the smallest score whose cumulated share of weight
/// is at least the level, where a site's n scores weigh n^−½ each.
///
/// * `sites`: the scores of each site, errors divided by their scales, without sign.
///
/// # Errors
///
/// [`Undefined::TooFew`] without scores, [`Undefined::OutOfRange`] if one is not finite.
///
/// # Source
///
/// Split conformal prediction, Vovk et al. (2005), *Algorithmic Learning in a Random World*; the weights are between those
/// of days that count alike and of sites that do.
pub fn interval_factor(sites: &[Vec<f64>], level: f64) -> Defined {
    let weighted = sites.iter().flat_map(|scores| {
        let weight = (scores.len() as f64).powf(-0.5);
        scores.iter().map(move |&score| (score, weight))
    });
    let mut weighted: Vec<(f64, f64)> = weighted.collect();
    if weighted.iter().any(|(score, _)| !score.is_finite()) {
        return Err(Undefined::OutOfRange);
    }
    weighted.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut cumulated = 0.0;
    for (score, weight) in &weighted {
        cumulated += weight;
        if cumulated / total >= level {
            return Ok(*score);
        }
    }
    let needed = 1;
    let last = weighted.last().map(|(score, _)| *score);
    last.ok_or(Undefined::TooFew { found: 0, needed })
}

/// The weights whose mean is off the least: none is negative, and together they are 1.
///
/// They make Σ n^−½ (Σₖ wₖ eₖ)² smallest, over the days of all sites, where a site's n days weigh n^−½ each as in
/// [`interval_factor`]. As the weights of a mean are 1 together, an error of the mean is the mean of the errors: no flux need
/// be known. To fit without that and to divide by the sum afterwards would be another mean, which is not the best one.
///
/// * `sites`: of each site its days, of each day the error of each model.
///
/// # Errors
///
/// [`Undefined::TooFew`] without days, [`Undefined::OutOfRange`] if an error or the sum of their squares is not finite,
/// [`Undefined::Underdetermined`] for days of unlike numbers of models, or none, or more than 12.
///
/// # Source
///
/// Bates and Granger (1969), "The combination of forecasts", Operational Research Quarterly 20, 451–468, with weights that
/// may not be negative: of a few models every set that may have a weight is tried, which finds the constrained least squares
/// without an iteration.
pub fn least_error_weights(sites: &[Vec<Vec<f64>>]) -> Defined<Vec<f64>> {
    const MOST: usize = 12;
    let Some(models) = sites.iter().flatten().next().map(Vec::len) else {
        let needed = 1;
        return Err(Undefined::TooFew { found: 0, needed });
    };
    let mut days = sites.iter().flatten();
    if !(1..=MOST).contains(&models) || days.any(|errors| errors.len() != models) {
        return Err(Undefined::Underdetermined);
    }
    let mut products = vec![vec![0.0; models]; models];
    for days in sites {
        let weight = (days.len() as f64).powf(-0.5);
        for errors in days {
            for (row, error) in products.iter_mut().zip(errors) {
                for (sum, other) in row.iter_mut().zip(errors) {
                    *sum += weight * error * other;
                }
            }
        }
    }
    if products.iter().flatten().any(|sum| !sum.is_finite()) {
        return Err(Undefined::OutOfRange);
    }
    let sets = (1_u32..1 << models)
        .map(|set| (0..models).filter(|&model| set >> model & 1 == 1).collect());
    let found = sets.filter_map(|set: Vec<usize>| {
        let weights = free_weights(&products, &set)?;
        let all_positive = weights.iter().all(|&weight| weight >= 0.0);
        all_positive.then(|| {
            let mut spread = vec![0.0; models];
            set.iter()
                .zip(weights)
                .for_each(|(&model, weight)| spread[model] = weight);
            (loss(&products, &spread), spread)
        })
    });
    // One model alone is always among them.
    let best = found.min_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map(|(_, weights)| weights)
        .ok_or(Undefined::Underdetermined)
}

/// What is made smallest.
fn loss(products: &[Vec<f64>], weights: &[f64]) -> f64 {
    let rows = products.iter().zip(weights);
    rows.map(|(row, weight)| {
        let row = row.iter().zip(weights);
        weight * row.map(|(product, weight)| product * weight).sum::<f64>()
    })
    .sum()
}

/// The weights of these models that are 1 together and make the loss smallest, whatever their signs; none where several do.
/// Scaled to products of about 1, so that what is nearly singular shows.
fn free_weights(products: &[Vec<f64>], set: &[usize]) -> Option<Vec<f64>> {
    const SINGULAR: f64 = 1e-12;
    let size = set.len();
    let largest = set
        .iter()
        .map(|&model| products[model][model])
        .fold(0.0, f64::max);
    let scale = if largest > 0.0 { largest } else { 1.0 };
    // Products times weights are the same for all models, and weights are 1 together.
    let mut rows: Vec<Vec<f64>> = set
        .iter()
        .map(|&model| {
            let row = set.iter().map(|&other| products[model][other] / scale);
            row.chain([1.0, 0.0]).collect()
        })
        .collect();
    rows.push(std::iter::repeat_n(1.0, size).chain([0.0, 1.0]).collect());
    for column in 0..=size {
        let pivot = (column..=size)
            .max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))?;
        rows.swap(column, pivot);
        if rows[column][column].abs() < SINGULAR {
            return None;
        }
        let (above, below) = rows.split_at_mut(column + 1);
        for row in below {
            let factor = row[column] / above[column][column];
            for (value, pivot) in row.iter_mut().zip(&above[column]) {
                *value -= factor * pivot;
            }
        }
    }
    let mut solved = vec![0.0; size + 1];
    for place in (0..=size).rev() {
        let known = (place + 1..=size).map(|other| rows[place][other] * solved[other]);
        solved[place] = (rows[place][size + 1] - known.sum::<f64>()) / rows[place][place];
    }
    solved.truncate(size);
    Some(solved)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mean_is_taken_where_errors_are_alike() {
        let mixed = mix([(1.0, 1_f64.sinh()), (3.0, 2_f64.sinh())]).unwrap();
        assert!((mixed - 1.75_f64.sinh()).abs() < 1e-12);
        assert!(mix([]).is_err());
        assert_eq!(mix([(1.0, f64::NAN)]), Err(Undefined::OutOfRange));
    }

    #[test]
    fn a_long_record_counts_more_than_a_short_one_but_not_by_its_days() {
        let long: Vec<f64> = vec![1.0; 100];
        let factor =
            |short: usize, level| interval_factor(&[long.clone(), vec![2.0; short]], level);
        // Weights of 10 and 1.
        assert_eq!(factor(1, 0.9), Ok(1.0));
        assert_eq!(factor(1, 0.92), Ok(2.0));
        assert_eq!(factor(100, 0.51), Ok(2.0));
        assert!(interval_factor(&[], 0.9).is_err());
    }

    #[test]
    fn a_model_without_errors_has_all_the_weight_and_equal_ones_some_of_it() {
        let day = |a: f64, b: f64| vec![a, b, 0.0];
        let weights = least_error_weights(&[vec![day(1.0, -1.0), day(2.0, 1.0)]]);
        assert_eq!(weights, Ok(vec![0.0, 0.0, 1.0]));
        // Independent errors of sizes 1 and 2: weights are as 1 / variance.
        let days = [[1.0, 2.0], [1.0, -2.0]].map(Vec::from).to_vec();
        let weights = least_error_weights(&[days]).unwrap();
        assert!(
            (weights[0] - 0.8).abs() < 1e-12 && (weights[1] - 0.2).abs() < 1e-12,
            "{weights:?}"
        );
        let twins = least_error_weights(&[vec![vec![1.0, 1.0], vec![-3.0, -3.0]]]).unwrap();
        assert!((twins.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{twins:?}");
        assert_eq!(least_error_weights(&[vec![vec![0.7]]]), Ok(vec![1.0]));
    }

    #[test]
    fn weights_of_no_days_of_unlike_days_and_of_what_is_no_number_are_not_defined() {
        assert!(least_error_weights(&[vec![], vec![]]).is_err());
        let unlike = vec![vec![1.0, 2.0], vec![1.0]];
        assert_eq!(
            least_error_weights(&[unlike]),
            Err(Undefined::Underdetermined)
        );
        let none = vec![vec![1.0, f64::NAN]];
        assert_eq!(least_error_weights(&[none]), Err(Undefined::OutOfRange));
        assert_eq!(
            least_error_weights(&[vec![vec![1e200, 1.0]]]),
            Err(Undefined::OutOfRange)
        );
    }

    /// Errors of up to five models on up to 40 days of up to three sites, some of them the same, of sizes far apart.
    fn errors() -> impl Strategy<Value = Vec<Vec<Vec<f64>>>> {
        (
            1_usize..=5,
            prop::collection::vec(0_usize..40, 1..4),
            any::<u64>(),
            -6_i32..6,
        )
            .prop_map(|(models, sites, seed, exponent)| {
                let mut state = seed | 1;
                let mut draw = || {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
                };
                let common = draw();
                let bias: Vec<f64> = (0..models).map(|_| draw()).collect();
                let twins = seed % 3 == 0 && models > 1;
                let mut day = || {
                    let shared = common * draw();
                    let mut errors: Vec<f64> = bias
                        .iter()
                        .map(|bias| (bias + shared + draw()) * 10_f64.powi(exponent))
                        .collect();
                    if twins {
                        errors[models - 1] = errors[0];
                    }
                    errors
                };
                sites
                    .into_iter()
                    .map(|days| (0..days).map(|_| day()).collect())
                    .collect()
            })
    }

    proptest! {
        #[test]
        fn weights_meet_the_conditions_of_a_constrained_optimum(sites in errors()) {
            prop_assume!(sites.iter().any(|days| !days.is_empty()));
            let weights = least_error_weights(&sites).unwrap();
            prop_assert!(weights.iter().all(|&weight| weight >= 0.0), "{weights:?}");
            prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{weights:?}");
            // Karush, Kuhn and Tucker: where a weight is above 0 more of it gains what all others do, else no more.
            let (mut slopes, mut size) = (vec![0.0; weights.len()], 0.0);
            for days in &sites {
                let share = (days.len() as f64).powf(-0.5);
                for errors in days {
                    let mean: f64 = errors
                        .iter()
                        .zip(&weights)
                        .map(|(error, weight)| error * weight)
                        .sum();
                    for (slope, error) in slopes.iter_mut().zip(errors) {
                        *slope += share * mean * error;
                        size += share * error * error;
                    }
                }
            }
            let least: f64 = slopes.iter().zip(&weights).map(|(slope, weight)| slope * weight).sum();
            for (slope, weight) in slopes.iter().zip(&weights) {
                prop_assert!(*slope >= least - 1e-9 * size, "{slopes:?} {weights:?}");
                prop_assert!(*weight < 1e-9 || (slope - least).abs() <= 1e-9 * size, "{slopes:?} {weights:?}");
            }
        }
    }
}
