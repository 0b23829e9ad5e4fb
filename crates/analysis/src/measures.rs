//! The measures of skill. Each is one row of [`MEASURES`]; scores, medians, selection, tables, page, terminal and the
//! documentation of columns are read off that table, so a new row is in all of them.

use std::array;
use std::ops::{Deref, Index, IndexMut};

use super::metrics::Pairs;
use super::units::Unit;
use super::{Defined, Undefined};

/// A measure: what it is called, how it is shown, where it is listed, and its formula.
#[derive(Debug)]
pub struct Definition {
    /// Its name in job files (`median_KEY`), in journals and in reasons.
    pub key: &'static str,
    /// Its name in columns, without the unit.
    pub column: &'static str,
    /// Its name for people, as short as a column is wide.
    pub label: &'static str,
    /// Its name where there is room.
    pub name: &'static str,
    /// A sentence on the page's methods; empty where the name says it all.
    pub about: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Decimals that people read.
    pub decimals: usize,
    /// Its range and its best value.
    pub kind: Kind,
    /// The least detailed list that it is in; it is in all that are more detailed, too.
    pub detail: Detail,
    /// Whether it is one of the scores that a report opens with. Tables of members, groups and baselines have their medians.
    pub headline: bool,
    /// Whether configurations can be selected by its median.
    pub selectable: bool,
    /// The formula.
    pub of: fn(&Pairs) -> Defined,
}

/// The range of a measure, and where in it the best value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From -∞ to 1, which is perfect.
    Efficiency,
    /// From -1 to 1, which is perfect.
    Correlation,
    /// From 0, which is perfect, to ∞.
    Error,
    /// Any number; 0 is perfect.
    Difference,
    /// From 0 to ∞; 1 is perfect.
    Ratio,
}

/// How detailed a list of measures is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// What a wide table of the page has room for.
    Brief,
    /// What the page says of each site.
    Usual,
    /// Everything that says something of its own, as summaries do.
    Full,
    /// Also what a measure is made of.
    Parts,
}

/// Every measure, in the order in which tables list them.
pub const MEASURES: &[Definition] = &[
    Definition {
        key: "nse",
        column: "nse",
        label: "NSE",
        name: "NSE",
        about: "NSE is the Nash–Sutcliffe efficiency (Nash and Sutcliffe 1970): 1 is perfect, 0 is as good as the mean of \
                the observations it is judged on.",
        unit: Unit::NONE,
        decimals: 3,
        kind: Kind::Efficiency,
        detail: Detail::Brief,
        headline: true,
        selectable: true,
        of: Pairs::nse,
    },
    Definition {
        key: "kge",
        column: "kge",
        label: "KGE",
        name: "KGE",
        about: "KGE is the Kling–Gupta efficiency of 2009 (Gupta et al. 2009), made of correlation, ratio of standard \
                deviations and ratio of means.",
        unit: Unit::NONE,
        decimals: 3,
        kind: Kind::Efficiency,
        detail: Detail::Brief,
        headline: true,
        selectable: true,
        of: |pairs| pairs.kge().map(|kge| kge.value),
    },
    Definition {
        key: "kge_r",
        column: "kge_r",
        label: "r in KGE",
        name: "correlation in KGE",
        about: "",
        unit: Unit::NONE,
        decimals: 3,
        kind: Kind::Correlation,
        detail: Detail::Parts,
        headline: false,
        selectable: false,
        of: |pairs| pairs.kge().map(|kge| kge.r),
    },
    Definition {
        key: "kge_alpha",
        column: "kge_alpha",
        label: "α in KGE",
        name: "ratio of standard deviations in KGE",
        about: "",
        unit: Unit::NONE,
        decimals: 3,
        kind: Kind::Ratio,
        detail: Detail::Parts,
        headline: false,
        selectable: false,
        of: |pairs| pairs.kge().map(|kge| kge.alpha),
    },
    Definition {
        key: "kge_beta",
        column: "kge_beta",
        label: "β in KGE",
        name: "ratio of means in KGE",
        about: "",
        unit: Unit::NONE,
        decimals: 3,
        kind: Kind::Ratio,
        detail: Detail::Parts,
        headline: false,
        selectable: false,
        of: |pairs| pairs.kge().map(|kge| kge.beta),
    },
    Definition {
        key: "r",
        column: "pearson_r",
        label: "r",
        name: "Pearson r",
        about: "",
        unit: Unit::NONE,
        decimals: 3,
        kind: Kind::Correlation,
        detail: Detail::Usual,
        headline: true,
        selectable: true,
        of: Pairs::r,
    },
    Definition {
        key: "rmse",
        column: "rmse",
        label: "RMSE",
        name: "root mean squared error",
        about: "",
        unit: Unit::Target,
        decimals: 3,
        kind: Kind::Error,
        detail: Detail::Brief,
        headline: false,
        selectable: false,
        of: |pairs| pairs.mse().map(f64::sqrt),
    },
    Definition {
        key: "mae",
        column: "mae",
        label: "MAE",
        name: "mean absolute error",
        about: "",
        unit: Unit::Target,
        decimals: 3,
        kind: Kind::Error,
        // Of a site it would say much the same as RMSE.
        detail: Detail::Full,
        headline: false,
        selectable: false,
        of: Pairs::mae,
    },
    Definition {
        key: "bias",
        column: "bias",
        label: "bias",
        name: "bias",
        about: "Bias is simulated minus observed.",
        unit: Unit::Target,
        decimals: 3,
        kind: Kind::Difference,
        detail: Detail::Brief,
        headline: false,
        selectable: false,
        of: Pairs::bias,
    },
];

/// Nash–Sutcliffe efficiency: what sites are ranked and series compared by.
pub const NSE: Measure = Measure::declared("nse");
/// Kling–Gupta efficiency, which the paper's classes take as well.
pub const KGE: Measure = Measure::declared("kge");
/// Pearson's correlation.
pub const R: Measure = Measure::declared("r");
/// Root of the mean squared error.
pub const RMSE: Measure = Measure::declared("rmse");
/// Mean of simulated minus observed.
pub const BIAS: Measure = Measure::declared("bias");

/// A measure, by its place in [`MEASURES`]; what is declared there is read through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Measure(usize);

impl Deref for Measure {
    type Target = Definition;

    fn deref(&self) -> &Definition {
        &MEASURES[self.0]
    }
}

impl Measure {
    /// The one with this key. A key that is not declared ends the compilation where this is a constant.
    const fn declared(key: &str) -> Self {
        let mut place = 0;
        while place < MEASURES.len() {
            if same(MEASURES[place].key, key) {
                return Self(place);
            }
            place += 1;
        }
        panic!("no such measure")
    }

    /// Every one.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        (0..MEASURES.len()).map(Self)
    }

    /// Those that a list of this detail has.
    pub fn listed(detail: Detail) -> impl Iterator<Item = Self> + Clone {
        Self::all().filter(move |measure| measure.detail <= detail)
    }

    /// Those that a report opens with.
    pub fn headline() -> impl Iterator<Item = Self> + Clone {
        Self::all().filter(|measure| measure.headline)
    }

    /// The headline measures without a lower bound, whose distributions and extremes are looked at.
    pub fn efficiencies() -> impl Iterator<Item = Self> + Clone {
        Self::headline().filter(|measure| measure.kind == Kind::Efficiency)
    }

    /// Those that configurations can be selected by.
    pub fn selectable() -> impl Iterator<Item = Self> + Clone {
        Self::all().filter(|measure| measure.selectable)
    }

    /// Those that the record of a trial keeps.
    pub fn recorded() -> impl Iterator<Item = Self> + Clone {
        Self::all().filter(|measure| measure.headline || measure.selectable)
    }

    /// The one with this key, if there is one.
    pub fn by_key(key: &str) -> Option<Self> {
        Self::all().find(|measure| measure.key == key)
    }

    /// How good a value is: the higher the better, whatever the kind.
    pub fn goodness(self, value: f64) -> f64 {
        match self.kind {
            Kind::Efficiency | Kind::Correlation => value,
            Kind::Error | Kind::Difference => -value.abs(),
            Kind::Ratio => -(value - 1.0).abs(),
        }
    }

    /// Its name in columns, with the unit; `target` is as of [`Unit::column`].
    pub fn column_name(self, target: &str) -> String {
        self.unit.column(self.column, target)
    }
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut place = 0;
    while place < one.len() {
        if one[place] != other[place] {
            return false;
        }
        place += 1;
    }
    true
}

/// Labels as words say them: `NSE, KGE and r`.
pub fn said(measures: impl Iterator<Item = Measure>) -> String {
    let labels: Vec<&str> = measures.map(|measure| measure.label).collect();
    match labels.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A value for each measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByMeasure<T>([T; MEASURES.len()]);

impl<T> ByMeasure<T> {
    /// What `value` gives for each.
    pub fn new(mut value: impl FnMut(Measure) -> T) -> Self {
        Self(array::from_fn(|place| value(Measure(place))))
    }
}

impl<T> Index<Measure> for ByMeasure<T> {
    type Output = T;

    fn index(&self, measure: Measure) -> &T {
        &self.0[measure.0]
    }
}

impl<T> IndexMut<Measure> for ByMeasure<T> {
    fn index_mut(&mut self, measure: Measure) -> &mut T {
        &mut self.0[measure.0]
    }
}

/// All scores of one pair of series. Errors are in the unit of the series, the others are dimensionless.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Pairs.
    pub n: usize,
    values: ByMeasure<Defined>,
}

impl Scores {
    /// No score at all, for this reason.
    pub fn undefined(reason: Undefined) -> Self {
        Self {
            n: 0,
            values: ByMeasure::new(|_| Err(reason)),
        }
    }
}

impl Index<Measure> for Scores {
    type Output = Defined;

    fn index(&self, measure: Measure) -> &Defined {
        &self.values[measure]
    }
}

impl Pairs {
    /// Every score.
    pub fn scores(&self) -> Scores {
        Scores {
            n: self.len(),
            values: ByMeasure::new(|measure| (measure.of)(self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_columns_and_labels_are_distinct() {
        for name in [
            |measure: Measure| measure.key,
            |measure: Measure| measure.column,
            |measure: Measure| measure.label,
        ] {
            let names: HashSet<&str> = Measure::all().map(name).collect();
            assert_eq!(names.len(), MEASURES.len());
        }
    }

    #[test]
    fn what_is_better_depends_on_the_kind() {
        assert!(NSE.goodness(0.5) > NSE.goodness(-3.0));
        assert!(RMSE.goodness(0.5) > RMSE.goodness(3.0));
        assert!(BIAS.goodness(-0.5) > BIAS.goodness(0.6));
        let ratio = Measure::by_key("kge_beta").unwrap();
        assert!(ratio.goodness(1.1) > ratio.goodness(0.5));
    }

    #[test]
    fn labels_are_said_as_a_list() {
        assert_eq!(said(Measure::headline()), "NSE, KGE and r");
        assert_eq!(said(Measure::efficiencies()), "NSE and KGE");
    }

    #[test]
    fn a_constant_simulation_has_an_nse_but_no_kge() {
        let pairs: Pairs = [(1.0, 2.0), (2.0, 2.0), (3.0, 2.0)].into_iter().collect();
        let scores = pairs.scores();
        assert_eq!(scores[NSE], Ok(0.0));
        assert_eq!(scores[KGE], Err(Undefined::ConstantSimulation));
    }

    #[test]
    fn numbers_that_overflow_are_undefined_and_not_infinite() {
        let pairs: Pairs = [(1e200, -2e200), (-1e200, 1e200), (3e200, 0.0)]
            .into_iter()
            .collect();
        let scores = pairs.scores();
        for measure in [NSE, R, RMSE, KGE] {
            assert_eq!(scores[measure], Err(Undefined::OutOfRange));
        }
        assert_eq!(pairs.mse(), Err(Undefined::OutOfRange));
    }
}
