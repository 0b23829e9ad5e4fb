//! Who holds a lock, and whether that process can still be found.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::layout::RunDir;
use super::slurm::squeue;

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    /// Host name, for people: containers and clusters use one more than once.
    pub host: String,
    /// Process in its namespace.
    pub pid: u32,
    /// When that process began, in clock ticks after the boot: process numbers come round again.
    pub pid_start: u64,
    /// The boot of its kernel.
    pub boot: String,
    /// The namespace of its process number, as `/proc` has it. Version 0.1.0 did not tell.
    #[serde(default)]
    pub pid_namespace: Option<String>,
    /// Slurm job, if in one.
    pub slurm_job: Option<String>,
    /// The cluster of that job, if Slurm tells.
    #[serde(default)]
    pub slurm_cluster: Option<String>,
    /// The run directory by its inode, which a copy has not.
    #[serde(default)]
    pub directory: Option<u64>,
    /// Launch of the sweep.
    pub launch: String,
}

/// What another process can tell of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The process is there.
    Alive,
    /// It is not, and would be seen if it were.
    Gone,
    /// It cannot be looked for from here.
    Unknown,
}

impl Holder {
    pub(super) fn this_process(launch: &str, run: &RunDir) -> Self {
        let pid = std::process::id();
        let namespace = fs::read_link("/proc/self/ns/pid").ok();
        Self {
            host: host(),
            pid,
            pid_start: match process(pid) {
                Process::Began(start) => start,
                Process::Ended | Process::Hidden => 0,
            },
            boot: boot_id(),
            pid_namespace: namespace.map(|name| name.to_string_lossy().into_owned()),
            slurm_job: std::env::var("SLURM_JOB_ID").ok(),
            slurm_cluster: std::env::var("SLURM_CLUSTER_NAME").ok(),
            directory: fs::metadata(run.root()).ok().map(|data| data.ino()),
            launch: launch.to_owned(),
        }
    }

    /// Whether the process can be found by `other`, which is this one.
    pub(super) fn seen_by(&self, other: &Self) -> Seen {
        let is_one_kernel = !self.boot.is_empty() && self.boot == other.boot;
        let is_one_namespace =
            self.pid_namespace.is_some() && self.pid_namespace == other.pid_namespace;
        if !is_one_kernel || !is_one_namespace {
            return Seen::Unknown;
        }
        match process(self.pid) {
            Process::Began(start) if start == self.pid_start => Seen::Alive,
            Process::Began(_) | Process::Ended => Seen::Gone,
            Process::Hidden => Seen::Unknown,
        }
    }

    /// Whether it works in another run directory than `other` on the same host.
    pub(super) fn is_of_another_directory(&self, other: &Self) -> bool {
        self.directory.is_some() && self.directory != other.directory
    }

    /// Whether the Slurm that `other` can ask is the holder's, and does not know the job, or says that it has ended.
    pub(super) fn slurm_forgot(&self, other: &Self) -> bool {
        let Some(job) = &self.slurm_job else {
            return false;
        };
        if self.slurm_cluster.is_some() && self.slurm_cluster != other.slurm_cluster {
            return false;
        }
        let Ok(answer) = squeue(job, "%T") else {
            return false;
        };
        if answer.status.success() {
            // A job of several parts has a line for each.
            const LIVE: [&str; 6] = [
                "RUNNING",
                "SUSPENDED",
                "COMPLETING",
                "STOPPED",
                "SIGNALING",
                "RESIZING",
            ];
            let states = String::from_utf8_lossy(&answer.stdout);
            return !states.lines().any(|state| LIVE.contains(&state.trim()));
        }
        String::from_utf8_lossy(&answer.stderr).contains("Invalid job id")
    }
}

/// The name of this host.
pub fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// What tells this machine from all others, whatever they are called: the boot of its kernel, and the node that Slurm takes
/// it for, of which a test has several on one machine.
pub fn machine() -> String {
    let node = std::env::var("SLURMD_NODENAME").unwrap_or_default();
    format!("{} {node}", boot_id())
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// What is to be found of a process of this namespace.
enum Process {
    /// It began so many clock ticks after the boot.
    Began(u64),
    /// There is none, or only what its parent has yet to collect.
    Ended,
    /// There is one, which another user may not look at (`hidepid`).
    Hidden,
}

fn process(pid: u32) -> Process {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(number) = number else {
        return Process::Ended;
    };
    if matches!(test_kill_process(number), Err(Errno::SRCH)) {
        return Process::Ended;
    }
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return Process::Hidden;
    };
    // The second field is a name in parentheses that may itself hold anything.
    let fields = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace());
    let mut fields = fields.into_iter().flatten();
    if fields.next() == Some("Z") {
        return Process::Ended;
    }
    let start = fields.nth(18).and_then(|start| start.parse().ok());
    start.map_or(Process::Hidden, Process::Began)
}
