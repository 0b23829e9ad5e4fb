//! Which axes of a set of trials move their score, beyond what the seeds do: analysis of variance, for grids with holes, too.

use std::collections::BTreeMap;

use super::distributions::fisher_upper;
use super::statistics::mean;
use super::{Defined, Undefined};

/// A scored trial: for each axis the place of its value, and the score.
pub type Scored = (Vec<usize>, f64);

/// What goes along with one source of variation: an axis, axes together beyond what each does alone, or all that is left.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The axes, ascending; none for what is left.
    pub axes: Vec<usize>,
    /// Degrees of freedom: 0 where the trials do not tell this source from the others.
    pub df: usize,
    /// Sum of squares, in the square of the score's unit; not defined without a degree of freedom.
    pub squares: Defined,
    /// Mean square over that of the replications.
    pub f: Defined,
    /// How often chance alone gives such an F.
    pub p: Defined,
    /// Share of the whole variation (η²).
    pub share: Defined,
    /// Share of the variation that is its own or chance (partial η²).
    pub partial_share: Defined,
}

/// An analysis of variance.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// Trials with a score.
    pub trials: usize,
    /// Different combinations of values among them.
    pub cells: usize,
    /// Whether all combinations are there, with equally many scores. Then the sums of squares add up to the total.
    pub is_balanced: bool,
    /// Sum of squares of all scores around their mean.
    pub total: f64,
    /// Sum of squares within cells, which is between replications.
    pub error: f64,
    /// Its degrees of freedom.
    pub error_df: usize,
    /// Each axis, then each pair of axes, and so on up to the order asked for.
    pub sources: Vec<Source>,
    /// What the cells differ by beyond these sources.
    pub rest: Source,
}

/// Takes the variation of the scores apart by type II sums of squares: what a source adds to all sources that do not contain
/// it. `order` is how many axes a source has at most. Scores that are not finite are left out; trials with the same values
/// are replications.
///
/// # Source
///
/// Yates (1934), *J. Am. Stat. Assoc.* 29, 51–66, doi:10.1080/01621459.1934.10502686, his method of fitting constants, which
/// is now called type II; F of Fisher (1925), *Statistical Methods for Research Workers*, chapter 7.
pub fn analysis(trials: &[Scored], axes: usize, order: usize) -> Analysis {
    let values: Vec<usize> = (0..axes)
        .map(|axis| trials.iter().map(|(levels, _)| levels[axis] + 1).max())
        .map(Option::unwrap_or_default)
        .collect();
    let mut cells: BTreeMap<&[usize], Vec<f64>> = BTreeMap::new();
    for (levels, score) in trials.iter().filter(|(_, score)| score.is_finite()) {
        cells.entry(levels).or_default().push(*score);
    }
    let scores: Vec<f64> = cells.values().flatten().copied().collect();
    let centre = mean(&scores).unwrap_or_default();
    let squares = |values: &[f64], around: f64| -> f64 {
        values.iter().map(|value| (value - around).powi(2)).sum()
    };
    let means: Vec<f64> = cells
        .values()
        .map(|cell| cell.iter().sum::<f64>() / cell.len() as f64)
        .collect();
    let within = cells.values().zip(&means);
    let variation = Variation {
        total: squares(&scores, centre),
        differs: differ(&scores),
        error: within.map(|(cell, &mean)| squares(cell, mean)).sum(),
        error_df: scores.len() - cells.len(),
        differs_within: cells.values().any(|cell| differ(cell)),
    };
    let design = Design {
        cells: cells.keys().copied().collect(),
        roots: cells
            .values()
            .map(|cell| (cell.len() as f64).sqrt())
            .collect(),
        values: &values,
    };
    let response = means.iter().zip(&design.roots);
    let response: Vec<f64> = response
        .map(|(mean, root)| root * (mean - centre))
        .collect();
    let family = family(axes, order);
    let sources = family.iter().map(|source| {
        let contains = |other: &&Vec<usize>| source.iter().all(|axis| other.contains(axis));
        let others = family.iter().filter(|other| !contains(other));
        let mut base = Basis::of(&design, others);
        let before = base.vectors.len();
        base.add(&design, source);
        let squares = base.vectors[before..]
            .iter()
            .map(|of| dot(of, &response).powi(2));
        variation.source(source.clone(), base.vectors.len() - before, squares.sum())
    });
    let whole = Basis::of(&design, &family);
    let left = whole.beyond(response.clone());
    Analysis {
        trials: scores.len(),
        cells: cells.len(),
        is_balanced: cells.len() == values.iter().product::<usize>()
            && cells
                .values()
                .all(|cell| cell.len() * cells.len() == scores.len()),
        total: variation.total,
        error: variation.error,
        error_df: variation.error_df,
        rest: variation.source(
            Vec::new(),
            cells.len() - whole.vectors.len(),
            dot(&left, &left),
        ),
        sources: sources.collect(),
    }
}

fn differ(values: &[f64]) -> bool {
    values.iter().any(|value| *value != values[0])
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// All sets of one to `order` axes, the small ones first, then by their axes.
fn family(axes: usize, order: usize) -> Vec<Vec<usize>> {
    let mut family: Vec<Vec<usize>> = vec![Vec::new()];
    let mut first = 0;
    for _ in 0..order {
        let longer: Vec<Vec<usize>> = family[first..]
            .iter()
            .flat_map(|set| {
                let from = set.last().map_or(0, |last| last + 1);
                (from..axes).map(|axis| [set.as_slice(), &[axis]].concat())
            })
            .collect();
        first = family.len();
        family.extend(longer);
    }
    family.split_off(1)
}

/// What F and shares are made with.
struct Variation {
    total: f64,
    differs: bool,
    error: f64,
    error_df: usize,
    differs_within: bool,
}

impl Variation {
    fn source(&self, axes: Vec<usize>, df: usize, squares: f64) -> Source {
        let squares = if df == 0 {
            Err(Undefined::Missing(
                "combinations that tell it from the others",
            ))
        } else {
            Ok(squares)
        };
        let error = match (self.error_df, self.differs_within) {
            (0, _) => Err(Undefined::Missing("second trial of any combination")),
            (_, false) => Err(Undefined::Constant),
            (error_df, true) => Ok(self.error / error_df as f64),
        };
        let f = squares.and_then(|squares| Ok(squares / df as f64 / error?));
        let share = |whole: f64| squares.map(|squares| squares / whole);
        Source {
            axes,
            df,
            squares,
            p: f.map(|f| fisher_upper(f, df as f64, self.error_df as f64)),
            f,
            share: if self.differs {
                share(self.total)
            } else {
                Err(Undefined::Constant)
            },
            partial_share: error.and_then(|_| Ok(squares? / (squares? + self.error))),
        }
    }
}

/// The cells that have scores, with the square roots of how many.
struct Design<'a> {
    cells: Vec<&'a [usize]>,
    roots: Vec<f64>,
    values: &'a [usize],
}

impl Design<'_> {
    /// For each combination of values of these axes, the first value of each apart: where it holds, weighted.
    fn columns(&self, axes: &[usize]) -> impl Iterator<Item = Vec<f64>> {
        let one: Vec<Vec<usize>> = vec![Vec::new()];
        let combinations = axes.iter().fold(one, |shorter, &axis| {
            let longer = |set: &Vec<usize>| {
                let set = set.clone();
                (1..self.values[axis]).map(move |value| [set.as_slice(), &[value]].concat())
            };
            shorter.iter().flat_map(longer).collect()
        });
        combinations.into_iter().map(|combination| {
            let holds = |cell: &[usize]| {
                let mut chosen = axes.iter().zip(&combination);
                chosen.all(|(&axis, value)| cell[axis] == *value)
            };
            let cells = self.cells.iter().zip(&self.roots);
            cells
                .map(|(cell, root)| if holds(cell) { *root } else { 0.0 })
                .collect()
        })
    }
}

/// Orthonormal vectors that span what some sources can explain.
struct Basis {
    vectors: Vec<Vec<f64>>,
}

impl Basis {
    /// Of the mean and these sources.
    fn of<'a>(design: &Design, sources: impl IntoIterator<Item = &'a Vec<usize>>) -> Self {
        let mut basis = Self {
            vectors: Vec::new(),
        };
        basis.add(design, &[]);
        for source in sources {
            basis.add(design, source);
        }
        basis
    }

    fn add(&mut self, design: &Design, source: &[usize]) {
        /// A column that loses all but this share of its length is a sum of those before it.
        const DEPENDENT: f64 = 1e-8;
        for column in design.columns(source) {
            let length = dot(&column, &column).sqrt();
            let mut new = self.beyond(column);
            let left = dot(&new, &new).sqrt();
            if left > DEPENDENT * length {
                new.iter_mut().for_each(|value| *value /= left);
                self.vectors.push(new);
            }
        }
    }

    /// What of a vector is at right angles to all of these; taken twice, because once leaves rounding errors behind.
    fn beyond(&self, mut vector: Vec<f64>) -> Vec<f64> {
        for _ in 0..2 {
            for of in &self.vectors {
                let along = dot(of, &vector);
                for (value, of) in vector.iter_mut().zip(of) {
                    *value -= along * of;
                }
            }
        }
        vector
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sources_come_by_their_number_of_axes() {
        assert_eq!(
            family(3, 2),
            [
                vec![0],
                vec![1],
                vec![2],
                vec![0, 1],
                vec![0, 2],
                vec![1, 2]
            ]
        );
        assert_eq!(family(2, 5).len(), 3);
    }

    #[test]
    fn nothing_scored_has_no_sources_that_are_defined() {
        let found = analysis(&[(vec![0, 1], f64::NAN)], 2, 2);
        assert_eq!(
            (found.trials, found.cells, found.is_balanced),
            (0, 0, false)
        );
        assert!(found.sources.iter().all(|source| source.p.is_err()));
        assert!(analysis(&[], 2, 1).rest.share.is_err());
    }

    proptest! {
        #[test]
        fn sums_of_squares_of_a_full_grid_add_up(scores in prop::collection::vec(-1.0f64..1.0, 24)) {
            let levels = (0..24).map(|trial| vec![trial % 3, trial / 3 % 4]);
            let trials: Vec<Scored> = levels.zip(scores).collect();
            let found = analysis(&trials, 2, 2);
            prop_assert!(found.is_balanced && found.rest.df == 0);
            let of: f64 = found.sources.iter().map(|source| source.squares.unwrap()).sum();
            prop_assert!((of + found.error - found.total).abs() < 1e-9);
        }

        #[test]
        fn the_order_of_trials_and_of_values_says_nothing(
            scores in prop::collection::vec(-1.0f64..1.0, 20),
            places in prop::collection::vec((0usize..3, 0usize..3), 20),
        ) {
            let trials: Vec<Scored> = places.iter().zip(scores).map(|(&(a, b), score)| (vec![a, b], score)).collect();
            let turned: Vec<Scored> = trials.iter().rev().map(|(levels, score)| (vec![levels[0], 2 - levels[1]], *score)).collect();
            let (one, other) = (analysis(&trials, 2, 2), analysis(&turned, 2, 2));
            for (one, other) in one.sources.iter().zip(&other.sources) {
                prop_assert_eq!(one.df, other.df);
                if let (Ok(one), Ok(other)) = (one.squares, other.squares) {
                    prop_assert!((one - other).abs() < 1e-9);
                }
            }
        }
    }
}
