//! Evaluation and report of a run that has been swept, again and each alone.

use std::fs;

use efflux_testing::{files, rows};

use crate::harness::Study;

#[test]
fn evaluate_and_report_redo_their_parts_to_the_byte() {
    let study = Study::new();
    study.sweep("run", "2").ok();
    let run = study.path("run");
    let state = || [files(&run.join("report")), files(&run.join("ensemble"))];
    let before = state();
    fs::remove_dir_all(run.join("report/tables")).unwrap();
    fs::remove_dir_all(run.join("ensemble")).unwrap();
    study.run(&["evaluate", "run"]).ok();
    assert!(
        state() == before,
        "evaluate made other files than the sweep"
    );
    fs::remove_file(run.join("report/index.html")).unwrap();
    fs::remove_dir_all(run.join("report/figures")).unwrap();
    study.run(&["report", "run"]).ok();
    assert!(state() == before, "report made other files than the sweep");

    // The synthetic sites have a climate, a water balance and surface temperatures.
    for figure in ["climate", "budyko", "map", "q10"] {
        let path = run.join("report/figures").join(figure);
        assert!(path.with_extension("svg").is_file(), "no figure {figure}");
    }
    let groups = rows(&run.join("report"), "groups.csv");
    assert!(groups.iter().any(|row| row["by"] == "water"));
    let baselines = rows(&run.join("report"), "baselines.csv");
    assert!(baselines.iter().any(|row| row["temperature"] == "lst_day"));
}

#[test]
fn a_temperature_that_the_pack_does_not_have_is_refused_by_name() {
    let study = Study::new();
    study.sweep("run", "2").ok();
    let kept = fs::read_dir(study.path("run/jobs"))
        .unwrap()
        .next()
        .unwrap();
    let kept = kept.unwrap().path();
    let job = fs::read_to_string(&kept).unwrap() + "\n[analysis]\ntemperature = \"soil_temp\"\n";
    fs::write(&kept, job).unwrap();
    let refused = study.run(&["report", "run"]);
    refused.refused(2, &["`analysis.temperature` has `soil_temp`"]);
}
