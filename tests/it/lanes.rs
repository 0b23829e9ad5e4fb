//! Sweeps that train several trials at once in each slot.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use efflux_analysis::measures::NSE;
use efflux_run::record::{FailureClass, Outcome, Summary};
use rustix::process::Signal;

use crate::harness::{Ended, Running, Study, await_until, failures, of_epochs, trainers_of};

/// Two configurations, three seeds and five members.
fn study(epochs: u32) -> Study {
    let job = of_epochs(epochs).replace("search = [0, 1]", "search = [0, 1, 2]");
    Study::with(&job.replace("final = [0, 1]", "final = [0, 1, 2, 3, 4]"))
}

fn sweep(run: &str) -> Vec<&str> {
    let slots = ["--slots", "1", "--lanes", "3"];
    [&["sweep", "job.toml", "--run-dir", run], &slots[..]].concat()
}

fn summaries(study: &Study, run: &str) -> BTreeMap<String, Summary> {
    let records = study.records(run).into_iter();
    records
        .filter_map(|record| match record.outcome {
            Outcome::Finished(summary) => Some((record.trial.id.to_string(), summary)),
            Outcome::Failed(_) => None,
        })
        .collect()
}

/// The configuration that was selected, by the ids of its members' trials.
fn members(study: &Study, run: &str) -> Vec<String> {
    let table = study.path(run).join("report/tables/members.csv");
    let mut reader = csv::Reader::from_path(table).unwrap();
    let rows = reader.deserialize::<BTreeMap<String, String>>();
    let mut ids: Vec<String> = rows.map(|row| row.unwrap()["trial"].clone()).collect();
    ids.sort();
    ids
}

#[test]
fn a_sweep_in_lanes_finds_what_a_sweep_without_them_finds() {
    let study = study(2);
    study.sweep("alone", "1").ok();
    study.run(&sweep("lanes")).ok();
    let mut runs = vec!["lanes"];
    if cfg!(feature = "mpi") {
        let ended: Ended = study.mpirun(2, &sweep("ranks")).output().unwrap().into();
        ended.ok();
        runs.push("ranks");
    }
    let expected = summaries(&study, "alone");
    assert_eq!(expected.len(), 11);
    for run in runs {
        assert_eq!(members(&study, run), members(&study, "alone"));
        let found = summaries(&study, run);
        assert!(found.keys().eq(expected.keys()));
        for (found, expected) in found.values().zip(expected.values()) {
            assert_eq!(found.updates, expected.updates);
            assert!((found.loss / expected.loss - 1.0).abs() < 1e-3);
            let scores =
                |summary: &Summary| [summary.train[NSE], summary.test[NSE]].map(Option::unwrap);
            for (found, expected) in scores(found).into_iter().zip(scores(expected)) {
                // After 502 updates; seeds differ by a hundred times as much.
                assert!((found - expected).abs() < 0.01, "{found}, {expected}");
            }
        }
        let records = study.records(run);
        let is_in_lanes = |device: &str| device.ends_with("1 thread, in lanes");
        assert!(
            records
                .iter()
                .all(|record| is_in_lanes(&record.place.device))
        );
    }
}

#[test]
fn a_trainer_that_is_killed_costs_each_of_its_trials_one_attempt() {
    // They are trained longer than it takes to see all of them at work: a look every two seconds.
    let job = of_epochs(24).replace("[8, 12]", "[8]");
    let job = job.replace("search = [0, 1]", "search = [0, 1, 2]");
    let study = Study::with(&job.replace("final = [0, 1]", "final = [0]"));
    let mut sweep = Running::start(&mut study.command(&sweep("run")));
    await_until("three trials are running in one trainer", || {
        let live = fs::read_to_string(study.path("run/live.json")).unwrap_or_default();
        live.matches("epochs_done").count() == 3
    });
    let trainers = trainers_of(sweep.id());
    assert_eq!(trainers.len(), 1);
    Running::signal(trainers[0], Signal::SEGV);
    await_until("the trainer died", || {
        Running::signal(trainers[0], Signal::SEGV);
        !trainers_of(sweep.id()).contains(&trainers[0])
    });
    assert_eq!(sweep.wait(), Some(0));
    let failed = failures(&study, "run");
    assert_eq!(failed.len(), 3, "{failed:?}");
    assert!(
        failed
            .iter()
            .all(|failure| failure.class == FailureClass::Shared)
    );
    assert_eq!(summaries(&study, "run").len(), 4);
}

#[test]
fn usr2_has_every_lane_write_its_checkpoint() {
    let study = study(20);
    let mut first = Running::start(&mut study.command(&sweep("run")));
    await_until("three trials are running", || {
        let live = fs::read_to_string(study.path("run/live.json")).unwrap_or_default();
        live.matches("epochs_done").count() == 3
    });
    Running::signal(first.id(), Signal::USR2);
    assert_eq!(first.wait(), Some(75));
    let before = study.records("run").len();
    let kept = fs::read_dir(study.path("run/checkpoints")).unwrap().count();
    assert_eq!((before, kept), (0, 3));
    study.run(&sweep("run")).ok();
    assert_eq!(study.logs("run").matches("goes on after epoch").count(), 3);
    assert_eq!(summaries(&study, "run").len(), 11);
    assert_eq!(failures(&study, "run"), []);
}

#[test]
fn lanes_where_trials_are_trained_natively_are_refused() {
    let study = Study::new();
    let ended = study.run(&sweep("run"));
    ended.refused(
        2,
        &["--lanes 3", "leave --lanes out", "backend = \"torch\""],
    );
    assert!(!study.path("run").exists());
}

#[test]
fn trials_that_do_not_fit_into_so_many_lanes_are_trained_one_at_a_time() {
    let job = of_epochs(1).replace("[8, 12]", "[512]");
    let study = Study::with(&job.replace("[0, 1]", "[0]"));
    // Room for libtorch and twice for what a trial takes, not for weights, gradient and memory of 256 trials: 9 GB.
    let program = env!("CARGO_BIN_EXE_efflux");
    let sweep = "sweep job.toml --run-dir run --slots 1 --lanes 256";
    let ended: Ended = Command::new("bash")
        .args([
            "-c",
            &format!("ulimit -v 5000000 && exec {program} {sweep}"),
        ])
        .current_dir(study.path(""))
        .output()
        .unwrap()
        .into();
    ended.ok();
    // The search trial and the member, each first in a lane.
    let failed = failures(&study, "run");
    assert_eq!(failed.len(), 2, "{failed:?}");
    for failure in failed {
        assert_eq!(failure.class, FailureClass::Memory);
        assert!(
            failure.message.contains("fewer slots or lanes"),
            "{}",
            failure.message
        );
    }
    assert_eq!(summaries(&study, "run").len(), 2);
}
