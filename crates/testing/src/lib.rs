//! What the tests of several packages share. Nothing of efflux itself, so that any package can test with it.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "helpers of tests are tests"
)]

pub mod rds;
pub mod release;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The root of the repository, where `tests/data`, `configs` and `jobs` are.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// For a test that cannot run here: tells `make test`, which lists them.
pub fn left_out(test: &str, reason: &str) {
    eprintln!("left out: {reason}");
    if let Some(list) = std::env::var_os("EFFLUX_SKIPPED") {
        let mut list = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(list)
            .unwrap();
        std::io::Write::write_all(&mut list, format!("{test}: {reason}\n").as_bytes()).unwrap();
    }
}

/// The browser that a test needs, or none with the reason told; where one is required, its absence is a failure.
pub fn chromium(test: &str) -> Option<PathBuf> {
    let directories = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&directories)
        .flat_map(|directory| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| directory.join(name))
        })
        .find(|path| path.is_file());
    if found.is_none() {
        let required = std::env::var_os("EFFLUX_REQUIRE_BROWSER").is_some_and(|value| value == "1");
        assert!(
            !required,
            "EFFLUX_REQUIRE_BROWSER=1, and no chromium is on the PATH"
        );
        left_out(test, "no chromium on the PATH");
    }
    found
}

/// The device that the tests are to train on besides a processor, as `EFFLUX_TEST_DEVICE` names it: `cuda`, or `cpu` to
/// try those tests themselves. docs/setup.md says how.
pub fn other_device() -> Option<String> {
    let named = std::env::var("EFFLUX_TEST_DEVICE").ok()?;
    assert!(
        ["cuda", "cpu"].contains(&&*named),
        "EFFLUX_TEST_DEVICE is {named}, expected cuda or cpu"
    );
    Some(named)
}

/// The rows of a table, each by column.
pub fn rows(report: &Path, table: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(report.join("tables").join(table)).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// The first row with these values in these columns.
pub fn row<'a>(
    rows: &'a [HashMap<String, String>],
    with: &[(&str, &str)],
) -> &'a HashMap<String, String> {
    let fits =
        |row: &&HashMap<String, String>| with.iter().all(|(column, value)| row[*column] == *value);
    rows.iter()
        .find(fits)
        .unwrap_or_else(|| panic!("no row with {with:?}"))
}

/// Every file below a directory with what it holds.
pub fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// The golden files of this project. A directory with none of them is a mistake.
const KNOWN: [&str; 9] = [
    "metrics.json",
    "spikes_extremes.json",
    "characteristics.json",
    "splits_windows.json",
    "preprocess.json",
    "lstm_parity.json",
    "search_rules.json",
    "places.json",
    "site_model.json",
];

/// A golden file: of `tests/data/reference`, or of the directory that `EFFLUX_REFERENCE_DIR` names, which may hold other
/// cases by the same rules; none if the directory that the user gave leaves it out, which is said.
pub fn golden(file: &str) -> Option<Value> {
    let given = std::env::var_os("EFFLUX_REFERENCE_DIR").map(PathBuf::from);
    let own = repository().join("tests/data/reference");
    let directory = given.as_ref().unwrap_or(&own);
    assert!(
        KNOWN.iter().any(|known| directory.join(known).is_file()),
        "EFFLUX_REFERENCE_DIR: {} holds none of {KNOWN:?}",
        directory.display()
    );
    let path = directory.join(file);
    if given.is_some() && !path.is_file() {
        left_out(file, "not in EFFLUX_REFERENCE_DIR");
        return None;
    }
    let text = std::fs::read_to_string(&path).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// A series with null for missing as one with NaN.
pub fn series(values: &Value) -> Vec<f64> {
    let values = values.as_array().unwrap().iter();
    values
        .map(|value| value.as_f64().unwrap_or(f64::NAN))
        .collect()
}

/// A place in a list, or a count.
pub fn index(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}
