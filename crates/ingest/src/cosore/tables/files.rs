//! The files of a release, in a folder or in a zip archive.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use zip::ZipArchive;

/// The most bytes of one file, unpacked. The longest table of the database has a million rows and 200 MB.
const MOST_BYTES: u64 = 512 << 20;
/// The most bytes without an end of a line.
const MOST_LINE: usize = 1 << 20;
/// The file by which a release of tables is known.
const DESCRIPTION: &str = "description.csv";

/// Where the files are.
#[derive(Debug)]
pub(super) enum Files {
    Folder(PathBuf),
    Zip {
        archive: PathBuf,
        /// What stands before each name: an archive may hold the files or a folder of them.
        prefix: String,
        names: Vec<String>,
    },
}

impl Files {
    /// The release at a path; `None` if there is none of this layout.
    pub(super) fn find(path: &Path) -> Result<Option<Self>> {
        if path.is_dir() {
            let found = path.join(DESCRIPTION).is_file();
            return Ok(found.then(|| Self::Folder(path.to_owned())));
        }
        if !path.is_file() {
            return Ok(None);
        }
        let archive = open(path)?;
        // A name that is no text is none of the release's.
        let names = archive.file_names().filter_map(std::result::Result::ok);
        let names: Vec<String> = names.map(|name| name.into_owned()).collect();
        let ends = |name: &&String| {
            name.strip_suffix(DESCRIPTION)
                .is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        let found = names.iter().filter(ends).min_by_key(|name| name.len());
        let Some(found) = found else {
            let reason = format!(
                "has no {DESCRIPTION}, expected a release of COSORE as its script writes it"
            );
            return Err(Error::file(path, reason));
        };
        Ok(Some(Self::Zip {
            archive: path.to_owned(),
            prefix: found[..found.len() - DESCRIPTION.len()].to_owned(),
            names,
        }))
    }

    /// A file as people are told of it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(name),
            Self::Zip {
                archive, prefix, ..
            } => archive.join(format!("{prefix}{name}")),
        }
    }

    /// The names in a folder.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<String>> {
        match self {
            Self::Folder(at) => {
                let at = at.join(folder);
                if !at.is_dir() {
                    return Ok(Vec::new());
                }
                let entries = std::fs::read_dir(&at).map_err(Error::io("list the folder", &at))?;
                let name = |entry: std::io::Result<std::fs::DirEntry>| {
                    let entry = entry.map_err(Error::io("list the folder", &at))?;
                    Ok(entry.file_name().to_string_lossy().into_owned())
                };
                entries.map(name).collect()
            }
            Self::Zip { prefix, names, .. } => {
                let inside = names.iter().filter_map(|name| {
                    let rest = name.strip_prefix(prefix.as_str())?.strip_prefix(folder)?;
                    rest.strip_prefix('/').map(str::to_owned)
                });
                Ok(inside.filter(|name| !name.contains('/')).collect())
            }
        }
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Zip { prefix, names, .. } => names.contains(&format!("{prefix}{name}")),
        }
    }

    /// Hands a file over to be read; `None` if there is none.
    pub(super) fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<Option<T>> {
        let path = self.path(name);
        match self {
            Self::Folder(_) => {
                if !path.try_exists().map_err(Error::io("read", &path))? {
                    return Ok(None);
                }
                let file = File::open(&path).map_err(Error::io("read", &path))?;
                read(&mut Bounded::new(BufReader::new(file), MOST_BYTES)).map(Some)
            }
            Self::Zip {
                archive,
                prefix,
                names,
            } => {
                let name = format!("{prefix}{name}");
                if !names.contains(&name) {
                    return Ok(None);
                }
                let mut archive = open(archive)?;
                let file = archive.by_name(&name).map_err(|error| {
                    Error::file(&path, format!("cannot be unpacked ({error}): get it again"))
                })?;
                read(&mut Bounded::new(file, MOST_BYTES)).map(Some)
            }
        }
    }
}

/// Reads up to a bound, beyond which there is an error and not an end.
struct Bounded<R> {
    from: R,
    left: u64,
    /// Bytes since the last end of a line.
    line: usize,
}

impl<R> Bounded<R> {
    fn new(from: R, most: u64) -> Self {
        Self {
            from,
            left: most,
            line: 0,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        let too_long = || std::io::Error::other("it is longer than any table of a release");
        self.left = self.left.checked_sub(read as u64).ok_or_else(too_long)?;
        let end = buffer[..read]
            .iter()
            .rposition(|byte| matches!(byte, b'\n' | b'\r'));
        self.line = match end {
            Some(end) => read - end,
            None => self.line + read,
        };
        if self.line > MOST_LINE {
            return Err(std::io::Error::other(
                "it has a line that no table of a release has",
            ));
        }
        Ok(read)
    }
}

fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| {
        let reason = format!("is not a whole zip archive ({error}), expected a release of COSORE: a folder or its zip");
        Error::file(path, reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_an_error_and_no_end() {
        let read = |text: &[u8], most| {
            let mut all = Vec::new();
            Bounded::new(text, most).read_to_end(&mut all)
        };
        assert_eq!(read(b"a\nb\n", 4).unwrap(), 4);
        assert!(read(b"a\nb\n", 3).is_err());
        assert!(read(&vec![0; MOST_LINE + 1], u64::MAX).is_err());
        assert!(read(&b"a\n".repeat(MOST_LINE), u64::MAX).is_ok());
    }
}
