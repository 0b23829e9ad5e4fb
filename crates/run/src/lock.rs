//! One sweep at a time in a run directory.
//!
//! The lock is a file that appears whole (it is linked into place) and names its holder. It is taken over only on evidence
//! that the holder is gone: where its process can be looked for, on the same boot of the same kernel and in the same
//! namespace of processes, there is none; Slurm does not know its job any more; or the file was not touched for a minute by
//! the file server's own clock. `flock` alone would not do: many cluster file systems do not share it between nodes.

#[cfg(test)]
mod tests;

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};

use super::holder::{Holder, Seen};
use super::layout::RunDir;
use super::place::FileSystem;

/// How often the holder touches its lock.
const TOUCH: Duration = Duration::from_secs(10);
/// A lock untouched for longer belongs to nobody.
const ABANDONED: Duration = Duration::from_secs(60);
/// How often one that waits for a lock looks again.
const LOOK: Duration = Duration::from_secs(1);

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
    /// Takes the lock of a run directory for this process. A lock that an earlier start of the same Slurm job left on
    /// another node is waited for: that start is over, or Slurm would not have begun this one.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] naming a holder that lives, [`Error::Io`] if the file system refuses.
    pub fn acquire(run: &RunDir, launch: &str) -> Result<Self> {
        let holder = Holder::this_process(launch, run);
        let content = serde_json::to_string(&holder)
            .map_err(|error| Error::Internal(format!("lock: {error}")))?;
        let path = run.lock_file();
        let fresh = tempfile::Builder::new()
            .prefix(FRESH)
            // Others must be able to read who holds it, as far as the user's mask lets them.
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(run.root())
            .map_err(Error::io("write the lock", &path))?;
        fs::write(fresh.path(), &content).map_err(Error::io("write the lock", fresh.path()))?;
        Attempted {
            run,
            path: &path,
            fresh: fresh.path(),
            holder: &holder,
            content: &content,
        }
        .acquire()?;
        clear_fresh(run.root(), fresh.path());
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

/// What begins the names of files that are to become the lock.
const FRESH: &str = ".lock.";

/// Removes the files of those that were killed while they wanted the lock. One of a minute ago is nobody's any more.
fn clear_fresh(root: &Path, own: &Path) {
    let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
    // What cannot be listed or removed does no harm.
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let is_fresh = entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(FRESH.as_bytes());
        let age = modified(own)
            .ok()
            .zip(modified(&entry.path()).ok())
            .and_then(|(now, then)| now.duration_since(then).ok());
        if is_fresh && age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// One that wants the lock.
struct Attempted<'a> {
    run: &'a RunDir,
    path: &'a Path,
    /// A file of its own, with what the lock is to hold.
    fresh: &'a Path,
    holder: &'a Holder,
    content: &'a str,
}

impl Attempted<'_> {
    fn acquire(&self) -> Result<()> {
        let began = Instant::now();
        let (mut taken_over, mut has_told) = (0, false);
        loop {
            if self.link()? {
                return Ok(());
            }
            // Its time is the file server's.
            touch(self.fresh).map_err(Error::io("write the lock", self.fresh))?;
            let Some(found) = Found::read(self.path, self.fresh)? else {
                continue;
            };
            if found.is_abandoned(self.holder) {
                if taken_over == 2 {
                    return Err(Error::Locked {
                        run: self.run.root().to_owned(),
                        holder: "another sweep that started at the same moment".into(),
                    });
                }
                taken_over += 1;
                self.set_aside(&found)?;
            } else if found.is_of_this_job(self.holder) && began.elapsed() < ABANDONED + TOUCH {
                if !has_told {
                    has_told = true;
                    tracing::info!(
                        "{}: waiting for {}",
                        self.run.root().display(),
                        found.tell()
                    );
                }
                std::thread::sleep(LOOK);
            } else {
                return Err(Error::Locked {
                    run: self.run.root().to_owned(),
                    holder: found.tell(),
                });
            }
        }
    }

    /// Whether the lock is this process's now.
    fn link(&self) -> Result<bool> {
        match fs::hard_link(self.fresh, self.path) {
            Ok(()) => Ok(true),
            // The answer of a file server may be lost, and that to the second request is that the name is taken.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Ok(fs::metadata(self.fresh).is_ok_and(|data| data.nlink() == 2))
            }
            Err(error) => {
                let file_system = FileSystem::probe(self.run.root())?;
                if file_system.links || !file_system.exclusive {
                    return Err(Error::io("write the lock", self.path)(error));
                }
                create(self.path, self.content)
            }
        }
    }

    /// Moves an abandoned lock out of the way, unless somebody else has just done so and locked again.
    fn set_aside(&self, found: &Found) -> Result<()> {
        let aside = self.fresh.with_extension("abandoned");
        match fs::rename(self.path, &aside) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            other => other.map_err(Error::io("take over the lock", self.path))?,
        }
        if let Ok(content) = fs::read_to_string(&aside)
            && content != found.content
            && fs::hard_link(&aside, self.path).is_err()
        {
            // It was a new holder's: give it back.
            create(self.path, &content)?;
        }
        let _ = fs::remove_file(&aside);
        Ok(())
    }
}

/// Makes the lock where there are no links. It is not whole at once: until it is, it belongs to nobody that is known.
fn create(path: &Path, content: &str) -> Result<bool> {
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        other => other.map_err(Error::io("write the lock", path))?,
    };
    let written = file
        .write_all(content.as_bytes())
        .and_then(|()| durable::flush_and_close(file));
    if written.is_err() {
        // Nobody can hold what names nobody.
        let _ = fs::remove_file(path);
    }
    written.map_err(Error::io("write the lock", path))?;
    Ok(true)
}

/// Sets a file's times by the file server's clock: hosts need not agree on the time.
fn touch(path: &Path) -> io::Result<()> {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let times = Timestamps {
        last_access: now,
        last_modification: now,
    };
    Ok(utimensat(CWD, path, &times, AtFlags::empty())?)
}

/// Touches the lock until it is released or lost.
fn keep(path: &Path, content: &str, released: &Receiver<()>, lost: &AtomicBool) {
    while let Err(RecvTimeoutError::Timeout) = released.recv_timeout(TOUCH) {
        if is_gone_or_anothers(path, content) {
            lost.store(true, Ordering::Relaxed);
            return;
        }
        // That it did not work shows in the lock's age.
        if let Err(error) = touch(path) {
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
    /// `None` if it went away meanwhile. `fresh` was touched a moment ago and gives the file server's time.
    fn read(path: &Path, fresh: &Path) -> Result<Option<Self>> {
        let modified = |file: &Path| fs::metadata(file).and_then(|data| data.modified());
        let gone = |error: &io::Error| error.kind() == ErrorKind::NotFound;
        let content = match fs::read(path) {
            Err(error) if gone(&error) => return Ok(None),
            other => other.map_err(Error::io("read the lock", path))?,
        };
        let content = String::from_utf8_lossy(&content).into_owned();
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

    fn is_abandoned(&self, by: &Holder) -> bool {
        let is_old = self.untouched > ABANDONED;
        let Some(holder) = &self.holder else {
            return is_old;
        };
        match holder.seen_by(by) {
            // The lock came here with a copy of the run directory that it belongs to.
            Seen::Alive => holder.is_of_another_directory(by),
            Seen::Gone => true,
            Seen::Unknown => is_old || holder.slurm_forgot(by),
        }
    }

    /// Whether an earlier start of the job of `by` has left it, on another node.
    fn is_of_this_job(&self, by: &Holder) -> bool {
        let is_same = |holder: &Holder| {
            holder.slurm_job.is_some()
                && holder.slurm_job == by.slurm_job
                && holder.seen_by(by) == Seen::Unknown
        };
        self.holder.as_ref().is_some_and(is_same)
    }

    /// Who holds it, and what to do.
    fn tell(&self) -> String {
        let age = self.untouched.as_secs();
        let Some(Holder {
            host,
            pid,
            slurm_job,
            ..
        }) = &self.holder
        else {
            return format!(
                "a holder that cannot be read, last seen {age} s ago (a minute after that it counts as gone)"
            );
        };
        let job = slurm_job.as_ref();
        let job = job.map_or_else(String::new, |job| format!(", Slurm job {job}"));
        format!(
            "process {pid} on {host}{job}, last seen {age} s ago (wait for it or stop it; a minute after it was last seen \
             it counts as gone, unless it can be seen from here)"
        )
    }
}
