//! Folders in the layouts that people have, and the days that they must become.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod carbonfluxbench;
mod chambers;
mod cosore;
mod damage;
mod example;
mod folder;
mod guess;
mod hydrodl;
mod mapping;
mod miniature;
mod neuralhydrology;
mod signs;
mod table;
mod target;
mod towers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use efflux_import::{Daily, Mapping, import};

/// A folder of `tests/data`.
fn data(layout: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(layout)
}

/// What a mapping in this folder would become.
fn imported(folder: &Path, mapping: &str) -> Result<Daily, String> {
    let path = folder.join("import.toml");
    let mapping = Mapping::parse(&path, mapping).map_err(|error| error.to_string())?;
    import(&mapping).map_err(|error| error.to_string())
}

/// The same, where it must not become anything.
fn refused(folder: &Path, mapping: &str) -> String {
    imported(folder, mapping)
        .map(|daily| daily.account)
        .unwrap_err()
}

/// The rows of a table, each by the names of its columns.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}
