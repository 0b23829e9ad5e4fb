//! Whole sweeps: in one process, over MPI ranks, killed and continued, extended.

use std::collections::BTreeSet;
use std::fs;

use efflux_run::record::FailureClass;
use efflux_testing::left_out;
use rustix::process::Signal;

use crate::harness::{
    Ended, JOB, Running, Study, assert_each_trial_ran_once, await_until, failures, finished,
    longer, of_epochs, trainers_of, undisturbed,
};

#[test]
fn results_are_the_same_bit_for_bit_however_many_slots_and_ranks_there_are() {
    let study = Study::new();
    study.sweep("one", "1").ok();
    let one = study.findings("one");
    assert_eq!(one.outcomes.len(), 6);
    assert_eq!(one.simulations.len(), 2);
    study.sweep("two", "2").ok();
    assert_eq!(one, study.findings("two"));
    if cfg!(feature = "mpi") {
        for ranks in [2, 3] {
            let run = format!("ranks-{ranks}");
            let arguments = ["sweep", "job.toml", "--run-dir", &run, "--slots", "1"];
            let ended: Ended = study.mpirun(ranks, &arguments).output().unwrap().into();
            ended.ok();
            assert_eq!(one, study.findings(&run));
            let places: BTreeSet<u32> = study
                .records(&run)
                .iter()
                .map(|record| record.place.rank.0)
                .collect();
            assert!(places.len() > 1, "only ranks {places:?} trained");
        }
    }
}

#[test]
fn a_sweep_killed_in_the_middle_continues_without_repeating_a_finished_trial() {
    let study = longer();
    let mut sweep = study.start_sweep("killed", "2");
    await_until("two trials finished", || finished(&study, "killed") >= 2);
    // Only the sweep: that its trainers die with it is its own doing.
    Running::signal(sweep.id(), Signal::KILL);
    sweep.wait();
    await_until("the trainers died with their supervisor", || {
        trainers_of(sweep.id()).is_empty()
    });
    let before = finished(&study, "killed");
    assert!(before < 6, "the kill came too late to be in the middle");
    study.sweep("killed", "2").ok();
    assert_eq!(*undisturbed(), study.findings("killed"));
    assert_each_trial_ran_once(&study, "killed", 6);
}

#[test]
fn an_mpi_sweep_killed_in_the_middle_continues_with_another_number_of_ranks() {
    if !cfg!(feature = "mpi") {
        left_out("sweeps over MPI", "built without the `mpi` feature");
        return;
    }
    let study = longer();
    let arguments = ["sweep", "job.toml", "--run-dir", "killed", "--slots", "1"];
    let mut launch = Running::start(&mut study.mpirun(2, &arguments));
    await_until("two trials finished", || finished(&study, "killed") >= 2);
    launch.kill_all();
    assert!(
        finished(&study, "killed") < 6,
        "the kill came too late to be in the middle"
    );
    study.sweep("killed", "2").ok();
    assert_eq!(*undisturbed(), study.findings("killed"));
}

#[test]
fn mpirun_passes_on_the_exit_code_of_rank_0() {
    if !cfg!(feature = "mpi") {
        left_out("sweeps over MPI", "built without the `mpi` feature");
        return;
    }
    let study = Study::with(&JOB.replace("epochs", "epoch"));
    let refused: Ended = study
        .mpirun(2, &["sweep", "job.toml"])
        .output()
        .unwrap()
        .into();
    refused.refused(2, &["unknown key `epoch`"]);
    let missing: Ended = study
        .mpirun(2, &["sweep", "none.toml"])
        .output()
        .unwrap()
        .into();
    missing.refused(4, &["none.toml"]);
}

#[test]
fn a_finished_sweep_run_again_trains_nothing_and_an_extended_one_only_what_is_new() {
    let study = Study::new();
    study.sweep("run", "2").ok();
    let first = study.findings("run");
    study.sweep("run", "2").ok();
    assert_eq!(study.records("run").len(), 6);
    assert_eq!(first, study.findings("run"));
    study.write(
        "job.toml",
        JOB.replace("final = [0, 1]", "final = [0, 1, 2]"),
    );
    study.sweep("run", "2").ok();
    assert_eq!(study.records("run").len(), 7);
    let status = study.run(&["status", "run", "--json", "--exit-code"]).ok();
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["final"]["finished"], 3);
    assert_eq!(status["complete"], true);
}

#[test]
fn a_running_trial_goes_on_from_its_checkpoint_to_the_same_bits() {
    // One long trial and one member.
    let job = of_epochs(40)
        .replace("[8, 12]", "[8]")
        .replace("[0, 1]", "[0]");
    let study = Study::with(&job);
    study.sweep("whole", "1").ok();
    let arguments = [
        "sweep",
        "job.toml",
        "--run-dir",
        "run",
        "--checkpoint-seconds",
        "1",
    ];
    let mut sweep = Running::start(&mut study.command(&arguments));
    let checkpoints = study.path("run/checkpoints");
    let kept = || {
        fs::read_dir(&checkpoints).is_ok_and(|files| {
            files
                .flatten()
                .any(|file| !file.file_name().to_string_lossy().starts_with('.'))
        })
    };
    await_until("a checkpoint was written", kept);
    sweep.kill_all();
    assert!(
        study.records("run").is_empty(),
        "the kill came too late to be in the middle"
    );
    study.run(&arguments).ok();
    assert_eq!(study.findings("whole"), study.findings("run"));
    let logs = fs::read_dir(study.path("run/logs")).unwrap();
    let resumed = logs.flatten().any(|log| {
        fs::read_to_string(log.path()).is_ok_and(|text| text.contains("goes on after epoch"))
    });
    assert!(resumed, "the trial started over");
    assert_eq!(
        fs::read_dir(checkpoints).unwrap().count(),
        0,
        "ended trials keep no checkpoint"
    );
}

#[test]
fn an_interrupt_ends_with_75_and_the_same_command_continues() {
    let study = longer();
    let mut sweep = study.start_sweep("run", "1");
    await_until("a trial finished", || finished(&study, "run") >= 1);
    Running::signal(sweep.id(), Signal::TERM);
    assert_eq!(sweep.wait(), Some(75));
    assert!(!study.path("run").join("lock").exists());
    let unfinished = study.run(&["status", "run", "--exit-code"]);
    assert_eq!(unfinished.code, Some(75));
    assert!(
        unfinished.stdout.contains("continues"),
        "{}",
        unfinished.stdout
    );
    study.sweep("run", "2").ok();
}

#[test]
fn a_trainer_that_is_killed_costs_one_attempt_and_nothing_else() {
    let study = longer();
    let mut sweep = study.start_sweep("run", "1");
    await_until("a trial finished", || finished(&study, "run") >= 1);
    Running::signal(trainers_of(sweep.id())[0], Signal::KILL);
    assert_eq!(sweep.wait(), Some(0));
    assert_eq!(*undisturbed(), study.findings("run"));
    let failed = failures(&study, "run");
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].message.contains("signal 9"), "{failed:?}");
}

#[test]
fn a_trainer_that_hangs_is_killed_and_its_trial_goes_on_elsewhere() {
    let study = longer();
    let arguments = ["sweep", "job.toml", "--run-dir", "run", "--slots", "1"];
    let arguments = [&arguments[..], &["--hang-seconds", "3"]].concat();
    let mut sweep = Running::start(&mut study.command(&arguments));
    await_until("a trial finished", || finished(&study, "run") >= 1);
    Running::signal(trainers_of(sweep.id())[0], Signal::STOP);
    assert_eq!(sweep.wait(), Some(0));
    assert_eq!(*undisturbed(), study.findings("run"));
    let failed = failures(&study, "run");
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].class, FailureClass::Hung);
    assert!(
        failed[0].message.contains("no sign of life for 3s"),
        "{failed:?}"
    );
}

/// For `EFFLUX_STALL_SECONDS` (60).
#[test]
fn a_sweep_that_was_stopped_as_a_whole_takes_no_trainer_for_hung() {
    let study = longer();
    let arguments = ["sweep", "job.toml", "--run-dir", "run", "--slots", "1"];
    let arguments = [&arguments[..], &["--hang-seconds", "6"]].concat();
    let mut sweep = Running::start(&mut study.command(&arguments));
    await_until("a trial finished", || finished(&study, "run") >= 1);
    let family = [sweep.id(), trainers_of(sweep.id())[0]];
    for pid in family {
        Running::signal(pid, Signal::STOP);
    }
    // Ten times the limit: nothing else can tell whether time passed.
    let seconds = std::env::var("EFFLUX_STALL_SECONDS").map_or(60, |text| text.parse().unwrap());
    std::thread::sleep(std::time::Duration::from_secs(seconds));
    // The sweep wakes first, to a trainer that cannot have spoken.
    for pid in family {
        Running::signal(pid, Signal::CONT);
    }
    assert_eq!(sweep.wait(), Some(0));
    let failed = failures(&study, "run");
    assert!(failed.is_empty(), "{failed:?}");
}
