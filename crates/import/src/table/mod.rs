//! Any delimited text whose columns a mapping tells: flux, drivers and time under names of their own.

mod columns;
mod keys;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use efflux_base::error::Result;

pub(crate) use self::keys::{TableKeys, WeatherKeys};

use self::columns::Columns;
use crate::account::Rows;
use crate::cells::Cells;
use crate::mapping::{Mapping, SiteKeys};
use crate::record::{Driver, Imported, Record, Sample, Site};
use crate::stamp::Clock;

/// Rules that a value of the flux can be dropped by, in their order.
const RULES: [&str; 3] = ["time that does not exist", "no flux", "quality"];

/// Reads the tables of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let Some(table) = &mapping.table else {
        return Err(mapping.wrong(
            "has no section `table`, expected one that tells the columns (`efflux import --guess FILE` writes a beginning)".into(),
        ));
    };
    if mapping.sites.is_empty() {
        return Err(
            mapping.wrong("has no [[sites]], expected each site with `id`, `lat` and `lon`".into())
        );
    }
    if table.flux.is_none() {
        return Err(mapping.wrong("has no `table.flux`, expected its `columns` and `unit`".into()));
    }
    if let Some(weather) = mapping
        .weather
        .iter()
        .find(|weather| weather.table.flux.is_some())
    {
        let files = weather.files.join(", ");
        return Err(mapping.wrong(format!(
            "`weather` of {files} has a flux, expected drivers alone (fluxes belong to `table`)"
        )));
    }
    let mut reader = Reader::new(mapping)?;
    for (file, site) in files(mapping, table)? {
        reader.read(&file, site, table)?;
    }
    for weather in &mapping.weather {
        for file in mapping.found(&weather.files)? {
            reader.read_weather(&file, weather)?;
        }
    }
    reader.finish()
}

/// The files of the fluxes, each with its site, if cells do not tell it.
fn files<'a>(
    mapping: &'a Mapping,
    table: &TableKeys,
) -> Result<Vec<(PathBuf, Option<&'a SiteKeys>)>> {
    let mut files = Vec::new();
    for site in &mapping.sites {
        if !site.files.is_empty() {
            let own = mapping.found(&site.files)?;
            files.extend(own.into_iter().map(|file| (file, Some(site))));
        }
    }
    if !mapping.files.is_empty() {
        let site = match (&table.site, &mapping.sites[..]) {
            (Some(_), _) => None,
            (None, [site]) => Some(site),
            (None, _) => {
                return Err(mapping.wrong(
                    "does not tell which site its files belong to: give each of [[sites]] its `files`, or let `table.site` name the \
                     column that tells it"
                        .into(),
                ));
            }
        };
        let common = mapping.all_files()?;
        files.extend(common.into_iter().map(|file| (file, site)));
    }
    if files.is_empty() {
        return Err(mapping
            .wrong("has no `files`, expected them at its top or with each of [[sites]]".into()));
    }
    Ok(files)
}

/// Records that grow file by file.
struct Reader<'a> {
    mapping: &'a Mapping,
    drivers: Vec<Driver>,
    records: Vec<Record>,
    account: Vec<Rows>,
    imported: Imported,
}

impl<'a> Reader<'a> {
    fn new(mapping: &'a Mapping) -> Result<Self> {
        let mut drivers: Vec<Driver> = Vec::new();
        let tables = mapping
            .table
            .iter()
            .chain(mapping.weather.iter().map(|w| &w.table));
        for keys in tables.flat_map(|table| &table.drivers) {
            let combine = columns::combine(keys).map_err(|reason| mapping.wrong(reason))?;
            match drivers.iter().find(|driver| driver.name == keys.name) {
                Some(driver) if driver.combine == combine => {}
                Some(_) => {
                    return Err(mapping.wrong(format!(
                        "`{}` has another `day` or `values_a_day` in one table than in another, expected the same",
                        keys.name
                    )));
                }
                None => drivers.push(Driver {
                    name: keys.name.clone(),
                    combine,
                }),
            }
        }
        let record = |keys: &SiteKeys| {
            let mut site = Site::default();
            keys.over(&mut site);
            Record {
                site,
                drivers: drivers.clone(),
                samples: Vec::new(),
            }
        };
        Ok(Self {
            mapping,
            records: mapping.sites.iter().map(record).collect(),
            account: mapping
                .sites
                .iter()
                .map(|site| Rows::new(&site.id, &RULES))
                .collect(),
            drivers,
            imported: Imported::default(),
        })
    }

    fn read(&mut self, file: &Path, site: Option<&SiteKeys>, table: &TableKeys) -> Result<()> {
        let (mut cells, columns) = self.open(file, table)?;
        let mut clocks = Clocks::new(self.mapping, table);
        let mut seen = columns.seen();
        while let Some(row) = cells.next()? {
            let site = match site {
                Some(site) => self.position(site),
                None => columns.site(&row, self.mapping)?,
            };
            let begin = columns.begin(&row, clocks.at(site, columns.chamber(&row))?)?;
            let drivers = columns.drivers(&row, &mut seen, self.drivers.len())?;
            let account = &mut self.account[site];
            let mut sample = begin.map(|begin| Sample {
                begin,
                flux: None,
                count: 1,
                drivers,
            });
            for index in 0..columns.fluxes() {
                account.read();
                let flux = columns.flux(&row, index)?;
                let Some(sample) = &mut sample else {
                    account.drop(RULES[0]);
                    continue;
                };
                match flux {
                    None => account.drop(RULES[1]),
                    Some(_) if !columns.is_good(&row)? => account.drop(RULES[2]),
                    Some(flux) => {
                        sample.flux = Some(columns.kept(&row, index, flux, &mut seen));
                        self.records[site].samples.push(sample.clone());
                        // The row's drivers count once, however many chambers it has.
                        sample.drivers.fill(f64::NAN);
                        sample.flux = None;
                    }
                }
            }
            let rest = sample.filter(|sample| sample.drivers.iter().any(|value| !value.is_nan()));
            self.records[site].samples.extend(rest);
        }
        seen.check(file, &self.mapping.measured)
    }

    fn read_weather(&mut self, file: &Path, weather: &WeatherKeys) -> Result<()> {
        let sites = match &weather.sites {
            None => (0..self.records.len()).collect(),
            Some(ids) => {
                let find = |id: &String| {
                    let found = self.mapping.sites.iter().position(|site| site.id == *id);
                    found.ok_or_else(|| {
                        self.mapping.wrong(format!(
                            "`weather.sites` has `{id}`, which is none of [[sites]]"
                        ))
                    })
                };
                ids.iter().map(find).collect::<Result<Vec<usize>>>()?
            }
        };
        let (mut cells, columns) = self.open(file, &weather.table)?;
        let mut clocks = Clocks::new(self.mapping, &weather.table);
        let mut seen = columns.seen();
        while let Some(row) = cells.next()? {
            let own;
            let sites = if weather.table.site.is_some() {
                own = [columns.site(&row, self.mapping)?];
                &own[..]
            } else {
                &sites[..]
            };
            let drivers = columns.drivers(&row, &mut seen, self.drivers.len())?;
            for &site in sites {
                if let Some(begin) = columns.begin(&row, clocks.at(site, columns.chamber(&row))?)? {
                    self.records[site].samples.push(Sample {
                        begin,
                        flux: None,
                        count: 1,
                        drivers: drivers.clone(),
                    });
                }
            }
        }
        seen.check(file, &self.mapping.measured)
    }

    fn open(&self, file: &Path, table: &TableKeys) -> Result<(Cells, Columns)> {
        let dialect = table.dialect(&self.mapping.missing);
        let cells = Cells::open(file, &dialect.map_err(|reason| self.mapping.wrong(reason))?)?;
        let columns = Columns::find(table, cells.head(), self.mapping, &self.drivers)?;
        Ok((cells, columns))
    }

    fn position(&self, site: &SiteKeys) -> usize {
        let found = self
            .mapping
            .sites
            .iter()
            .position(|other| other.id == site.id);
        found.unwrap_or(0)
    }

    fn finish(mut self) -> Result<Imported> {
        self.imported.records = self.records;
        self.imported.account.sites = self.account;
        Ok(self.imported)
    }
}

/// A clock for each site and chamber, because clocks remember the row before.
struct Clocks<'a> {
    mapping: &'a Mapping,
    table: &'a TableKeys,
    clocks: BTreeMap<(usize, String), Clock>,
}

impl<'a> Clocks<'a> {
    fn new(mapping: &'a Mapping, table: &'a TableKeys) -> Self {
        Self {
            mapping,
            table,
            clocks: BTreeMap::new(),
        }
    }

    fn at(&mut self, site: usize, chamber: &str) -> Result<&mut Clock> {
        match self.clocks.entry((site, chamber.to_owned())) {
            Entry::Occupied(clock) => Ok(clock.into_mut()),
            Entry::Vacant(place) => {
                let clock = self.table.time.clock(self.mapping.sites.get(site));
                let wrong = |reason| self.mapping.wrong(format!("`time`: {reason}"));
                Ok(place.insert(clock.map_err(wrong)?))
            }
        }
    }
}
