//! AmeriFlux BASE: half-hourly or hourly files, one a site, with the sites' metadata in files called BIF.
//!
//! # Source
//!
//! AmeriFlux, *Data Variables* and *Uploading Half-Hourly / Hourly Data*: names, units, −9999, stamps in local standard time.

mod names;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use jiff::civil::Date;
use serde::Deserialize;

use self::names::{FileName, Name, first_level};
use crate::account::Rows;
use crate::badm::Badm;
use crate::cells::{Cells, Dialect, Head};
use crate::fill_values::Seen;
use crate::mapping::Mapping;
use crate::record::{Combine, Driver, Imported, Record, Sample};
use crate::tower::{self, MISSING};

/// `[ameriflux-base]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AmerifluxKeys {
    /// Whether hours are read at a site that has half hours as well.
    prefer_hourly: bool,
}

/// Quantities by their names there and here, and what makes one the other.
const DRIVERS: [(&str, &str, f64); 7] = [
    ("TS", "soil_temp_c", 1.0),
    ("SWC", "soil_moisture_m3_m3", 0.01),
    ("TA", "air_temp_c", 1.0),
    (PRECIPITATION, "precip_mm", 1.0),
    ("VPD", "vpd_hpa", 1.0),
    ("PPFD_IN", "par_umol_m2_s", 1.0),
    ("SW_IN", "sw_in_w_m2", 1.0),
];
/// The only one whose day is a sum.
const PRECIPITATION: &str = "P";

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let mut imported = Imported::default();
    let mut badm = Badm::default();
    let mut sites: BTreeMap<String, Vec<(FileName, PathBuf)>> = BTreeMap::new();
    for path in mapping.all_files()? {
        let name = tower::file_name(&path);
        if let Some(file) = FileName::parse(&name) {
            sites
                .entry(file.site.clone())
                .or_default()
                .push((file, path));
        } else if tower::is_metadata(&name) {
            badm.read(&path)?;
        } else {
            imported.notes.push(format!(
                "{} is no file of data or metadata of AmeriFlux BASE",
                path.display()
            ));
        }
    }
    if sites.is_empty() {
        return Err(mapping.wrong(
            "`files` has no file of AmeriFlux BASE, expected names like AMF_US-Ha1_BASE_HR_10-1.csv (unpack the zip first)".into(),
        ));
    }
    let prefers_hourly = mapping
        .ameriflux
        .as_ref()
        .is_some_and(|keys| keys.prefer_hourly);
    for (site, mut files) in sites {
        files.sort_by_key(|(file, _)| {
            (
                file.is_hourly != prefers_hourly,
                std::cmp::Reverse(file.version.clone()),
            )
        });
        let (file, path) = files.remove(0);
        for (_, other) in files {
            imported.warnings.push(format!(
                "site `{site}` has several files: {} is read, {} is not",
                path.display(),
                other.display()
            ));
        }
        let (mut record, rows) = read_file(mapping, &file, &path, &mut imported.warnings)?;
        let end = record
            .samples
            .iter()
            .map(|sample| sample.begin.date())
            .max();
        let (told, notes) = badm.site(&site, end.unwrap_or(Date::MAX));
        imported.notes.extend(notes);
        record.site = told;
        record.site.source = format!(
            "AmeriFlux BASE {}{}",
            file.version,
            tower::of_target(mapping)
        );
        tower::told(mapping, &mut record.site);
        imported.records.push(record);
        imported.account.sites.push(rows);
    }
    Ok(imported)
}

/// The columns of one file, by index.
struct Columns {
    stamp: Stamp,
    flux: usize,
    /// Each with the factor of its unit.
    drivers: Vec<(Vec<usize>, f64)>,
}

enum Stamp {
    Start(usize),
    /// Files of before have the end alone.
    End(usize),
}

fn read_file(
    mapping: &Mapping,
    file: &FileName,
    path: &Path,
    warnings: &mut Vec<String>,
) -> Result<(Record, Rows)> {
    let minutes = if file.is_hourly { 60 } else { 30 };
    let mut cells = Cells::open(path, &Dialect::with_missing(&MISSING, &mapping.missing))?;
    let (columns, drivers) = find(mapping, cells.head(), 1440 / minutes)?;
    let mut rows = Rows::new(&file.site, &["no flux"]);
    let mut record = Record {
        drivers,
        ..Record::default()
    };
    let names: Vec<String> = columns
        .all()
        .map(|index| cells.head().names[index].clone())
        .collect();
    let mut seen = Seen::new(&names);
    let (mut last, mut repeated) = (None, 0_u64);
    while let Some(row) = cells.next()? {
        rows.read();
        let begin = match columns.stamp {
            Stamp::Start(column) => tower::stamp(&row, column)?,
            Stamp::End(column) => tower::stamp(&row, column)?
                .checked_sub(jiff::Span::new().minutes(minutes))
                .map_err(|error| row.wrong(column, &error.to_string()))?,
        };
        if last.is_some_and(|last| begin <= last) {
            repeated += 1;
        }
        last = last.max(Some(begin));
        let flux = row.number(columns.flux)?;
        let mut number = 0;
        let mut note = |value: f64, number: usize| seen.push(number, value, row.line);
        if let Some(flux) = flux {
            note(flux, number);
        } else {
            rows.drop("no flux");
        }
        let mut values = Vec::with_capacity(columns.drivers.len());
        for (sensors, factor) in &columns.drivers {
            let (mut sum, mut count) = (0.0, 0_u32);
            for &column in sensors {
                number += 1;
                if let Some(value) = row.number(column)? {
                    note(value, number);
                    sum += value;
                    count += 1;
                }
            }
            values.push(if count == 0 {
                f64::NAN
            } else {
                sum / f64::from(count) * factor
            });
        }
        record.samples.push(Sample {
            begin,
            flux,
            count: 1,
            drivers: values,
        });
    }
    if repeated > 0 {
        warnings.push(format!(
            "{}: {repeated} rows are not later than those before them, so their times may be there twice",
            path.display()
        ));
    }
    seen.check(path, &mapping.measured)?;
    Ok((record, rows))
}

fn find(mapping: &Mapping, head: &Head, steps: i64) -> Result<(Columns, Vec<Driver>)> {
    let target = mapping
        .target
        .column
        .as_deref()
        .ok_or_else(|| no_target(mapping, head))?;
    if Name::parse(target).is_other {
        return Err(mapping.wrong(format!(
            "`target` has `{target}`, which by its name is filled, a spread, a number or a flag, expected a measured flux"
        )));
    }
    let stamp = match head.find("TIMESTAMP_START") {
        Some(column) => Stamp::Start(column),
        None => Stamp::End(head.require("TIMESTAMP_END")?),
    };
    let mut columns = Columns {
        stamp,
        flux: head.require(target)?,
        drivers: Vec::new(),
    };
    let mut drivers = Vec::new();
    for (base, name, factor) in DRIVERS {
        let sensors = first_level(&head.names, base);
        if sensors.is_empty() || !mapping.wants(name) {
            continue;
        }
        columns.drivers.push((sensors, factor));
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        drivers.push(Driver {
            name: name.to_owned(),
            combine: if base == PRECIPITATION {
                Combine::Sum { steps }
            } else {
                Combine::Mean
            },
        });
    }
    Ok((columns, drivers))
}

fn no_target(mapping: &Mapping, head: &Head) -> Error {
    let candidates = candidates(&head.names);
    mapping.wrong(format!(
        "has no `target`, expected the column that is the soil's efflux. The standard of AmeriFlux has no name for it; {} has {} \
         (FC and NEE are net exchange, RECO is respiration of the whole ecosystem)",
        head.path.display(),
        if candidates.is_empty() {
            "nothing like it".to_owned()
        } else {
            candidates.join(", ")
        }
    ))
}

/// Columns that may be a target, respiration first.
pub(crate) fn candidates(names: &[String]) -> Vec<String> {
    let rank = |name: &&String| {
        let parsed = Name::parse(name);
        let bases = ["RS", "FCSOIL", "RECO", "FC", "NEE"];
        let rank = bases.iter().position(|base| parsed.base == *base);
        rank.filter(|_| !parsed.is_other)
    };
    let mut found: Vec<&String> = names.iter().filter(|name| rank(name).is_some()).collect();
    found.sort_by_key(rank);
    found.into_iter().cloned().collect()
}

/// Whether a file's name is that of such data.
pub(crate) fn is_data(name: &str) -> bool {
    FileName::parse(name).is_some()
}

impl Columns {
    /// Of the flux and of all sensors.
    fn all(&self) -> impl Iterator<Item = usize> {
        let sensors = self
            .drivers
            .iter()
            .flat_map(|(sensors, _)| sensors.iter().copied());
        std::iter::once(self.flux).chain(sensors)
    }
}
