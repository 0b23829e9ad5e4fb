//! The batch script and `efflux submit` under a real Slurm: time limits, signals, lost nodes, arrays. Each time the
//! tables are those of a sweep that nobody disturbed.

mod lab;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::harness::{JOB, Study};
use lab::Lab;

/// A job that takes a while, and what comes of it undisturbed in `runs/job`, as the script names it.
fn longer(epochs: u32) -> Study {
    let study = Study::with(&JOB.replace("epochs = 2", &format!("epochs = {epochs}")));
    study.sweep("whole", "2").ok();
    study
}

const TWO_NODES: [&str; 2] = ["--nodes=2", "--cpus-per-task=1"];

/// Asserts that nothing was lost, nothing was done twice, and nothing came out differently.
#[track_caller]
fn same_as_undisturbed(study: &Study, run: &str) {
    assert_eq!(study.findings("whole"), study.findings(run));
    let records = study.records(run);
    let trials: BTreeSet<_> = records
        .iter()
        .map(|record| record.trial.id.clone())
        .collect();
    assert_eq!(
        (records.len(), trials.len()),
        (6, 6),
        "a finished trial was run again"
    );
}

fn finished(study: &Study, run: &str) -> usize {
    if study.path(run).join("journal").exists() {
        study.records(run).len()
    } else {
        0
    }
}

#[test]
fn a_job_on_two_nodes_finishes_and_can_be_watched_from_outside() {
    let Some(lab) = Lab::start("a sweep as a Slurm job") else {
        return;
    };
    let study = longer(12);
    let job = lab.sbatch(&study, &TWO_NODES, &["job.toml"]);
    // Not in the job, without a word to Slurm: as on a login node.
    lab.until("status shows running trials", |_| {
        let status = study.run(&["status", "runs/job", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        status["active"] == true
            && status["running"]
                .as_array()
                .is_some_and(|running| !running.is_empty())
    });
    assert_eq!(
        study.run(&["status", "runs/job", "--exit-code"]).code,
        Some(75)
    );
    lab.until_state(&job, "COMPLETED");
    study.run(&["status", "runs/job", "--exit-code"]).ok();
    same_as_undisturbed(&study, "runs/job");
    let ranks: BTreeSet<u32> = study
        .records("runs/job")
        .iter()
        .map(|record| record.place.rank)
        .collect();
    assert_eq!(ranks, BTreeSet::from([0, 1]), "{}", lab.log());
}

#[test]
fn a_job_whose_time_is_up_is_queued_again_until_the_sweep_is_through() {
    let Some(lab) = Lab::start("time limits of a Slurm job") else {
        return;
    };
    let study = longer(150);
    let job = lab.sbatch(&study, &["--time=1", "--signal=B:USR2@50"], &["job.toml"]);
    lab.until_state(&job, "COMPLETED");
    assert!(
        lab.log().contains("unfinished, queued again"),
        "{}",
        lab.log()
    );
    same_as_undisturbed(&study, "runs/job");
}

#[test]
fn where_a_job_may_not_be_queued_again_another_follows_it() {
    let Some(lab) = Lab::start("signals to a Slurm job") else {
        return;
    };
    let study = longer(25);
    let job = lab.sbatch(&study, &["--no-requeue"], &["job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    lab.ask("scancel", &["--batch", "--signal=USR2", &job]).ok();
    lab.until_state(&job, "FAILED");
    let next = (job.parse::<u32>().unwrap() + 1).to_string();
    lab.until_state(&next, "COMPLETED");
    let shown = lab.ask("scontrol", &["show", "job", &next]).stdout;
    assert!(
        shown.contains("TimeLimit=00:10:00") && shown.contains("CPUs/Task=2"),
        "{shown}"
    );
    same_as_undisturbed(&study, "runs/job");
}

#[test]
fn a_cancelled_job_stays_cancelled_and_the_same_sbatch_goes_on() {
    let Some(lab) = Lab::start("a cancelled Slurm job") else {
        return;
    };
    let study = longer(25);
    let job = lab.sbatch(&study, &[], &["job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    lab.ask("scancel", &[&job]).ok();
    lab.until_state(&job, "CANCELLED");
    lab.until("nothing is queued", |lab| {
        lab.ask("squeue", &["-h"]).ok().stdout.is_empty()
    });
    let job = lab.sbatch(&study, &[], &["job.toml"]);
    lab.until_state(&job, "COMPLETED");
    same_as_undisturbed(&study, "runs/job");
}

#[test]
fn an_element_of_an_array_is_queued_again_as_itself() {
    let Some(lab) = Lab::start("arrays of Slurm jobs") else {
        return;
    };
    let study = longer(25);
    for element in ["1", "2"] {
        fs::copy(
            study.path("job.toml"),
            study.path(&format!("job-{element}.toml")),
        )
        .unwrap();
    }
    let job = lab.sbatch(&study, &["--array=1-2"], &["job-%a.toml"]);
    lab.until("both have trained a trial", |_| {
        ["runs/job-1", "runs/job-2"]
            .iter()
            .all(|run| finished(&study, run) > 0)
    });
    let second = format!("{job}_2");
    lab.ask("scancel", &["--batch", "--signal=USR2", &second])
        .ok();
    lab.until_state(&second, "COMPLETED");
    lab.until_state(&format!("{job}_1"), "COMPLETED");
    same_as_undisturbed(&study, "runs/job-1");
    same_as_undisturbed(&study, "runs/job-2");
    assert!(!study.path("runs/job-1/restarts").exists());
    let restarts = fs::read_to_string(study.path("runs/job-2/restarts")).unwrap();
    assert!(
        restarts.starts_with(&format!("{second} {second} ")),
        "{restarts}"
    );
}

#[test]
fn a_node_that_is_lost_costs_no_more_than_its_running_trials() {
    let Some(mut lab) = Lab::start("a lost node of a Slurm job") else {
        return;
    };
    let study = longer(40);
    let job = lab.sbatch(&study, &TWO_NODES, &["job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    lab.lose_node("n2");
    lab.until_state(&job, "COMPLETED");
    assert!(
        lab.log().contains("without the nodes that do not answer"),
        "{}",
        lab.log()
    );
    same_as_undisturbed(&study, "runs/job");
}

#[test]
fn without_no_kill_slurm_queues_the_job_again_and_it_goes_on_when_the_node_is_back() {
    let Some(mut lab) = Lab::start("a lost node of a Slurm job") else {
        return;
    };
    let study = longer(40);
    let options = [&TWO_NODES[..], &["--no-kill=off"]].concat();
    let job = lab.sbatch(&study, &options, &["job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    lab.lose_node("n2");
    lab.until_state(&job, "PENDING");
    lab.start_node("n2");
    lab.until_state(&job, "COMPLETED");
    same_as_undisturbed(&study, "runs/job");
}

#[test]
fn a_job_that_gets_nowhere_is_not_queued_for_ever() {
    let Some(lab) = Lab::start("restarts of a Slurm job") else {
        return;
    };
    let study = Study::new();
    // Unfinished whenever it is asked, once it was told to stop.
    study.write(
        "program",
        "#!/bin/sh\ntrap 'exit 75' USR2\nsleep 60 & wait\n",
    );
    fs::set_permissions(study.path("program"), fs::Permissions::from_mode(0o755)).unwrap();
    let program = format!(
        "--export=ALL,EFFLUX_PROGRAM={}",
        study.path("program").display()
    );
    let job = lab.sbatch(&study, &[&program, "--no-requeue"], &["job.toml"]);
    let mut latest: u32 = job.parse().unwrap();
    for _ in 0..2 {
        let job = latest.to_string();
        lab.until_state(&job, "RUNNING");
        lab.until("its program runs", |_| {
            lab.log().matches("job.toml").count() > 0
        });
        lab.ask("scancel", &["--batch", "--signal=USR2", &job]).ok();
        lab.until_state(&job, "FAILED");
        latest += 1;
    }
    lab.until("nothing is queued", |lab| {
        lab.ask("squeue", &["-h"]).ok().stdout.is_empty()
    });
    assert!(
        lab.log().contains("2 starts in a row have brought no record"),
        "{}",
        lab.log()
    );
}
