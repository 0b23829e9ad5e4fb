//! Which axes of the search move its score beyond what seeds do, and which only together.

use efflux_analysis::factorial::{Analysis, Scored, Source, analysis};
use efflux_job::Key;
use efflux_run::Choice;

use super::grid::{name, values};

/// An axis of more values was drawn from a range: hardly two configurations share one, so there is nothing to take apart.
const VALUES: usize = 16;

/// Combinations beyond which pairs of axes are not looked at: the report is to be written in seconds.
const CELLS: usize = 20_000;

/// Keys that vary together, as axes of the grid do that are zipped, and that nothing can tell apart.
pub(crate) struct Factor {
    /// Their names, `optimizer + learning_rate`.
    pub(crate) name: String,
    keys: Vec<Key>,
    /// Of each configuration the place of its value.
    levels: Vec<usize>,
}

/// The variation of the score over configurations and seeds, taken apart.
pub(crate) struct Variance {
    pub(crate) factors: Vec<Factor>,
    /// Axes that have too many values.
    pub(crate) left_out: Vec<&'static str>,
    pub(crate) analysis: Analysis,
}

impl Variance {
    pub(crate) fn new(choice: &Choice) -> Self {
        let (mut factors, mut left_out): (Vec<Factor>, Vec<&'static str>) = Default::default();
        for key in choice.keys() {
            let known = values(key, &choice.candidates);
            match known.len() {
                0 | 1 => continue,
                count if count > VALUES => {
                    left_out.push(name(key));
                    continue;
                }
                _ => {}
            }
            let level = choice.candidates.iter().map(|one| {
                let value = one.params.text(key);
                known.iter().position(|one| *one == value).unwrap_or(0)
            });
            let levels: Vec<usize> = level.collect();
            // Values are numbered as they occur, so axes that vary together have the same numbers.
            match factors.iter_mut().find(|factor| factor.levels == levels) {
                Some(factor) => {
                    factor.keys.push(key);
                    factor.name = format!("{} + {}", factor.name, name(key));
                }
                None => factors.push(Factor {
                    name: name(key).to_owned(),
                    keys: vec![key],
                    levels,
                }),
            }
        }
        let mut trials: Vec<Scored> = Vec::new();
        for (place, candidate) in choice.candidates.iter().enumerate() {
            let levels: Vec<usize> = factors.iter().map(|factor| factor.levels[place]).collect();
            let scores = candidate.scores.iter().filter_map(|(_, score)| *score);
            trials.extend(scores.map(|score| (levels.clone(), score)));
        }
        let order = if choice.candidates.len() > CELLS {
            1
        } else {
            2
        };
        Self {
            analysis: analysis(&trials, factors.len(), order),
            factors,
            left_out,
        }
    }

    /// What a source is called: `loss`, `loss × dropout`; what is left has no axes.
    pub(crate) fn name(&self, source: &Source) -> String {
        let names = source
            .axes
            .iter()
            .map(|&axis| self.factors[axis].name.as_str());
        match source.axes[..] {
            [] => "more axes together".to_owned(),
            _ => names.collect::<Vec<&str>>().join(" × "),
        }
    }

    /// The axes themselves.
    pub(crate) fn axes(&self) -> Vec<&Source> {
        let sources = self.analysis.sources.iter();
        sources.filter(|source| source.axes.len() == 1).collect()
    }

    /// Pairs of axes, beyond what each does alone.
    pub(crate) fn pairs(&self) -> Vec<&Source> {
        let sources = self.analysis.sources.iter();
        sources.filter(|source| source.axes.len() == 2).collect()
    }
}
