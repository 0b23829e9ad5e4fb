//! `efflux submit`: the script it makes, what it refuses and warns of, and the job that comes of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use efflux_job::Cluster;

use super::lab::Lab;
use super::{longer, same_as_undisturbed};
use crate::harness::{Ended, Study};

const CLUSTER: &str = "nodes = 2\ncpus_per_task = 1\nmem_per_cpu = \"100M\"\ntime = \"10\"\n";

#[test]
fn submit_makes_a_script_has_it_checked_and_submits_it() {
    let Some(lab) = Lab::start("efflux submit under a Slurm") else {
        return;
    };
    let study = longer();
    let submit = |options: &[&str]| -> Ended {
        let mut command = study.command(&["submit", "job.toml", "--cluster", "lab.toml"]);
        lab.introduce(&mut command);
        command.args(options).output().unwrap().into()
    };
    study.write("lab.toml", format!("{CLUSTER}partition = \"nowhere\"\n"));
    submit(&[]).refused(4, &["lab.toml", "Slurm refuses", "invalid partition"]);
    let scratch = study.path("scratch");
    fs::create_dir(&scratch).unwrap();
    study.write("lab.toml", format!("{CLUSTER}scratch = \"$PWD/scratch\"\n"));
    let dry = submit(&["--dry-run"]).ok();
    assert!(dry.stdout.contains("#SBATCH --nodes=2\n"), "{}", dry.stdout);
    assert!(dry.stderr.contains("to start at"), "{}", dry.stderr);
    assert!(!study.path("runs").exists(), "a dry run leaves no trace");

    let said = submit(&["--time", "0:05:00"]).ok().stdout;
    let job = said
        .strip_prefix("job ")
        .unwrap()
        .split(':')
        .next()
        .unwrap();
    lab.until_state(job, "COMPLETED");
    let shown = lab.ask("scontrol", &["show", "job", job]).stdout;
    assert!(shown.contains("TimeLimit=00:05:00"), "{shown}");
    assert!(
        study
            .path(&format!("runs/job/logs/slurm-{job}.log"))
            .exists()
    );
    same_as_undisturbed(&study, "runs/job");
    // Both nodes are this machine, so its trainers share one copy of the pack.
    let folder = fs::read_dir(&scratch)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let packs = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let packs: Vec<_> = packs
        .filter(|path| path.extension().is_some_and(|end| end == "h5"))
        .collect();
    assert_eq!(packs.len(), 1, "{packs:?}");
    assert_eq!(
        fs::read(&packs[0]).unwrap(),
        fs::read(study.path("small.h5")).unwrap()
    );
}

#[test]
fn every_cluster_file_here_makes_a_script_that_the_shell_understands() {
    let study = Study::new();
    let clusters = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/clusters");
    let mut files = 0;
    for entry in fs::read_dir(clusters).unwrap() {
        let file = entry.unwrap().path();
        let arguments = [
            "submit",
            "job.toml",
            "--dry-run",
            "--cluster",
            file.to_str().unwrap(),
        ];
        // Where there is no Slurm; one that is installed but not set up would refuse.
        let script = study.command(&arguments).env("PATH", "").output().unwrap();
        let script = Ended::from(script).ok().stdout;
        study.write("script", &script);
        let checked: Ended = Command::new("bash")
            .args(["-n", "script"])
            .current_dir(study.directory.path())
            .output()
            .unwrap()
            .into();
        assert_eq!(checked.ok().stderr, "", "{}", file.display());
        // sbatch stops looking for its lines at the first command.
        let commands = script
            .lines()
            .skip_while(|line| line.starts_with('#') || line.is_empty());
        assert!(
            !commands.into_iter().any(|line| line.starts_with("#SBATCH")),
            "{script}"
        );
        files += 1;
    }
    assert!(files > 0, "no cluster file");
}

#[test]
fn a_container_of_the_cluster_file_is_what_the_script_runs_the_sweep_in() {
    let study = Study::new();
    study.write(
        "site.toml",
        "nodes = 2\ncontainer = \"apptainer exec --nv efflux.sif\"\n",
    );
    let arguments = ["submit", "job.toml", "--dry-run", "--cluster", "site.toml"];
    let script = study.command(&arguments).env("PATH", "").output().unwrap();
    let script = Ended::from(script).ok().stdout;
    study.write("script", script);
    // Stand-ins for Slurm, mpirun and the container: what would be run is what counts.
    let says = "#!/bin/sh\necho \"${0##*/}: $*\" >> said\n";
    study.program("mpirun", &format!("{says}exit 2\n"));
    // The container is asked for the run directory first.
    study.program("apptainer", &format!("{says}echo runs/job\n"));
    let path = format!("{}:/usr/bin:/bin", study.directory.path().display());
    let mut command = Command::new("bash");
    command
        .args(["script"])
        .current_dir(study.directory.path())
        .env("PATH", path)
        .env("SLURM_JOB_ID", "1")
        .env("SLURM_NTASKS", "2")
        .env("SLURM_SUBMIT_DIR", study.directory.path())
        .env("EFFLUX_PROGRAM", env!("CARGO_BIN_EXE_efflux"))
        .env("EFFLUX_DEPS_DIR", "nowhere");
    let ended: Ended = command.output().unwrap().into();
    let said = fs::read_to_string(study.path("said"));
    let said = said.unwrap_or_else(|_| panic!("{}\n{}", ended.stdout, ended.stderr));
    let expected = format!(
        "apptainer exec --nv efflux.sif {} sweep",
        env!("CARGO_BIN_EXE_efflux")
    );
    let launched = said.lines().find(|line| line.starts_with("mpirun: -n 2 "));
    assert!(launched.unwrap_or(&said).contains(&expected), "{said}");
}

#[test]
fn a_cluster_that_is_not_there_is_named_with_those_that_are() {
    let study = Study::new();
    let submit = ["submit", "job.toml", "--cluster", "b"];
    study
        .run(&submit)
        .refused(2, &["--cluster b: not found", "configs/clusters"]);
    fs::create_dir_all(study.path("configs/clusters")).unwrap();
    study.write("configs/clusters/a.toml", "nodes = 0\n");
    study.run(&submit).refused(
        2,
        &["--cluster b: not found", "one of a, cpu, gpu, gres, mig in"],
    );
    let submit = ["submit", "job.toml", "--cluster", "a"];
    study.run(&submit).refused(
        2,
        &["configs/clusters/a.toml: line 1: `nodes` has 0, expected 1 or more"],
    );
    study.write("configs/clusters/a.toml", "");
    study
        .run(&[&submit[..], &["--time", "1"]].concat())
        .refused(2, &["--time 1", "signal_lead_seconds"]);
    study
        .command(&submit)
        .env("PATH", "")
        .output()
        .map(Ended::from)
        .unwrap()
        .refused(2, &["there is no sbatch here"]);
    assert!(!study.path("runs").exists());
}

#[test]
fn a_time_limit_in_which_no_trial_could_begin_is_told_of_before_the_job_waits_its_turn() {
    let study = Study::new();
    let dry = |file: &str| -> String {
        study.write("site.toml", file);
        let arguments = ["submit", "job.toml", "--dry-run", "--cluster", "site.toml"];
        let mut command = study.command(&arguments);
        let ended: Ended = command.env("PATH", "").output().unwrap().into();
        ended.ok().stderr
    };
    let said = dry("time = \"2:30\"\n");
    let says = "a job has 150 s, and --drain-seconds 90 and --checkpoint-seconds 60 take all";
    assert!(said.contains(says), "{said}");
    let less = "time = \"2:30\"\n[environment]\nEFFLUX_DRAIN_SECONDS = \"30\"\n";
    for file in ["time = \"2:31\"\n", less] {
        let said = dry(file);
        assert!(!said.contains("no trial can begin"), "{said}");
    }
}

/// What a user may write is what `configs/README.md` lists.
#[test]
fn every_key_of_a_cluster_file_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/README.md");
    let text = fs::read_to_string(path).unwrap();
    let cluster = serde_json::to_value(Cluster::default()).unwrap();
    for key in cluster.as_object().unwrap().keys() {
        assert!(
            text.contains(&format!("| `{key}` |")),
            "`{key}` is not in configs/README.md"
        );
    }
}
