//! The golden numbers: `tests/data/reference`, or the directory that `EFFLUX_REFERENCE_DIR` names, which may hold other
//! cases by the same rules. `make test-reference` runs these tests alone.

mod analysis;
mod lstm;
mod native;
mod preprocess;
mod splits;
mod statistics;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::left_out;

/// The golden files of this project. A directory with none of them is a mistake.
const KNOWN: [&str; 6] = [
    "metrics.json",
    "spikes_extremes.json",
    "characteristics.json",
    "splits_windows.json",
    "preprocess.json",
    "lstm_parity.json",
];

/// A golden file; none if the directory that the user gave leaves it out, which is said.
fn golden(file: &str) -> Option<Value> {
    let given = std::env::var_os("EFFLUX_REFERENCE_DIR").map(PathBuf::from);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference");
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
fn series(values: &Value) -> Vec<f64> {
    let values = values.as_array().unwrap().iter();
    values
        .map(|value| value.as_f64().unwrap_or(f64::NAN))
        .collect()
}
