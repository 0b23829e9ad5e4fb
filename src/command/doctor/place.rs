//! Where runs are kept, and what else processes share: the run directory's file system, shared memory, time zones.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_run::FileSystem;
use rustix::fs::statvfs;

use super::Finding;
use crate::command::slurm::{Answer, ask};

/// Free bytes and inodes below which a sweep of some size will not end.
const FEW_BYTES: u64 = 1 << 30;
const FEW_INODES: u64 = 10_000;
/// What Open MPI wants of shared memory for a rank and its neighbours, and containers often do not give.
const SHARED_MEMORY: u64 = 128 << 20;

/// Locks, links, flushes and room.
pub(super) fn run_directory(run_dir: &Path) -> Vec<Finding> {
    const WHAT: &str = "run directory";
    // A sweep makes the directory; what counts is where.
    let mut there = run_dir.ancestors().filter(|directory| directory.is_dir());
    let place = there.next().unwrap_or(Path::new("."));
    let mut findings = match file_system(place) {
        Ok((found, None)) => vec![Finding::good(WHAT, format!("{}: {found}", place.display()))],
        Ok((found, Some(remedy))) => {
            vec![Finding::limited(
                WHAT,
                format!("{}: {found}", place.display()),
                remedy,
            )]
        }
        Err(error) => vec![Finding::missing(
            WHAT,
            format!("UNUSABLE: {error}"),
            "give another one: `efflux doctor --run-dir DIRECTORY` tries it, `efflux sweep --run-dir DIRECTORY` takes it",
        )],
    };
    findings.extend(room(place));
    findings.extend(quota());
    findings
}

/// Tries what the lock and the journals rely on: exclusive links or files, flushes. What it found, and what to do.
fn file_system(directory: &Path) -> Result<(String, Option<String>)> {
    let found = FileSystem::probe(directory)?;
    let flush = time_of_a_flush(directory).map_err(Error::io("flush a file in", directory))?;
    if !found.links && !found.exclusive {
        return Err(Error::file(directory, found.warnings().join("; ")));
    }
    let (lock, mut remedies) = if found.links {
        ("links are exclusive", Vec::new())
    } else {
        let remedy = "start no two sweeps there in the same moment, or keep runs on a file system with hard links";
        (
            "no links, but files can be created exclusively",
            vec![remedy],
        )
    };
    let directories = if found.flushes_directories {
        ""
    } else {
        remedies.push("after a power cut, start the same sweep again: it trains what the cut took");
        ", DIRECTORIES CANNOT BE FLUSHED (a power cut may take files that have just been written)"
    };
    let milliseconds = flush.as_secs_f64() * 1e3;
    let found = format!("{lock}, a flush takes {milliseconds:.1} ms{directories}");
    let remedies = remedies.join("; ");
    Ok((
        found,
        Some(remedies).filter(|remedies| !remedies.is_empty()),
    ))
}

fn time_of_a_flush(directory: &Path) -> std::io::Result<Duration> {
    const FLUSHES: u32 = 10;
    let mut file = tempfile::tempfile_in(directory)?;
    let began = Instant::now();
    for _ in 0..FLUSHES {
        file.write_all(&[0; 512])?;
        file.sync_data()?;
    }
    Ok(began.elapsed() / FLUSHES)
}

/// What is free for this user, in bytes and in inodes.
fn room(directory: &Path) -> Option<Finding> {
    const WHAT: &str = "room";
    let disk = statvfs(directory).ok()?;
    let bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
    // Some file systems make inodes as they are needed, and say 0 of 0.
    let inodes = (disk.f_files > 0).then_some(disk.f_favail);
    let inodes_said = inodes.map_or("no limit of inodes".to_owned(), |inodes| {
        format!("{inodes} inodes")
    });
    let found = format!("{} free, {inodes_said}", Bytes(bytes));
    let is_little = bytes < FEW_BYTES || inodes.is_some_and(|inodes| inodes < FEW_INODES);
    Some(if is_little {
        let remedy =
            "a trial leaves some files of a few hundred kB: make room, or give another --run-dir";
        Finding::limited(WHAT, found, remedy)
    } else {
        Finding::good(WHAT, found)
    })
}

/// Whether this user is over a quota, as far as the `quota` command knows; most file systems count what is free by it.
fn quota() -> Option<Finding> {
    // With -q it names those alone that are exceeded, and says so by its exit code, too.
    let over = match ask("quota", &["-q"]) {
        Answer::Absent => return None,
        Answer::Refused(said) | Answer::Said(said) => said,
    };
    let over = over.trim();
    (over.contains("over") || over.contains("quota exceeded")).then(|| {
        let remedy =
            "remove what is not needed, or keep runs elsewhere: writes of a sweep will fail";
        Finding::limited("quota", over.replace('\n', "; "), remedy)
    })
}

/// Where ranks of one node hand messages to each other.
pub(super) fn shared_memory() -> Finding {
    const WHAT: &str = "shared memory";
    let Ok(disk) = statvfs("/dev/shm") else {
        let remedy = "several ranks of one node may need it: mount a tmpfs there";
        return Finding::limited(WHAT, "no /dev/shm", remedy);
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let found = format!("{} free in /dev/shm", Bytes(free));
    if free < SHARED_MEMORY {
        let remedy = "several ranks of one node may need more: `docker run --shm-size=1g`, or remove what lies there";
        Finding::limited(WHAT, found, remedy)
    } else {
        Finding::good(WHAT, found)
    }
}

/// Zones by name, as mappings of `efflux import` have them.
pub(super) fn time_zones() -> Finding {
    const WHAT: &str = "time zones";
    let database = jiff::tz::db();
    match database.get("Europe/Berlin") {
        Ok(_) => Finding::good(
            WHAT,
            "known by name; where the system has no table of them, by the program's own",
        ),
        Err(error) => Finding::limited(
            WHAT,
            format!("no zone is known by its name: {error}"),
            "state zones as offsets, as +01:00, or install tzdata",
        ),
    }
}

/// Bytes as people read them.
struct Bytes(u64);

impl std::fmt::Display for Bytes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut units = [("GB", 1_000_000_000), ("MB", 1_000_000)].into_iter();
        match units.find(|(_, size)| self.0 >= *size) {
            Some((unit, size)) => write!(out, "{} {unit}", self.0 / size),
            None => write!(out, "{} bytes", self.0),
        }
    }
}
