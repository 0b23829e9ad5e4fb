//! JSON files of the LI-8200-01S smart chamber: repetitions at collars, each with its fitted fluxes.
//!
//! # Source
//!
//! LI-COR, *Smart Chamber*, data files; COMPASS-DOE/fluxfinder (a fit that failed is all zeros, with `n` = 0).

use std::collections::BTreeMap;

use efflux_base::error::{Error, Result};
use serde::Deserialize;

use super::{FAILED_FIT, NO_SUCH_TIME, Reader, read_sites};
use crate::mapping::Mapping;
use crate::record::Imported;
use crate::stamp::{Clock, Format, Position, SiteOffset, Zone};

const NO_DATA: &str = "no data";

#[derive(Deserialize)]
struct File {
    datasets: Vec<BTreeMap<String, Collar>>,
}

#[derive(Deserialize)]
struct Collar {
    #[serde(default)]
    reps: BTreeMap<String, Repetition>,
}

#[derive(Deserialize)]
struct Repetition {
    header: Header,
    /// Columns of numbers, and whatever else a version of the chamber writes there.
    #[serde(default)]
    data: BTreeMap<String, serde_json::Value>,
    footer: Option<Footer>,
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "Date")]
    date: String,
    #[serde(rename = "TimeZone")]
    zone: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    altitude: Option<f64>,
}

#[derive(Deserialize)]
struct Footer {
    #[serde(default)]
    fluxes: Vec<Fit>,
}

#[derive(Deserialize)]
struct Fit {
    name: String,
    #[serde(rename = "F_o")]
    flux: Option<f64>,
    /// Values that were fitted.
    n: Option<f64>,
}

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let usual = [
        ("soil_moisture_m3_m3", "soilp_m"),
        ("soil_temp_c", "soil_t"),
    ];
    read_sites(mapping, &usual, &[NO_DATA, FAILED_FIT], |reader, path| {
        reader.only(&[])?;
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let file: File = serde_json::from_slice(&bytes).map_err(|error| {
            let reason = format!("is no file of a smart chamber ({error}), expected JSON with `datasets` of collars with `reps`");
            Error::file(path, reason)
        })?;
        reader.start_file();
        let format: Format = "iso".parse().map_err(Error::Internal)?;
        for (collar, of_collar) in file.datasets.iter().flatten() {
            for (name, repetition) in &of_collar.reps {
                let measured = measured(reader, collar, repetition, &format);
                measured.map_err(|reason| {
                    Error::file(path, format!("collar {collar}, {name}: {reason}"))
                })?;
            }
        }
        Ok(())
    })
}

fn measured(
    reader: &mut Reader<'_>,
    collar: &str,
    repetition: &Repetition,
    format: &Format,
) -> Result<(), String> {
    reader.rows.read();
    if !reader.takes(collar) {
        return Ok(());
    }
    let has_data = repetition
        .data
        .get("timestamp")
        .and_then(serde_json::Value::as_array)
        .is_some_and(|times| !times.is_empty());
    let fits = repetition.footer.iter().flat_map(|footer| &footer.fluxes);
    let fit = fits
        .into_iter()
        .find(|fit| fit.name.eq_ignore_ascii_case("co2"));
    let (true, Some(fit)) = (has_data, fit) else {
        reader.rows.drop(NO_DATA);
        return Ok(());
    };
    let Some(begin) = begin(reader, collar, &repetition.header, format)? else {
        reader.rows.drop(NO_SUCH_TIME);
        return Ok(());
    };
    let place = &mut reader.record.site;
    // Without a fix the chamber writes 0, 0.
    if let (Some(latitude), Some(longitude)) =
        (repetition.header.latitude, repetition.header.longitude)
        && (latitude, longitude) != (0.0, 0.0)
        && place.lat.is_none()
    {
        (place.lat, place.lon) = (Some(latitude), place.lon.or(Some(longitude)));
        place.elevation_m = place.elevation_m.or(repetition.header.altitude);
    }
    let has_failed = fit.n.is_none_or(|n| n == 0.0) || fit.flux.is_none();
    if has_failed {
        reader.rows.drop(FAILED_FIT);
    }
    let drivers = reader.columns.iter().map(|column| {
        let cells = repetition
            .data
            .get(&column.name)
            .and_then(serde_json::Value::as_array);
        let values = cells
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_f64)
            .filter(|value| *value != -9999.0);
        let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| {
            (sum + column.conversion.of(value), count + 1.0)
        });
        sum / count
    });
    let drivers = drivers.collect();
    reader.push(begin, fit.flux.filter(|_| !has_failed), drivers);
    Ok(())
}

/// The chamber's clock is in a zone that each repetition names, which may have daylight saving.
fn begin(
    reader: &mut Reader<'_>,
    collar: &str,
    header: &Header,
    format: &Format,
) -> Result<Option<jiff::civil::DateTime>, String> {
    let key = format!("{collar} {}", header.zone);
    if !reader.clocks.contains_key(&key) {
        let zone: Zone = header.zone.parse()?;
        let day = header.date.get(..10).and_then(|day| day.parse().ok());
        let day = day.ok_or_else(|| {
            format!(
                "`Date` has `{}`, expected a time such as 2019-07-01 10:05:00",
                header.date
            )
        })?;
        let said = reader
            .site
            .utc_offset
            .map(SiteOffset::from_hours)
            .transpose()?;
        let offset = said.or_else(|| SiteOffset::of_zone(&zone, day));
        let clock = Clock::new(format.clone(), Position::Begin, None, Some(zone), offset)?;
        reader.clocks.insert(key.clone(), clock);
    }
    match reader.clocks.get_mut(&key) {
        Some(clock) => clock.begin(&header.date),
        None => Ok(None),
    }
}
