//! Signals and the end of the allocation.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;
use std::time::Duration;

use efflux_testing::left_out;
use rustix::process::Signal;

use crate::harness::{
    Findings, JOB, Running, Study, await_until, failures, finished, of_epochs, processes, rank_of,
    trainers_of,
};

const SWEEP: [&str; 6] = ["sweep", "job.toml", "--run-dir", "run", "--slots", "1"];

/// One configuration whose trials take long beside everything else.
fn long() -> Study {
    Study::with(&of_epochs(100).replace("[8, 12]", "[8]"))
}

/// What it finds out when nobody disturbs it.
fn whole() -> &'static Findings {
    static FINDINGS: LazyLock<Findings> = LazyLock::new(|| {
        let study = long();
        study.sweep("whole", "2").ok();
        study.findings("whole")
    });
    &FINDINGS
}

fn checkpoints(study: &Study) -> usize {
    let files = fs::read_dir(study.path("run/checkpoints"));
    files.map_or(0, |files| {
        files
            .flatten()
            .filter(|file| !file.file_name().to_string_lossy().starts_with('.'))
            .count()
    })
}

/// How many trials went on from a checkpoint.
fn goes_on(study: &Study) -> usize {
    study.logs("run").matches("goes on after epoch").count()
}

/// Whether a trial is running.
fn is_training(study: &Study) -> bool {
    fs::read_to_string(study.path("run/live.json")).is_ok_and(|live| live.contains("epochs_done"))
}

#[test]
fn usr2_has_running_trials_write_checkpoints_and_they_go_on_from_there_to_the_same_results() {
    let study = long();
    let mut sweep = study.start_sweep("run", "2");
    await_until("trials are running", || is_training(&study));
    assert_eq!(
        checkpoints(&study),
        0,
        "by themselves they come every minute"
    );
    Running::signal(sweep.id(), Signal::USR2);
    let (code, took) = sweep.ends();
    assert_eq!(code, Some(75));
    assert!(took < Duration::from_secs(10), "a drain of {took:?}");
    let ended = finished(&study, "run");
    assert_eq!((ended, checkpoints(&study)), (0, 2));
    assert!(!study.path("run/lock").exists());
    study.sweep("run", "2").ok();
    assert_eq!(*whole(), study.findings("run"));
    assert_eq!(goes_on(&study), 2);
    assert_eq!(failures(&study, "run"), []);
}

#[test]
fn usr2_is_heard_while_a_trained_model_is_run_by_window() {
    let job = JOB
        .replace("small.h5", "wide.h5")
        .replace("epochs = 2", "epochs = 1")
        .replace("[8, 12]", "[8]")
        .replace("[30]", "[365]")
        .replace("[0, 1]", "[0]");
    let study = Study::with(&(job + "[evaluation]\nstate = \"window\"\n"));
    study
        .run(&["synth", "-o", "wide.h5", "--sites", "8", "--years", "4"])
        .ok();
    study.sweep("whole", "1").ok();
    let mut sweep = study.start_sweep("run", "1");
    await_until("a model is trained", || checkpoints(&study) == 1);
    Running::signal(sweep.id(), Signal::USR2);
    assert_eq!(sweep.wait(), Some(75));
    assert_eq!((finished(&study, "run"), checkpoints(&study)), (0, 1));
    study.sweep("run", "1").ok();
    assert_eq!(study.findings("whole"), study.findings("run"));
    assert_eq!(goes_on(&study), 1);
}

#[test]
fn usr2_to_mpirun_or_to_any_rank_drains_all_of_them() {
    if !cfg!(feature = "mpi") {
        left_out("drains over MPI", "built without the `mpi` feature");
        return;
    }
    let study = long();
    for to_rank_1 in [false, true] {
        let mut launch = Running::start(&mut study.mpirun(2, &SWEEP));
        await_until("trials are running", || is_training(&study));
        let target = if to_rank_1 {
            rank_of(&launch, 1)
        } else {
            launch.id()
        };
        Running::signal(target, Signal::USR2);
        let (code, took) = launch.ends();
        assert_eq!(code, Some(75), "to rank 1: {to_rank_1}");
        assert!(took < Duration::from_secs(20), "a drain of {took:?}");
        assert!(checkpoints(&study) > 0);
    }
    study.sweep("run", "2").ok();
    assert_eq!(*whole(), study.findings("run"));
    assert!(goes_on(&study) > 0);
    assert_eq!(failures(&study, "run"), []);
}

#[test]
fn term_leaves_within_two_seconds_even_if_a_trainer_does_not_listen() {
    let study = long();
    let mut sweep = study.start_sweep("run", "1");
    await_until("a trial is running", || is_training(&study));
    for trainer in trainers_of(sweep.id()) {
        Running::signal(trainer, Signal::STOP);
    }
    Running::signal(sweep.id(), Signal::TERM);
    let (code, took) = sweep.ends();
    assert_eq!(code, Some(75));
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(trainers_of(sweep.id()).is_empty());
    assert!(!study.path("run/lock").exists());
}

#[test]
fn a_second_signal_ends_at_once_and_costs_no_more_than_a_kill() {
    let study = long();
    let mut sweep = study.start_sweep("run", "1");
    await_until("a trial is running", || is_training(&study));
    let trainers = trainers_of(sweep.id());
    Running::signal(trainers[0], Signal::STOP);
    Running::signal(sweep.id(), Signal::USR2);
    await_until("the sweep drains", || {
        study.logs("run").contains("leaving: running trials")
    });
    // An echo of the first signal is none.
    std::thread::sleep(Duration::from_millis(800));
    assert!(
        !sweep.has_ended(),
        "it waits for the trainer that stands still"
    );
    Running::signal(sweep.id(), Signal::TERM);
    let (code, took) = sweep.ends();
    assert_eq!(code, Some(75));
    assert!(took < Duration::from_millis(500), "{took:?}");
    await_until("its trainers died with it", || {
        trainers_of(sweep.id()).is_empty()
    });
    study.sweep("run", "2").ok();
    assert_eq!(*whole(), study.findings("run"));
}

#[test]
fn a_sweep_asks_slurm_for_the_end_and_drains_ahead_of_it() {
    let study = long();
    let bin = study.path("bin");
    fs::create_dir(&bin).unwrap();
    // Answers as squeue does, in local time and without a zone.
    let squeue =
        "#!/bin/sh\n[ \"$*\" = '-h -j 77 -o %e' ] && date -d '+14 seconds' +%Y-%m-%dT%H:%M:%S\n";
    study.write("bin/squeue", squeue);
    fs::set_permissions(bin.join("squeue"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut path = bin.into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut command = study.command(&SWEEP);
    command
        .args(["--drain-seconds", "8", "--checkpoint-seconds", "1"])
        .env("SLURM_JOB_ID", "77")
        .env("TZ", "Asia/Kathmandu")
        .env("PATH", path);
    let mut sweep = Running::start(&mut command);
    let (code, took) = sweep.ends();
    assert_eq!(code, Some(75));
    // Six seconds of work, then a drain that is over long before the end.
    assert!(took > Duration::from_secs(4), "{took:?}");
    assert!(took < Duration::from_secs(13), "{took:?}");
    assert_eq!(checkpoints(&study), 1);
    let log = study.logs("run");
    assert!(log.contains("no further trial is begun"), "{log}");
    let parent = sweep.id().to_string();
    assert!(processes(&["efflux-trainer", "--parent", &parent]).is_empty());
}

#[test]
fn a_sweep_whose_time_is_up_trains_nothing_and_one_without_an_end_all() {
    let study = Study::new();
    let mut command = study.command(&SWEEP);
    let ended = command.args(["--until", "2026-01-01T00:00:00Z"]).status();
    assert_eq!(ended.unwrap().code(), Some(75));
    assert_eq!(finished(&study, "run"), 0);
    // An end so near that nothing can begin is told of.
    let soon = (jiff::Timestamp::now().as_second() + 100).to_string();
    let arguments = [&SWEEP[..], &["--until", &soon]].concat();
    let says = ["--drain-seconds 90", "no trial can begin", "--time"];
    study.run(&arguments).refused(75, &says);
    assert_eq!(finished(&study, "run"), 0);
    fs::remove_dir_all(study.path("run/launches")).unwrap();
    let arguments = [&SWEEP[..], &["--until", "never"]].concat();
    let ended = study.run(&arguments).ok();
    assert!(!ended.stderr.contains("no trial can begin"));
    let arguments = [&SWEEP[..], &["--until", "tomorrow"]].concat();
    study
        .run(&arguments)
        .refused(2, &["--until", "seconds since 1970"]);
}
