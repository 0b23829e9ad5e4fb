//! Batch jobs that go on, or say what to write, where sites and users do things in their own way.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use super::lab::Lab;
use super::{TWO_NODES, follower, longer, same_as_undisturbed};
use crate::harness::{Ended, Running, Study, finished};
use crate::programs::EFFLUX;

#[test]
fn a_job_goes_on_with_a_full_log_formats_of_its_users_no_environment_and_options_before_the_job() {
    let Some(lab) = Lab::start("odd surroundings of a Slurm job") else {
        return;
    };
    let study = longer();
    fs::create_dir(study.path("slurm")).unwrap();
    // --export=NONE takes the variables away that tell the script where efflux is.
    study.write(
        "slurm/site.sh",
        [
            format!("export EFFLUX_PROGRAM={}", env!("CARGO_BIN_EXE_efflux")),
            format!("export PATH={}", std::env::var("PATH").unwrap()),
            format!(
                "export LD_LIBRARY_PATH={}",
                std::env::var("LD_LIBRARY_PATH").unwrap_or_default()
            ),
            "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1".to_owned(),
            "export SLURM_TIME_FORMAT=relative SQUEUE_FORMAT=%i SQUEUE_STATES=PENDING".to_owned(),
            "export EFFLUX_CHECKPOINT_SECONDS=1".to_owned(),
        ]
        .join("\n"),
    );
    let options = [
        &TWO_NODES[..],
        &["--export=NONE", "--output=/dev/full", "--no-requeue"],
    ]
    .concat();
    let job = lab.sbatch(&study, &options, &["--retries", "2", "job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    // The warning that other sites choose.
    lab.ask("scancel", &["--batch", "--signal=USR1", &job]).ok();
    lab.until_state(&job, "FAILED");
    follower(&lab, &job);
    same_as_undisturbed(&study, "runs/job");
}

#[test]
fn a_lock_that_the_same_job_left_on_another_node_is_waited_for() {
    let Some(lab) = Lab::start("a lock of the same Slurm job") else {
        return;
    };
    let study = Study::new();
    study.sweep("whole", "2").ok();
    fs::create_dir_all(study.path("runs/job")).unwrap();
    let lock = study.path("runs/job/lock");
    // The first job of this Slurm has the number 1.
    study.write(
        "runs/job/lock",
        r#"{"host":"n2","pid":9,"pid_start":9,"boot":"another","slurm_job":"1","launch":"earlier"}"#,
    );
    let touched = SystemTime::now() - Duration::from_secs(45);
    let file = File::options().append(true).open(&lock);
    file.unwrap().set_modified(touched).unwrap();
    let job = lab.sbatch(&study, &[], &["job.toml"]);
    assert_eq!(job, "1");
    lab.until_state(&job, "COMPLETED");
    assert!(
        lab.log().contains("waiting for process 9 on n2"),
        "{}",
        lab.log()
    );
    assert_eq!(study.findings("runs/job"), study.findings("whole"));
}

#[test]
fn tasks_without_nodes_are_ranks_wherever_slurm_puts_them() {
    let Some(lab) = Lab::start("tasks of a Slurm job") else {
        return;
    };
    let study = longer();
    // More than fit on one node.
    let options = [
        "--ntasks=2",
        "--cpus-per-task=3",
        "--export=ALL,EFFLUX_SLOTS=1",
    ];
    let job = lab.sbatch(&study, &options, &["job.toml"]);
    lab.until_state(&job, "COMPLETED");
    same_as_undisturbed(&study, "runs/job");
    assert!(lab.log().contains("on n[1-2], ") && lab.log().contains("mpirun -n 2 "));
}

#[test]
fn an_end_that_cannot_be_read_is_an_error_in_the_log_and_the_job_goes_on() {
    let Some(lab) = Lab::start("the end of a Slurm job that cannot be read") else {
        return;
    };
    let study = longer();
    fs::create_dir(study.path("bin")).unwrap();
    study.program(
        "bin/squeue",
        "#!/bin/sh\ncase \"$*\" in *%e*) echo tomorrow-ish ;; *) PATH=${PATH#*:} exec squeue \"$@\" ;; esac\n",
    );
    let path = std::env::var("PATH").unwrap();
    let export = format!("--export=ALL,PATH={}:{path}", study.path("bin").display());
    let job = lab.sbatch(&study, &[&export], &["job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    Running::signal(lab.sweep(), Signal::KILL);
    lab.until_state(&job, "COMPLETED");
    let log = lab.log();
    for says in [
        "squeue does not tell when job",
        "error: squeue does not tell when this job ends (tomorrow-ish)",
        "once more",
    ] {
        assert!(log.contains(says), "{log}");
    }
    same_as_undisturbed(&study, "runs/job");
}

#[test]
fn a_heterogeneous_job_that_is_warned_by_xcpu_goes_on() {
    let Some(lab) = Lab::start("a heterogeneous Slurm job") else {
        return;
    };
    let study = longer();
    let options = ["--no-requeue", ":", "--ntasks=1", "--cpus-per-task=1"];
    let job = lab.sbatch(&study, &options, &["job.toml"]);
    lab.until("a trial has ended", |_| finished(&study, "runs/job") > 0);
    let xcpu = format!("--signal={}", Signal::XCPU.as_raw());
    lab.ask("scancel", &["--batch", &xcpu, &job]).ok();
    lab.until("another job has been queued", |lab| {
        lab.log().contains(" follows\n")
    });
    lab.until("nothing is queued", |lab| {
        lab.ask("squeue", &["-h"]).ok().stdout.is_empty()
    });
    assert!(
        lab.log().contains("its first component alone"),
        "{}",
        lab.log()
    );
    same_as_undisturbed(&study, "runs/job");
}

#[test]
fn the_kept_script_can_be_submitted_from_anywhere_and_odd_names_reach_efflux_as_they_are() {
    let Some(lab) = Lab::start("the kept script of a Slurm job") else {
        return;
    };
    let study = longer();
    fs::rename(study.path("job.toml"), study.path("-%j job.toml")).unwrap();
    study.write(
        "lab.toml",
        "nodes = 1\ncpus_per_task = 2\nmem_per_cpu = \"100M\"\ntime = \"10\"\n",
    );
    let submit = |job: &str, options: &[&str]| -> Ended {
        let mut command = study.command(&["submit", "--cluster", "lab.toml"]);
        lab.introduce(&mut command);
        command.args(options).arg("--").arg(job);
        command.output().unwrap().into()
    };
    let said = submit("-%j job.toml", &[]).ok().stdout;
    let job = said
        .strip_prefix("job ")
        .unwrap()
        .split(':')
        .next()
        .unwrap()
        .to_owned();
    lab.until_state(&job, "COMPLETED");
    let run = "runs/-%j job";
    same_as_undisturbed(&study, run);
    assert!(
        study
            .path(run)
            .join(format!("logs/slurm-{job}.log"))
            .exists()
    );
    // The kept script, from another folder, goes on: here it finds all done.
    let elsewhere = tempfile::tempdir().unwrap();
    let again: Ended = lab
        .command("sbatch")
        .arg("--parsable")
        .arg(study.path(run).join("sweep.sbatch"))
        .current_dir(elsewhere.path())
        .output()
        .unwrap()
        .into();
    let job = again.ok().stdout.trim().to_owned();
    lab.until_state(&job, "COMPLETED");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    let name = "a\nscancel.toml";
    fs::copy(study.path("-%j job.toml"), study.path(name)).unwrap();
    submit(name, &["--dry-run"]).refused(2, &["the character '\\n'"]);
}

#[test]
fn srun_starts_ranks_that_know_their_place() {
    let Some(lab) = Lab::start("srun as the launcher") else {
        return;
    };
    let types = lab.ask("srun", &["--mpi=list"]);
    if !(types.stdout + &types.stderr).contains("pmix") {
        efflux_testing::left_out("srun as the launcher", "this Slurm has no PMIx");
        return;
    }
    let tried = lab.ask("srun", &["--mpi=pmix", "--ntasks=1", "true"]);
    if tried.code != Some(0) {
        efflux_testing::left_out("srun as the launcher", tried.stderr.trim());
        return;
    }
    let study = longer();
    let mut alone = lab.command("srun");
    alone
        .args(["--mpi=none", "--ntasks=2", EFFLUX, "sweep", "job.toml"])
        .current_dir(study.directory.path());
    let alone: Ended = alone.output().unwrap().into();
    alone.refused(
        4,
        &["promised 2 processes", "`srun --mpi=pmix -n 2 efflux sweep"],
    );
    let options = [
        "--export=ALL,EFFLUX_LAUNCHER=srun",
        "--ntasks-per-node=2",
        "--cpus-per-task=1",
    ];
    let job = lab.sbatch(&study, &options, &["job.toml"]);
    lab.until_state(&job, "COMPLETED");
    same_as_undisturbed(&study, "runs/job");
    let places = study.records("runs/job");
    assert!(
        places.iter().any(|record| record.place.rank.0 == 1),
        "{}",
        lab.log()
    );
}
