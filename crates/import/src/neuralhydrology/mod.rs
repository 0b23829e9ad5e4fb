//! Data sets of NeuralHydrology's class `GenericDataset`: a netCDF file a basin, tables of attributes, and the configuration of
//! an experiment, which says what is predicted of what.
//!
//! # Source
//!
//! neuralhydrology/neuralhydrology, `datasetzoo/genericdataset.py`, `datasetzoo/basedataset.py`, `datautils/utils.py`.

mod attributes;
mod config;
mod series;

use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use serde::Deserialize;

use self::attributes::Attributes;
use self::config::Config;
use self::series::Series;
use crate::account::Rows;
use crate::column::ColumnKeys;
use crate::mapping::Mapping;
use crate::record::{Imported, Record, Site};

/// `[neuralhydrology]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NeuralHydrologyKeys {
    /// Of the target, where its variable does not tell it.
    unit: Option<String>,
    /// Daily variables, each with the variable that it is made of; the dynamic inputs if not said.
    #[serde(default)]
    columns: ColumnKeys,
}

const NO_VALUE: &str = "no value";

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let keys = mapping.neuralhydrology.clone().unwrap_or_default();
    let files = mapping.all_files()?;
    let [path] = &files[..] else {
        return Err(mapping.wrong(format!(
            "`files` names {} files, expected one: the configuration (.yml) of an experiment",
            files.len()
        )));
    };
    let config = Config::read(path)?;
    let target = match &mapping.target.column {
        Some(target) => target.clone(),
        None => config.target()?,
    };
    let folder = config.data_folder()?;
    let attributes = Attributes::read(&folder.join("attributes"))?;
    let mut imported = Imported::default();
    for basin in config.basins()? {
        let file = file_of(&folder, &basin)?;
        let series = Series::read(&file, &target, &config.inputs(), &keys, mapping)?;
        let mut site = Site {
            id: basin.clone(),
            ..Site::default()
        };
        attributes.tell(&basin, &mut site)?;
        if let Some(said) = mapping.site(&basin) {
            said.over(&mut site);
        }
        let named: Vec<String> = mapping
            .missing
            .iter()
            .map(|word| format!("sentinel {word}"))
            .collect();
        let rules: Vec<&str> = std::iter::once(NO_VALUE)
            .chain(named.iter().map(String::as_str))
            .collect();
        let mut rows = Rows::new(&basin, &rules);
        let samples = series.samples(&mut rows);
        imported.notes.extend(series.notes);
        imported.records.push(Record {
            site,
            drivers: series.drivers,
            samples,
        });
        imported.account.sites.push(rows);
    }
    imported.notes.dedup();
    Ok(imported)
}

/// The one file of a basin.
fn file_of(folder: &Path, basin: &str) -> Result<PathBuf> {
    let series = folder.join("time_series");
    let [classic, other] = ["nc", "nc4"].map(|ending| series.join(format!("{basin}.{ending}")));
    match (classic.exists(), other.exists()) {
        (true, false) => Ok(classic),
        (false, true) => Ok(other),
        (true, true) => Err(Error::file(
            &series,
            format!("has both {basin}.nc and {basin}.nc4, expected one (remove one)"),
        )),
        (false, false) => {
            let reason =
                format!("has neither {basin}.nc nor {basin}.nc4, which a list of basins names");
            Err(Error::file(&series, reason))
        }
    }
}
