//! What satellites and reanalyses see of a synthetic site.

use efflux_data::OBSERVED;

use super::random::Random;
use super::weather::Day;
use crate::gaps::fill_gaps;

/// The daily predictors of the paper with their units.
pub(super) const PREDICTORS: [(&str, &str); 11] = [
    ("lst_day", "K"),
    ("tmin", "K"),
    ("tmax", "K"),
    ("precipitation", "mm d-1"),
    ("soil_water_1", "m3 m-3"),
    ("et", "mm d-1"),
    ("pet", "mm d-1"),
    ("lai", "m2 m-2"),
    ("ndvi", "1"),
    ("fpar", "1"),
    ("wind_speed", "m s-1"),
];

/// 0 °C.
pub(super) const KELVIN: f64 = 273.15;

/// What satellites and reanalyses make of the days, in the order of [`PREDICTORS`]: values and how they came about.
pub(super) fn observe(days: &[Day], random: &mut Random) -> [(Vec<f64>, Vec<u8>); 11] {
    let daily = |of: &dyn Fn(&Day) -> f64| {
        let values: Vec<f64> = days.iter().map(of).collect();
        let flags = vec![OBSERVED; values.len()];
        (values, flags)
    };
    let composite = |period: usize, of: &dyn Fn(&Day) -> f64| {
        let mut values = vec![f64::NAN; days.len()];
        for (index, days) in days.chunks(period).enumerate() {
            values[index * period] = days.iter().map(of).sum::<f64>() / days.len() as f64;
        }
        let flags = fill_gaps(&mut values);
        (values, flags)
    };
    // No land surface temperature under clouds.
    let mut surface: Vec<f64> = days
        .iter()
        .map(|day| {
            if day.is_cloudy(random) {
                f64::NAN
            } else {
                day.surface + KELVIN
            }
        })
        .collect();
    let surface_flags = fill_gaps(&mut surface);
    let cover = |day: &Day| 1.0 - (-0.5 * day.leaf_area).exp();
    let snow = |day: &Day| if day.snow > 5.0 { 0.3 } else { 1.0 };
    [
        (surface, surface_flags),
        daily(&|day| day.temperature - day.range / 2.0 + KELVIN),
        daily(&|day| day.temperature + day.range / 2.0 + KELVIN),
        daily(&|day| day.precipitation),
        daily(&|day| day.soil_water),
        composite(8, &|day| day.evaporation.0),
        composite(8, &|day| day.evaporation.1),
        composite(4, &|day| day.leaf_area),
        composite(16, &|day| (0.1 + 0.8 * cover(day)) * snow(day)),
        composite(4, &|day| cover(day) * snow(day)),
        daily(&|day| day.wind),
    ]
}
