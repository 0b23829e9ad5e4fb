//! What trainers compute on, held against what was planned for them.

use std::collections::BTreeSet;
use std::fs;

use efflux_testing::left_out;
use rustix::thread::{CpuSet, sched_getaffinity};

use crate::control_groups::ControlGroup;
use crate::harness::{Ended, JOB, Running, Study, await_until, finished, longer, trainers_of};
use crate::programs::{EFFLUX, trainer};

/// The processors that this process may use.
fn processors() -> Vec<usize> {
    let set = sched_getaffinity(None).unwrap();
    (0..CpuSet::MAX_CPU)
        .filter(|&cpu| set.is_set(cpu))
        .collect()
}

/// Puts a script in front of the trainer.
fn in_front_of_the_trainer(study: &Study, lines: &str) -> String {
    let trainer = trainer().display();
    study.program(
        "trainer",
        &format!("#!/bin/sh\n{lines}exec {trainer} \"$@\"\n"),
    );
    study.path("trainer").to_str().unwrap().to_owned()
}

/// A sweep by this with these options.
fn sweep(study: &Study, trainer: &str, options: &[&str]) -> std::process::Command {
    let mut command = study.command(&["sweep", "job.toml", "--run-dir", "run"]);
    command.args(options).env("EFFLUX_TRAINER", trainer);
    command
}

#[test]
fn a_trainer_that_computes_with_other_instructions_than_planned_is_given_no_trial() {
    let study = Study::new();
    let trainer = in_front_of_the_trainer(&study, "export ATEN_CPU_CAPABILITY=avx2\n");
    let says = [
        "slot 0 on ",
        "planned instructions up to baseline",
        "uses avx2",
    ];
    let options = ["--slots", "1", "--level", "baseline"];
    let ended: Ended = sweep(&study, &trainer, &options).output().unwrap().into();
    ended.refused(4, &says);
    assert_eq!(finished(&study, "run"), 0);
    // By itself a trial is held to it too.
    let plan = study.run(&["plan", "job.toml", "--trials"]).ok().stdout;
    let mut lines = plan.lines().map(|line| line.split_whitespace());
    let id = lines.find_map(|mut words| {
        let id = words.next()?;
        (words.next()? == "search").then_some(id)
    });
    let id = id.unwrap();
    let mut command = study.command(&["trial", "job.toml", "--id", id, "--level", "baseline"]);
    let ended: Ended = command
        .env("EFFLUX_TRAINER", &trainer)
        .output()
        .unwrap()
        .into();
    ended.refused(4, &says);
    // The mismatch was all that was wrong.
    study.sweep("run", "2").ok();
}

#[test]
fn a_trainer_that_may_not_run_on_its_processors_is_given_no_trial() {
    let processors = processors();
    let &[first, second, ..] = &processors[..] else {
        left_out("processors of a trainer", "there is but one");
        return;
    };
    let group = match ControlGroup::new("cpuset") {
        Ok(group) => group,
        Err(reason) => {
            left_out("processors of a trainer", &reason);
            return;
        }
    };
    group.limit_processors(&first.to_string());
    let study =
        Study::with(&JOB.replace("epochs = 2", "epochs = 2\nthreads = 2\nbackend = \"torch\""));
    let trainer = in_front_of_the_trainer(&study, &group.joining());
    let mut command = sweep(&study, &trainer, &["--slots", "1"]);
    command.env("SLURM_CPUS_ON_NODE", processors.len().to_string());
    let ended: Ended = command.output().unwrap().into();
    let planned = if second == first + 1 {
        format!("planned processors {first}-{second},")
    } else {
        format!("planned processors {first},{second},")
    };
    let seen = format!("may run on {first}:");
    ended.refused(4, &["slot 0 on ", &planned, &seen, "cpuset"]);
    assert_eq!(finished(&study, "run"), 0);
}

#[test]
fn slots_of_a_job_that_owns_its_processors_run_on_one_each_whatever_openmp_was_told() {
    let processors = processors();
    if processors.len() < 2 {
        left_out("processors of slots", "there is but one");
        return;
    }
    let study = longer();
    let mut command = study.command(&["sweep", "job.toml", "--run-dir", "run", "--slots", "2"]);
    command
        .env("SLURM_CPUS_ON_NODE", processors.len().to_string())
        .env("OMP_PROC_BIND", "true");
    let mut sweep = Running::start(&mut command);
    await_until("a trial has ended", || finished(&study, "run") > 0);
    let allowed = |pid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        line.unwrap().trim().to_owned()
    };
    let found: BTreeSet<String> = trainers_of(sweep.id()).into_iter().map(allowed).collect();
    let expected = processors[..2].iter().map(ToString::to_string);
    assert_eq!(found, expected.collect());
    assert_eq!(sweep.wait(), Some(0));
}

/// A PATH with an `nvidia-smi` in front that lists these GPUs.
fn path_with_gpus(study: &Study, uuids: &[&str]) -> String {
    let line = |uuid| format!("echo 'GPU 0: NVIDIA A100-SXM4-40GB (UUID: {uuid})'\n");
    let lines: String = uuids.iter().map(line).collect();
    fs::create_dir(study.path("bin")).unwrap();
    study.program("bin/nvidia-smi", &format!("#!/bin/sh\n{lines}"));
    let bin = study.path("bin");
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

#[test]
fn ranks_of_a_host_that_do_not_know_which_they_are_do_not_compute_on_the_same_gpu() {
    let study = Study::new();
    // A launcher that does not tell the ranks of a host apart.
    let variables = [
        "OMPI_COMM_WORLD_LOCAL_SIZE",
        "OMPI_COMM_WORLD_LOCAL_RANK",
        "MPI_LOCALNRANKS",
        "MPI_LOCALRANKID",
    ];
    let rank = format!(
        "#!/bin/sh\nunset {}\nexec {EFFLUX} \"$@\"\n",
        variables.join(" ")
    );
    study.program("rank", &rank);
    let uuids = ["GPU-5d5ba0d6", "GPU-06a3a0ac"];
    let path = path_with_gpus(&study, &uuids);
    let sweep = ["sweep", "job.toml", "--run-dir", "run", "--device", "cuda"];
    for slots in [&[][..], &["--slots", "1"]] {
        let arguments = [&sweep[..], slots].concat();
        let mut command = study.mpirun_of(study.path("rank"), &[], 2, &arguments);
        let ended: Ended = command.env("PATH", &path).output().unwrap().into();
        let said = &ended.stderr;
        assert_ne!(ended.code, Some(0), "{said}");
        assert!(
            said.contains("ranks 0 and 1 on ")
                && said.contains("would both compute on GPU-5d5ba0d6"),
            "{said}"
        );
    }
    assert_eq!(finished(&study, "run"), 0);
}

#[test]
fn gpus_that_trainers_cannot_use_are_left_alone_unless_they_were_asked_for() {
    let study = Study::new();
    if !study.run(&["doctor"]).stdout.contains("no GPU") {
        left_out("GPUs that cannot be used", "those of this machine can");
        return;
    }
    let uuid = "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77";
    let path = path_with_gpus(&study, &[uuid]);
    let sweep = |device: &str| -> Ended {
        let options = ["sweep", "job.toml", "--run-dir", "run", "--device", device];
        let mut command = study.command(&options);
        command.env("PATH", &path).output().unwrap().into()
    };
    sweep("cuda").refused(4, &["device: ", "libtorch"]);
    assert_eq!(finished(&study, "run"), 0);
    let ended = sweep("auto").ok();
    let says =
        format!("nvidia-smi lists {uuid}, which trainers cannot use: training on processors");
    assert!(ended.stderr.contains(&says), "{}", ended.stderr);
    let places = study.records("run").into_iter().map(|record| record.place);
    assert!(
        places
            .into_iter()
            .all(|place| place.device.starts_with("cpu "))
    );
}
