//! Sweeps over folds of sites: every site is judged by models that have not seen it, however the sweep is run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use efflux_testing::{row, rows};
use rustix::process::Signal;

use crate::harness::{
    JOB, Running, Study, assert_each_trial_ran_once, await_until, finished, of_epochs, trainers_of,
};

/// Two configurations of different depth, in two folds.
fn job(epochs: u32) -> String {
    let job = of_epochs(epochs).replace(
        "hidden_size = [8, 12]",
        "hidden_size = [8]\nlayers = [1, 2]",
    );
    format!("{job}\n[split]\nkind = \"both\"\nfolds = 2\n")
}

#[test]
fn folds_give_the_same_after_a_kill_and_every_site_is_judged_by_who_has_not_seen_it() {
    let study = Study::with(&job(12));
    let plan = || {
        study
            .run(&["plan", "job.toml", "--run-dir", "whole"])
            .ok()
            .stdout
    };
    let planned = plan();
    for line in [
        "2 configurations × 2 folds × 2 seeds = 8 trials: 0 done, 8 new",
        "2 members × 2 folds = 4 trials: 0 done, 4 new",
    ] {
        assert!(planned.contains(line), "{line}: {planned}");
    }
    // What libtorch takes on processors has no estimate.
    study.write("native.toml", job(12).replace("backend = \"torch\"", ""));
    let native = study.run(&["plan", "native.toml"]).ok().stdout;
    assert!(native.contains(", members in folds "), "{native}");
    study.sweep("whole", "2").ok();
    let planned = plan();
    for line in ["8 trials: 8 done, 0 new", "4 trials: 4 done, 0 new"] {
        assert!(planned.contains(line), "{line}: {planned}");
    }
    // Two configurations × two seeds × two folds, and two members on all sites and in each fold.
    assert_eq!(study.records("whole").len(), 8 + 2 * 3);

    let mut sweep = study.start_sweep("killed", "1");
    await_until("three trials finished", || finished(&study, "killed") >= 3);
    Running::signal(sweep.id(), Signal::KILL);
    sweep.wait();
    await_until("the trainers died with their supervisor", || {
        trainers_of(sweep.id()).is_empty()
    });
    study.sweep("killed", "2").ok();
    assert_eq!(study.findings("whole"), study.findings("killed"));
    assert_each_trial_ran_once(&study, "killed", 14);
    let table =
        |run: &str| fs::read(study.path(run).join("report/tables/unseen_sites.csv")).unwrap();
    assert_eq!(table("whole"), table("killed"));
    assert!(study.path("whole/ensemble/unseen.nc").is_file());

    let report = study.path("whole").join("report");
    let sites = rows(&report, "unseen_sites.csv");
    let folds: BTreeSet<&str> = sites.iter().map(|site| site["fold"].as_str()).collect();
    assert_eq!(folds, BTreeSet::from(["1", "2"]));
    let models = rows(&report, "unseen.csv");
    for model in [
        "unseen-site",
        "unseen-time",
        "temperature-model",
        "land-cover-model",
    ] {
        let found = row(&models, &[("model", model)]);
        assert!(!found["median_test_nse"].is_empty(), "{model}: {found:?}");
    }
    // A seed has one trial in each fold: all differ, and from that on all sites.
    let trials: BTreeMap<String, String> = study
        .records("whole")
        .iter()
        .map(|record| (record.trial.id.to_string(), record.trial.params.to_string()))
        .collect();
    let in_folds = trials
        .values()
        .filter(|params| params.contains("fold"))
        .count();
    assert_eq!(in_folds, 8 + 4);
}

#[test]
fn a_run_directory_keeps_the_sites_that_it_judges() {
    let study = Study::with(&job(1));
    study.sweep("run", "1").ok();
    study.write("job.toml", job(1).replace("folds = 2", "folds = 3"));
    let other = study.sweep("run", "1");
    other.refused(
        2,
        &[
            "belongs to another contract",
            "split.folds",
            "was 2",
            "is now 3",
        ],
    );
    study.write(
        "job.toml",
        format!("{JOB}\n[split]\nkind = \"sites\"\nfold = 1\n"),
    );
    let stated = study.sweep("other", "1");
    stated.refused(2, &["job.toml", "line", "split.fold", "one for each fold"]);
    study.write(
        "job.toml",
        format!("{JOB}\n[split]\nkind = \"sites\"\nfolds = 99\n"),
    );
    let many = study.sweep("other", "1");
    many.refused(2, &["job.toml", "split.folds", "99 folds, expected 2 to"]);
}
