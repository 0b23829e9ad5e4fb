//! What goes along with skill: properties of the record, of the place and of the climate.

mod correlations;
mod groups;
mod traits;
mod water;

use crate::analysis::Defined;
use crate::analysis::classes::{Class, Reading};
use crate::analysis::significance::{TTest, student, welch};

use super::evaluation::Evaluation;
use super::results::Results;

pub(crate) use correlations::{CorrelationRow, Over};
pub(crate) use groups::Group;
pub(crate) use groups::attribute;
pub(crate) use traits::{CORRELOGRAM_STEP, SiteTraits};
pub(crate) use water::Water;

/// Everything that the report tells about where skill comes from.
pub(crate) struct Drivers {
    /// By site.
    pub(crate) sites: Vec<SiteTraits>,
    /// Of every trait with every score.
    pub(crate) correlations: Vec<CorrelationRow>,
    /// Sites by land cover, zone, climate and record.
    pub(crate) groups: Vec<Group>,
    /// None without precipitation and potential evapotranspiration.
    pub(crate) water: Option<Water>,
    /// Whether the good sites have another difference of summer and winter than the poor ones, µmol m⁻² s⁻¹.
    pub(crate) seasons: Seasons,
}

/// Two t tests of the same question.
pub(crate) struct Seasons {
    pub(crate) good: usize,
    pub(crate) poor: usize,
    pub(crate) welch: Defined<TTest>,
    pub(crate) student: Defined<TTest>,
}

impl Drivers {
    pub(crate) fn new(results: &Results<'_>, evaluation: &Evaluation) -> Self {
        let calendar = results.days_of_year();
        let sites: Vec<SiteTraits> = (0..results.sites.len())
            .map(|site| traits::of_site(results, evaluation, &calendar, site))
            .collect();
        let differences = |class| -> Vec<f64> {
            let of_class = sites
                .iter()
                .enumerate()
                .filter(|(site, _)| evaluation.class(*site, Reading::Text) == Some(class));
            of_class
                .filter_map(|(_, site)| site.seasons.difference.ok())
                .collect()
        };
        let (good, poor) = (differences(Class::Good), differences(Class::Poor));
        let water = water::water(results);
        Self {
            correlations: correlations::correlations(results, evaluation, &sites, water.as_ref()),
            groups: groups::groups(results, evaluation, &sites, water.as_ref()),
            water,
            seasons: Seasons {
                good: good.len(),
                poor: poor.len(),
                welch: welch(&good, &poor),
                student: student(&good, &poor),
            },
            sites,
        }
    }
}
