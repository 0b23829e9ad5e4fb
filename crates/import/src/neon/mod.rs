//! NEON's stacked tables of soil sensors, and fluxes that were computed from them by the gradient method.
//!
//! NEON has no efflux: DP1.00095 is CO₂ in the soil, in ppm. A table of fluxes has a row for each method of diffusivity and
//! each combination of layers, of which one each is chosen.
//!
//! # Source
//!
//! NEON-Data-Skills, *soil sensors*; NEON-utilities, `table_types.csv`; jmzobitz/neonSoilFlux (flags of the fluxes).

mod depths;
mod sensors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use jiff::civil::DateTime;
use serde::Deserialize;

use self::depths::Depths;
use self::sensors::{Product, SOIL_MOISTURE, SOIL_TEMPERATURE};
use crate::account::Rows;
use crate::cells::{Cells, Dialect};
use crate::fill_values::Seen;
use crate::mapping::{Mapping, SiteKeys};
use crate::record::{Combine, Driver, Imported, Record, Sample, Site};
use crate::stamp::{Clock, Format, Position, SiteOffset, Zone};
use crate::tower::file_name;

/// `[neon]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NeonKeys {
    /// `Marshall` or `Millington-Quirk`
    diffus_method: String,
    /// Combination of layers: `000` for all.
    method: String,
}

/// The files of one site, by what they hold.
#[derive(Default)]
struct Files {
    fluxes: Vec<PathBuf>,
    temperature: Vec<PathBuf>,
    moisture: Vec<PathBuf>,
    positions: Vec<PathBuf>,
    moisture_depths: Vec<PathBuf>,
}

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let Some(keys) = &mapping.neon else {
        return Err(mapping.wrong(
            "has no section `neon`, expected `diffus_method` (\"Millington-Quirk\" or \"Marshall\") and `method` (\"000\" for all \
             layers): the table of fluxes has a row for each, of which one is chosen"
                .into(),
        ));
    };
    let mut imported = Imported::default();
    let mut folders: BTreeMap<PathBuf, Files> = BTreeMap::new();
    for path in mapping.all_files()? {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        sort_in(
            path,
            folders.entry(folder).or_default(),
            &mut imported.notes,
        )?;
    }
    for (folder, files) in folders {
        read_site(mapping, keys, &folder, &files, &mut imported)?;
    }
    Ok(imported)
}

/// Puts a file where it belongs by its name.
fn sort_in(path: PathBuf, files: &mut Files, notes: &mut Vec<String>) -> Result<()> {
    let name = file_name(&path);
    let is_minutes = name.ends_with("_minute.csv");
    if name.starts_with("NEON.D") && name.ends_with(".csv") {
        let reason = "is of one sensor and month, with its position only in the name: stack the months first (neonUtilities, \
                      stackByTable)";
        return Err(Error::file(&path, reason));
    }
    if name.contains("DP4.00200") || name.ends_with(".h5") {
        let reason =
            "holds fluxes of a tower, which are net exchange and no efflux of soil: leave it out";
        return Err(Error::file(&path, reason));
    }
    if name.starts_with("SCO2C_") {
        notes.push(format!(
            "{} is left out: it holds concentrations of CO2 in the soil (ppm), which are no flux",
            path.display()
        ));
    } else if is_minutes && name.starts_with("ST_") {
        files.temperature.push(path);
    } else if is_minutes && name.starts_with("SWS_") {
        files.moisture.push(path);
    } else if name.starts_with("sensor_positions_00041") {
        files.positions.push(path);
    } else if name.starts_with("swc_depths") {
        files.moisture_depths.push(path);
    } else if name.starts_with("sensor_positions_00094") {
        notes.push(format!(
            "{} is left out: its depths of soil water are known to be wrong (swc_depthsV3.csv has the right ones)",
            path.display()
        ));
    } else if is_flux_table(&path)? {
        files.fluxes.push(path);
    } else {
        notes.push(format!("{} is no table that is read", path.display()));
    }
    Ok(())
}

fn is_flux_table(path: &Path) -> Result<bool> {
    if path.extension().is_none_or(|ending| ending != "csv") {
        return Ok(false);
    }
    Ok(has_fluxes(
        &Cells::open(path, &Dialect::default())?.head().names,
    ))
}

fn has_fluxes(names: &[String]) -> bool {
    let needed = ["startDateTime", "diffus_method", "method", "flux"];
    needed
        .iter()
        .all(|needed| names.iter().any(|name| name == needed))
}

/// Whether a file is one of those that are read here, by its name or columns.
pub(crate) fn is_of_neon(name: &str, columns: &[String]) -> bool {
    let begins = ["ST_", "SWS_", "sensor_positions_000", "swc_depths"];
    has_fluxes(columns)
        || (name.ends_with(".csv") && begins.iter().any(|begin| name.starts_with(begin)))
}

fn read_site(
    mapping: &Mapping,
    keys: &NeonKeys,
    folder: &Path,
    files: &Files,
    imported: &mut Imported,
) -> Result<()> {
    if files.fluxes.is_empty() {
        let reason = "has no table of fluxes, expected one with the columns startDateTime, horizontalPosition, diffus_method, method \
                      and flux, as neonSoilFlux computes them: NEON itself has concentrations alone";
        return Err(Error::file(folder, reason));
    }
    let mut depths = [Depths::default(), Depths::default()];
    let mut site = Site::default();
    for path in &files.positions {
        depths[0].read_positions(path, &mut site)?;
    }
    for path in &files.moisture_depths {
        depths[1].read_table(path)?;
    }
    if site.id.is_empty() {
        let name = folder.file_name().unwrap_or_default();
        site.id = name.to_string_lossy().into_owned();
    }
    site.name.clone_from(&site.id);
    site.source = format!(
        "NEON; the flux is by the gradient method ({}, {})",
        keys.diffus_method, keys.method
    );
    let told = mapping.site(&site.id);
    if let Some(told) = told {
        told.over(&mut site);
    }
    let clock = clock(mapping, &site.id, told)?;
    let mut record = Record {
        site,
        ..Record::default()
    };
    let products: [(&Product, &[PathBuf]); 2] = [
        (&SOIL_TEMPERATURE, &files.temperature),
        (&SOIL_MOISTURE, &files.moisture),
    ];
    let mut read = Vec::new();
    for ((product, paths), depths) in products.into_iter().zip(&depths) {
        if paths.is_empty() || !mapping.wants(product.name) {
            continue;
        }
        if depths.is_empty() {
            imported.warnings.push(format!(
                "{} of site `{}` is left out, because no file tells the depths of its sensors ({} would)",
                product.name, record.site.id, product.depths
            ));
            continue;
        }
        record.drivers.push(Driver {
            name: product.name.to_owned(),
            combine: Combine::Mean,
        });
        read.push(sensors::read(mapping, product, paths, depths, &clock)?);
    }
    let width = record.drivers.len();
    let mut rows = Rows::new(&record.site.id, &["other method", "quality"]);
    for path in &files.fluxes {
        read_fluxes(mapping, keys, path, &clock, &mut record, &mut rows)?;
    }
    for (driver, values) in read.into_iter().enumerate() {
        record
            .samples
            .extend(values.into_iter().map(|(begin, value)| {
                let mut drivers = vec![f64::NAN; width];
                drivers[driver] = value;
                Sample {
                    begin,
                    flux: None,
                    count: 1,
                    drivers,
                }
            }));
    }
    imported.records.push(record);
    imported.account.sites.push(rows);
    Ok(())
}

/// A clock that makes UTC the standard time of a site.
fn clock(
    mapping: &Mapping,
    id: &str,
    told: Option<&SiteKeys>,
) -> Result<impl Fn(&str) -> Result<DateTime, String> + use<>> {
    let Some(hours) = told.and_then(|site| site.utc_offset) else {
        return Err(mapping.wrong(format!(
            "does not tell the time zone of site `{id}`: NEON's times are UTC, and days are those of the site. Add\n\n[[sites]]\nid = \
             \"{id}\"\nutc_offset = -7\n\nwith the hours that its standard time is ahead of UTC"
        )));
    };
    let parts = || -> Result<(Format, Zone, SiteOffset), String> {
        Ok((
            "iso".parse()?,
            "UTC".parse()?,
            SiteOffset::from_hours(hours)?,
        ))
    };
    let (format, zone, offset) = parts().map_err(|reason| mapping.wrong(reason))?;
    let clock = Clock::new(format, Position::Begin, None, Some(zone), Some(offset));
    let clock = std::cell::RefCell::new(clock.map_err(|reason| mapping.wrong(reason))?);
    Ok(move |text: &str| {
        let begin = clock.borrow_mut().begin(text)?;
        begin.ok_or_else(|| "a time that exists".to_owned())
    })
}

fn read_fluxes(
    mapping: &Mapping,
    keys: &NeonKeys,
    path: &Path,
    clock: &impl Fn(&str) -> Result<DateTime, String>,
    record: &mut Record,
    rows: &mut Rows,
) -> Result<()> {
    let mut cells = Cells::open(path, &Dialect::with_missing(&[], &mapping.missing))?;
    let head = cells.head();
    let time = head.require("startDateTime")?;
    let (diffusivity, method) = (head.require("diffus_method")?, head.require("method")?);
    let flux = head.require("flux")?;
    let flags: Vec<usize> = (0..head.names.len())
        .filter(|index| head.names[*index].ends_with("QF"))
        .collect();
    let mut seen = Seen::new(&["flux".to_owned()]);
    let mut others: BTreeMap<String, ()> = BTreeMap::new();
    let mut found = false;
    while let Some(row) = cells.next()? {
        rows.read();
        if row.cell(diffusivity) != keys.diffus_method || row.cell(method) != keys.method {
            rows.drop("other method");
            if !found {
                others.insert(
                    format!("{} {}", row.cell(diffusivity), row.cell(method)),
                    (),
                );
            }
            continue;
        }
        found = true;
        let begin = clock(row.cell(time)).map_err(|reason| row.wrong(time, &reason))?;
        let mut is_good = true;
        for &flag in &flags {
            is_good &= row.number(flag)?.is_none_or(|flag| flag == 0.0);
        }
        let value = row.number(flux)?;
        if let Some(value) = value {
            seen.push(0, value, row.line);
        }
        let value = value.filter(|_| is_good);
        if value.is_none() {
            rows.drop("quality");
        }
        record.samples.push(Sample {
            begin,
            flux: value,
            count: 1,
            drivers: vec![f64::NAN; record.drivers.len()],
        });
    }
    if !found {
        let others: Vec<String> = others.into_keys().collect();
        let reason = format!(
            "has no row of {} {}, expected the `diffus_method` and `method` of the mapping (it has {})",
            keys.diffus_method,
            keys.method,
            others.join(", ")
        );
        return Err(Error::file(path, reason));
    }
    seen.check(path, &mapping.measured)
}
