//! Files that are either the old one or the new one, whatever happens in between.
//!
//! Everything efflux writes, except journals, epochs and logs, is written here: to a temporary name in the same directory
//! that nobody can foresee, flushed to the disk, closed, compared with what was meant, renamed, and the directory flushed, so
//! that the name survives a power cut too. The first of these that fails is the error, and the old file stays.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::error::{Error, Result};

/// Replaces the file at `path`, creating its directory if need be.
///
/// # Errors
///
/// [`Error::Io`] naming the file; an older file of that name is then unharmed.
pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    let contents = contents.as_ref();
    replace(path, |temporary| {
        let write = || {
            let mut file = OpenOptions::new().write(true).open(temporary)?;
            file.write_all(contents)?;
            flush_and_close(file)?;
            fs::read(temporary)
        };
        let found = write().map_err(Error::io("write", path))?;
        if found == contents {
            Ok(())
        } else {
            Err(lost(path))
        }
    })
}

/// As [`write()`], for libraries that want a file name. They may lose what could not be written without a word, so `fill`
/// makes the file twice, the same bytes each time, and the two are compared.
///
/// # Errors
///
/// What `fill` returns, or [`Error::Io`]; an older file of that name is then unharmed.
pub fn write_with(path: &Path, fill: impl Fn(&Path) -> Result<()>) -> Result<()> {
    replace(path, |temporary| {
        fill(temporary)?;
        let directory = temporary.parent().unwrap_or(Path::new("."));
        let second = create_temporary(directory, OsStr::new("compared"))
            .map_err(Error::io("write", path))?;
        fill(&second)?;
        let is_same = OpenOptions::new()
            .write(true)
            .open(temporary)
            .and_then(flush_and_close)
            .and_then(|()| are_equal(temporary, &second));
        if is_same.map_err(Error::io("write", path))? {
            Ok(())
        } else {
            Err(lost(path))
        }
    })
}

/// Has `fill` write a temporary file, flush and compare it, and gives it the name.
fn replace(path: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
        return Err(Error::file(
            path,
            "is a directory, expected the name of a file",
        ));
    };
    let directory = directory_of(path);
    create_directory(&directory)?;
    // Made here first: the system's reason (not permitted, read-only) is clearer than a library's. It is removed when
    // dropped, if it is still there: the error that matters is the one that is returned.
    let temporary = create_temporary(&directory, name).map_err(Error::io("write", path))?;
    fill(&temporary)?;
    fs::rename(&temporary, path).map_err(Error::io("write", path))?;
    sync_directory(&directory)
}

/// What begins and what ends the names of files that are being written.
const TEMPORARY: (&str, &str) = (".", ".tmp");

/// Whether a file of this name was being written, by whoever is gone now if nobody else may write there.
pub fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(TEMPORARY.0.as_bytes()) && name.ends_with(TEMPORARY.1.as_bytes())
}

/// An empty file of a new name, never one that was there, nor what a link that was there leads to.
fn create_temporary(directory: &Path, name: &OsStr) -> io::Result<TempPath> {
    let mut begin = OsString::from(TEMPORARY.0);
    begin.push(name);
    begin.push(".");
    let file = tempfile::Builder::new()
        .prefix(&begin)
        .suffix(TEMPORARY.1)
        // What the user's mask leaves, as for every other file.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)?;
    Ok(file.into_temp_path())
}

/// Waits until a file is on the disk, and closes it. File servers tell of a full disk or quota only then.
///
/// # Errors
///
/// What the system reports of either.
pub fn flush_and_close(file: File) -> io::Result<()> {
    file.sync_all()?;
    Ok(nix::unistd::close(file)?)
}

fn are_equal(first: &Path, second: &Path) -> io::Result<bool> {
    let (mut first, mut second) = (File::open(first)?, File::open(second)?);
    let (mut one, mut other) = (Vec::new(), Vec::new());
    loop {
        const PIECE: u64 = 1 << 20;
        one.clear();
        other.clear();
        (&mut first).take(PIECE).read_to_end(&mut one)?;
        (&mut second).take(PIECE).read_to_end(&mut other)?;
        if one != other || one.is_empty() {
            return Ok(one == other);
        }
    }
}

fn lost(path: &Path) -> Error {
    Error::file(
        path,
        "does not read back as it was written, so it was not kept: disk or file server lost a part of it without an error \
         (see the system's log, then run the same command again)",
    )
}

/// Creates a directory and those that it is in, and makes their names durable.
///
/// # Errors
///
/// [`Error::Io`] naming the directory.
pub fn create_directory(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = directory_of(path);
    if parent != path {
        create_directory(&parent)?;
    }
    match fs::create_dir(path) {
        // Somebody else was as quick.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(Error::io("create the directory", path)(error)),
        Ok(()) => sync_directory(&parent),
    }
}

/// Removes a file, if there is one.
///
/// # Errors
///
/// [`Error::Io`] naming the file.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Makes the names in a directory durable, where the file system can.
///
/// # Errors
///
/// [`Error::Io`] naming the directory.
pub fn sync_directory(directory: &Path) -> Result<()> {
    match flush(directory) {
        Err(error) if !is_unsupported(&error) => {
            Err(Error::io("flush the directory", directory)(error))
        }
        _ => Ok(()),
    }
}

/// Whether the file system can flush a directory. Where it cannot, the name of a new file may be gone after a power cut.
pub fn can_flush(directory: &Path) -> bool {
    flush(directory).is_ok()
}

fn flush(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// EINVAL, EOPNOTSUPP or ENOSYS: the file system does not have this.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidInput | ErrorKind::Unsupported
    )
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_temporary_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.txt");
        write(&path, "old").unwrap();
        let failure = write_with(&path, |temporary| {
            fs::write(temporary, "half").unwrap();
            Err(Error::Usage("stop".into()))
        });
        assert!(failure.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_library_that_does_not_write_the_same_twice_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.bin");
        let second = std::cell::Cell::new(false);
        let loses = |temporary: &Path| {
            let text = if second.replace(true) { "whole" } else { "w" };
            fs::write(temporary, text).map_err(Error::io("write", temporary))
        };
        let error = write_with(&path, loses).unwrap_err().to_string();
        assert!(error.contains("does not read back"), "{error}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_of_the_files_name_is_replaced_and_where_it_leads_is_untouched() {
        let directory = tempfile::tempdir().unwrap();
        let (path, victim) = (directory.path().join("a"), directory.path().join("b"));
        fs::write(&victim, "theirs").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        write(&path, "ours").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
        assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
        assert!(!path.is_symlink());
    }

    #[test]
    fn a_file_gets_the_rights_that_the_users_mask_leaves_and_any_bytes_in_its_name() {
        use std::os::unix::ffi::OsStrExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(OsStr::from_bytes(b"f\xf6hr/a\xe9"));
        write(&path, "text").unwrap();
        let beside = path.with_file_name("b");
        fs::write(&beside, "text").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&beside));
    }

    #[test]
    fn a_directory_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let error = write(directory.path(), "text").unwrap_err();
        assert!(error.to_string().contains("is a directory"), "{error}");
    }
}
