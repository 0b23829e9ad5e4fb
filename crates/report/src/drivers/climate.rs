//! Whether a climate is simulated well because many sites have it.

use efflux_analysis::Defined;
use efflux_analysis::classes::{Class, Reading};
use efflux_analysis::measures::{ByMeasure, Measure};
use efflux_analysis::metrics::Pairs;
use efflux_analysis::significance::{Correlation, correlation};
use efflux_analysis::statistics::median;
use efflux_job::Part;

use crate::evaluation::{Evaluation, Series};
use crate::results::{Attribute, Results};

/// Names that the mean annual temperature has, the most exact first.
pub(crate) const TEMPERATURE: [&str; 3] = ["mean_annual_temperature", "mat_", "mean soil_temp"];
/// Names that the mean annual precipitation has.
pub(crate) const PRECIPITATION: [&str; 2] = ["mean_annual_precipitation", "map_"];

/// Sites in steps of one property of their climate.
pub(crate) struct Climate {
    /// Its name, with the unit.
    pub(crate) name: String,
    /// The steps that hold a site, the lowest first.
    pub(crate) bins: Vec<Bin>,
    /// How the number of sites in a step goes along with the median of each [efficiency](Measure::efficiencies).
    pub(crate) tests: Vec<(Measure, Defined<Correlation>)>,
    /// How it goes along with the share of good sites.
    pub(crate) good_test: Defined<Correlation>,
}

/// One step.
pub(crate) struct Bin {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) sites: usize,
    /// Of each measure the median over the sites at which it is defined.
    pub(crate) medians: ByMeasure<Defined>,
    /// Sites good by the text's thresholds.
    pub(crate) good: usize,
}

impl Bin {
    /// Good sites among all, in percent.
    pub(crate) fn good_share(&self) -> f64 {
        100.0 * self.good as f64 / self.sites as f64
    }
}

/// Temperature in steps of 5 °C, precipitation in steps of 50 cm; each if it is known.
pub(super) fn climates(results: &Results<'_>, evaluation: &Evaluation) -> Vec<Climate> {
    let temperature = results.attribute(&TEMPERATURE).map(|found| (found, 5.0));
    let precipitation = results.attribute(&PRECIPITATION).map(|found| {
        let is_cm = found.name.contains("(cm");
        (found, if is_cm { 50.0 } else { 500.0 })
    });
    let known = [temperature, precipitation].into_iter().flatten();
    known
        .map(|(attribute, width)| climate(evaluation, attribute, width))
        .collect()
}

fn climate(evaluation: &Evaluation, attribute: &Attribute, width: f64) -> Climate {
    let scores = evaluation.scores(Series::Ensemble, Part::Test);
    let values = attribute.values.iter().enumerate();
    let mut placed: Vec<(f64, usize)> = values
        .filter(|(_, value)| value.is_finite())
        .map(|(site, value)| ((value / width).floor(), site))
        .collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let bins: Vec<Bin> = placed
        .chunk_by(|a, b| a.0 == b.0)
        .map(|here| {
            let sites = || here.iter().map(|(_, site)| *site);
            let median_of = |measure: Measure| {
                let defined = sites().filter_map(|site| scores[site][measure].ok());
                median(&defined.collect::<Vec<f64>>())
            };
            let good = |site: &usize| evaluation.class(*site, Reading::Text) == Some(Class::Good);
            Bin {
                from: here[0].0 * width,
                to: (here[0].0 + 1.0) * width,
                sites: here.len(),
                medians: ByMeasure::new(median_of),
                good: sites().filter(good).count(),
            }
        })
        .collect();
    let against = |of: &dyn Fn(&Bin) -> Option<f64>| {
        let pairs = bins
            .iter()
            .filter_map(|bin| Some((bin.sites as f64, of(bin)?)));
        correlation(&pairs.collect::<Pairs>())
    };
    Climate {
        name: attribute.name.clone(),
        tests: Measure::efficiencies()
            .map(|measure| (measure, against(&|bin| bin.medians[measure].ok())))
            .collect(),
        good_test: against(&|bin| Some(bin.good_share())),
        bins,
    }
}
