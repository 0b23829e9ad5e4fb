//! Folders of hydroDL and of its relatives for rivers: daily values of places by variable.
//!
//! # Source
//!
//! mhpi/hydroDL, `hydroDL/data/dbCsv.py`, `load_csv.py`; fkwai/geolearn, `hydroDL/data/dbBasin/io.py`; WeiZhiWater,
//! *NatureWater-US-river-DO-dataset*.

mod case;
mod dbcsv;
mod npy;
mod wide;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use efflux_ingest::Missing;
use jiff::civil::Date;
use serde::Deserialize;

use crate::account::Rows;
use crate::column::{Column, ColumnKeys};
use crate::mapping::Mapping;
use crate::record::{Imported, Record, Sample, Site};

/// `[hydrodl]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HydroDlKeys {
    kind: Kind,
    /// Where the files are, relative to the mapping.
    folder: String,
    /// Of `dbcsv`: the name of a file in `Subset`.
    subset: Option<String>,
    /// Of the target, which no file tells.
    unit: String,
    /// Daily variables, each with the variable that it is made of.
    #[serde(default)]
    columns: ColumnKeys,
}

/// The three ways of laying out the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// hydroDL: a folder a year, a file a variable, a row a place, a column a day.
    DbCsv,
    /// geolearn: `data.npz` and `info.json`.
    Case,
    /// A file a variable, a row a day, a column a place.
    Wide,
}

/// Daily values of one place, by variable; NaN is missing.
type Series = BTreeMap<Date, Vec<f64>>;

/// A place with its values.
struct Place {
    site: Site,
    days: Series,
}

/// What is read: the target, then the variables of the mapping.
struct Wanted {
    folder: PathBuf,
    names: Vec<String>,
}

const NO_VALUE: &str = "no value";

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let Some(keys) = &mapping.hydrodl else {
        return Err(mapping.wrong(
            "has no section `hydrodl`, expected `kind` (\"dbcsv\", \"case\" or \"wide\"), `folder`, `unit` of the target and \
             `[hydrodl.columns]`"
                .into(),
        ));
    };
    let Some(target) = &mapping.target.column else {
        return Err(mapping.wrong(
            "has no `target`, expected the variable that is the flux: no file tells it".into(),
        ));
    };
    let factor = mapping
        .target
        .factor(&keys.unit)
        .map_err(|reason| mapping.wrong(format!("`hydrodl.unit`: {reason}")))?;
    let columns = Column::all(&keys.columns);
    let mut columns =
        columns.map_err(|reason| mapping.wrong(format!("`hydrodl.columns`: {reason}")))?;
    columns.retain(|column| mapping.wants(&column.driver));
    let names =
        std::iter::once(target.clone()).chain(columns.iter().map(|column| column.name.clone()));
    let wanted = Wanted {
        folder: mapping
            .path
            .parent()
            .unwrap_or(Path::new(""))
            .join(&keys.folder),
        names: names.collect(),
    };
    if keys.subset.is_some() && keys.kind != Kind::DbCsv {
        return Err(mapping.wrong("has `hydrodl.subset`, which only kind = \"dbcsv\" has".into()));
    }
    let mut imported = Imported::default();
    let places = match keys.kind {
        Kind::DbCsv => dbcsv::read(&wanted, keys.subset.as_deref(), mapping)?,
        Kind::Case => case::read(&wanted)?,
        Kind::Wide => {
            imported.warnings.push(
                "the temporal files of the river data set were not seen, and are taken to have a row a day and a column a site: look \
                 whether days and sites are as you know them"
                    .into(),
            );
            wide::read(&wanted, mapping)?
        }
    };
    for mut place in places {
        if let Some(said) = mapping.site(&place.site.id) {
            said.over(&mut place.site);
        }
        sound(&place, &wanted, mapping)?;
        let mut rows = Rows::new(&place.site.id, &[NO_VALUE]);
        let mut samples = Vec::new();
        for (date, values) in &place.days {
            rows.read();
            if values[0].is_nan() {
                rows.drop(NO_VALUE);
            }
            let drivers = columns
                .iter()
                .zip(&values[1..])
                .map(|(column, value)| column.conversion.of(*value));
            samples.push(Sample {
                begin: date.at(0, 0, 0, 0),
                flux: (!values[0].is_nan()).then(|| values[0] * factor),
                count: 1,
                drivers: drivers.collect(),
            });
        }
        let drivers = columns.iter().map(|column| column.driver(1)).collect();
        imported.account.sites.push(rows);
        imported.records.push(Record {
            site: place.site,
            drivers,
            samples,
        });
    }
    Ok(imported)
}

/// # Errors
///
/// A number that looks like a fill value and was not named.
fn sound(place: &Place, wanted: &Wanted, mapping: &Mapping) -> Result<()> {
    for (at, name) in wanted.names.iter().enumerate() {
        let numbers = place
            .days
            .values()
            .map(|values| values[at])
            .filter(|value| !value.is_nan());
        if let Some(sentinel) = Missing::new(&[], &mapping.measured)
            .sentinels(&numbers.collect::<Vec<_>>())
            .first()
        {
            let value = sentinel.value;
            let reason = format!(
                "`{name}` of {} has {value} {} times, which looks like a fill value (write `missing = [\"{value}\"]` at the top of the \
                 mapping if it is one, or `measured = [{value}]` if it was measured)",
                place.site.id, sentinel.count
            );
            return Err(Error::file(&wanted.folder, reason));
        }
    }
    Ok(())
}
