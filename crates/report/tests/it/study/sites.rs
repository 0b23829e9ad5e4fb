//! What is known of the study's sites beside their fluxes.

use efflux_data::{
    Filled, FilledInput, HELD, INSIDE_AREA, INTERPOLATED, OBSERVED, OUTSIDE_AREA, Parts,
    SiteDistances, UNKNOWN_AREA,
};
use efflux_job::Part;
use efflux_numerics::SiteByDay;
use efflux_report::Attribute;

use super::{DAYS, FILLED, SITES, WITHOUT_CLIMATE, WITHOUT_TEMPERATURE, noise};

/// What is known of the sites: they get warmer and wetter with their number. One has no climate.
pub(super) fn attributes() -> Vec<Attribute> {
    let of = |name: &str, value: &dyn Fn(usize) -> f64| Attribute {
        name: name.to_owned(),
        values: (0..SITES).map(value).collect(),
    };
    let rain = |index: usize| 0.8 + 0.3 * index as f64 + 0.1 * noise(index, 2, 7);
    let demand = |index: usize| 2.0 + 0.1 * index as f64 + 0.3 * noise(index, 3, 7);
    vec![
        of("elevation (m)", &|index| 100.0 * noise(index, 1, 7)),
        of("mean_annual_temperature (degC)", &|index| match index {
            WITHOUT_CLIMATE => f64::NAN,
            _ => -3.0 + 2.1 * index as f64,
        }),
        of("mean_annual_precipitation (mm yr-1)", &|index| {
            365.25 * rain(index)
        }),
        of("soil_organic_carbon (g kg-1)", &|index| {
            40.0 + 30.0 * noise(index, 4, 7)
        }),
        of("mean precipitation (mm d-1)", &rain),
        of("mean pet (mm d-1)", &demand),
        of("mean et (mm d-1)", &|index| {
            0.7 * rain(index).min(demand(index))
        }),
    ]
}

/// Which values of the inputs were not measured: those of one site on all its test days, and of all sites in the last year
/// of the calendar.
pub(super) fn filled(parts: &Parts) -> Filled {
    let flag = |site: usize, day: usize| match parts[(site, day)] {
        _ if day >= DAYS - 365 => HELD,
        Part::Test if site == FILLED => INTERPOLATED,
        _ => OBSERVED,
    };
    let flags = (0..SITES).flat_map(|site| (0..DAYS).map(move |day| flag(site, day)));
    let flags = SiteByDay::of(DAYS, flags.collect());
    Filled {
        inputs: vec![FilledInput {
            name: "soil_temperature".to_owned(),
            flags: flags.clone(),
        }],
        least_known: flags,
    }
}

/// Sites get farther with their number, from the tenth on too far; one lacks an input.
pub(super) fn distances() -> SiteDistances {
    let areas = (0..SITES).map(|index| match index {
        WITHOUT_TEMPERATURE => UNKNOWN_AREA,
        index if index < 9 => INSIDE_AREA,
        _ => OUTSIDE_AREA,
    });
    let known = |value: &dyn Fn(usize) -> f64| {
        let values = (0..SITES).map(|index| match index {
            WITHOUT_TEMPERATURE => f64::NAN,
            index => value(index),
        });
        values.collect()
    };
    SiteDistances {
        threshold: 0.8,
        index: known(&|index| 0.1 * index as f64),
        area: areas.collect(),
        near: known(&|index| 9_usize.saturating_sub(index) as f64),
    }
}
