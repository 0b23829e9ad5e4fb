//! Several processes and several nodes: MPI, its launchers, Slurm.

use efflux_base::error::Result;
use efflux_cluster::{library, promised_size};

use super::Finding;
use crate::command::slurm::{self, Answer, ask};

/// The MPI that the program is linked with, and what starts its processes.
pub(super) fn mpi() -> Result<Vec<Finding>> {
    let mpi = library();
    let mut findings = vec![if mpi.fault_tolerant {
        Finding::good("MPI", format!("{}, with ULFM", mpi.version))
    } else {
        Finding::limited(
            "MPI",
            format!("{}, without ULFM", mpi.version),
            "the loss of a rank ends a launch, and the next one goes on: `make deps` installs an Open MPI with ULFM",
        )
    }];
    findings.push(match promised_size()? {
        Some(size) => Finding::good("launcher", format!("promises {size} processes")),
        None => Finding::good("launcher", "none: one process, MPI is not initialised"),
    });
    findings.push(mpirun(&mpi.version));
    Ok(findings)
}

/// The `mpirun` in PATH has to be of the library's own release: they speak PMIx to each other.
fn mpirun(library: &str) -> Finding {
    const WHAT: &str = "mpirun";
    let said = match ask("mpirun", &["--version"]) {
        Answer::Said(said) => said.lines().next().unwrap_or_default().to_owned(),
        Answer::Refused(_) | Answer::Absent => {
            return Finding::limited(
                WHAT,
                "not found",
                "one process sweeps without it; for several: `source .deps/env.sh`, PREFIX/share/efflux/env.sh of an \
                 installed tree, or the module of the MPI that efflux was built with",
            );
        }
    };
    let release = |text: &str| -> Option<String> {
        let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
        let mut releases = words.filter(|word| word.split('.').count() == 3);
        releases.next().map(str::to_owned)
    };
    match (release(&said), release(library)) {
        (Some(one), Some(other)) if one != other => Finding::limited(
            WHAT,
            format!("{said}, but the library is {other}"),
            "put the mpirun of the library's own installation in front in PATH: processes of another may each believe to be \
             alone",
        ),
        _ => Finding::good(WHAT, said),
    }
}

/// Slurm: whether it answers, whether srun can start MPI's processes, and what it allows.
pub(super) fn slurm() -> Vec<Finding> {
    const WHAT: &str = "Slurm";
    let version = match ask("sinfo", &["--version"]) {
        Answer::Absent => {
            return vec![Finding::good(
                WHAT,
                "not found: sweeps run on this machine alone",
            )];
        }
        Answer::Said(said) => said.trim().to_owned(),
        Answer::Refused(_) => "installed".to_owned(),
    };
    if let Some(reason) = slurm::silence() {
        return vec![Finding::limited(
            WHAT,
            format!("{version}, but its controller does not answer: {reason}"),
            "on a cluster, ask for help with `scontrol ping`; elsewhere nothing: sweeps run without Slurm",
        )];
    }
    let mut findings = vec![Finding::good(WHAT, version)];
    findings.extend(plugins());
    findings.extend(limits());
    findings
}

/// The ways in which srun tells processes of each other.
fn plugins() -> Option<Finding> {
    const WHAT: &str = "srun";
    // Some releases list them on stderr.
    let listed = match ask("srun", &["--mpi=list"]) {
        Answer::Said(said) => said,
        Answer::Refused(_) | Answer::Absent => return None,
    };
    let names: Vec<&str> = listed
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty() && !word.ends_with(':'))
        .filter(|word| {
            ["none", "openmpi"].contains(word) || word.starts_with("pm") || word.starts_with("cray")
        })
        .collect();
    let names = names.join(", ");
    Some(if names.contains("pmix") {
        Finding::good(WHAT, format!("starts processes by {names}"))
    } else {
        Finding::limited(
            WHAT,
            format!("starts processes by {names}, not by PMIx"),
            "keep to `launcher = \"mpirun\"` in the cluster file, which needs no plugin; or ask for Slurm with PMIx",
        )
    })
}

/// What Slurm's configuration says that sweeps depend on.
fn limits() -> Vec<Finding> {
    let Answer::Said(configuration) = ask("scontrol", &["show", "config"]) else {
        return Vec::new();
    };
    let of = |name: &str| {
        let mut lines = configuration
            .lines()
            .filter_map(|line| line.split_once('='));
        let found = lines.find(|(key, _)| key.trim() == name);
        found.map_or("?", |(_, value)| value.trim()).to_owned()
    };
    let found = format!(
        "{} jobs at most, arrays to {}, {} between TERM and KILL",
        of("MaxJobCount"),
        of("MaxArraySize"),
        of("KillWait")
    );
    let mut findings = vec![Finding::good("limits", found)];
    if of("JobRequeue") == "0" {
        findings.push(Finding::limited(
            "requeue",
            "Slurm queues no job again by itself (JobRequeue = 0)",
            "nothing where its jobs may ask for it (`requeue = true` in the cluster file); else an unfinished job hands in \
             another that follows it",
        ));
    }
    if let Answer::Said(partitions) = ask("sinfo", &["--noheader", "--format=%P %l"]) {
        let partitions: Vec<&str> = partitions.lines().map(str::trim).collect();
        findings.push(Finding::good("partitions", partitions.join(", ")));
    }
    findings
}
