//! A release as COSORE's own script writes it: tables of all data sets, and one of the measurements of each.

mod files;
mod frame;
mod sensors;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_data::{Calendar, LeftOut};

use self::files::Files;
pub(super) use self::table::Table;
use super::dataset::{DataSet, Parts};
use super::description::{self, Description, Entry};
use super::measured::{self, MeasuredSet};
use super::options::CosoreOptions;
use super::ports::Ports;

const DESCRIPTION: &str = "description.csv";
const PORTS: &str = "ports.csv";
/// The column that says which data set a row is about.
const DATA_SET: &str = "CSR_DATASET";
/// The folder of the measurements, and what stands around a data set's name there.
const DATA: (&str, &str, &str) = ("datasets", "data_", ".csv");

/// The tables of a release.
#[derive(Debug)]
pub(super) struct Tables {
    files: Files,
    descriptions: Table,
    /// Rows of the descriptions, by data set.
    rows: BTreeMap<String, usize>,
    /// Needed only where chambers are selected.
    ports: Option<BTreeMap<String, Ports>>,
}

impl Tables {
    /// The release at a path; `None` if it is none of this layout.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Data`], naming the file, if its tables cannot be read or belong to no data set.
    pub(super) fn find(path: &Path, options: &CosoreOptions) -> Result<Option<Self>> {
        let Some(files) = Files::find(path)? else {
            return Ok(None);
        };
        let table = |name: &str| {
            let path = files.path(name);
            let read = files.read(name, |bytes| Table::read(&path, bytes))?;
            read.ok_or_else(|| Error::file(&path, "is missing, expected a table of the release"))
        };
        let descriptions = table(DESCRIPTION)?;
        let mut rows = BTreeMap::new();
        for row in 0..descriptions.rows.len() {
            let id = descriptions.cell(row, DATA_SET)?;
            if rows.insert(id.to_owned(), row).is_some() {
                let reason = format!("describes `{id}` again, expected each data set once");
                return Err(descriptions.wrong(row, reason));
            }
        }
        let ports = table(PORTS).and_then(|table| Ports::of_table(&table, DATA_SET));
        let ports = if options.selects_ports() {
            Some(ports?)
        } else {
            ports.ok()
        };
        let (folder, before, after) = DATA;
        for name in files.list(folder)? {
            let id = name
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            if let Some(id) = id.filter(|id| !rows.contains_key(*id)) {
                let reason =
                    format!("has no row of `{id}`, whose measurements are in {folder}/{name}");
                return Err(Error::file(files.path(DESCRIPTION), reason));
            }
        }
        Ok(Some(Self {
            files,
            descriptions,
            rows,
            ports,
        }))
    }

    /// The data sets, in order.
    pub(super) fn names(&self) -> Vec<String> {
        self.rows.keys().cloned().collect()
    }

    fn describe(&self, id: &str) -> Result<Description> {
        let (row, path) = (self.rows[id], self.files.path(DESCRIPTION));
        description::describe(id, |key| {
            let found = self.descriptions.find(row, key);
            let value = found.map(str::trim).filter(|value| *value != "NA");
            Entry {
                path: &path,
                key,
                line: found.map(|_| self.descriptions.rows[row].0),
                value: value.unwrap_or(""),
            }
        })
    }

    /// Reads the rows of a data set with its sensors; or why there is nothing to be read.
    pub(super) fn measured(
        &self,
        id: &str,
        options: &CosoreOptions,
    ) -> Result<std::result::Result<MeasuredSet, LeftOut>> {
        let (folder, before, after) = DATA;
        let name = format!("{folder}/{before}{id}{after}");
        let description = self.describe(id)?;
        if !self.files.has(&name) {
            return Ok(Err(LeftOut::NoData));
        }
        if description.is_embargoed && !options.embargoed {
            return Ok(Err(LeftOut::Embargoed));
        }
        let data = self.files.path(&name);
        let selects = options.selects_ports();
        let frame = self.files.read(&name, |bytes| {
            frame::read(&data, bytes, &description.time_zone, selects)
        })?;
        let sensors = self
            .files
            .read(&name, |bytes| sensors::read(&data, bytes))?;
        let (Some(frame), Some(sensors)) = (frame, sensors) else {
            return Ok(Err(LeftOut::NoData));
        };
        let none = Ports::default();
        let ports = self.ports.as_ref().map(|all| all.get(id).unwrap_or(&none));
        let set = measured::of(description.site, &frame, sensors, ports, options);
        set.map(Ok)
            .map_err(|reason| Error::file(self.files.path(PORTS), reason))
    }

    /// Reads a data set; or why there is nothing to be read.
    pub(super) fn read(
        &self,
        id: &str,
        calendar: Calendar,
        options: &CosoreOptions,
    ) -> Result<std::result::Result<DataSet, LeftOut>> {
        let (folder, before, after) = DATA;
        let name = format!("{folder}/{before}{id}{after}");
        if !self.files.has(&name) {
            return Ok(Err(LeftOut::NoData));
        }
        let description = self.describe(id)?;
        if description.is_embargoed && !options.embargoed {
            return Ok(Err(LeftOut::Embargoed));
        }
        let data = self.files.path(&name);
        let read = self.files.read(&name, |bytes| {
            frame::read(
                &data,
                bytes,
                &description.time_zone,
                options.selects_ports(),
            )
        })?;
        let Some(frame) = read else {
            return Ok(Err(LeftOut::NoData));
        };
        let ports = self.ports.as_ref();
        let parts = Parts {
            site: description.site,
            frame,
            data,
            ports: ports.map(|all| all.get(id).cloned().unwrap_or_default()),
            ports_path: self.files.path(PORTS),
        };
        DataSet::of(parts, calendar, options).map(Ok)
    }
}
