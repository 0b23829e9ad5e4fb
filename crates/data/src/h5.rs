//! Texts in HDF5 files, and the texts of its errors.

use hdf5::Location;
use hdf5::types::VarLenUnicode;

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
