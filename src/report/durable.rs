//! Files that are either whole or not there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// Writes a file under a temporary name, makes it durable and renames it.
///
/// # Errors
///
/// [`Error::Io`] naming the file and the step.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".partial");
    let partial = path.with_file_name(name);
    let mut file = File::create(&partial).map_err(Error::io("create", &partial))?;
    file.write_all(content)
        .map_err(Error::io("write", &partial))?;
    file.sync_all().map_err(Error::io("sync", &partial))?;
    fs::rename(&partial, path).map_err(Error::io("rename to", path))?;
    // The name is durable once its directory is.
    let directory = path.parent().unwrap_or(Path::new("."));
    let opened = File::open(directory).map_err(Error::io("open", directory))?;
    opened.sync_all().map_err(Error::io("sync", directory))
}
