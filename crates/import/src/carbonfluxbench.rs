//! CarbonFluxBench: daily fluxes of towers, ERA5-Land and MODIS of their places, as tables.
//!
//! Its respiration is modelled from tower data, so a mapping has to ask for it. The calendar of days, the rules of what is
//! kept and the names of places are the benchmark's.
//!
//! # Source
//!
//! alexxxroz/CarbonBench, `carbonfluxbench/utils/targets.py`, `features.py`; data set `alexroz/CarbonFluxBench`.

mod table;
mod weather;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use efflux_base::error::Result;
use jiff::civil::Date;
use serde::Deserialize;

use self::table::Cells;
use crate::account::{Account, Rows};
use crate::column::{Column, ColumnKeys};
use crate::mapping::Mapping;
use crate::record::{Combine, Driver, Imported, Record, Sample, Site};
use crate::tower::{file_name, of_target};

/// `[carbonfluxbench]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CarbonFluxBenchKeys {
    /// Daily variables of bands that have no name here yet.
    #[serde(default)]
    columns: ColumnKeys,
}

const BEFORE: &str = "before 2000-02-24";
const REPEATED: &str = "repeated site and day";
const MISSING: &str = "target or quality missing";

/// The first day of MODIS.
const FIRST: Date = Date::constant(2000, 2, 24);

/// What a day needs, quality last.
const NEEDED: [&str; 4] = [
    "GPP_NT_VUT_USTAR50",
    "RECO_NT_VUT_USTAR50",
    "NEE_VUT_USTAR50",
    "NEE_VUT_USTAR50_QC",
];

/// Share of measured and well filled half hours in the day's NEE.
const QUALITY: &str = "nee_qc";

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let keys = mapping.carbonfluxbench.clone().unwrap_or_default();
    let target = mapping
        .target
        .column
        .as_deref()
        .and_then(|target| NEEDED[..3].iter().position(|name| *name == target));
    let Some(target) = target else {
        return Err(mapping.wrong(format!(
            "`target` is {}, expected `RECO_NT_VUT_USTAR50` (or one of the others: {}). It is respiration of the whole ecosystem, \
             modelled from tower data and not efflux of soil, so it is imported only when asked for",
            mapping.target.column.as_deref().unwrap_or("not there"),
            NEEDED[..3].join(", ")
        )));
    };
    let factor = mapping.target.factor("g C m-2 d-1 (ONEFlux)");
    let factor = factor.map_err(|reason| mapping.wrong(reason))?;
    let mut columns = Column::all(&keys.columns);
    if let Ok(columns) = &mut columns {
        columns.extend(weather::usual(&keys.columns));
        columns.retain(|column| mapping.wants(&column.driver));
    }
    let columns =
        columns.map_err(|reason| mapping.wrong(format!("`carbonfluxbench.columns`: {reason}")))?;
    let files = mapping.all_files()?;
    let mut imported = Imported::default();
    let path = targets(mapping, &files, &mut imported.notes)?;
    let mut sites = Sites {
        target,
        factor,
        width: columns.len() + 1,
        source: of_target(mapping),
        index: HashMap::new(),
        records: Vec::new(),
        seen: HashSet::new(),
        rows: Rows::new("*", &[BEFORE, REPEATED, MISSING]),
    };
    let mut wanted = vec!["TIMESTAMP", "site", "lat", "lon", "IGBP", "network"];
    wanted.extend(NEEDED);
    table::read(&path, &wanted, &["network"], &mapping.missing, |cells| {
        sites.target(cells)
    })?;
    let Sites {
        mut records,
        rows,
        index,
        ..
    } = sites;
    let mut found = HashSet::new();
    for path in files
        .iter()
        .filter(|path| weather::is_one(&file_name(path)))
    {
        weather::read(path, &columns, mapping, &index, &mut records, &mut found)?;
    }
    if let Some(absent) = columns
        .iter()
        .find(|column| keys.columns.contains_key(&column.driver) && !found.contains(&column.name))
    {
        return Err(mapping.wrong(format!(
            "`carbonfluxbench.columns` has `{}`, which no file of weather has",
            absent.name
        )));
    }
    let steps = |column: &Column| column.driver(1);
    let drivers: Vec<Driver> = std::iter::once(Driver {
        name: QUALITY.into(),
        combine: Combine::Mean,
    })
    .chain(columns.iter().map(steps))
    .collect();
    let is_there: Vec<bool> = std::iter::once(true)
        .chain(columns.iter().map(|column| found.contains(&column.name)))
        .collect();
    for record in &mut records {
        keep(&mut record.samples, &is_there);
        record.drivers = drivers
            .iter()
            .zip(&is_there)
            .filter(|(_, is_there)| **is_there)
            .map(|(driver, _)| driver.clone())
            .collect();
        if let Some(said) = mapping.site(&record.site.id) {
            said.over(&mut record.site);
        }
    }
    imported.warnings.push(
        "the names of the minimal set of features were not seen, and not whether days are repeated in the benchmark's tables: compare \
         the account with what you know of it"
            .into(),
    );
    imported.records = records;
    imported.account = Account { sites: vec![rows] };
    Ok(imported)
}

/// Leaves out the drivers that no file has.
fn keep(samples: &mut [Sample], is_there: &[bool]) {
    for sample in samples {
        let mut at = 0;
        sample.drivers.retain(|_| {
            at += 1;
            is_there[at - 1]
        });
    }
}

/// The table of the fluxes: the second version where both are.
fn targets(mapping: &Mapping, files: &[PathBuf], notes: &mut Vec<String>) -> Result<PathBuf> {
    let find = |stem: &str| {
        let mut found = files
            .iter()
            .filter(|path| path.file_stem().is_some_and(|name| name == stem));
        // A table that was converted goes before the one that cannot be read.
        let all: Vec<&PathBuf> = found.by_ref().collect();
        all.iter()
            .find(|path| table::is_readable(path))
            .or(all.first())
            .map(|path| (*path).clone())
    };
    match (find("target_fluxes_v2"), find("target_fluxes")) {
        (Some(second), first) => {
            if let Some(first) = first {
                notes.push(format!(
                    "{} is read, and not {}, its first version",
                    second.display(),
                    first.display()
                ));
            }
            Ok(second)
        }
        (None, Some(first)) => Ok(first),
        (None, None) => {
            Err(mapping
                .wrong("`files` names no table of fluxes, expected target_fluxes_v2.csv".into()))
        }
    }
}

/// Records that grow row by row.
struct Sites {
    /// Which of [`NEEDED`] is the flux.
    target: usize,
    factor: f64,
    /// Drivers of a sample.
    width: usize,
    source: String,
    index: HashMap<String, usize>,
    records: Vec<Record>,
    seen: HashSet<(usize, Date)>,
    rows: Rows,
}

impl Sites {
    fn target(&mut self, cells: &Cells<'_>) -> Result<()> {
        self.rows.read();
        let (network, id) = without_network(cells.text(1));
        let network = cells.text(5).or(network).unwrap_or_default().to_owned();
        let site = self.site(id, &network, cells)?;
        let date = table::day(cells, 0)?;
        if !self.seen.insert((site, date)) {
            self.rows.drop(REPEATED);
            return Ok(());
        }
        if date < FIRST {
            self.rows.drop(BEFORE);
            return Ok(());
        }
        let mut values = [0.0; 4];
        for (place, value) in values.iter_mut().enumerate() {
            match cells.number(6 + place)? {
                Some(number) => *value = number,
                None => {
                    self.rows.drop(MISSING);
                    return Ok(());
                }
            }
        }
        let mut drivers = vec![f64::NAN; self.width];
        drivers[0] = values[3];
        let flux = Some(values[self.target] * self.factor);
        self.records[site].samples.push(Sample {
            begin: date.at(0, 0, 0, 0),
            flux,
            count: 1,
            drivers,
        });
        Ok(())
    }

    /// The site of a row, new or known; coordinates are rounded as the benchmark does.
    fn site(&mut self, id: &str, network: &str, cells: &Cells<'_>) -> Result<usize> {
        if let Some(site) = self.index.get(id) {
            return Ok(*site);
        }
        let rounded = |degrees: f64| (degrees * 1e3).round() / 1e3;
        let place = Site {
            id: id.to_owned(),
            lat: cells.number(2)?.map(rounded),
            lon: cells.number(3)?.map(rounded),
            name: id.to_owned(),
            igbp: cells.text(4).unwrap_or_default().to_owned(),
            source: match network {
                "" => format!("CarbonFluxBench{}", self.source),
                network => format!("CarbonFluxBench ({network}){}", self.source),
            },
            ..Site::default()
        };
        self.index.insert(id.to_owned(), self.records.len());
        self.records.push(Record {
            site: place,
            ..Record::default()
        });
        Ok(self.records.len() - 1)
    }
}

/// Network and site of `AMF_US-Ha1`; other names have none.
fn without_network(name: Option<&str>) -> (Option<&str>, &str) {
    let name = name.unwrap_or_default();
    match name.split_once('_') {
        Some((network, site)) if network.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            (Some(network), site)
        }
        _ => (None, name),
    }
}
