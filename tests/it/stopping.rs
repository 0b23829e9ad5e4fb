//! Stopping across trials: the same decisions however a sweep is run, and nothing is lost by them.

use std::collections::BTreeMap;

use efflux_run::{Entry, read_journals};

use crate::harness::{Running, Study, await_until, of_epochs};

/// Four configurations × two seeds, judged after 1, 2 and 4 of 6 epochs.
fn job(stop: &str) -> String {
    let job = of_epochs(6).replace("[8, 12]", "[8, 12]\ndropout = [0.1, 0.3]");
    format!("{job}\n{stop}")
}

const HALVING: &str = "[stop]\npolicy = \"halving\"\nleast = 1\neta = 2\n";

/// What the journals of a run say of rungs: by trial and epoch the scores, to the last bit.
fn at_rungs(study: &Study, run: &str) -> BTreeMap<(String, u32), String> {
    let journals = study.path(run).join("journal");
    if !journals.exists() {
        return BTreeMap::new();
    }
    let entries = read_journals(&journals).unwrap().into_iter();
    let results = entries.filter_map(|entry| match entry {
        Entry::Rung(result) => Some(result),
        Entry::Trial(_) | Entry::Stop(_) | Entry::Selection(_) => None,
    });
    results
        .map(|result| {
            let scores = format!("{:?}", result.validation);
            ((result.trial.to_string(), result.epoch), scores)
        })
        .collect()
}

fn count(study: &Study, run: &str, epoch: u32) -> usize {
    let results = at_rungs(study, run);
    results.keys().filter(|(_, at)| *at == epoch).count()
}

fn status(study: &Study, run: &str) -> serde_json::Value {
    let status = study.run(&["status", run, "--json", "--exit-code"]).ok();
    serde_json::from_str(&status.stdout).unwrap()
}

#[test]
fn halving_decides_the_same_after_kills_and_with_other_slots() {
    let study = Study::with(&job(HALVING));
    study.sweep("whole", "2").ok();
    assert_eq!(
        [1, 2, 4].map(|epoch| count(&study, "whole", epoch)),
        [8, 4, 2]
    );
    assert_eq!(
        study.records("whole").len(),
        2 + 2,
        "one configuration, two members"
    );
    let shown = status(&study, "whole");
    assert_eq!(shown["search"]["stopped"], 6);
    assert_eq!(shown["search"]["failed"], 0);
    assert_eq!(shown["complete"], true);

    for (slots, results) in [("2", 3), ("1", 9)] {
        let mut sweep = study.start_sweep("killed", slots);
        await_until("some trials are at rungs", || {
            at_rungs(&study, "killed").len() >= results
        });
        sweep.kill_all();
    }
    // In the middle of the second rung, and then of a training.
    let mut sweep = study.start_sweep("killed", "3");
    std::thread::sleep(std::time::Duration::from_millis(700));
    Running::signal(sweep.id(), rustix::process::Signal::TERM);
    sweep.wait();
    study.sweep("killed", "2").ok();
    assert_eq!(at_rungs(&study, "whole"), at_rungs(&study, "killed"));
    assert_eq!(study.findings("whole"), study.findings("killed"));
}

#[test]
fn what_was_stopped_goes_on_when_the_rule_is_taken_away_or_lets_more_go_on() {
    let study = Study::with(&job(""));
    study.sweep("none", "2").ok();
    assert!(at_rungs(&study, "none").is_empty());
    assert!(status(&study, "none")["search"].get("stopped").is_none());

    study.write("job.toml", job("[stop]\npolicy = \"top\"\nleast = 2\n"));
    study.sweep("run", "2").ok();
    assert_eq!(status(&study, "run")["search"]["finished"], 2);
    let table = |name: &str| std::fs::read_to_string(study.path(name)).unwrap();
    let selection = table("run/report/tables/selection.csv");
    assert!(selection.contains("stopped after epoch 2"), "{selection}");

    study.write(
        "job.toml",
        job("[stop]\npolicy = \"top\"\nleast = 2\nkeep = 3\n"),
    );
    study.sweep("run", "2").ok();
    assert_eq!(status(&study, "run")["search"]["finished"], 6);
    assert_eq!(status(&study, "run")["search"]["stopped"], 2);
    assert_eq!(at_rungs(&study, "run").len(), 8, "none began anew");

    study.write("job.toml", job(""));
    study.sweep("run", "2").ok();
    let (run, none) = (study.findings("run"), study.findings("none"));
    assert_eq!(run.tables, none.tables);
    for (trial, outcome) in &none.outcomes {
        assert_eq!(&run.outcomes[trial], outcome);
    }
}

#[test]
fn rules_that_go_by_time_come_to_an_end_after_kills_too_and_one_by_sites_to_the_same_one() {
    for (policy, rule) in [
        ("asha", "eta = 2\nleast = 2"),
        ("median", "finished = 1"),
        ("paired", "eta = 2"),
    ] {
        let study = Study::with(&job(&format!("[stop]\npolicy = \"{policy}\"\n{rule}\n")));
        let mut sweep = study.start_sweep("run", "2");
        await_until("some trials are at rungs", || {
            at_rungs(&study, "run").len() >= 5
        });
        sweep.kill_all();
        study.sweep("run", "3").ok();
        let shown = status(&study, "run");
        assert_eq!(shown["complete"], true, "{policy}: {shown}");
        let count = |what: &str| shown["search"][what].as_u64().unwrap_or(0);
        assert_eq!(count("finished") + count("stopped"), 8, "{policy}: {shown}");
        assert!(count("finished") >= 2, "{policy}: {shown}");
        let known = study.records("run").len();
        study.sweep("run", "1").ok();
        assert_eq!(
            study.records("run").len(),
            known,
            "{policy}: nothing is left"
        );
        let report = std::fs::read_to_string(study.path("run/report/index.html")).unwrap();
        let depends = report.contains("depends on when trials arrived");
        assert_eq!(depends, policy != "paired");
        if policy == "paired" {
            study.sweep("whole", "1").ok();
            assert_eq!(study.findings("whole"), study.findings("run"));
        }
    }
}
