//! The way of docs/reproduce.md, on a small release.

use std::fs;

use efflux_data::Pack;
use efflux_testing::release::{Column, data_frame, data_set, times};
use efflux_testing::repository;

use crate::harness::Study;

/// A release of two sites with three hundred days each.
fn release() -> tempfile::TempDir {
    let release = tempfile::tempdir().unwrap();
    let noon = times(&["2010-03-01T12:00:00Z"])[0];
    for (id, level) in [("WET", 1.0), ("OAK", 3.0)] {
        let days = (0..300).map(f64::from);
        let (begin, flux) = days
            .map(|day| (noon + 86_400.0 * day, level + 0.01 * day))
            .unzip();
        let data = data_frame(&[
            ("CSR_PORT", Column::Integer(vec![1; 300])),
            ("CSR_TIMESTAMP_BEGIN", Column::Times(begin, "UTC")),
            ("CSR_FLUX_CO2", Column::Real(flux)),
        ]);
        let ports = "CSR_PORT,CSR_MSMT_VAR,CSR_TREATMENT\n0,Rs,None\n";
        data_set(release.path(), id, "Wetland", ports, Some(&data));
    }
    release
}

#[test]
fn a_release_comes_to_a_plan_of_the_papers_job_by_the_documented_commands() {
    let study = Study {
        directory: release(),
    };
    study.run(&["pack", "--cosore", ".", "-o", "sites.h5"]).ok();
    let shown = study.run(&["inspect", "sites.h5", "--sites-csv", "sites.csv", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.ok().stdout).unwrap();
    assert_eq!(shown["sites"], 2);
    let made = study
        .run(&["synth", "--predictors-for", "sites.h5", "-o", "tables"])
        .ok();
    assert!(
        made.stdout.contains("synthetic predictors for 2 sites"),
        "{}",
        made.stdout
    );
    let again = ["synth", "--predictors-for", "sites.h5", "-o", "tables"];
    study
        .run(&again)
        .refused(4, &["tables", "a folder without tables"]);

    let pack = [
        "pack",
        "--cosore",
        ".",
        "--predictors",
        "tables",
        "-o",
        "a.h5",
    ];
    let told = study.run(&pack).ok().stderr;
    assert!(told.contains("era5_land.csv is synthetic"), "{told}");
    for job in ["paper", "paper-grid"] {
        let job = repository().join(format!("jobs/{job}.toml"));
        let plan = ["plan", job.to_str().unwrap(), "--pack", "a.h5"];
        study.run(&plan).refused(2, &["`elevation`"]);
    }

    let table = fs::read_to_string(study.path("sites.csv")).unwrap();
    let unknown = "42.5,-72.2,,";
    assert_eq!(table.matches(unknown).count(), 2, "{table}");
    study.write("sites.csv", table.replace(unknown, "42.5,-72.2,340,"));
    study
        .run(&[&pack[..], &["--elevations", "sites.csv"]].concat())
        .ok();
    let packed = Pack::read(&study.path("a.h5")).unwrap();
    assert!(
        packed
            .sites
            .iter()
            .all(|site| site.elevation == Some(340.0))
    );
    for job in ["paper", "paper-grid"] {
        let job = repository().join(format!("jobs/{job}.toml"));
        let planned = study
            .run(&["plan", job.to_str().unwrap(), "--pack", "a.h5"])
            .ok();
        assert!(
            planned.stdout.contains("lst_day_k, air_temp_min_k"),
            "{}",
            planned.stdout
        );
    }
}
