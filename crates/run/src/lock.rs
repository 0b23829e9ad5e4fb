//! One sweep at a time in a run directory.
//!
//! The lock is a file that appears whole (it is linked into place) and names its holder. It is taken over only when
//! that holder is certainly gone: its process does not exist on this host any more, the host was booted since, Slurm
//! does not know the job any more, or the file was not touched for a minute by the file server's own clock. `flock`
//! alone would not do: many cluster file systems do not share it between nodes.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use efflux_base::error::{Error, Result};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::layout::RunDir;

/// How often the holder touches its lock.
const TOUCH: Duration = Duration::from_secs(10);
/// A lock untouched for longer belongs to nobody.
const ABANDONED: Duration = Duration::from_secs(60);

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    /// Host name.
    pub host: String,
    /// Process on that host.
    pub pid: u32,
    /// When that process began, in clock ticks after the boot: process numbers come round again.
    pub pid_start: u64,
    /// The boot of that host.
    pub boot: String,
    /// Slurm job, if in one.
    pub slurm_job: Option<String>,
    /// Launch of the sweep.
    pub launch: String,
}

/// The lock of a run directory. A thread of its own keeps it alive, whatever the holder is busy with; dropping releases
/// it.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    content: String,
    lost: Arc<AtomicBool>,
    /// Ends the thread when it goes.
    _keeper: Sender<()>,
}

impl Lock {
    /// Takes the lock of a run directory for this process.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] naming a holder that lives, [`Error::Io`] if the file system refuses.
    pub fn acquire(run: &RunDir, launch: &str) -> Result<Self> {
        let path = run.lock_file();
        let content = serde_json::to_string(&Holder::this_process(launch))
            .map_err(|error| Error::Internal(format!("lock: {error}")))?;
        let fresh = run
            .root()
            .join(format!(".lock.{launch}.{}", std::process::id()));
        fs::write(&fresh, &content).map_err(Error::io("write the lock", &fresh))?;
        let acquired = Self::link(run, &fresh, &path, launch);
        // Its link is the lock now; without one there is nothing to keep either.
        let _ = fs::remove_file(&fresh);
        acquired?;
        let lost = Arc::new(AtomicBool::new(false));
        let (keeper, released) = mpsc::channel();
        let (kept, at, is_lost) = (content.clone(), path.clone(), Arc::clone(&lost));
        std::thread::spawn(move || keep(&at, &kept, &released, &is_lost));
        Ok(Self {
            path,
            content,
            lost,
            _keeper: keeper,
        })
    }

    fn link(run: &RunDir, fresh: &Path, path: &Path, launch: &str) -> Result<()> {
        // A takeover makes room, then competes like everybody else: hence twice.
        for _ in 0..2 {
            match fs::hard_link(fresh, path) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("write the lock", path)(error)),
            }
            let Some(found) = Found::read(path, fresh)? else {
                continue;
            };
            if !found.is_abandoned() {
                return Err(found.refusal(run));
            }
            found.set_aside(run, path, launch)?;
        }
        Err(Error::Locked {
            run: run.root().to_owned(),
            holder: "another sweep that started at the same moment".into(),
        })
    }

    /// Whether the lock still is this process's.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] if somebody else has taken it over: this process must not write any more.
    pub fn check(&self) -> Result<()> {
        if !self.lost.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Error::Locked {
            run: self.path.parent().unwrap_or(Path::new(".")).to_owned(),
            holder: "another sweep, which took the lock over while this one stood still".into(),
        })
    }
}

/// Touches the lock until it is released or lost.
fn keep(path: &Path, content: &str, released: &Receiver<()>, lost: &AtomicBool) {
    while let Err(RecvTimeoutError::Timeout) = released.recv_timeout(TOUCH) {
        if is_gone_or_anothers(path, content) {
            lost.store(true, Ordering::Relaxed);
            return;
        }
        // By the file server's clock: hosts need not agree on the time. That it did not work shows in the lock's age.
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        let times = Timestamps {
            last_access: now,
            last_modification: now,
        };
        if let Err(error) = utimensat(CWD, path, &times, AtFlags::empty()) {
            tracing::warn!("{}: cannot touch the lock: {error}", path.display());
        }
    }
}

/// A file that cannot be read for the moment is not lost.
fn is_gone_or_anothers(path: &Path, content: &str) -> bool {
    match fs::read_to_string(path) {
        Ok(found) => found != content,
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if !is_gone_or_anothers(&self.path, &self.content) {
            // Best effort: a lock left behind by a process that is gone is taken over.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A lock that was there already.
struct Found {
    content: String,
    holder: Option<Holder>,
    untouched: Duration,
}

impl Found {
    /// `None` if it went away meanwhile. `fresh` was written a moment ago and gives the file server's time.
    fn read(path: &Path, fresh: &Path) -> Result<Option<Self>> {
        let modified = |file: &Path| fs::metadata(file).and_then(|data| data.modified());
        let gone = |error: &std::io::Error| error.kind() == ErrorKind::NotFound;
        let content = match fs::read_to_string(path) {
            Err(error) if gone(&error) => return Ok(None),
            other => other.map_err(Error::io("read the lock", path))?,
        };
        let touched = match modified(path) {
            Err(error) if gone(&error) => return Ok(None),
            other => other.map_err(Error::io("read the lock", path))?,
        };
        let now = modified(fresh).map_err(Error::io("read the lock", fresh))?;
        Ok(Some(Self {
            holder: serde_json::from_str(&content).ok(),
            content,
            untouched: now.duration_since(touched).unwrap_or_default(),
        }))
    }

    fn is_abandoned(&self) -> bool {
        let Some(holder) = &self.holder else {
            return self.untouched > ABANDONED;
        };
        if holder.host == host() {
            return !holder.lives_here();
        }
        self.untouched > ABANDONED || holder.slurm_job.as_deref().is_some_and(slurm_forgot)
    }

    /// Moves an abandoned lock out of the way, unless somebody else has just done so and locked again.
    fn set_aside(&self, run: &RunDir, path: &Path, launch: &str) -> Result<()> {
        let aside = run.root().join(format!(".lock.abandoned.{launch}"));
        match fs::rename(path, &aside) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            other => other.map_err(Error::io("take over the lock", path))?,
        }
        if fs::read_to_string(&aside).is_ok_and(|content| content != self.content) {
            // It was a new holder's: give it back.
            let _ = fs::hard_link(&aside, path);
        }
        let _ = fs::remove_file(&aside);
        Ok(())
    }

    fn refusal(&self, run: &RunDir) -> Error {
        let age = self.untouched.as_secs();
        let holder = match &self.holder {
            Some(Holder {
                host,
                pid,
                slurm_job,
                ..
            }) => {
                let job = slurm_job
                    .as_ref()
                    .map(|job| format!(", Slurm job {job}"))
                    .unwrap_or_default();
                format!(
                    "process {pid} on {host}{job}, last seen {age} s ago (wait for it or stop it)"
                )
            }
            None => format!("a holder that cannot be read, last seen {age} s ago"),
        };
        Error::Locked {
            run: run.root().to_owned(),
            holder,
        }
    }
}

impl Holder {
    fn this_process(launch: &str) -> Self {
        let pid = std::process::id();
        Self {
            host: host(),
            pid,
            pid_start: process_start(pid).unwrap_or_default(),
            boot: boot_id(),
            slurm_job: std::env::var("SLURM_JOB_ID").ok(),
            launch: launch.to_owned(),
        }
    }

    fn lives_here(&self) -> bool {
        let exists = i32::try_from(self.pid)
            .ok()
            .and_then(Pid::from_raw)
            .is_some_and(|pid| !matches!(test_kill_process(pid), Err(Errno::SRCH)));
        self.boot == boot_id() && exists && process_start(self.pid) == Some(self.pid_start)
    }
}

/// The name of this host.
pub fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// When a process began, in clock ticks after the boot; `None` if there is no such process, or only what its parent
/// has yet to collect.
fn process_start(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses that may itself hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18)?.parse().ok())?
}

/// Whether Slurm answers and does not know the job, or says that it has ended.
fn slurm_forgot(job: &str) -> bool {
    let Ok(answer) = Command::new("squeue")
        .args(["-h", "-j", job, "-o", "%T"])
        .output()
    else {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> (tempfile::TempDir, RunDir) {
        let directory = tempfile::tempdir().unwrap();
        let run = RunDir::new(directory.path());
        run.create().unwrap();
        (directory, run)
    }

    fn plant(run: &RunDir, change: impl FnOnce(&mut Holder)) {
        let mut holder = Holder::this_process("earlier");
        change(&mut holder);
        fs::write(run.lock_file(), serde_json::to_string(&holder).unwrap()).unwrap();
    }

    #[test]
    fn a_second_sweep_is_refused_while_the_first_lives_and_welcome_afterwards() {
        let (_directory, run) = run();
        let lock = Lock::acquire(&run, "first").unwrap();
        let refusal = Lock::acquire(&run, "second").unwrap_err().to_string();
        assert!(
            refusal.contains(&format!("process {}", std::process::id())),
            "{refusal}"
        );
        drop(lock);
        Lock::acquire(&run, "third").unwrap();
    }

    #[test]
    fn the_lock_of_a_process_that_is_gone_is_taken_over() {
        let (_directory, run) = run();
        plant(&run, |holder| holder.pid_start += 1);
        Lock::acquire(&run, "next").unwrap();
    }

    #[test]
    fn the_lock_of_an_earlier_boot_is_taken_over() {
        let (_directory, run) = run();
        plant(&run, |holder| holder.boot = "earlier".into());
        Lock::acquire(&run, "next").unwrap();
    }

    #[test]
    fn the_lock_of_another_host_is_taken_over_only_when_untouched_for_a_minute() {
        let (_directory, run) = run();
        plant(&run, |holder| holder.host = "another".into());
        let refusal = Lock::acquire(&run, "next").unwrap_err().to_string();
        assert!(refusal.contains("on another"), "{refusal}");
        let old = std::time::SystemTime::now() - ABANDONED - Duration::from_secs(5);
        fs::File::options()
            .append(true)
            .open(run.lock_file())
            .unwrap()
            .set_modified(old)
            .unwrap();
        Lock::acquire(&run, "next").unwrap();
    }

    #[test]
    fn a_lock_that_was_taken_over_is_known_to_be_lost_and_not_removed() {
        let (_directory, run) = run();
        let lock = Lock::acquire(&run, "first").unwrap();
        let ours = lock.content.clone();
        assert!(!is_gone_or_anothers(&run.lock_file(), &ours));
        plant(&run, |holder| holder.launch = "thief".into());
        assert!(is_gone_or_anothers(&run.lock_file(), &ours));
        lock.lost.store(true, Ordering::Relaxed);
        assert!(lock.check().is_err());
        drop(lock);
        assert!(run.lock_file().exists());
    }
}
