//! ERA5-Land and MODIS at the sites, a row a site and day.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use efflux_base::error::Result;
use jiff::civil::Date;

use super::table;
use crate::column::{Column, ColumnKeys};
use crate::mapping::Mapping;
use crate::record::{Record, Sample};

/// Band of ERA5-Land, the daily variable that it becomes, and the factor of its unit: Earth Engine has kelvin, metres and J m⁻² a day.
const BANDS: [(&str, &str, f64); 8] = [
    ("temperature_2m", "air_temp_k", 1.0),
    ("total_precipitation_sum", "precipitation_m", 1.0),
    (
        "surface_net_solar_radiation_sum",
        "net_solar_w_m2",
        1.0 / 86_400.0,
    ),
    (
        "surface_solar_radiation_downwards_sum",
        "sw_in_w_m2",
        1.0 / 86_400.0,
    ),
    ("soil_temperature_level_1", "soil_temp_0_7cm_k", 1.0),
    (
        "volumetric_soil_water_layer_1",
        "soil_water_0_7cm_m3_m3",
        1.0,
    ),
    ("skin_temperature", "skin_temp_k", 1.0),
    ("snow_cover", "snow_cover_pct", 1.0),
];

pub(super) fn is_one(name: &str) -> bool {
    ["ERA5.", "MOD09GA."]
        .iter()
        .any(|begin| name.starts_with(begin))
}

/// The daily variables of bands that are known, but for those that a mapping makes of others.
pub(super) fn usual(said: &ColumnKeys) -> Vec<Column> {
    let known = BANDS
        .iter()
        .filter(|(_, driver, _)| !said.contains_key(*driver));
    let column = |(band, driver, factor): &(&str, &str, f64)| Column::times(driver, band, *factor);
    known.map(column).collect()
}

/// Puts the weather of a file beside the fluxes of its days, and on days without a flux between the first and the last one.
pub(super) fn read(
    path: &Path,
    columns: &[Column],
    mapping: &Mapping,
    index: &HashMap<String, usize>,
    records: &mut [Record],
    found: &mut HashSet<String>,
) -> Result<()> {
    let there = table::names(path)?;
    let own: Vec<(usize, &Column)> = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| there.contains(&column.name))
        .collect();
    if own.is_empty() {
        return Ok(());
    }
    found.extend(own.iter().map(|(_, column)| column.name.clone()));
    let mut places: Vec<HashMap<Date, usize>> =
        records.iter().map(|record| days(&record.samples)).collect();
    let spans: Vec<Option<(Date, Date)>> =
        records.iter().map(|record| span(&record.samples)).collect();
    let mut seen = HashSet::new();
    let mut wanted = vec!["date", "site"];
    wanted.extend(own.iter().map(|(_, column)| column.name.as_str()));
    table::read(path, &wanted, &[], &mapping.missing, |cells| {
        let Some(site) = index.get(super::without_network(cells.text(1)).1) else {
            return Ok(());
        };
        let date = table::day(cells, 0)?;
        let is_within = spans[*site].is_some_and(|(first, last)| (first..=last).contains(&date));
        // The first of rows of one day counts, as in the benchmark.
        if !is_within || !seen.insert((*site, date)) {
            return Ok(());
        }
        let samples = &mut records[*site].samples;
        let at = *places[*site].entry(date).or_insert_with(|| {
            let drivers = vec![f64::NAN; columns.len() + 1];
            samples.push(Sample {
                begin: date.at(0, 0, 0, 0),
                flux: None,
                count: 1,
                drivers,
            });
            samples.len() - 1
        });
        for (cell, (place, column)) in own.iter().enumerate() {
            if let Some(value) = cells.number(cell + 2)? {
                samples[at].drivers[place + 1] = column.conversion.of(value);
            }
        }
        Ok(())
    })
}

fn days(samples: &[Sample]) -> HashMap<Date, usize> {
    samples
        .iter()
        .enumerate()
        .map(|(at, sample)| (sample.begin.date(), at))
        .collect()
}

/// The first and the last day with a flux.
fn span(samples: &[Sample]) -> Option<(Date, Date)> {
    let days = || {
        samples
            .iter()
            .filter(|sample| sample.flux.is_some())
            .map(|sample| sample.begin.date())
    };
    Some((days().min()?, days().max()?))
}
