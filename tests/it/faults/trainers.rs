//! Trainers that crash, always or once, and trials that go out of the range of numbers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use efflux_run::record::{FailureClass, Outcome, Record};
use rustix::process::Signal;

use crate::harness::{
    Ended, JOB, Running, Study, await_until, failures, finished, longer, of_epochs, trainers_of,
    undisturbed,
};
use crate::programs::trainer;

#[test]
fn a_trainer_that_segfaults_costs_one_attempt_and_changes_no_result() {
    let study = longer();
    let mut sweep = study.start_sweep("run", "1");
    await_until("a trial finished", || finished(&study, "run") >= 1);
    let trainer = trainers_of(sweep.id())[0];
    // Rust looks at the first one, finds no overflow of the stack, and lets the next one kill.
    await_until("the trainer died", || {
        Running::signal(trainer, Signal::SEGV);
        !trainers_of(sweep.id()).contains(&trainer)
    });
    assert_eq!(sweep.wait(), Some(0));
    assert_eq!(*undisturbed(), study.findings("run"));
    let failed = failures(&study, "run");
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].class, FailureClass::Crashed);
    assert!(failed[0].message.contains("signal 11"), "{failed:?}");
}

/// A trainer that dies as soon as it is given this trial: what it reads passes through a filter that looks for the id.
fn deadly(study: &Study, trial: &str, slots: &[&str]) -> Command {
    let filter = "import os, signal, sys\n\
        victim, poison = int(sys.argv[1]), sys.argv[2].encode()\n\
        seen = b''\n\
        while piece := os.read(3, 65536):\n    \
            seen = seen[-64:] + piece\n    \
            if poison in seen:\n        \
                os.kill(victim, signal.SIGABRT)\n        \
                break\n    \
            os.write(1, piece)\n";
    study.write("filter.py", filter);
    let here = study.directory.path().display();
    let script = format!(
        "#!/bin/sh\npipe={here}/pipe.$$\nmkfifo $pipe\nexec 3<&0\n\
         python3 {here}/filter.py $$ {trial} > $pipe &\n\
         exec {} \"$@\" < $pipe 3<&-\n",
        trainer().display()
    );
    study.write("deadly", script);
    let trainer = study.path("deadly");
    fs::set_permissions(&trainer, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = study.command(&["sweep", "job.toml", "--run-dir", "run"]);
    command.args(slots).env("EFFLUX_TRAINER", trainer);
    command
}

/// The id of the first search trial.
fn first_trial(study: &Study) -> String {
    let plan = study.run(&["plan", "job.toml", "--trials"]).ok().stdout;
    let mut lines = plan.lines().map(|line| line.split_whitespace());
    let first = lines.find_map(|mut words| {
        let id = words.next()?;
        (words.next()? == "search").then(|| id.to_owned())
    });
    first.unwrap()
}

#[test]
fn a_trial_that_always_crashes_is_set_aside_after_its_retries_and_the_sweep_goes_on() {
    // Three seeds for each configuration.
    let study = Study::with(&JOB.replace("search = [0, 1]", "search = [0, 1, 2]"));
    let poison = first_trial(&study);
    for retries in ["0", "2"] {
        let mut command = deadly(&study, &poison, &["--slots", "2"]);
        let ended: Ended = command
            .args(["--retries", retries])
            .output()
            .unwrap()
            .into();
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        let failed = failures(&study, "run");
        let crashed = failed
            .iter()
            .filter(|failure| failure.class == FailureClass::Crashed)
            .count();
        // One without retries; the next launch adds three.
        let expected = if retries == "0" { 1 } else { 1 + 3 };
        assert_eq!((failed.len(), crashed), (expected, expected), "{failed:?}");
        // All others: five search trials and both members of the configuration that is whole.
        assert_eq!(finished(&study, "run") - failed.len(), 7);
    }
    let status = study.run(&["status", "run", "--exit-code"]);
    assert_eq!(status.code, Some(3), "{}", status.stdout);
}

#[test]
fn a_trial_that_always_crashes_in_a_lane_is_set_aside_and_its_neighbours_are_not() {
    let study = Study::with(&of_epochs(4).replace("search = [0, 1]", "search = [0, 1, 2]"));
    let poison = first_trial(&study);
    let lanes = ["--slots", "1", "--lanes", "3", "--retries", "1"];
    let ended: Ended = deadly(&study, &poison, &lanes).output().unwrap().into();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let records = study.records("run");
    let of = |wanted: FailureClass| {
        let is_it = |record: &&Record| match &record.outcome {
            Outcome::Failed(failure) => failure.class == wanted,
            Outcome::Finished(_) => false,
        };
        let ids = records
            .iter()
            .filter(is_it)
            .map(|record| record.trial.id.to_string());
        ids.collect::<Vec<_>>()
    };
    // Once beside others, if it had any yet, which is held against nobody; then twice by itself.
    let (shared, crashed) = (of(FailureClass::Shared), of(FailureClass::Crashed));
    assert!(crashed.iter().all(|id| *id == poison), "{crashed:?}");
    assert_eq!(crashed.len(), 2);
    assert!(shared.len() <= 3, "{shared:?}");
    // All others: five search trials and both members of the configuration that is whole.
    assert_eq!(records.len() - shared.len() - crashed.len(), 7);
}

#[test]
fn trials_that_diverge_are_not_tried_again() {
    let rules = "epochs = 2\noptimizer = \"adamw\"\nlearning_rate = 1e30\n";
    let study = Study::with(&JOB.replace("epochs = 2", rules));
    let ended = study.sweep("run", "2");
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let failed = failures(&study, "run");
    assert_eq!((failed.len(), finished(&study, "run")), (4, 4));
    let diverged = |failure: &&efflux_run::record::Failure| failure.class == FailureClass::Diverged;
    assert_eq!(failed.iter().filter(diverged).count(), 4, "{failed:?}");
    // Nor by further launches, which have nothing to complain about.
    for _ in 0..3 {
        assert_eq!(study.sweep("run", "2").code, Some(3));
    }
    assert_eq!(finished(&study, "run"), 4);
}

#[test]
fn launches_that_bring_nothing_are_not_repeated_for_ever() {
    let study = Study::new();
    let start = |trainer: &str| -> Ended {
        let mut command = study.command(&["sweep", "job.toml", "--run-dir", "run", "--slots", "1"]);
        command.env("EFFLUX_TRAINER", trainer);
        command.output().unwrap().into()
    };
    for _ in 0..2 {
        start("/bin/false").refused(4, &["3 trainers in a row were not ready"]);
    }
    start("/bin/false").refused(
        4,
        &["brought neither a record nor a checkpoint", "launches/"],
    );
    fs::remove_dir_all(study.path("run/launches")).unwrap();
    study.sweep("run", "2").ok();
}
