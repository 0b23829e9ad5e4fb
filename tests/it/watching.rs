//! Looking at a sweep, and stopping it, from outside.

use std::fs;

use crate::harness::{Study, await_until, of_epochs};

fn running(study: &Study) -> Option<String> {
    let live = fs::read_to_string(study.path("run/live.json")).ok()?;
    let live: serde_json::Value = serde_json::from_str(&live).ok()?;
    let first = live["running"].as_array()?.first()?;
    Some(first["trial"].as_str()?.to_owned())
}

#[test]
fn a_sweep_is_stopped_from_outside_explained_and_continued() {
    let study = Study::with(&of_epochs(30));
    let mut sweep = study.start_sweep("run", "2");
    await_until("a trial is running", || running(&study).is_some());
    let trial = running(&study).unwrap();
    let text = study.run(&["explain", "run", &trial[..6]]).ok().stdout;
    assert!(text.contains("running: epoch"), "{text}");

    study.run(&["stop", "run"]).ok();
    assert_eq!(sweep.wait(), Some(5));
    assert!(!study.path("run/stop").exists());
    let refused = study.run(&["stop", "run"]);
    refused.refused(4, &["no sweep is at work here"]);
    let mut kept = fs::read_dir(study.path("run/checkpoints")).unwrap();
    let kept = kept.next().unwrap().unwrap().path();
    let trial = kept.file_stem().unwrap().to_str().unwrap();
    let text = study.run(&["explain", "run", trial]).ok().stdout;
    assert!(text.contains("goes on from its checkpoint"), "{text}");
    // Nothing is at work: one look is enough.
    let watched = study.run(&["status", "run", "--watch"]).ok();
    assert!(watched.stdout.contains("stopped (the same sweep"));

    study.sweep("run", "2").ok();
    let text = study.run(&["explain", "run", trial]).ok().stdout;
    for expected in [
        "trained to the end; median NSE",
        "attempt 1",
        "number",
        "selected is",
        "epoch ",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let refused = study.run(&["explain", "run", "x"]);
    refused.refused(4, &["no trial of this run", "begins with x"]);
    let refused = study.run(&["explain", "run", ""]);
    refused.refused(4, &["give more of it"]);
    let refused = study.run(&["stop", "run"]);
    refused.refused(4, &["the sweep is complete"]);
}

#[test]
fn a_log_tells_that_trials_are_under_way_long_before_one_ends() {
    let study = Study::with(&of_epochs(100_000));
    let sweep = study.start_sweep("run", "2");
    let sign = "running · the furthest has done ";
    await_until("the log tells how far trials are", || {
        study.logs("run").contains(sign)
    });
    // Dropped, it is killed.
    drop(sweep);
    assert!(study.records("run").is_empty());
}

#[test]
fn a_run_that_is_being_written_can_be_looked_at_at_any_moment() {
    const TRIALS: u64 = 60;
    let seeds: Vec<String> = (0..TRIALS).map(|seed| seed.to_string()).collect();
    let study = Study::with(&format!(
        "pack = \"small.h5\"\n[training]\nepochs = 1\n[grid]\nhidden_size = [8]\nwindow_days = [30]\n\
         [seeds]\nsearch = [{}]\nfinal = [0]\n",
        seeds.join(", ")
    ));
    let mut sweep = study.start_sweep("run", "2");
    await_until("a sweep is at work", || {
        study.path("run/live.json").exists()
    });
    let mut finished = 0;
    for _ in 0..50 {
        let text = study.run(&["status", "run", "--json"]).ok().stdout;
        let status: serde_json::Value = serde_json::from_str(&text).unwrap();
        let now = status["search"]["finished"].as_u64().unwrap();
        assert!(now >= finished, "{now} trials, {finished} before");
        finished = now;
    }
    assert_eq!(sweep.wait(), Some(0));
    let text = study.run(&["status", "run"]).ok().stdout;
    assert!(text.contains("60 of 60 finished"), "{text}");
    assert!(text.contains("2 slots trained"), "{text}");
    assert!(study.logs("run").contains("search: 2 slots trained"));
}
