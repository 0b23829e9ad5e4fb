//! The batch script under a real Slurm: time limits, signals, lost nodes, arrays. Each time the tables are those of a
//! sweep that nobody disturbed.

mod going_on;
mod lab;
mod losses;
mod submit;

use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;

use crate::harness::{Findings, Study, assert_each_trial_ran_once, finished, of_epochs};
use crate::programs::trainer;
use lab::Lab;

/// A study that takes long enough to have a middle.
fn longer() -> Study {
    Study::with(&of_epochs(25))
}

/// What comes of it undisturbed, in one process.
fn undisturbed() -> &'static Findings {
    static FINDINGS: OnceLock<Findings> = OnceLock::new();
    FINDINGS.get_or_init(|| {
        let study = longer();
        study.sweep("run", "2").ok();
        study.findings("run")
    })
}

const TWO_NODES: [&str; 2] = ["--nodes=2", "--cpus-per-task=1"];

/// Asserts that nothing was lost, nothing was done twice, and nothing came out differently.
#[track_caller]
fn same_as_undisturbed(study: &Study, run: &str) {
    assert_eq!(*undisturbed(), study.findings(run));
    assert_each_trial_ran_once(study, run, 6);
}

/// What Slurm shows of the job that follows this one, when it is complete.
fn follower(lab: &Lab, job: &str) -> String {
    let next = (job.parse::<u32>().unwrap() + 1).to_string();
    lab.until_state(&next, "COMPLETED");
    lab.ask("scontrol", &["show", "job", &next]).stdout
}

#[test]
fn a_job_on_two_nodes_finishes_and_can_be_watched_from_outside() {
    let Some(lab) = Lab::start("a sweep as a Slurm job") else {
        return;
    };
    let study = longer();
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
        .map(|record| record.place.rank.0)
        .collect();
    assert_eq!(ranks, BTreeSet::from([0, 1]), "{}", lab.log());
}

#[test]
fn a_job_whose_time_is_up_is_queued_again_until_the_sweep_is_through() {
    let study = longer();
    // Slurm looks at time limits every 30 seconds from its start. The first trainers begin late, so that this falls into
    // their work without any more of it.
    let late = "#!/bin/sh\nmkdir \"$0.$2\" && [ \"$(ls -d \"$0\".* | wc -l)\" = 1 ] && sleep 20\nexec \"$REAL\" \"$@\"\n";
    study.program("trainer", late);
    // To queue a job again is to end it, with TERM, which may come before scontrol has said so: here it always does.
    let ended =
        "#!/bin/sh\n[ \"$1\" != requeue ] || kill -TERM $$\nPATH=${PATH#*:} exec scontrol \"$@\"\n";
    fs::create_dir(study.path("bin")).unwrap();
    study.program("bin/scontrol", ended);
    let path = std::env::var("PATH").unwrap();
    let variables = [
        format!("PATH={}:{path}", study.path("bin").display()),
        format!("EFFLUX_TRAINER={}", study.path("trainer").display()),
        format!("REAL={}", trainer().display()),
    ];
    let export = format!("--export=ALL,{}", variables.join(","));
    let Some(lab) = Lab::start("time limits of a Slurm job") else {
        return;
    };
    let options = [
        &export,
        "--cpus-per-task=1",
        "--time=1",
        "--signal=B:USR2@50",
    ];
    // Without these a sweep would leave a minute and a half before the end of a job of one minute.
    let arguments = ["job.toml", "--drain-seconds=5", "--checkpoint-seconds=5"];
    let job = lab.sbatch(&study, &options, &arguments);
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
    let study = longer();
    let job = lab.sbatch(&study, &["--no-requeue"], &["job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    lab.ask("scancel", &["--batch", "--signal=USR2", &job]).ok();
    lab.until_state(&job, "FAILED");
    let shown = follower(&lab, &job);
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
    let study = longer();
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
    let study = longer();
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
    let study = longer();
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
fn without_no_kill_a_lost_node_costs_no_more_either() {
    let Some(mut lab) = Lab::start("a lost node of a Slurm job") else {
        return;
    };
    let study = longer();
    let options = [&TWO_NODES[..], &["--no-kill=off"]].concat();
    let job = lab.sbatch(&study, &options, &["job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    lab.lose_node("n2");
    // Whichever is first: Slurm, which queues it again, or the script, which goes on without the node.
    lab.until("the loss was noticed", |lab| {
        ["PENDING", "COMPLETED"].contains(&&*lab.state(&job))
    });
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
    study.program(
        "program",
        "#!/bin/sh\ncase \"$*\" in *--show-run-dir*) echo runs/job; exit ;; esac\n\
         trap 'exit 75' USR2\nsleep 60 & wait\n",
    );
    let program = format!(
        "--export=ALL,EFFLUX_PROGRAM={}",
        study.path("program").display()
    );
    let job = lab.sbatch(&study, &[&program, "--no-requeue"], &["job.toml"]);
    let first: u32 = job.parse().unwrap();
    for (starts, job) in [(1, first), (2, first + 1)] {
        let job = job.to_string();
        lab.until("its program runs", |lab| {
            lab.state(&job) == "RUNNING" && lab.log().matches("sweep job.toml").count() == starts
        });
        lab.ask("scancel", &["--batch", "--signal=USR2", &job]).ok();
        lab.until_state(&job, "FAILED");
    }
    lab.until("nothing is queued", |lab| {
        lab.ask("squeue", &["-h"]).ok().stdout.is_empty()
    });
    assert!(
        lab.log()
            .contains("2 starts in a row have brought no record"),
        "{}",
        lab.log()
    );
}
