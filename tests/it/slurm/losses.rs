//! What a job loses while it runs: a rank, or its place to a job with more right to it.

use efflux_testing::left_out;
use rustix::process::Signal;

use super::lab::Lab;
use super::{TWO_NODES, follower, longer, same_as_undisturbed};
use crate::harness::{Running, Study, finished};

/// How often the sweep was launched.
fn launches(lab: &Lab) -> usize {
    lab.log().matches(" sweep job.toml").count()
}

#[test]
fn the_trials_of_a_lost_rank_go_to_the_others_within_the_launch() {
    if !Study::new().run(&["doctor"]).stdout.contains(", with ULFM") {
        left_out("a lost rank of a Slurm job", "this MPI cannot go on");
        return;
    }
    let Some(lab) = Lab::start("a lost rank of a Slurm job") else {
        return;
    };
    let study = longer();
    let job = lab.sbatch(&study, &TWO_NODES, &["job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    Running::signal(lab.rank(1), Signal::KILL);
    lab.until_state(&job, "COMPLETED");
    assert_eq!(launches(&lab), 1, "{}", lab.log());
    assert!(
        study
            .logs("runs/job")
            .contains("its trials are given to others")
    );
    same_as_undisturbed(&study, "runs/job");
}

/// A sweep makes way for a job with more right to the nodes, comes back, and ends with the same tables.
fn preempted(partition: &str) -> Option<Lab> {
    let lab = Lab::start("a preempted Slurm job")?;
    let study = longer();
    let partition = format!("--partition={partition}");
    let options = [&TWO_NODES[..], &[&partition]].concat();
    let job = lab.sbatch(&study, &options, &["job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    let urgent = [
        "--parsable",
        "--partition=urgent",
        "--nodes=2",
        "--exclusive",
    ];
    let urgent = [&urgent[..], &["--output=/dev/null", "--wrap=true"]].concat();
    let urgent = lab.ask("sbatch", &urgent).ok().stdout.trim().to_owned();
    lab.until_state(&urgent, "COMPLETED");
    lab.until_state(&job, "COMPLETED");
    assert_eq!(launches(&lab), 2, "{}", lab.log());
    same_as_undisturbed(&study, "runs/job");
    Some(lab)
}

#[test]
fn a_preempted_job_uses_its_grace_time_and_goes_on_later() {
    if let Some(lab) = preempted("main") {
        let log = lab.log();
        assert!(log.contains("unfinished"), "the script was told: {log}");
    }
}

#[test]
fn a_job_that_is_preempted_without_grace_goes_on_later_too() {
    preempted("ungraced");
}

/// A sweep loses the node of its batch script, and the step on the other node sees it; returns the job's number.
fn without_its_first_node(lab: &mut Lab, study: &Study, options: &[&str]) -> String {
    let watched = [&TWO_NODES[..], &["--export=ALL,EFFLUX_WATCH_SECONDS=1"]];
    let options = [&watched.concat(), options].concat();
    let job = lab.sbatch(study, &options, &["job.toml"]);
    lab.until("a trial has ended", |_| finished(study, "runs/job") > 0);
    lab.lose_node("n1");
    // Slurm itself would keep the job as it is until its time is up.
    lab.until("the loss is seen", |lab| {
        lab.log().contains("lost node n1, where this script ran")
    });
    job
}

#[test]
fn a_job_that_loses_the_node_of_its_batch_script_is_queued_again_and_goes_on() {
    let Some(mut lab) = Lab::start("the first node of a Slurm job lost") else {
        return;
    };
    let study = longer();
    let job = without_its_first_node(&mut lab, &study, &[]);
    lab.until_state(&job, "PENDING");
    lab.start_node("n1");
    lab.until_state(&job, "COMPLETED");
    // The new launch may find the sockets of the lost one, fail to start, and be made once more.
    assert!(launches(&lab) >= 2, "{}", lab.log());
    same_as_undisturbed(&study, "runs/job");
}

#[test]
fn a_job_that_loses_that_node_and_may_not_be_queued_again_is_followed_by_another() {
    let Some(mut lab) = Lab::start("the first node of a Slurm job lost, and no requeue") else {
        return;
    };
    let study = longer();
    let job = without_its_first_node(&mut lab, &study, &["--no-requeue"]);
    lab.until_state(&job, "CANCELLED");
    lab.start_node("n1");
    let shown = follower(&lab, &job);
    assert!(
        shown.contains("NumNodes=2") && shown.contains("TimeLimit=00:10:00"),
        "{shown}"
    );
    assert_eq!(launches(&lab), 2, "{}", lab.log());
    same_as_undisturbed(&study, "runs/job");
}
