//! What goes along with skill: properties of the record, of the place and of the climate.

mod climate;
mod correlations;
mod correlogram;
mod groups;
mod neighbours;
mod properties;
mod seasons;
mod site;
mod water;

use super::evaluation::Evaluation;
use super::results::Results;

pub(crate) use climate::{Bin, Climate, PRECIPITATION, TEMPERATURE};
pub(crate) use correlations::{CorrelationRow, Over};
pub(crate) use correlogram::Correlogram;
pub(crate) use groups::{Group, LONG_RECORD, TEMPERATE};
pub(crate) use neighbours::SeenWithin;
pub(crate) use properties::{ARIDITY, OBSERVED_DAYS, Property, RHYTHM};
pub(crate) use seasons::Seasons;
pub(crate) use site::{CORRELOGRAM_STEP, SiteProperties, record_days};
pub(crate) use water::Water;

/// Everything that the report tells about where skill comes from.
pub(crate) struct Drivers {
    /// By site.
    pub(crate) sites: Vec<SiteProperties>,
    /// Test days seen at the same place in training, by the width of places.
    pub(crate) seen: Vec<SeenWithin>,
    /// What is known of the sites, by name.
    pub(crate) properties: Vec<Property>,
    /// Of every property with every score.
    pub(crate) correlations: Vec<CorrelationRow>,
    /// The strongest and the weakest rhythm.
    pub(crate) correlograms: Vec<Correlogram>,
    /// Sites by land cover, zone, climate and record.
    pub(crate) groups: Vec<Group>,
    /// Sites in steps of temperature and of precipitation, each if it is known.
    pub(crate) climates: Vec<Climate>,
    /// None without precipitation and potential evapotranspiration.
    pub(crate) water: Option<Water>,
    /// Whether good sites have another difference of summer and winter than poor ones, by each reading of the classes.
    pub(crate) seasons: Vec<Seasons>,
}

impl Drivers {
    pub(crate) fn new(results: &Results<'_>, evaluation: &Evaluation) -> Self {
        let calendar = results.days_of_year();
        let neighbours = neighbours::neighbours(results, results.analysis.same_place_km);
        let sites: Vec<SiteProperties> = (neighbours.into_iter().enumerate())
            .map(|(site, others)| site::of_site(results, evaluation, &calendar, site, others))
            .collect();
        let water = water::water(results);
        let properties = properties::properties(results, &sites, water.as_ref());
        Self {
            correlations: correlations::correlations(evaluation, &sites, &properties),
            correlograms: correlogram::correlograms(results, evaluation, &sites),
            groups: groups::groups(results, evaluation, &sites, water.as_ref()),
            climates: climate::climates(results, evaluation),
            seasons: seasons::seasons(evaluation, &sites),
            seen: neighbours::seen_by_distance(results),
            properties,
            water,
            sites,
        }
    }

    /// The property whose name begins in one of these ways, the first of them that there is.
    pub(crate) fn property(&self, begins: &[&str]) -> Option<&Property> {
        begins.iter().find_map(|begin| {
            let mut known = self.properties.iter();
            known.find(|property| property.name.starts_with(begin))
        })
    }
}
