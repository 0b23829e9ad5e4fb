//! What all HDF5 files have in common: how they begin and end, texts, names and errors.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use hdf5::plist::file_create::FileCreateBuilder;
use hdf5::types::VarLenUnicode;
use hdf5::{File, Location};

/// The name of a file for the binding to HDF5, which takes UTF-8 alone: any other file goes by its descriptor.
pub(super) struct Name {
    pub path: PathBuf,
    /// The descriptor must be open while the name is used.
    _file: Option<fs::File>,
}

impl Name {
    /// Of a file that is there.
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        if path.to_str().is_some() {
            return Ok(Self {
                path: path.to_owned(),
                _file: None,
            });
        }
        let file = fs::File::open(path)?;
        Ok(Self {
            path: format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
            _file: Some(file),
        })
    }
}

/// Starts a file that stays in memory until it is closed.
///
/// Where a write fails while datasets are open, as on a full disk, HDF5 crashes when it closes the file after them. In memory no
/// write fails but the last one, of the whole file, by [`finish`].
pub(super) fn create(
    path: &Path,
    settings: impl Fn(&mut FileCreateBuilder) -> &mut FileCreateBuilder,
) -> hdf5::Result<File> {
    /// Bytes by which the memory grows.
    const INCREMENT: usize = 1 << 20;
    File::with_options()
        .with_fapl(|list| list.core_options(INCREMENT, true))
        .with_fcpl(settings)
        .create(path)
}

/// Writes the file, whose datasets are all closed, and closes it.
pub(super) fn finish(file: File) -> hdf5::Result<()> {
    file.flush()?;
    file.close()
}

/// A text that may hold any character but NUL.
pub(super) fn text(value: &str) -> hdf5::Result<VarLenUnicode> {
    value
        .parse()
        .map_err(|error| hdf5::Error::from(format!("`{value}`: {error}")))
}

/// Gives a file, group or dataset an attribute.
pub(super) fn text_attribute(at: &Location, name: &str, value: &str) -> hdf5::Result<()> {
    at.new_attr::<VarLenUnicode>()
        .create(name)?
        .write_scalar(&text(value)?)
}

/// Why HDF5 failed: the operating system's words if it was that, else HDF5's own.
pub(super) fn reason(error: &hdf5::Error) -> String {
    let whole = error.to_string();
    let system = whole
        .split_once("error message = '")
        .and_then(|(_, rest)| rest.split_once('\''))
        .map(|(message, _)| message.to_owned());
    system.unwrap_or(whole)
}

/// The HDF5 this program uses, for people.
pub fn library_version() -> String {
    let (major, minor, release) = hdf5::library_version();
    format!("{major}.{minor}.{release}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_are_taken_out_of_those_of_hdf5() {
        let error = hdf5::Error::from(
            "H5Dwrite(): file write failed: errno = 28, error message = 'No space left on device', buf = 0x7",
        );
        assert_eq!(reason(&error), "No space left on device");
        assert_eq!(reason(&hdf5::Error::from("bad chunk")), "bad chunk");
    }
}
