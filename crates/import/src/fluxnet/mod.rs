//! FLUXNET2015, the later products of ONEFlux, and the files of the same columns in ICOS' archives.
//!
//! One name has two units and two meanings of quality: daily files hold g C m⁻² d⁻¹ and the share of well filled steps, files
//! of half hours µmol m⁻² s⁻¹ and flags of which 0 is the best. Half hours are made days as the pipeline makes them, so that one
//! rule serves both.
//!
//! # Source
//!
//! fluxnet/ONEFlux, `var_info_definitions_{hh,dd}.txt`, `dataset.c` (a day with one invalid step has none; precipitation is a
//! sum), `common.h` (the factor); Pastorello et al. (2020), Scientific Data 7, 225, Table 1 (names of files).

mod days;
mod names;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use jiff::civil::Date;
use serde::Deserialize;

use self::days::{Columns, Days, OneDay};
use self::names::{FileName, Kind, Step};
use crate::account::Rows;
use crate::badm::Badm;
use crate::cells::{Cells, Dialect};
use crate::layout::Layout;
use crate::mapping::Mapping;
use crate::record::{Combine, Driver, Imported, Record, Sample};
use crate::tower::{self, MISSING};

/// `[fluxnet]`, also of `layout = "icos-l2"`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FluxnetKeys {
    /// Least share of measured or well filled steps of a day that is kept.
    quality: f64,
    /// What is read at a site that has both.
    prefer: Prefer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Prefer {
    #[serde(rename = "daily")]
    Daily,
    #[serde(rename = "half-hourly")]
    HalfHourly,
}

impl Default for FluxnetKeys {
    fn default() -> Self {
        Self {
            quality: 0.8,
            prefer: Prefer::Daily,
        }
    }
}

/// g C m⁻² d⁻¹ of daily files that are 1 µmol m⁻² s⁻¹: the pipeline's own constant, 0.0864 × 12.0107.
const GRAMS_OF_CARBON: f64 = 1.037_724_48;

/// Quantities by their names there and here, and what makes one the other. `#` stands for the least number that there is.
const DRIVERS: [(&str, &str, f64); 7] = [
    ("TS_F_MDS_#", "soil_temp_c", 1.0),
    ("SWC_F_MDS_#", "soil_moisture_m3_m3", 0.01),
    ("TA_F", "air_temp_c", 1.0),
    (PRECIPITATION, "precip_mm", 1.0),
    ("VPD_F", "vpd_hpa", 1.0),
    ("PPFD_IN", "par_umol_m2_s", 1.0),
    ("SW_IN_F", "sw_in_w_m2", 1.0),
];
/// The only one whose day is a sum.
const PRECIPITATION: &str = "P_F";

/// Share of measured or well filled steps below which a driver's day is flagged as filled.
const WELL_FILLED: f64 = 0.5;

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let keys = mapping.fluxnet.clone().unwrap_or_default();
    if !(0.0..=1.0).contains(&keys.quality) {
        return Err(mapping.wrong(format!(
            "`fluxnet.quality` has {}, expected a share from 0 to 1",
            keys.quality
        )));
    }
    let mut imported = Imported::default();
    let mut badm = Badm::default();
    let mut sites: BTreeMap<String, Vec<(FileName, PathBuf)>> = BTreeMap::new();
    for path in mapping.all_files()? {
        match Kind::of(&tower::file_name(&path)) {
            Kind::Data(file) => sites
                .entry(file.site.clone())
                .or_default()
                .push((file, path)),
            Kind::Metadata => badm.read(&path)?,
            Kind::Other(what) => imported
                .notes
                .push(format!("{} is left out: it {what}", path.display())),
            Kind::LaThuile => {
                let reason = "is of the La Thuile collection (2007), whose names and flags are others: take the site from \
                              FLUXNET2015 or later, or describe the file with `layout = \"table\"`";
                return Err(Error::file(&path, reason));
            }
        }
    }
    if sites.is_empty() {
        return Err(mapping.wrong(
            "`files` has no data of FLUXNET, expected names like FLX_US-Ha1_FLUXNET2015_FULLSET_DD_1991-2012_1-4.csv or \
             ICOSETC_DE-Hai_FLUXNET_DD_L2.csv (unpack the zip first)"
                .into(),
        ));
    }
    imported.notes.push(format!(
        "a day is kept if {} of its steps are measured or well filled (`quality` in [fluxnet]), and a driver's day is flagged as filled \
         below {WELL_FILLED}: choices of this program, not rules of the networks",
        keys.quality
    ));
    for (site, files) in sites {
        let chosen = choose(&site, files, keys.prefer, &mut imported.warnings);
        let (mut record, rows) = read_site(mapping, &keys, &chosen, &mut imported.warnings)?;
        let end = record
            .samples
            .iter()
            .map(|sample| sample.begin.date())
            .max();
        let (told, notes) = badm.site(&site, end.unwrap_or(Date::MAX));
        imported.notes.extend(notes);
        record.site = told;
        record.site.source = format!("{}{}", chosen[0].0.source, tower::of_target(mapping));
        tower::told(mapping, &mut record.site);
        for variable in ["TS_F_MDS_1", "SWC_F_MDS_1"] {
            if let Some(depth) = badm.depth_m(&site, variable) {
                imported.notes.push(format!(
                    "{variable} of site `{site}` is {depth} m below the ground"
                ));
            }
        }
        imported.records.push(record);
        imported.account.sites.push(rows);
    }
    Ok(imported)
}

/// The layout of a file by its name, if it is data of this kind.
pub(crate) fn layout_of(name: &str) -> Option<Layout> {
    match Kind::of(name) {
        Kind::Data(_) if name.starts_with("ICOSETC_") => Some(Layout::IcosL2),
        Kind::Data(_) => Some(Layout::Fluxnet),
        _ => None,
    }
}

/// The files of one product and step, in the order of their names; what else there is becomes a warning.
fn choose(
    site: &str,
    mut files: Vec<(FileName, PathBuf)>,
    prefer: Prefer,
    warnings: &mut Vec<String>,
) -> Vec<(FileName, PathBuf)> {
    files.sort_by_key(|(file, path)| (file.order(prefer == Prefer::Daily), path.clone()));
    let first = files[0].0.clone();
    let (chosen, others): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(file, _)| *file == first);
    for (_, other) in others {
        warnings.push(format!(
            "site `{site}` has several files: {} is read, {} is not",
            chosen[0].1.display(),
            other.display()
        ));
    }
    chosen
}

fn read_site(
    mapping: &Mapping,
    keys: &FluxnetKeys,
    files: &[(FileName, PathBuf)],
    warnings: &mut Vec<String>,
) -> Result<(Record, Rows)> {
    let below = format!("no quality or below {}", keys.quality);
    let step = files[0].0.step;
    let rules: &[&str] = match step {
        Step::Day => &["no respiration", &below],
        Step::HalfHour | Step::Hour => &["no respiration", "day with a step missing", &below],
    };
    let mut rows = Rows::new(&files[0].0.site, rules);
    let mut record = Record::default();
    let mut known: BTreeMap<Date, ()> = BTreeMap::new();
    for (file, path) in files {
        let days = read_file(mapping, file.step, path)?;
        if record.drivers.is_empty() {
            record.drivers = days.drivers.clone();
        } else if record.drivers != days.drivers {
            return Err(Error::file(
                path,
                "has other columns than the file of the same site before it",
            ));
        }
        for day in days.days {
            rows.read += u64::from(day.rows);
            if known.insert(day.date, ()).is_some() {
                (0..day.rows).for_each(|_| rows.drop("repeated day"));
                continue;
            }
            let flux = kept(&day, keys.quality, step, &below, &mut rows);
            record.samples.push(Sample {
                begin: day.date.at(0, 0, 0, 0),
                flux: flux.map(|flux| {
                    if step == Step::Day {
                        flux / GRAMS_OF_CARBON
                    } else {
                        flux
                    }
                }),
                count: day.rows,
                drivers: day.drivers,
            });
        }
    }
    if let Some((_, rows)) = rows.dropped.iter().find(|(rule, _)| rule == "repeated day") {
        warnings.push(format!(
            "site `{}` has {rows} rows of days that an earlier file has: the first counts",
            files[0].0.site
        ));
    }
    Ok((record, rows))
}

/// The day's flux if it is kept; else its rows are dropped.
fn kept(day: &OneDay, least: f64, step: Step, below: &str, rows: &mut Rows) -> Option<f64> {
    let mut drop = |rule: &str, count: u32| (0..count).for_each(|_| rows.drop(rule));
    let Some(flux) = day.flux else {
        drop("no respiration", day.without_flux);
        if step != Step::Day {
            drop("day with a step missing", day.rows - day.without_flux);
        }
        return None;
    };
    if day.quality.is_none_or(|quality| quality < least) {
        drop(below, day.rows);
        return None;
    }
    Some(flux)
}

fn read_file(mapping: &Mapping, step: Step, path: &Path) -> Result<Days> {
    let mut cells = Cells::open(path, &Dialect::with_missing(&MISSING, &mapping.missing))?;
    let columns = Columns::find(mapping, cells.head(), step)?;
    let mut days = Days::new(&columns, step);
    while let Some(row) = cells.next()? {
        days.add(&columns, &row)?;
    }
    days.finish(&columns, path, &mapping.measured)
}

/// A driver of daily values that are made already.
fn driver(name: &str) -> Driver {
    let is_sum = name == "precip_mm";
    Driver {
        name: name.to_owned(),
        combine: match (is_sum, name.ends_with("_filled")) {
            (true, _) => Combine::Sum { steps: 1 },
            (_, true) => Combine::Filled,
            _ => Combine::Mean,
        },
    }
}
