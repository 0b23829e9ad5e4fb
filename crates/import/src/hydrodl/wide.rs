//! A table a variable, `temporal_<variable>_….csv`, with a row a day and a column a site, and one of attributes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use jiff::civil::Date;

use super::{Place, Series, Wanted};
use crate::cells::{Cells, Dialect};
use crate::mapping::Mapping;
use crate::place;
use crate::record::Site;

pub(super) fn read(wanted: &Wanted, mapping: &Mapping) -> Result<Vec<Place>> {
    let mut places: BTreeMap<String, Series> = BTreeMap::new();
    let width = wanted.names.len();
    for (at, name) in wanted.names.iter().enumerate() {
        let path = file_of(&wanted.folder, &format!("temporal_{name}"))?;
        let mut cells = Cells::open(&path, &Dialect::with_missing(&["-9999"], &mapping.missing))?;
        let names = cells.head().names.clone();
        while let Some(row) = cells.next()? {
            let date: Date = row
                .cell(0)
                .parse()
                .map_err(|_| row.wrong(0, "a day such as 2012-01-15, in the first column"))?;
            for (column, site) in names.iter().enumerate().skip(1) {
                let days = places.entry(site.clone()).or_default();
                days.entry(date).or_insert_with(|| vec![f64::NAN; width])[at] =
                    row.number(column)?.unwrap_or(f64::NAN);
            }
        }
    }
    let mut sites: BTreeMap<String, Site> = BTreeMap::new();
    if let Ok(path) = file_of(&wanted.folder, "basin_attributes") {
        let mut cells = Cells::open(&path, &Dialect::default())?;
        let id = cells.head().require("siteID")?;
        let names = cells.head().names.clone();
        while let Some(row) = cells.next()? {
            let site = sites.entry(row.cell(id).to_owned()).or_default();
            for (column, name) in names
                .iter()
                .enumerate()
                .filter(|(column, _)| !row.is_missing(*column))
            {
                place::tell(site, name, row.cell(column))
                    .map_err(|reason| row.wrong(column, &reason))?;
            }
        }
    }
    let place = |(id, days): (String, Series)| {
        let site = sites.remove(&id).unwrap_or_default();
        Place {
            site: Site { id, ..site },
            days,
        }
    };
    Ok(places.into_iter().map(place).collect())
}

/// The one file whose name begins so, up to a `_` or its ending.
fn file_of(folder: &Path, begin: &str) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("look into", folder))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("look into", folder))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name
            .strip_prefix(begin)
            .is_some_and(|rest| rest.starts_with(['_', '.']))
            && name.ends_with(".csv")
        {
            found.push(path);
        }
    }
    found.sort();
    match <[PathBuf; 1]>::try_from(found) {
        Ok([path]) => Ok(path),
        Err(found) => Err(Error::file(
            folder,
            format!("has {} files {begin}_….csv, expected one", found.len()),
        )),
    }
}
