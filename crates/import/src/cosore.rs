//! Releases of COSORE, as its own script writes them: a zip or a folder of tables.
//!
//! The rules are those of `efflux pack --cosore`, but for the percentiles; the sensors beside the flux come along.

use std::path::Path;

use efflux_base::error::Result;
use efflux_ingest::{CosoreOptions, Flux, MeasuredSet, Treatments, read_measured};
use serde::Deserialize;

use crate::account::Rows;
use crate::mapping::Mapping;
use crate::record::{Combine, Driver, Imported, Record, Sample, Site};

/// `[cosore]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CosoreKeys {
    /// Chambers that measure one of these (`Rs`, `Rh`, `NEE`, `Reco`); all if not said.
    fluxes: Option<Vec<Flux>>,
    /// `none`: chambers without a treatment alone.
    treatments: Option<Treatments>,
    /// Data sets under an embargo, too.
    #[serde(default)]
    embargoed: bool,
}

const FLAGGED: &str = "flagged as an error";
const NO_FLUX: &str = "no CO2 flux";
const NO_TIME: &str = "no time";
const OTHER: &str = "other chamber";

/// Of several depths the one nearest to this is taken, in centimetres.
const DEPTH: f64 = 5.0;

/// Daily variable and beginning of its sensors' names.
const QUANTITIES: [(&str, &str); 2] = [("soil_moisture_m3_m3", "CSR_SM"), ("soil_temp_c", "CSR_T")];

/// Reads the files of a mapping: the zip, or `description.csv` of the folder.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let keys = mapping.cosore.clone().unwrap_or_default();
    let options = CosoreOptions {
        fluxes: keys.fluxes.unwrap_or_else(|| Flux::ALL.to_vec()),
        treatments: keys.treatments.unwrap_or_default(),
        embargoed: keys.embargoed,
        ..CosoreOptions::default()
    };
    let files = mapping.all_files()?;
    let [path] = &files[..] else {
        return Err(mapping.wrong(format!(
            "`files` names {} files, expected one: the zip of a release, or `description.csv` of an unpacked one",
            files.len()
        )));
    };
    let release = match path.extension() {
        Some(ending) if ending == "zip" => path.as_path(),
        _ => path.parent().unwrap_or(Path::new("")),
    };
    let source = format!(
        "{}, Bond-Lamberty et al. (2020), doi 10.1111/gcb.15353",
        version(release)
    );
    let mut imported = Imported::default();
    let (mut without_file, mut percent) = (Vec::new(), Vec::new());
    for (id, set) in read_measured(release, &options)? {
        let set = match set {
            Ok(set) => set,
            Err(reason) => {
                let is_absent = reason == efflux_data::LeftOut::NoData;
                let reason = if is_absent {
                    "no data file (embargo)".to_owned()
                } else {
                    reason.to_string()
                };
                imported.account.sites.push(Rows::absent(&id, &reason));
                without_file.push(id);
                continue;
            }
        };
        let (record, rows, is_percent) = record(mapping, &id, &set, &source);
        if is_percent {
            percent.push(id);
        }
        imported.records.push(record);
        imported.account.sites.push(rows);
    }
    if !without_file.is_empty() {
        imported.notes.push(format!(
            "left out, without data because of an embargo or because there never were any: {}",
            without_file.join(", ")
        ));
    }
    if !percent.is_empty() {
        imported.warnings.push(format!(
            "soil moisture of these has a median above 2 and is taken for percent, whatever the dictionary of the release says: {}",
            percent.join(", ")
        ));
    }
    Ok(imported)
}

/// `COSORE 0.7.0` of `cosore-0.7.0.zip`.
fn version(release: &Path) -> String {
    let name = release
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let version = name.to_ascii_lowercase();
    let version = version
        .strip_suffix(".zip")
        .unwrap_or(&version)
        .strip_prefix("cosore-")
        .unwrap_or_default()
        .to_owned();
    format!("COSORE {version}").trim_end().to_owned()
}

/// A data set as a record; whether its moisture was in percent.
fn record(mapping: &Mapping, id: &str, set: &MeasuredSet, source: &str) -> (Record, Rows, bool) {
    let mut site = Site {
        id: id.to_owned(),
        lat: Some(set.site.latitude),
        lon: Some(set.site.longitude),
        elevation_m: set.site.elevation,
        name: set.site.name.clone(),
        igbp: set.site.igbp.clone(),
        source: match set.site.publication.as_str() {
            "" => source.to_owned(),
            publication => format!("{source}; measured by {publication}"),
        },
        licence: "CC BY 4.0".into(),
    };
    if let Some(said) = mapping.site(id) {
        said.over(&mut site);
    }
    let mut is_percent = false;
    let mut drivers = Vec::new();
    let mut columns: Vec<(&[f64], f64)> = Vec::new();
    for (name, begin) in QUANTITIES {
        if let Some(values) = nearest(&set.sensors, begin).filter(|_| mapping.wants(name)) {
            let in_percent = name == "soil_moisture_m3_m3" && median(values) > 2.0;
            is_percent |= in_percent;
            drivers.push(Driver {
                name: name.into(),
                combine: Combine::Mean,
            });
            columns.push((values, if in_percent { 0.01 } else { 1.0 }));
        }
    }
    let mut rows = Rows::new(id, &[NO_FLUX]);
    let mut samples = Vec::new();
    for (at, row) in set.rows.iter().enumerate() {
        rows.read();
        let dropped = if row.is_flagged {
            Some(FLAGGED)
        } else if row.flux.is_none() {
            Some(NO_FLUX)
        } else if row.begin.is_none() {
            Some(NO_TIME)
        } else if !row.is_wanted {
            Some(OTHER)
        } else {
            None
        };
        if let Some(rule) = dropped {
            rows.drop(rule);
        }
        if let Some(begin) = row.begin {
            let flux = row.flux.filter(|_| dropped.is_none());
            let drivers = columns
                .iter()
                .map(|(values, factor)| values[at] * factor)
                .collect();
            samples.push(Sample {
                begin,
                flux,
                count: 1,
                drivers,
            });
        }
    }
    (
        Record {
            site,
            drivers,
            samples,
        },
        rows,
        is_percent,
    )
}

/// The values of the sensor nearest to 5 cm, the shallower of two.
fn nearest<'a>(sensors: &'a [(String, Vec<f64>)], begin: &str) -> Option<&'a [f64]> {
    let depths = sensors.iter().filter_map(|(name, values)| {
        let depth: f64 = name.strip_prefix(begin)?.parse().ok()?;
        Some(((depth - DEPTH).abs(), depth, values.as_slice()))
    });
    let nearest = depths.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    nearest.map(|(_, _, values)| values)
}

fn median(values: &[f64]) -> f64 {
    let mut valid: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    valid.sort_by(f64::total_cmp);
    valid.get(valid.len() / 2).copied().unwrap_or(0.0)
}
