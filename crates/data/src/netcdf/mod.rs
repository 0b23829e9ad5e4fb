//! Variables of netCDF files that others have written, classic or netCDF-4, as plain numbers.

mod classic;
mod hdf;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use efflux_base::error::{Error, Result};

/// A variable with numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct NetCdfVariable {
    /// Its name.
    pub name: String,
    /// Lengths of its dimensions.
    pub shape: Vec<usize>,
    /// Its values as they are stored.
    pub stored: Vec<f64>,
    /// Name and value of its attributes that are texts or numbers.
    pub attributes: Vec<(String, NetCdfAttribute)>,
}

/// What a variable says of itself.
#[derive(Clone, Debug, PartialEq)]
pub enum NetCdfAttribute {
    /// A text.
    Text(String),
    /// One number or several.
    Numbers(Vec<f64>),
}

/// What the library writes where nothing was written, `NC_FILL_FLOAT` and `NC_FILL_DOUBLE`.
const DEFAULT_FILL: f64 = 9.969_209_968_386_869e36;

impl NetCdfVariable {
    /// The text of an attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attribute(name)? {
            NetCdfAttribute::Text(text) => Some(text.trim_end_matches('\0').trim()),
            NetCdfAttribute::Numbers(_) => None,
        }
    }

    fn numbers(&self, name: &str) -> &[f64] {
        match self.attribute(name) {
            Some(NetCdfAttribute::Numbers(numbers)) => numbers,
            _ => &[],
        }
    }

    fn attribute(&self, name: &str) -> Option<&NetCdfAttribute> {
        let found = self.attributes.iter().find(|(other, _)| other == name);
        found.map(|(_, attribute)| attribute)
    }

    /// What the stored values mean: NaN for `_FillValue` and `missing_value`, and what the library writes by itself; scaled
    /// by `scale_factor` and `add_offset`.
    ///
    /// # Source
    ///
    /// CF conventions 1.11, sections 2.5.1 and 8.1.
    pub fn values(&self) -> Vec<f64> {
        let fills = [self.numbers("_FillValue"), self.numbers("missing_value")].concat();
        let scale = self.numbers("scale_factor").first().copied().unwrap_or(1.0);
        let offset = self.numbers("add_offset").first().copied().unwrap_or(0.0);
        let missing =
            |value: f64| fills.contains(&value) || (value / DEFAULT_FILL - 1.0).abs() < 1e-6;
        let value = |stored: &f64| {
            if missing(*stored) {
                f64::NAN
            } else {
                stored * scale + offset
            }
        };
        self.stored.iter().map(value).collect()
    }
}

/// Reads all variables with numbers.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] if it is no netCDF file or is broken off.
pub fn read_netcdf(path: &Path) -> Result<Vec<NetCdfVariable>> {
    let mut start = [0; 8];
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let read = file.read(&mut start).map_err(Error::io("read", path))?;
    match &start[..read] {
        [b'C', b'D', b'F', version, ..] => {
            let version = *version;
            let mut bytes = start[..read].to_vec();
            file.read_to_end(&mut bytes)
                .map_err(Error::io("read", path))?;
            classic::read(&bytes, version)
                .map_err(|reason| Error::file(path, format!("as a classic netCDF file {reason}")))
        }
        b"\x89HDF\r\n\x1a\n" => hdf::read(path),
        _ => Err(Error::file(
            path,
            "is no netCDF file: it begins neither with `CDF` nor as HDF5 does",
        )),
    }
}
