//! Whether good sites have stronger seasons than poor ones.

use efflux_analysis::Defined;
use efflux_analysis::classes::{Class, Reading};
use efflux_analysis::significance::{TTest, student, welch};
use efflux_analysis::statistics::mean;

use super::site::SiteProperties;
use crate::evaluation::Evaluation;

/// Two t tests of the same question, by one reading of the classes.
pub(crate) struct Seasons {
    pub(crate) reading: Reading,
    /// Good sites with a summer and a winter.
    pub(crate) good: usize,
    /// Poor ones.
    pub(crate) poor: usize,
    /// Mean difference of summer and winter at the good sites, in the unit of the target.
    pub(crate) good_mean: Defined,
    /// At the poor ones.
    pub(crate) poor_mean: Defined,
    pub(crate) welch: Defined<TTest>,
    pub(crate) student: Defined<TTest>,
}

pub(super) fn seasons(evaluation: &Evaluation, sites: &[SiteProperties]) -> Vec<Seasons> {
    let of_reading = |reading| {
        let differences = |class| -> Vec<f64> {
            let of_class = sites
                .iter()
                .enumerate()
                .filter(|(site, _)| evaluation.class(*site, reading) == Some(class));
            of_class
                .filter_map(|(_, site)| site.seasons.difference.ok())
                .collect()
        };
        let (good, poor) = (differences(Class::Good), differences(Class::Poor));
        Seasons {
            reading,
            good: good.len(),
            poor: poor.len(),
            good_mean: mean(&good),
            poor_mean: mean(&poor),
            welch: welch(&good, &poor),
            student: student(&good, &poor),
        }
    };
    [Reading::Text, Reading::CaptionCascade]
        .map(of_reading)
        .into()
}
