//! What the file system of a run directory can do of what lock and journals rely on, and what time it is there.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::time::SystemTime;

use efflux_base::durable;
use efflux_base::error::{Error, Result};

/// What a file system can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// A file can have a second name, and a name that is taken cannot be given again.
    pub links: bool,
    /// A file can be created on condition that there is none.
    pub exclusive: bool,
    /// A directory can be flushed.
    pub flushes_directories: bool,
}

impl FileSystem {
    /// Tries it out in a directory, and leaves nothing behind.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if no file can be made there.
    pub fn probe(directory: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(".probe.")
            .suffix(".tmp")
            .tempdir_in(directory)
            .map_err(Error::io("write in", directory))?;
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        let create = || OpenOptions::new().write(true).create_new(true).open(&file);
        create().map_err(Error::io("create", &file))?;
        let is_taken = |again: std::io::Result<()>| {
            again.is_err_and(|error| error.kind() == ErrorKind::AlreadyExists)
        };
        Ok(Self {
            links: fs::hard_link(&file, &link).is_ok() && is_taken(fs::hard_link(&file, &link)),
            exclusive: is_taken(create().map(drop)),
            flushes_directories: durable::can_flush(folder.path()),
        })
    }

    /// What a sweep there should know, in words that follow the name of the directory.
    pub fn warnings(self) -> Vec<&'static str> {
        let mut warnings = Vec::new();
        if !self.flushes_directories {
            warnings.push(
                "this file system cannot flush directories: a power cut may take files that have just been written",
            );
        }
        if !self.links && self.exclusive {
            warnings.push(
                "this file system has no hard links: the lock is a file created exclusively, so nobody should start two \
                 sweeps here in the same moment",
            );
        }
        if !self.links && !self.exclusive {
            warnings.push(
                "this file system can neither link nor create files exclusively: nothing keeps two sweeps apart here, use \
                 a run directory elsewhere",
            );
        }
        warnings
    }

    /// The time by the clock of whoever keeps the directory; by this host's if nothing can be written there.
    pub fn now(directory: &Path) -> SystemTime {
        tempfile::tempfile_in(directory)
            .and_then(|file| file.metadata()?.modified())
            .unwrap_or_else(|_| SystemTime::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_disk_can_do_everything_and_nothing_is_left_of_the_trial() {
        let directory = tempfile::tempdir().unwrap();
        let found = FileSystem::probe(directory.path()).unwrap();
        assert!(found.links && found.exclusive && found.flushes_directories);
        assert!(found.warnings().is_empty());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        let refused = FileSystem::probe(&directory.path().join("missing"));
        assert!(matches!(refused, Err(Error::Io { .. })));
    }
}
