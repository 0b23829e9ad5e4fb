//! Correlations of skill with everything that is known of the sites.

use efflux_analysis::measures::Measure;
use efflux_analysis::metrics::Pairs;
use efflux_analysis::significance::{Correlation, benjamini_hochberg, correlation};
use efflux_analysis::statistics::Fences;
use efflux_analysis::{Defined, Undefined};
use efflux_job::Part;

use super::properties::Property;
use super::site::SiteProperties;
use crate::evaluation::{Evaluation, Series};

/// Which values are correlated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// All sites.
    Sites,
    /// Sites whose score is no outlier by Tukey's fences.
    SitesWithoutOutliers,
    /// One mean value a place, of the same sites: sites at one place are no independent evidence.
    LocationsWithoutOutliers,
}

impl Over {
    pub(crate) const ALL: [Self; 3] = [
        Self::Sites,
        Self::SitesWithoutOutliers,
        Self::LocationsWithoutOutliers,
    ];

    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sites => "sites",
            Self::SitesWithoutOutliers => "sites-without-outliers",
            Self::LocationsWithoutOutliers => "locations-without-outliers",
        }
    }
}

/// A property and a score.
pub(crate) struct CorrelationRow {
    pub(crate) name: String,
    pub(crate) measure: Measure,
    pub(crate) over: Over,
    pub(crate) found: Defined<Correlation>,
    /// By Benjamini and Hochberg over all properties and scores of the same values.
    pub(crate) adjusted_p: Option<f64>,
}

pub(super) fn correlations(
    evaluation: &Evaluation,
    sites: &[SiteProperties],
    properties: &[Property],
) -> Vec<CorrelationRow> {
    let mut all = Vec::new();
    for over in Over::ALL {
        let mut family = Vec::new();
        for Property { name, values } in properties {
            for measure in Measure::headline() {
                family.push(CorrelationRow {
                    name: name.clone(),
                    measure,
                    over,
                    found: of_enough(&pairs(evaluation, sites, over, measure, values)),
                    adjusted_p: None,
                });
            }
        }
        let p: Vec<Option<f64>> = family.iter().map(|row| Some(row.found.ok()?.p)).collect();
        for (row, adjusted) in family.iter_mut().zip(benjamini_hochberg(&p)) {
            row.adjusted_p = adjusted;
        }
        all.extend(family);
    }
    all
}

/// Two values always lie on a line: their correlation says nothing, and is no test of the family.
fn of_enough(pairs: &Pairs) -> Defined<Correlation> {
    const FEWEST: usize = 3;
    if pairs.len() < FEWEST {
        return Err(Undefined::TooFew {
            found: pairs.len(),
            needed: FEWEST,
        });
    }
    correlation(pairs)
}

fn pairs(
    evaluation: &Evaluation,
    sites: &[SiteProperties],
    over: Over,
    measure: Measure,
    values: &[f64],
) -> Pairs {
    let scores = evaluation.scores(Series::Ensemble, Part::Test);
    let score = |site: usize| scores[site][measure].unwrap_or(f64::NAN);
    let defined: Vec<f64> = (0..scores.len())
        .map(score)
        .filter(|value| value.is_finite())
        .collect();
    let fences = Fences::new(&defined).ok().filter(|_| over != Over::Sites);
    let both = |site: &usize| {
        let score = score(*site);
        score.is_finite()
            && values[*site].is_finite()
            && fences.is_none_or(|fences| fences.hold(score))
    };
    let used: Vec<usize> = (0..scores.len()).filter(both).collect();
    if over != Over::LocationsWithoutOutliers {
        return used
            .into_iter()
            .map(|site| (values[site], score(site)))
            .collect();
    }
    // A place is known by its first site.
    let first = |site: usize| {
        sites[site]
            .neighbours
            .iter()
            .copied()
            .fold(site, usize::min)
    };
    let places = used.iter().map(|&site| first(site));
    let mut places: Vec<usize> = places.collect();
    places.sort_unstable();
    places.dedup();
    let means = places.into_iter().map(|place| {
        let here: Vec<usize> = used
            .iter()
            .copied()
            .filter(|&site| first(site) == place)
            .collect();
        let mean = |of: &dyn Fn(usize) -> f64| {
            here.iter().map(|&site| of(site)).sum::<f64>() / here.len() as f64
        };
        (mean(&|site| values[site]), mean(&score))
    });
    means.collect()
}
