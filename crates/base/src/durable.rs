//! Files that are either the old one or the new one, whatever happens in between.
//!
//! Everything efflux writes, except journals and logs, is written here: to a temporary name in the same directory,
//! flushed to the disk, renamed, and the directory flushed, so that the name survives a power cut too.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Replaces the file at `path`, creating its directory if need be.
///
/// # Errors
///
/// [`Error::Io`] naming the file; an older file of that name is then unharmed.
pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    write_with(path, |temporary| {
        fs::write(temporary, contents.as_ref()).map_err(Error::io("write", path))
    })
}

/// As [`write()`], for libraries that want a file name: `fill` writes the file it is given.
///
/// # Errors
///
/// What `fill` returns, or [`Error::Io`]; an older file of that name is then unharmed.
pub fn write_with(path: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
        return Err(Error::file(
            path,
            "is a directory, expected the name of a file",
        ));
    };
    let directory = directory_of(path);
    fs::create_dir_all(&directory).map_err(Error::io("create the directory", &directory))?;
    // Of this process alone, so that two commands that write the same file do not mix.
    let name = format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id());
    let temporary = directory.join(name);
    // Made here first: the system's reason (not permitted, read-only) is clearer than a library's.
    File::create(&temporary).map_err(Error::io("write", path))?;
    let written = fill(&temporary).and_then(|()| {
        File::open(&temporary)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&temporary, path))
            .map_err(Error::io("write", path))
    });
    if written.is_err() {
        // Best effort: the error that matters is the one above.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_directory(&directory)
}

/// Removes a file, if there is one.
///
/// # Errors
///
/// [`Error::Io`] naming the file.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Makes the names in a directory durable.
///
/// # Errors
///
/// [`Error::Io`] naming the directory.
pub fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory)
        .and_then(|handle| handle.sync_all())
        .map_err(Error::io("flush the directory", directory))
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
    fn a_directory_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let error = write(directory.path(), "text").unwrap_err();
        assert!(error.to_string().contains("is a directory"), "{error}");
    }
}
