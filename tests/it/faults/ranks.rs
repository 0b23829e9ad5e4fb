//! Ranks that die, nodes that vanish, ranks that stand still.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use efflux_base::error::Error;
use efflux_protocol::{ErrorReport, FromTrainer, write_frame};
use efflux_run::record::Outcome;
use efflux_testing::left_out;
use rustix::process::Signal;

use crate::harness::{
    Ended, Running, Study, await_until, failures, finished, longer, of_epochs, processes, rank_of,
    trainers_of, undisturbed,
};
use crate::programs::trainer;

/// Survivors of a lost rank are let live.
const TOLERANT: [&str; 2] = ["--with-ft", "ulfm"];

const SWEEP: [&str; 6] = ["sweep", "job.toml", "--run-dir", "run", "--slots", "1"];

/// Whether this build and its MPI can do without a rank.
fn is_tolerant(test: &str) -> bool {
    let doctor = Study::new().run(&["doctor"]).stdout;
    let is = doctor.contains(", with ULFM");
    if !is {
        left_out(test, "this MPI cannot go on without a rank");
    }
    is
}

#[test]
fn a_rank_that_is_killed_costs_nothing_but_time() {
    if !is_tolerant("a lost rank") {
        return;
    }
    let study = longer();
    for ranks in [2, 4] {
        let run = format!("ranks-{ranks}");
        let arguments = ["sweep", "job.toml", "--run-dir", &run, "--slots", "1"];
        let mut launch = Running::start(&mut study.mpirun_with(&TOLERANT, ranks, &arguments));
        await_until("a trial finished", || finished(&study, &run) >= 1);
        Running::signal(rank_of(&launch, ranks - 1), Signal::KILL);
        let (code, _) = launch.ends();
        assert_eq!(code, Some(0), "{ranks} ranks");
        assert_eq!(*undisturbed(), study.findings(&run));
        assert!(failures(&study, &run).is_empty());
        assert!(study.logs(&run).contains("its trials are given to others"));
    }
}

#[test]
fn when_rank_0_is_killed_the_others_write_checkpoints_and_leave_with_75() {
    if !is_tolerant("a lost rank 0") {
        return;
    }
    let study = longer();
    let mut launch = Running::start(&mut study.mpirun_with(&TOLERANT, 2, &SWEEP));
    await_until("a trial finished", || finished(&study, "run") >= 1);
    Running::signal(rank_of(&launch, 0), Signal::KILL);
    let (code, took) = launch.ends();
    assert_eq!(code, Some(75));
    assert!(took < Duration::from_secs(30), "{took:?}");
    let before = finished(&study, "run");
    assert!(before < 6, "the kill came too late to be in the middle");
    study.sweep("run", "2").ok();
    assert_eq!(*undisturbed(), study.findings("run"));
    assert!(study.logs("run").contains("rank 0 is gone"));
}

#[test]
fn a_node_that_vanishes_ends_the_launch_and_the_same_command_continues() {
    if !is_tolerant("a lost node") {
        return;
    }
    let study = longer();
    // Stands in for ssh: runs what mpirun wants to run on a node of its own in a session of its own.
    study.write("agent", "#!/bin/sh\nshift\nexec setsid sh -c \"$*\"\n");
    let agent = study.path("agent");
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).unwrap();
    let agent = agent.to_str().unwrap();
    let nodes = [
        "--mca",
        "plm_ssh_agent",
        agent,
        "--host",
        "first:1,second:1",
    ];
    let options = [&TOLERANT[..], &nodes].concat();
    let mut launch = Running::start(&mut study.mpirun_with(&options, 2, &SWEEP));
    await_until("a trial finished", || finished(&study, "run") >= 1);
    let victim = rank_of(&launch, 1);
    let stat = fs::read_to_string(format!("/proc/{victim}/stat")).unwrap();
    let daemon: u32 = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let name = fs::read_to_string(format!("/proc/{daemon}/comm")).unwrap();
    assert_eq!(name.trim(), "prted");
    for pid in [vec![daemon, victim], trainers_of(victim)].concat() {
        Running::signal(pid, Signal::KILL);
    }
    // mpirun ends what is left, and its exit code says nothing: the journals do.
    launch.ends();
    await_until("rank 0 ended", || {
        processes(&["efflux", "sweep", "job.toml"])
            .into_iter()
            .all(|pid| !is_in(pid, &study))
    });
    let status = study.run(&["status", "run", "--exit-code"]);
    assert_eq!(status.code, Some(75), "{}", status.stdout);
    study.sweep("run", "2").ok();
    assert_eq!(*undisturbed(), study.findings("run"));
}

fn is_in(pid: u32, study: &Study) -> bool {
    let there = fs::read_link(format!("/proc/{pid}/cwd"));
    there.is_ok_and(|there| there == study.directory.path().canonicalize().unwrap())
}

#[test]
fn a_rank_that_stood_still_comes_back_and_none_of_its_results_counts_twice() {
    if !cfg!(feature = "mpi") {
        left_out(
            "a rank that stands still",
            "built without the `mpi` feature",
        );
        return;
    }
    let study = Study::with(&of_epochs(30));
    study.sweep("whole", "2").ok();
    let arguments = [&SWEEP[..], &["--hang-seconds", "3"]].concat();
    let mut launch = Running::start(&mut study.mpirun(2, &arguments));
    await_until("a trial finished", || finished(&study, "run") >= 1);
    let slow = rank_of(&launch, 1);
    Running::signal(slow, Signal::STOP);
    await_until("its trials were given to rank 0", || {
        study.logs("run").contains("not heard of for 3 s")
    });
    Running::signal(slow, Signal::CONT);
    await_until("it was heard of again", || {
        study.logs("run").contains("heard of again")
    });
    let (code, _) = launch.ends();
    assert_eq!(code, Some(0));
    assert_eq!(study.findings("whole"), study.findings("run"));
    assert_eq!(failures(&study, "run"), []);
    let status = study.run(&["status", "run", "--json"]).ok().stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["search"]["finished"], 4);
    let members = fs::read_to_string(study.path("run/report/tables/members.csv")).unwrap();
    let whole = fs::read_to_string(study.path("whole/report/tables/members.csv")).unwrap();
    assert_eq!(members.lines().count(), whole.lines().count());
    let ended = study.records("run");
    assert!(
        ended
            .iter()
            .all(|record| matches!(record.outcome, Outcome::Finished(_)))
    );
}

#[test]
fn an_error_of_another_rank_ends_the_sweep_with_the_exit_code_that_it_has_there() {
    if !cfg!(feature = "mpi") {
        left_out(
            "an error of another rank",
            "built without the `mpi` feature",
        );
        return;
    }
    let study = Study::new();
    let reply = study.path("reply");
    let (reply, trainer) = (reply.display(), trainer().display());
    // Trainers of rank 1 say that they cannot go on.
    study.program(
        "trainer",
        &format!(
            "#!/bin/sh\n\
             if tr '\\0' '\\n' < /proc/$PPID/environ | grep -Eq '^(OMPI_COMM_WORLD_RANK|PMI_RANK)=1$'; then\n\
             cat {reply}\nexec sleep 30\nfi\nexec {trainer} \"$@\"\n"
        ),
    );
    for (error, code) in [
        (Error::Usage("this job cannot be".into()), 2),
        (Error::file("pack.h5", "is gone"), 4),
        (Error::Internal("a sum of nothing".into()), 1),
    ] {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &FromTrainer::Failed(ErrorReport::from(&error))).unwrap();
        fs::write(study.path("reply"), bytes).unwrap();
        let mut command = study.mpirun(2, &["sweep", "job.toml", "--run-dir", "run"]);
        command.env("EFFLUX_TRAINER", study.path("trainer"));
        let ended: Ended = command.output().unwrap().into();
        // The launcher may end rank 0 before it has said so too.
        ended.refused(code, &[&format!("trainer: {error}"), "rank=1"]);
        fs::remove_dir_all(study.path("run")).unwrap();
    }
}
