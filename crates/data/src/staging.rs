//! A copy of the pack on a node's own disk, so that a shared file system is read once a node and not once a trainer.
//!
//! The copy is named by the pack's digest, made under a name of its own and renamed when it is whole, by one process at a
//! time; whoever reads it checks the digest of what was read. Whatever stands in the way of a copy, the pack is read
//! where it lies.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use efflux_base::error::Result;
use rustix::fs::{FlockOperation, flock};

use super::pack::Pack;

/// The variable that names a folder on a node's own disk.
pub const SCRATCH: &str = "EFFLUX_SCRATCH";

impl Pack {
    /// Reads a pack by way of a copy in `scratch`, which stays there for others; without a scratch folder, and where it
    /// cannot be used, as [`Pack::read`]. Says on stderr which it was.
    ///
    /// # Errors
    ///
    /// As [`Pack::read`].
    pub fn read_staged(path: &Path, digest: &str, scratch: Option<&Path>) -> Result<Self> {
        let Some(scratch) = scratch else {
            return Self::read(path);
        };
        match stage(path, digest, scratch) {
            Ok(pack) => Ok(pack),
            Err(reason) => {
                efflux_base::complain!("{}: read in place: {reason}", path.display());
                Self::read(path)
            }
        }
    }
}

/// The pack by way of its copy, or why there is none.
fn stage(path: &Path, digest: &str, scratch: &Path) -> Result<Pack, String> {
    let folder = own_folder(scratch)?;
    let fault = |what: &Path| {
        let what = what.display().to_string();
        move |error: io::Error| format!("{what}: {error}")
    };
    let copy = folder.join(format!("{digest}.h5"));
    let marker = folder.join(format!("{digest}.lock"));
    // Waits for whoever copies. The disk is the node's own, so the lock works, and goes when its holder dies.
    let held = File::create(&marker).map_err(fault(&marker))?;
    flock(&held, FlockOperation::LockExclusive).map_err(|error| fault(&marker)(error.into()))?;
    if copy.exists() {
        match read_copy(&copy, digest) {
            Ok(pack) => {
                efflux_base::complain!("{}: read from {}", path.display(), copy.display());
                return Ok(pack);
            }
            Err(reason) => efflux_base::complain!("copied again: {reason}"),
        }
    }
    let part = folder.join(format!("{digest}.part"));
    let read = fs::copy(path, &part)
        .map_err(fault(&part))
        .and_then(|_| read_copy(&part, digest))
        .and_then(|pack| {
            fs::rename(&part, &copy)
                .map_err(fault(&copy))
                .map(|()| pack)
        });
    if read.is_err() {
        // It may never have been there.
        let _ = fs::remove_file(&part);
    }
    let pack = read?;
    efflux_base::complain!("{}: copied to {}", path.display(), copy.display());
    Ok(pack)
}

fn read_copy(copy: &Path, digest: &str) -> Result<Pack, String> {
    let pack = Pack::read(copy).map_err(|error| error.to_string())?;
    if pack.digest == digest {
        Ok(pack)
    } else {
        let found = pack.digest;
        Err(format!("{} is of another pack, {found}", copy.display()))
    }
}

/// A folder in the scratch folder that nobody else can put anything into: a scratch folder is often everybody's.
fn own_folder(scratch: &Path) -> Result<PathBuf, String> {
    let user = rustix::process::geteuid().as_raw();
    let folder = scratch.join(format!("efflux-{user}"));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(format!("{}: {error}", folder.display()));
        }
        _ => {}
    }
    let found =
        fs::symlink_metadata(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    if found.is_dir() && found.uid() == user && found.mode() & 0o022 == 0 {
        Ok(folder)
    } else {
        Err(format!(
            "{} is not a folder of this user alone",
            folder.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use efflux_ingest::{SynthOptions, synthesize};

    /// A pack on the shared disk, and a scratch folder with a sub-folder of this user's own.
    fn disks() -> (tempfile::TempDir, PathBuf, Pack, PathBuf) {
        let disks = tempfile::tempdir().unwrap();
        let path = disks.path().join("a.h5");
        let options = SynthOptions {
            sites: 3,
            years: Some(2),
            ..SynthOptions::default()
        };
        synthesize(&options).unwrap().write(&path).unwrap();
        let scratch = disks.path().join("scratch");
        fs::create_dir(&scratch).unwrap();
        let pack = Pack::read(&path).unwrap();
        (disks, path, pack, scratch)
    }

    fn copy_of(pack: &Pack, scratch: &Path) -> PathBuf {
        own_folder(scratch)
            .unwrap()
            .join(format!("{}.h5", pack.digest))
    }

    #[test]
    fn the_first_reader_copies_and_the_next_ones_need_only_the_copy() {
        let (_disks, path, pack, scratch) = disks();
        let first = Pack::read_staged(&path, &pack.digest, Some(&scratch)).unwrap();
        assert_eq!(first.digest, pack.digest);
        assert_eq!(
            fs::read(copy_of(&pack, &scratch)).unwrap(),
            fs::read(&path).unwrap()
        );
        fs::remove_file(&path).unwrap();
        let next = Pack::read_staged(&path, &pack.digest, Some(&scratch)).unwrap();
        assert_eq!(next.digest, pack.digest);
    }

    #[test]
    fn a_damaged_copy_and_the_rest_of_a_killed_one_are_replaced() {
        let (_disks, path, pack, scratch) = disks();
        let copy = copy_of(&pack, &scratch);
        let whole = fs::read(&path).unwrap();
        for length in [0, 100, whole.len() / 2] {
            fs::write(&copy, &whole[..length]).unwrap();
            fs::write(copy.with_extension("part"), &whole[..length]).unwrap();
            let read = Pack::read_staged(&path, &pack.digest, Some(&scratch)).unwrap();
            assert_eq!(read.digest, pack.digest);
            assert_eq!(fs::read(&copy).unwrap(), whole);
        }
    }

    #[test]
    fn many_readers_at_once_all_get_the_pack_from_one_copy() {
        let (_disks, path, pack, scratch) = disks();
        std::thread::scope(|readers| {
            for _ in 0..8 {
                readers.spawn(|| {
                    let read = Pack::read_staged(&path, &pack.digest, Some(&scratch)).unwrap();
                    assert_eq!(read.digest, pack.digest);
                });
            }
        });
        let left: Vec<_> = fs::read_dir(own_folder(&scratch).unwrap())
            .unwrap()
            .collect();
        assert_eq!(left.len(), 2, "the copy and its lock: {left:?}");
    }

    #[test]
    fn without_a_folder_of_its_own_the_pack_is_read_where_it_lies() {
        let (disks, path, pack, scratch) = disks();
        let elsewhere = disks.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let user = rustix::process::geteuid().as_raw();
        // A trap that another user could have laid.
        symlink(&elsewhere, scratch.join(format!("efflux-{user}"))).unwrap();
        for scratch in [Some(scratch.as_path()), Some(Path::new("/proc/none")), None] {
            let read = Pack::read_staged(&path, &pack.digest, scratch).unwrap();
            assert_eq!(read.digest, pack.digest);
        }
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn a_pack_that_was_changed_under_its_name_is_not_kept_for_the_old_one() {
        let (_disks, path, pack, scratch) = disks();
        let read = Pack::read_staged(&path, "another", Some(&scratch)).unwrap();
        assert_eq!(
            read.digest, pack.digest,
            "as reading in place: who reads it compares"
        );
        assert!(!own_folder(&scratch).unwrap().join("another.h5").exists());
    }
}
