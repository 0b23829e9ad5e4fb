//! What Python users read of a run.

use std::process::Command;

use efflux::data::Pack;

use super::{row, rows};
use crate::harness::{Study, left_out};

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/report/predictions.py"
);

#[test]
fn xarray_opens_the_predictions_by_name_and_finds_the_median_of_the_table() {
    if !has_xarray() {
        return;
    }
    let study = Study::new();
    study.sweep("run", "2").ok();
    let run = study.path("run");
    let output = Command::new("python3")
        .arg(SCRIPT)
        .arg(run.join("ensemble/predictions.nc"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();

    let pack = Pack::read(&study.path("small.h5")).unwrap();
    let sites: Vec<&str> = pack.sites.iter().map(|site| site.id.as_str()).collect();
    assert_eq!(
        said["dimensions"],
        serde_json::json!(["member", "site", "time"])
    );
    assert_eq!(said["sites"], serde_json::json!(sites));
    assert_eq!(said["seeds"], serde_json::json!([0, 1]));
    assert_eq!(said["units"], "umol m-2 s-1");
    assert_eq!(said["first_day"], pack.calendar.start.to_string());
    assert_eq!(said["days"], pack.calendar.days);

    let summary = rows(&run.join("report"), "summary.csv");
    let with = [
        ("series", "ensemble-mean"),
        ("part", "test"),
        ("score", "nse"),
    ];
    let expected: f64 = row(&summary, &with)["median"].parse().unwrap();
    let found = said["median_nse"].as_f64().unwrap();
    // The program rounds the mean of the members to 32 bits, and the table its numbers.
    assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
}

/// Whether Python has what the script imports; says so where it has not.
fn has_xarray() -> bool {
    let import = Command::new("python3")
        .args(["-c", "import h5netcdf, xarray"])
        .output();
    let found = import.is_ok_and(|output| output.status.success());
    if !found {
        let required = std::env::var_os("EFFLUX_REQUIRE_PYTHON").is_some_and(|value| value == "1");
        assert!(
            !required,
            "EFFLUX_REQUIRE_PYTHON=1, and python3 cannot import xarray and h5netcdf"
        );
        left_out(
            "the predictions in xarray",
            "python3 cannot import xarray and h5netcdf",
        );
    }
    found
}
