//! What is said of a machine and its Slurm, some of it with commands of Slurm that the tests make up.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Ended, Study};

#[test]
fn doctor_finds_a_machine_that_runs_these_tests_in_good_health() {
    let study = Study::new();
    let found = study.run(&["doctor"]).ok().stdout;
    for line in [
        "efflux",
        "MPI",
        "HDF5",
        "libtorch",
        "links are exclusive",
        "CUDA driver",
    ] {
        assert!(found.contains(line), "{line} is not in:\n{found}");
    }
    let nowhere = study.run(&["doctor", "--run-dir", "/proc"]);
    assert_eq!(nowhere.code, Some(4));
}

/// Runs `efflux` with these commands in front of whatever there is of the same names.
fn with_commands(study: &Study, commands: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let folder = study.path("commands");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, script) in commands {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let mut command: Command = study.command(arguments);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    command.env("PATH", path).output().unwrap().into()
}

/// The finding of this name, from the machine-readable answer.
fn finding(answer: &Value, what: &str) -> Value {
    let mut all = answer["findings"].as_array().unwrap().iter();
    let found = all.find(|one| one["what"] == what);
    found
        .unwrap_or_else(|| panic!("{what} is not in {answer}"))
        .clone()
}

#[test]
fn doctor_says_what_to_do_about_each_thing_that_a_cluster_lacks() {
    let study = Study::new();
    let commands = [
        (
            "sinfo",
            r#"case $1 in --version) echo "slurm 22.05.8" ;; *) printf 'short* 1:00:00\nlong 2-00:00:00\n' ;; esac"#,
        ),
        (
            "srun",
            r#"printf 'MPI plugin types are...\n\tcray_shasta\n\tnone\n\tpmi2\n'"#,
        ),
        (
            "scontrol",
            r#"case $1 in
ping) echo 'Slurmctld(primary) at n0 is UP' ;;
show) printf 'JobRequeue              = 0\nKillWait                = 30 sec\nMaxArraySize            = 1001\nMaxJobCount             = 10000\n' ;;
esac"#,
        ),
        ("mpirun", "echo 'mpirun (Open MPI) 4.1.4'"),
        (
            "quota",
            "echo 'Disk quotas: over block quota on /home'; exit 1",
        ),
    ];
    let said = with_commands(&study, &commands, &["doctor", "--json"]).ok();
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(answer["ready"], true);
    let remedies = [
        ("mpirun", "in front in PATH"),
        ("srun", "launcher = \"mpirun\""),
        ("requeue", "requeue = true"),
        ("quota", "keep runs elsewhere"),
    ];
    for (what, remedy) in remedies {
        let found = finding(&answer, what);
        assert_eq!(found["state"], "limited", "{found}");
        assert!(
            found["remedy"].as_str().unwrap().contains(remedy),
            "{found}"
        );
    }
    assert_eq!(finding(&answer, "Slurm")["found"], "slurm 22.05.8");
    let partitions = finding(&answer, "partitions");
    assert_eq!(partitions["found"], "short* 1:00:00, long 2-00:00:00");
    let limits = finding(&answer, "limits");
    assert_eq!(
        limits["found"],
        "10000 jobs at most, arrays to 1001, 30 sec between TERM and KILL"
    );
    // The same for people, the remedy below what it is for.
    let text = with_commands(&study, &commands, &["doctor"]).ok().stdout;
    let mut lines = text.lines().skip_while(|line| !line.starts_with("srun "));
    assert!(lines.next().unwrap().contains("not by PMIx"), "{text}");
    assert!(
        lines.next().unwrap().trim_start().starts_with("-> "),
        "{text}"
    );
}

#[test]
fn a_controller_that_does_not_answer_is_not_taken_for_a_refusal() {
    let study = Study::new();
    study.write(
        "lab.toml",
        "nodes = 1\nntasks_per_node = 1\ncpus_per_task = 1\nmem_per_cpu = \"1G\"\ntime = \"1:00:00\"\n",
    );
    let down = [
        (
            "sbatch",
            "echo 'sbatch: error: Unable to contact slurm controller (connect failure)' >&2; exit 1",
        ),
        ("scontrol", "echo 'Slurmctld(primary) at n0 is DOWN'"),
    ];
    let submit = ["submit", "job.toml", "--cluster", "lab.toml"];
    let dry = with_commands(&study, &down, &[&submit[..], &["--dry-run"]].concat()).ok();
    assert!(
        dry.stdout.contains("#SBATCH --time=1:00:00"),
        "{}",
        dry.stdout
    );
    let says = "not checked: Slurm's controller does not answer";
    assert!(dry.stderr.contains(says), "{}", dry.stderr);
    let refused = with_commands(&study, &down, &submit);
    refused.refused(2, &["does not answer", "n0 is DOWN", "scontrol ping"]);
    assert!(!study.path("runs").exists(), "nothing was submitted");
    // One that answers has looked at the job.
    let up = [
        down[0],
        ("scontrol", "echo 'Slurmctld(primary) at n0 is UP'"),
    ];
    with_commands(&study, &up, &submit).refused(4, &["Slurm refuses a job"]);
}
