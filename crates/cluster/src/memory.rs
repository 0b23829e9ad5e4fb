//! How often the kernel has killed for want of memory in the control group of this process.

use std::fs;
use std::path::Path;

/// Processes killed so far; `None` where the kernel does not tell.
pub(super) fn kills() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    kills_of(&groups, Path::new("/sys/fs/cgroup"))
}

/// `groups` as in /proc/self/cgroup, `root` where the control groups are mounted. Version 2 has one hierarchy and
/// `memory.events`, version 1 one for memory and `memory.oom_control`; both a line `oom_kill N`.
fn kills_of(groups: &str, root: &Path) -> Option<u64> {
    groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let controllers = fields.next()?;
        let group = fields.next()?.trim_start_matches('/');
        let file = if controllers.is_empty() {
            root.join(group).join("memory.events")
        } else if controllers.split(',').any(|name| name == "memory") {
            root.join("memory").join(group).join("memory.oom_control")
        } else {
            return None;
        };
        let text = fs::read_to_string(file).ok()?;
        let mut counts = text.lines().filter_map(|line| line.split_once(' '));
        counts.find(|(name, _)| *name == "oom_kill")?.1.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(root: &Path, file: &str, text: &str) {
        let file = root.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn both_versions_of_control_groups_are_read_and_nothing_is_made_up() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        assert_eq!(kills_of("0::/job_7/step_0\n", root), None);
        let events = "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n";
        written(root, "job_7/step_0/memory.events", events);
        assert_eq!(kills_of("0::/job_7/step_0\n", root), Some(2));
        let control = "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n";
        written(root, "memory/slurm/job_8/memory.oom_control", control);
        let groups = "8:pids:/\n4:cpuacct,memory:/slurm/job_8\n0::/\n";
        assert_eq!(kills_of(groups, root), Some(5));
        written(root, "memory/old/memory.oom_control", "under_oom 0\n");
        assert_eq!(kills_of("4:memory:/old\n", root), None);
    }
}
