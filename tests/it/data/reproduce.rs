//! The way of docs/reproduce.md, on a small release.

use std::fs;

use efflux_data::Pack;
use efflux_testing::release::example;
use efflux_testing::repository;

use crate::harness::Study;

#[test]
fn a_release_comes_to_a_plan_of_the_papers_job_by_the_documented_commands() {
    let study = Study {
        directory: example(),
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
