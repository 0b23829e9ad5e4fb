//! What is known of the sites, by name, and may go along with skill.

use super::site::SiteProperties;
use super::water::Water;
use crate::results::Results;

/// The name of the number of observed days.
pub(crate) const OBSERVED_DAYS: &str = "observed days";
/// The names of the rhythm, in the order of their lags.
pub(crate) const RHYTHM: [&str; 3] = [
    "smoothness (lag 1)",
    "seasonality (raw, lag 182)",
    "cyclicality (lag 365)",
];
/// The name of the aridity index.
pub(crate) const ARIDITY: &str = "aridity (PET / precipitation)";

/// A number of each site.
pub(crate) struct Property {
    /// Its name in tables, with the unit where it has one.
    pub(crate) name: String,
    /// By site, NaN where unknown.
    pub(crate) values: Vec<f64>,
}

/// Everything that is known: of the records, of the places, of the water.
pub(super) fn properties(
    results: &Results<'_>,
    sites: &[SiteProperties],
    water: Option<&Water>,
) -> Vec<Property> {
    let of = |name: &str, value: &dyn Fn(&SiteProperties) -> Option<f64>| Property {
        name: name.to_owned(),
        values: sites
            .iter()
            .map(|site| value(site).unwrap_or(f64::NAN))
            .collect(),
    };
    let [smoothness, seasonality, cyclicality] = RHYTHM;
    let mut known = vec![
        of(OBSERVED_DAYS, &|site| Some(site.observed_days as f64)),
        of(smoothness, &|site| site.smoothness.usable_r()),
        of(seasonality, &|site| site.seasonality.usable_r()),
        of(cyclicality, &|site| site.cyclicality.usable_r()),
        of(
            &format!("summer–winter difference ({})", results.target.unit()),
            &|site| site.seasons.difference.ok(),
        ),
    ];
    known.extend(results.attributes.iter().map(|attribute| Property {
        name: attribute.name.clone(),
        values: attribute.values.clone(),
    }));
    known.extend(water.map(|water| Property {
        name: ARIDITY.to_owned(),
        values: water.aridity.clone(),
    }));
    known
}
