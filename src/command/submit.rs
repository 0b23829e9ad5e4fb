//! `efflux submit`: a job file and a cluster file become a batch script, which is checked and handed to Slurm.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};
use efflux_cluster::Shutdown;
use efflux_job::{Cluster, Launcher};
use efflux_run::RunDir;

use super::study::Study;
use crate::cli::{CHECKPOINT_SECONDS, DRAIN_SECONDS, SubmitArgs};

/// The script that does the same by hand. What comes before this line are its defaults.
const SCRIPT: &str = include_str!("../../slurm/sweep.sbatch");
const BODY: &str = "# ---- settings\n";

/// Where cluster files are looked for by their name.
const CLUSTERS: &str = "configs/clusters";

/// Renders the script, has Slurm check it, and submits it or prints it.
pub(crate) fn submit(args: &SubmitArgs) -> Result<Exit> {
    let cluster_file = find(&args.cluster)?;
    let cluster = Cluster::read(&cluster_file, args.time.as_deref())?;
    // All that is wrong with the job is found now, not when it has waited its turn.
    let study = Study::open(&args.job)?;
    study.check_selection()?;
    let script = render(&cluster, &study, args)?;
    let (drain, checkpoint) = (
        setting(&cluster, "EFFLUX_DRAIN_SECONDS").unwrap_or(DRAIN_SECONDS),
        setting(&cluster, "EFFLUX_CHECKPOINT_SECONDS").unwrap_or(CHECKPOINT_SECONDS),
    );
    let limit = cluster.limit_seconds();
    if let Some(warning) = Shutdown::warning("a job has", limit, drain, checkpoint) {
        tracing::warn!("{warning}");
    }
    if args.dry_run {
        print!("{script}");
        match sbatch(&["--test-only"], &script)? {
            None => tracing::info!("not checked: there is no sbatch here"),
            Some(answer) => tracing::info!("{}", accepted(answer, &cluster_file)?.trim()),
        }
        return Ok(Exit::Complete);
    }
    let Some(answer) = sbatch(&["--test-only"], &script)? else {
        return Err(Error::Usage(
            "there is no sbatch here: submit from a node that has Slurm, or see the script with --dry-run".into(),
        ));
    };
    accepted(answer, &cluster_file)?;
    let run = &study.run;
    let path = run.root().join("sweep.sbatch");
    durable::write(&path, &script)?;
    // Slurm makes no directories for a job's output, and loses it instead.
    fs::create_dir_all(run.logs()).map_err(Error::io("create", run.logs()))?;
    let answer = sbatch(&["--parsable"], &script)?
        .ok_or_else(|| Error::Usage("sbatch has gone away".into()))?;
    let answer = accepted(answer, &cluster_file)?;
    // Of several clusters, sbatch says which one after a semicolon.
    let job = answer.trim().split(';').next().unwrap_or_default();
    let root = run.root().display();
    println!("job {job}: {}", path.display());
    println!("  squeue -j {job}          whether it runs yet");
    println!("  efflux status {root}     how far it is");
    println!("  scancel {job}            stops it; efflux submit goes on");
    println!(
        "  {}",
        run.logs().join(format!("slurm-{job}.log")).display()
    );
    println!(
        "  {}     at the end",
        run.report().join("index.html").display()
    );
    Ok(Exit::Complete)
}

/// What the sweep will find in this variable: the cluster file's word, else that of the surroundings, which sbatch hands
/// on.
fn setting(cluster: &Cluster, name: &str) -> Option<u32> {
    let own = cluster.environment.get(name).cloned();
    own.or_else(|| std::env::var(name).ok())?.parse().ok()
}

/// The cluster file of this path, or of this name in [`CLUSTERS`].
fn find(named: &str) -> Result<PathBuf> {
    if named.contains('/') || named.ends_with(".toml") {
        return Ok(named.into());
    }
    let home = std::env::var_os("EFFLUX_HOME").map(PathBuf::from);
    let folders = [Some(PathBuf::new()), home];
    let folders = folders
        .into_iter()
        .flatten()
        .map(|home| home.join(CLUSTERS));
    let mut known = Vec::new();
    for folder in folders {
        let file = folder.join(format!("{named}.toml"));
        if file.exists() {
            return Ok(file);
        }
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                known.extend(
                    path.file_stem()
                        .map(|stem| stem.to_string_lossy().into_owned()),
                );
            }
        }
    }
    known.sort();
    let known = match known[..] {
        [] => format!(
            "no files in {CLUSTERS} here: give a path, or set EFFLUX_HOME to the folder of efflux"
        ),
        _ => format!(
            "expected the path of a cluster file, or one of {} in {CLUSTERS}",
            known.join(", ")
        ),
    };
    Err(Error::Usage(format!(
        "--cluster {named}: not found, {known}"
    )))
}

/// Runs sbatch with the script on its input; `None` if there is no sbatch.
fn sbatch(options: &[&str], script: &str) -> Result<Option<Output>> {
    let file = std::env::temp_dir().join(format!("efflux-submit-{}.sbatch", std::process::id()));
    durable::write(&file, script)?;
    let answer = Command::new("sbatch").args(options).arg(&file).output();
    // A leftover costs a few kilobytes.
    let _ = fs::remove_file(&file);
    match answer {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some).map_err(Error::io("run", "sbatch")),
    }
}

/// What sbatch printed, if it had nothing against the script.
fn accepted(answer: Output, cluster_file: &Path) -> Result<String> {
    let said = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
    if answer.status.success() {
        // With --test-only it speaks on stderr.
        return Ok(String::from_utf8_lossy(&answer.stdout).into_owned() + &said);
    }
    let reason = format!(
        "Slurm refuses a job with these settings (see it with --dry-run): {}",
        said.replace('\n', "; ")
    );
    Err(Error::file(cluster_file, reason))
}

/// The batch script for a study on a cluster.
fn render(cluster: &Cluster, study: &Study, args: &SubmitArgs) -> Result<String> {
    let (_, body) = SCRIPT
        .split_once(BODY)
        .ok_or_else(|| Error::Internal("the batch script has lost its settings".into()))?;
    let program = std::env::current_exe().map_err(Error::io("find", "this program's own file"))?;
    let mut text = String::new();
    // Writing to a text cannot fail.
    let mut line = |words: String| _ = writeln!(text, "{words}");
    line("#!/usr/bin/env bash".into());
    line(format!(
        "# Made by `efflux submit {} --cluster {}`; to go on by hand, sbatch this file.\n",
        args.job.job.display(),
        args.cluster
    ));
    options(cluster, &study.job.name, &study.run, &mut line);
    line(String::new());
    surroundings(cluster, &program, &mut line);
    let mut arguments = vec![
        quoted(&args.job.job.to_string_lossy()),
        "--run-dir".into(),
        quoted(&study.run.root().to_string_lossy()),
    ];
    if let Some(pack) = &args.job.pack {
        arguments.extend(["--pack".into(), quoted(&pack.to_string_lossy())]);
    }
    line(format!("set -- {}\n", arguments.join(" ")));
    Ok(text + BODY + body)
}

/// The lines that sbatch reads.
fn options(cluster: &Cluster, name: &str, run: &RunDir, line: &mut dyn FnMut(String)) {
    let mut option = |name: &str, value: &str| line(format!("#SBATCH --{name}={value}"));
    option("job-name", &quoted(name));
    for (name, value) in [
        ("partition", &cluster.partition),
        ("account", &cluster.account),
        ("qos", &cluster.qos),
        ("constraint", &cluster.constraint),
        ("gres", &cluster.gres),
        ("gpus-per-task", &cluster.gpus_per_task),
    ] {
        if let Some(value) = value {
            option(name, value);
        }
    }
    option("nodes", &cluster.nodes.to_string());
    option("ntasks-per-node", &cluster.ntasks_per_node.to_string());
    option("cpus-per-task", &cluster.cpus_per_task.to_string());
    option("mem-per-cpu", &cluster.mem_per_cpu);
    option("time", &cluster.time);
    option("signal", &format!("B:USR2@{}", cluster.signal_lead_seconds));
    let log = run.logs().join("slurm-%j.log");
    option("output", &quoted(&log.to_string_lossy()));
    option("open-mode", "append");
    let requeue = if cluster.requeue {
        "requeue"
    } else {
        "no-requeue"
    };
    line(format!("#SBATCH --{requeue}"));
    line("#SBATCH --no-kill".into());
    for further in &cluster.sbatch {
        line(format!("#SBATCH {further}"));
    }
}

/// Modules, variables and whatever else a site needs.
fn surroundings(cluster: &Cluster, program: &Path, line: &mut dyn FnMut(String)) {
    for module in &cluster.modules {
        line(format!("module load {module}"));
    }
    for setup in &cluster.setup {
        line(setup.clone());
    }
    let mut export = |name: &str, value: String| line(format!("export {name}={value}"));
    export("EFFLUX_PROGRAM", quoted(&program.to_string_lossy()));
    if let Some(scratch) = &cluster.scratch {
        // In double quotes, so that the node fills in its variables.
        let scratch = scratch
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('`', "\\`");
        export("EFFLUX_SCRATCH", format!("\"{scratch}\""));
    }
    if let Some(container) = &cluster.container {
        export("EFFLUX_CONTAINER", quoted(container));
    }
    let launcher = match cluster.launcher {
        Launcher::Mpirun => "mpirun",
        Launcher::Srun => "srun",
    };
    export("EFFLUX_LAUNCHER", launcher.into());
    if let Some(options) = &cluster.mpirun_options {
        export("EFFLUX_MPIRUN_OPTIONS", quoted(options));
    }
    if cluster.mps {
        export("EFFLUX_MPS", "1".into());
    }
    export("EFFLUX_MAX_RESTARTS", cluster.max_restarts.to_string());
    for (name, value) in &cluster.environment {
        export(name, quoted(value));
    }
}

/// One word of shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_comes_out_of_the_shell_as_it_went_in() {
        for word in [
            "jobs/a.toml",
            "",
            "it's here",
            "$HOME `x` \"y\" \\",
            "a;b&c|d",
        ] {
            let script = format!("printf %s {}", quoted(word));
            let said = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&said.stdout), word);
        }
    }
}
