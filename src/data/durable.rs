//! How a file comes to be there as a whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes a file under a temporary name beside `path`, makes it durable and only then gives it its name. Whatever
/// stood at `path` stays until that moment; after a failure it still stands and nothing is left behind.
///
/// # Errors
///
/// What `write` returns, or [`Error::Io`] if the file cannot be made durable or renamed.
pub(super) fn replace(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let temporary = temporary_name(path)?;
    // Made here first: the system's reason (no such folder, not permitted, read-only) is clearer than a library's.
    File::create(&temporary).map_err(Error::io("create the file", path))?;
    let result = write(&temporary).and_then(|()| publish(&temporary, path));
    if result.is_err() {
        // The error that is reported is the first one; a leftover that cannot be removed adds nothing to it.
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn publish(temporary: &Path, path: &Path) -> Result<()> {
    File::open(temporary)
        .and_then(|file| file.sync_all())
        .map_err(Error::io("make the file durable", path))?;
    fs::rename(temporary, path).map_err(Error::io("put the finished file in place", path))?;
    let folder = folder_of(path);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::io("make the folder durable", folder))
}

/// Unique to this process, so that two commands writing the same file do not mix.
fn temporary_name(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(Error::file(path, "is not the name of a file"));
    };
    if path.is_dir() {
        return Err(Error::file(
            path,
            "is a folder, expected the name of a file",
        ));
    }
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        let result = replace(&path, |temporary| {
            fs::write(temporary, "half").unwrap();
            Err(Error::file(&path, "stopped"))
        });
        assert!(result.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_finished_write_replaces_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        replace(&path, |temporary| {
            fs::write(temporary, "new").map_err(Error::io("write", temporary))
        })
        .unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let error = replace(folder.path(), |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("is a folder"), "{error}");
    }
}
