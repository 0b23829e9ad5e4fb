//! Texts in HDF5 files.

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
