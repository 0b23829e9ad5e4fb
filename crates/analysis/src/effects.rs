//! What each axis of a grid does to a score, with every configuration scored by the same number of seeds.

use std::collections::HashMap;

use super::statistics::{mean, range};
use super::{Defined, Undefined, finite};

/// A configuration that has a score for every seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// For each axis the place of its value.
    pub levels: Vec<usize>,
    /// The score of each seed.
    pub seeds: Vec<f64>,
}

/// A value of an axis: scores over the combinations of the other axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// The mean over combinations and seeds.
    pub mean: f64,
    /// The lowest and the highest mean of a configuration.
    pub range: (f64, f64),
    /// The standard deviation between the seeds of a configuration, pooled over configurations.
    pub seed_spread: Defined,
}

/// An axis: its values over the combinations of the other axes that all of its values have.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// How many combinations these are.
    pub combinations: usize,
    /// In the order of the values.
    pub levels: Vec<Level>,
}

/// The effect of an axis with `values` values. Combinations of the other axes that lack one of them are left out, so that
/// all values are compared in the same company.
///
/// # Errors
///
/// [`Undefined::Missing`] if no combination is complete.
pub fn effect(configurations: &[Scored], axis: usize, values: usize) -> Defined<Effect> {
    let company = |scored: &Scored| {
        let mut others = scored.levels.clone();
        others.remove(axis);
        others
    };
    let mut companies: HashMap<Vec<usize>, usize> = HashMap::new();
    for scored in configurations {
        *companies.entry(company(scored)).or_default() += 1;
    }
    let is_complete = |scored: &&Scored| companies.get(&company(scored)) == Some(&values);
    let complete: Vec<&Scored> = configurations.iter().filter(is_complete).collect();
    if complete.is_empty() {
        return Err(Undefined::Missing("combination with all values"));
    }
    let levels = (0..values).map(|value| {
        let of_value = complete.iter().filter(|one| one.levels[axis] == value);
        let of_value: Vec<&[f64]> = of_value.map(|one| one.seeds.as_slice()).collect();
        let means: Vec<f64> = of_value
            .iter()
            .map(|seeds| mean(seeds))
            .collect::<Defined<_>>()?;
        Ok(Level {
            mean: mean(&means)?,
            range: range(&means)?,
            seed_spread: pooled(&of_value),
        })
    });
    Ok(Effect {
        combinations: complete.len() / values,
        levels: levels.collect::<Defined<_>>()?,
    })
}

/// The standard deviation within groups of equal size.
fn pooled(groups: &[&[f64]]) -> Defined {
    let squares = groups.iter().map(|group| squares(group));
    let squares = squares.collect::<Defined<Vec<f64>>>()?;
    let freedom: usize = groups.iter().map(|group| group.len() - 1).sum();
    if freedom == 0 {
        return Err(Undefined::TooFew {
            found: 1,
            needed: 2,
        });
    }
    finite((squares.iter().sum::<f64>() / freedom as f64).sqrt())
}

/// The sum of squared deviations from the mean.
fn squares(values: &[f64]) -> Defined {
    let mean = mean(values)?;
    finite(values.iter().map(|value| (value - mean).powi(2)).sum())
}

/// What the variation of a score over all trials of a grid goes along with, as shares that add up to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// Each axis by itself.
    pub axes: Vec<f64>,
    /// The axes together, beyond what each does by itself.
    pub together: f64,
    /// Seeds, within a configuration.
    pub seeds: f64,
}

/// Takes the variation of a full grid apart; `values` has the number of values of each axis.
///
/// # Errors
///
/// [`Undefined::Missing`] if a configuration or a seed is, [`Undefined::Constant`] if no score differs.
///
/// # Source
///
/// Fisher (1925), *Statistical Methods for Research Workers*, chapter 7: sums of squares of a balanced factorial design.
pub fn shares(configurations: &[Scored], values: &[usize]) -> Defined<Shares> {
    let seeds = configurations.first().map_or(0, |one| one.seeds.len());
    let is_even = configurations.iter().all(|one| one.seeds.len() == seeds);
    if seeds == 0 || !is_even || configurations.len() != values.iter().product::<usize>() {
        return Err(Undefined::Missing("score of some trial"));
    }
    let all = configurations.iter().flat_map(|one| &one.seeds).copied();
    let total = squares(&all.collect::<Vec<f64>>())?;
    if total == 0.0 {
        return Err(Undefined::Constant);
    }
    let within = configurations.iter().map(|one| squares(&one.seeds));
    let within: f64 = within.collect::<Defined<Vec<f64>>>()?.iter().sum();
    let axes = values.iter().enumerate().map(|(axis, &count)| {
        let levels = effect(configurations, axis, count)?.levels;
        let means: Vec<f64> = levels.iter().map(|level| level.mean).collect();
        let each = (configurations.len() * seeds / count) as f64;
        Ok(each * squares(&means)? / total)
    });
    let axes: Vec<f64> = axes.collect::<Defined<_>>()?;
    let seeds = within / total;
    Ok(Shares {
        // What is left of nothing may be a rounding error below it.
        together: (1.0 - seeds - axes.iter().sum::<f64>()).max(0.0),
        axes,
        seeds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scored(levels: [usize; 2], seeds: &[f64]) -> Scored {
        Scored {
            levels: levels.to_vec(),
            seeds: seeds.to_vec(),
        }
    }

    /// The second axis adds 1, the first 0.1; seeds are 0.2 apart.
    fn grid() -> Vec<Scored> {
        let value = |a: usize, b: usize| 0.1 * a as f64 + b as f64;
        let all = (0..3).flat_map(|a| (0..2).map(move |b| (a, b)));
        all.map(|(a, b)| scored([a, b], &[value(a, b) - 0.1, value(a, b) + 0.1]))
            .collect()
    }

    #[test]
    fn an_axis_is_averaged_over_the_others_and_keeps_its_seed_spread() {
        let found = effect(&grid(), 1, 2).unwrap();
        assert_eq!(found.combinations, 3);
        let [low, high] = found.levels[..] else {
            panic!("two values")
        };
        assert!((low.mean - 0.1).abs() < 1e-12 && (high.mean - 1.1).abs() < 1e-12);
        assert!((high.range.0 - 1.0).abs() < 1e-12 && (high.range.1 - 1.2).abs() < 1e-12);
        // Two seeds 0.2 apart have a variance of 0.02.
        assert!((low.seed_spread.unwrap() - 0.02_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn values_are_compared_in_the_same_company() {
        let mut grid = grid();
        // Without the third value of the first axis at one value of the second.
        grid.pop();
        assert_eq!(effect(&grid, 0, 3).unwrap().combinations, 1);
        assert_eq!(effect(&grid, 1, 2).unwrap().combinations, 2);
        assert!(shares(&grid, &[3, 2]).is_err());
        grid.retain(|one| one.levels[0] != 2);
        assert!(effect(&grid, 0, 3).is_err());
    }

    #[test]
    fn one_seed_has_no_spread() {
        let mut grid = grid();
        for one in &mut grid {
            one.seeds.truncate(1);
        }
        assert!(effect(&grid, 0, 3).unwrap().levels[0].seed_spread.is_err());
        assert_eq!(shares(&grid, &[3, 2]).unwrap().seeds, 0.0);
    }

    #[test]
    fn shares_of_a_sum_have_nothing_together() {
        let found = shares(&grid(), &[3, 2]).unwrap();
        // Sums of squares over 12 trials: 8 · 0.01, 12 · 0.25, 12 · 0.01.
        let total = 0.08 + 3.0 + 0.12;
        for (share, expected) in found.axes.iter().zip([0.08, 3.0]) {
            assert!((share - expected / total).abs() < 1e-12);
        }
        assert!((found.seeds - 0.12 / total).abs() < 1e-12 && found.together < 1e-12);
    }

    proptest! {
        #[test]
        fn shares_add_up(values in prop::collection::vec(-1e3f64..1e3, 24)) {
            let mut values = values.into_iter();
            let grid: Vec<Scored> = (0..4)
                .flat_map(|a| (0..3).map(move |b| [a, b]))
                .map(|levels| scored(levels, &[values.next().unwrap(), values.next().unwrap()]))
                .collect();
            if let Ok(Shares { axes, together, seeds }) = shares(&grid, &[4, 3]) {
                prop_assert!((axes.iter().sum::<f64>() + together + seeds - 1.0).abs() < 1e-9);
            }
        }
    }
}
