//! Water balance of the sites, from daily inputs and whatever units they have.

use crate::results::Results;

/// Ratios of long-term means, by site, NaN where a part is unknown.
pub(crate) struct Water {
    /// Potential evapotranspiration over precipitation.
    pub(crate) aridity: Vec<f64>,
    /// Evapotranspiration over precipitation; none if the pack has no evapotranspiration.
    pub(crate) evaporation: Option<Vec<f64>>,
}

/// None unless the pack has precipitation and potential evapotranspiration in units that are known here.
pub(super) fn water(results: &Results<'_>) -> Option<Water> {
    let precipitation = daily(results, "mean precipitation")?;
    let over = |values: Vec<f64>| -> Vec<f64> {
        let pairs = values.iter().zip(&precipitation);
        pairs
            .map(|(value, rain)| if *rain > 0.0 { value / rain } else { f64::NAN })
            .collect()
    };
    Some(Water {
        aridity: over(daily(results, "mean pet")?),
        evaporation: daily(results, "mean et").map(over),
    })
}

/// The mean of a daily variable in mm a day.
fn daily(results: &Results<'_>, begins: &str) -> Option<Vec<f64>> {
    let found = results.attribute(&[begins])?;
    let units = [("(mm d-1)", 1.0), ("(mm (8 d)-1)", 0.125), ("(m)", 1000.0)];
    let (_, factor) = units.iter().find(|(unit, _)| found.name.ends_with(unit))?;
    Some(found.values.iter().map(|value| value * factor).collect())
}
