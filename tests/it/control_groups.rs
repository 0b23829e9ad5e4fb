//! Control groups of the kernel, made for one test: real limits on memory and processors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::await_until;

const ROOT: &str = "/sys/fs/cgroup";

/// A control group that goes when the test does.
pub(crate) struct ControlGroup {
    directory: PathBuf,
    /// Version 2 has one hierarchy for all controllers, and other names.
    is_unified: bool,
}

impl ControlGroup {
    /// Makes one with this controller, or says why there can be none.
    pub(crate) fn new(controller: &str) -> Result<Self, String> {
        let root = Path::new(ROOT);
        let is_unified = root.join("cgroup.controllers").exists();
        let parent = if is_unified {
            // On already, or refused: then the group below lacks its files.
            let _ = fs::write(
                root.join("cgroup.subtree_control"),
                format!("+{controller}"),
            );
            root.to_owned()
        } else {
            root.join(controller)
        };
        let name = tempfile::Builder::new()
            .prefix("efflux-")
            .tempdir()
            .unwrap();
        let directory = parent.join(name.path().file_name().unwrap());
        fs::create_dir(&directory).map_err(|error| {
            format!(
                "no control group can be made in {}: {error}",
                parent.display()
            )
        })?;
        let group = Self {
            directory,
            is_unified,
        };
        let file = match (controller, is_unified) {
            ("memory", true) => "memory.max",
            ("memory", false) => "memory.limit_in_bytes",
            _ => "cpuset.cpus",
        };
        if group.directory.join(file).exists() {
            Ok(group)
        } else {
            Err(format!(
                "control groups here have no controller `{controller}`"
            ))
        }
    }

    /// A program that runs in this group, its name and arguments as the shell has them.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{}exec {words}", self.joining())]);
        command
    }

    /// A line of shell by which a script joins this group.
    pub(crate) fn joining(&self) -> String {
        format!("echo $$ > {}/cgroup.procs\n", self.directory.display())
    }

    /// Bytes in use.
    pub(crate) fn memory(&self) -> u64 {
        let name = if self.is_unified {
            "memory.current"
        } else {
            "memory.usage_in_bytes"
        };
        self.read(name).trim().parse().unwrap()
    }

    /// Allows so many bytes from now on.
    pub(crate) fn limit_memory(&self, bytes: u64) {
        let name = if self.is_unified {
            "memory.max"
        } else {
            "memory.limit_in_bytes"
        };
        self.write(name, &bytes.to_string());
    }

    /// The file in which the kernel counts what it has killed for want of memory.
    pub(crate) fn events(&self) -> PathBuf {
        let name = if self.is_unified {
            "memory.events"
        } else {
            "memory.oom_control"
        };
        self.directory.join(name)
    }

    /// Allows these processors only.
    pub(crate) fn limit_processors(&self, processors: &str) {
        let nodes = if self.is_unified {
            "cpuset.mems.effective"
        } else {
            "../cpuset.mems"
        };
        let nodes = self.read(nodes);
        self.write("cpuset.mems", nodes.trim());
        self.write("cpuset.cpus", processors);
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.join(name), text).unwrap();
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // Processes that were just killed are still in it for a moment.
            await_until("the control group is empty", || {
                fs::remove_dir(&self.directory).is_ok()
            });
        }
    }
}
