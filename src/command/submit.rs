//! `efflux submit`: a job file and a cluster file become a batch script, which is checked and handed to Slurm.

use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};
use efflux_cluster::Shutdown;
use efflux_job::{Cluster, Launcher};

use super::slurm;
use super::study::Study;
use crate::cli::{CHECKPOINT_SECONDS, DRAIN_SECONDS, SubmitArgs};
use crate::console::{print, say};
use crate::shipped;

/// The script that does the same by hand. What comes before this line are its defaults.
const SCRIPT: &str = include_str!("../../slurm/sweep.sbatch");
const BODY: &str = "# ---- settings\n";

/// The folder of what that script starts and reads, a site's own lines among it.
const SCRIPTS: &str = "slurm";

/// Where cluster files are looked for by their name.
const CLUSTERS: &str = "configs/clusters";

/// Renders the script, has Slurm check it, and submits it or prints it.
pub(crate) fn submit(args: &SubmitArgs) -> Result<Exit> {
    let cluster_file = find(&args.cluster)?;
    let cluster = Cluster::read(&cluster_file, args.time.as_deref())?;
    // All that is wrong with the job is found now, not when it has waited its turn.
    let study = Study::open(&args.job)?;
    study.check_selection()?;
    refuse_strange_names(&study, args)?;
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
        print(&script);
        match sbatch(&["--test-only"], &script)? {
            None => tracing::info!("not checked: there is no sbatch here"),
            Some(answer) => match unanswered(&answer) {
                Some(reason) => {
                    tracing::warn!("not checked: Slurm's controller does not answer: {reason}")
                }
                None => tracing::info!("{}", accepted(answer, &cluster_file)?.trim()),
            },
        }
        return Ok(Exit::Complete);
    }
    let Some(answer) = sbatch(&["--test-only"], &script)? else {
        return Err(Error::Usage(
            "there is no sbatch here: submit from a node that has Slurm, or see the script with --dry-run".into(),
        ));
    };
    if let Some(reason) = unanswered(&answer) {
        return Err(Error::Usage(format!(
            "Slurm's controller does not answer, so nothing was submitted: {reason} (`scontrol ping` tells when it does; \
             --dry-run shows the script)"
        )));
    }
    accepted(answer, &cluster_file)?;
    let run = &study.run;
    let path = run.root().join("sweep.sbatch");
    durable::write(&path, &script)?;
    // Slurm makes no directories for a job's output, and loses it instead.
    durable::create_directory(&run.logs())?;
    let answer = sbatch(&["--parsable"], &script)?
        .ok_or_else(|| Error::Usage("sbatch has gone away".into()))?;
    let answer = accepted(answer, &cluster_file)?;
    // Of several clusters, sbatch says which one after a semicolon.
    let job = answer.trim().split(';').next().unwrap_or_default();
    let root = run.root().display();
    say!("job {job}: {}", path.display());
    say!("  squeue -j {job}          whether it runs yet");
    say!("  efflux status {root}     how far it is");
    say!("  scancel {job}            stops it; efflux submit goes on");
    say!(
        "  {}",
        run.logs().join(format!("slurm-{job}.log")).display()
    );
    say!(
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
    let folders = shipped::folders();
    let folders = folders.iter().map(|home| home.join(CLUSTERS));
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
    known.dedup();
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
    let mut command = Command::new("sbatch");
    let piped = command
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut sbatch = match piped.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(Error::io("run", "sbatch"))?,
    };
    // One that ends without reading all of it says why, and that is what counts. It reads all before it writes.
    let _ = sbatch
        .stdin
        .take()
        .map(|mut input| input.write_all(script.as_bytes()));
    let answer = sbatch.wait_with_output();
    answer.map(Some).map_err(Error::io("run", "sbatch"))
}

/// Why Slurm has not looked at the script, where it was nothing about the script.
fn unanswered(answer: &Output) -> Option<String> {
    if answer.status.success() {
        return None;
    }
    slurm::silence()
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
        quoted(&args.job.job.to_string_lossy()),
        quoted(&args.cluster)
    ));
    // Wherever it is submitted from.
    let here = std::env::current_dir().map_err(Error::io("find", "this folder"))?;
    options(
        cluster,
        &study.job.name,
        &here.join(study.run.logs()),
        &mut line,
    );
    line(String::new());
    line(format!("cd -- {} || exit", quoted(&here.to_string_lossy())));
    surroundings(cluster, &program, &mut line);
    let home = shipped::folder_with(SCRIPTS).map_or_else(|| here.clone(), |home| here.join(home));
    // Without a slash at the end.
    let own: PathBuf = home.components().collect();
    line(format!(
        "export EFFLUX_HOME=${{EFFLUX_HOME:-{}}}",
        quoted(&own.to_string_lossy())
    ));
    let mut arguments = vec![
        file_name(&args.job.job),
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
fn options(cluster: &Cluster, name: &str, logs: &Path, line: &mut dyn FnMut(String)) {
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
    // Slurm takes a percent sign, of a folder's name too, for the beginning of a number of its own.
    let folder = logs.to_string_lossy().replace('%', "%%");
    option("output", &quoted(&format!("{folder}/slurm-%j.log")));
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

/// A line of the script ends where a name says so: such a name could say anything to the shell, and to Slurm.
fn refuse_strange_names(study: &Study, args: &SubmitArgs) -> Result<()> {
    let names = [Some(&args.job.job), args.job.pack.as_ref()]
        .into_iter()
        .flatten();
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let run = study.run.root().to_string_lossy().into_owned();
    let all: String = names.chain([run, args.cluster.clone()]).collect();
    match all.chars().find(|c| c.is_control()) {
        Some(strange) => Err(strange_name(strange)),
        None => Ok(()),
    }
}

fn strange_name(strange: char) -> Error {
    Error::Usage(format!(
        "the name of a file has the character {strange:?}, which a batch script cannot hold: give it another name"
    ))
}

/// A file as an argument that is no option, whatever its name begins with.
fn file_name(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.starts_with('-') {
        quoted(&format!("./{text}"))
    } else {
        quoted(&text)
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
