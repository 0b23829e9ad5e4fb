//! Sites by what they have in common.

use efflux_analysis::Defined;
use efflux_analysis::classes::{Class, Reading};
use efflux_analysis::measures::{ByMeasure, Measure};
use efflux_analysis::statistics::{mean, median};
use efflux_job::Part;

use super::site::SiteProperties;
use super::water::Water;
use crate::evaluation::{Evaluation, Series};
use crate::results::Results;

/// Observed days from which on a record counts as long.
pub(crate) const LONG_RECORD: usize = 500;
/// The temperate zone of both hemispheres, degrees of latitude.
pub(crate) const TEMPERATE: (f64, f64) = (30.0, 60.0);

/// Some sites and how well they are simulated on the test part.
pub(crate) struct Group {
    /// What the sites are divided by.
    pub(crate) by: String,
    /// What these have in common.
    pub(crate) name: String,
    pub(crate) sites: usize,
    /// Of each measure the median over the sites at which it is defined.
    pub(crate) medians: ByMeasure<Defined>,
    /// Their means.
    pub(crate) means: ByMeasure<Defined>,
    /// Sites good by the text's thresholds.
    pub(crate) good: usize,
    /// Sites poor by them.
    pub(crate) poor: usize,
}

pub(super) fn groups(
    results: &Results<'_>,
    evaluation: &Evaluation,
    sites: &[SiteProperties],
    water: Option<&Water>,
) -> Vec<Group> {
    let all: Vec<usize> = (0..sites.len()).collect();
    let mut groups = Vec::new();
    let mut divide = |by: &str, name: &dyn Fn(usize) -> Option<String>, order: &[String]| {
        for wanted in order {
            let here: Vec<usize> = all
                .iter()
                .copied()
                .filter(|&site| name(site).as_ref() == Some(wanted))
                .collect();
            if !here.is_empty() {
                groups.push(group(evaluation, by, wanted, &here));
            }
        }
    };
    let names =
        |list: &[&str]| -> Vec<String> { list.iter().map(|&name| name.to_owned()).collect() };
    for reading in [Reading::Text, Reading::CaptionCascade] {
        let by = format!("class ({reading})");
        divide(
            &by,
            &|site| {
                evaluation
                    .class(site, reading)
                    .map(|class| class.to_string())
            },
            &names(&["good", "fair", "poor"]),
        );
    }
    let mut covers: Vec<String> = results.sites.iter().map(|site| site.igbp.clone()).collect();
    covers.sort();
    covers.dedup();
    divide(
        "land cover",
        &|site| Some(results.sites[site].igbp.clone()),
        &covers,
    );
    let zones = names(&["30° to 60°", "nearer to the equator or a pole"]);
    divide(
        "latitude",
        &|site| {
            let is_temperate =
                (TEMPERATE.0..=TEMPERATE.1).contains(&results.sites[site].latitude.abs());
            Some(zones[usize::from(!is_temperate)].clone())
        },
        &zones,
    );
    let lengths = [
        format!("{LONG_RECORD} and more"),
        format!("below {LONG_RECORD}"),
    ];
    divide(
        "observed days",
        &|site| Some(lengths[usize::from(sites[site].observed_days < LONG_RECORD)].clone()),
        &lengths,
    );
    let seen = names(&["no test day", "some test days"]);
    divide(
        "seen at the same place in training",
        &|site| Some(seen[usize::from(sites[site].test_days_seen > 0)].clone()),
        &seen,
    );
    if let Some(water) = water {
        // Drylands by the United Nations' Environment Programme: precipitation below 0.65 of what could evaporate.
        let kinds = names(&["arid (precipitation below 0.65 PET)", "humid"]);
        let name = |site: usize| {
            let aridity = water.aridity[site];
            let is_humid = aridity <= 1.0 / 0.65;
            aridity
                .is_finite()
                .then(|| kinds[usize::from(is_humid)].clone())
        };
        divide("water", &name, &kinds);
        // The paper's own line, with its Figure 1.
        let kinds = names(&["water-limited (PET above precipitation)", "energy-limited"]);
        let name = |site: usize| {
            let aridity = water.aridity[site];
            aridity
                .is_finite()
                .then(|| kinds[usize::from(aridity <= 1.0)].clone())
        };
        divide("water (PET / precipitation 1)", &name, &kinds);
    }
    for (begins, limits) in [
        (["mean_annual_temperature", "mat_"], [0.0, 10.0, 20.0]),
        (
            ["mean_annual_precipitation", "map_"],
            [500.0, 1000.0, 1500.0],
        ),
    ] {
        if let Some(attribute) = results.attribute(&begins) {
            // The paper's product has precipitation in cm.
            let unit = if attribute.name.contains("(cm") {
                0.1
            } else {
                1.0
            };
            let limits = limits.map(|limit| limit * unit);
            let bins = bins(&limits);
            let name = |site: usize| {
                let value = attribute.values[site];
                let above = limits.iter().filter(|limit| value >= **limit).count();
                value.is_finite().then(|| bins[above].clone())
            };
            divide(&attribute.name, &name, &bins);
        }
    }
    groups
}

fn bins(limits: &[f64]) -> Vec<String> {
    let mut bins = vec![format!("below {}", limits[0])];
    bins.extend(
        limits
            .windows(2)
            .map(|pair| format!("{} to {}", pair[0], pair[1])),
    );
    bins.push(format!("{} and more", limits[limits.len() - 1]));
    bins
}

fn group(evaluation: &Evaluation, by: &str, name: &str, sites: &[usize]) -> Group {
    let scores = evaluation.scores(Series::Ensemble, Part::Test);
    let values = |measure: Measure| -> Vec<f64> {
        let defined = sites.iter().filter_map(|&site| scores[site][measure].ok());
        defined.collect()
    };
    let of_class = |class| {
        let here = sites.iter();
        here.filter(|&&site| evaluation.class(site, Reading::Text) == Some(class))
            .count()
    };
    Group {
        by: by.to_owned(),
        name: name.to_owned(),
        sites: sites.len(),
        medians: ByMeasure::new(|measure| median(&values(measure))),
        means: ByMeasure::new(|measure| mean(&values(measure))),
        good: of_class(Class::Good),
        poor: of_class(Class::Poor),
    }
}
