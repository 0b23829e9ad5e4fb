//! netCDF-4, which is HDF5.

use std::path::Path;

use efflux_base::error::{Error, Result};
use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5::{Attribute, Dataset};

use super::{NetCdfAttribute, NetCdfVariable};
use crate::h5::{Name, reason};

pub(super) fn read(path: &Path) -> Result<Vec<NetCdfVariable>> {
    let name = Name::of(path).map_err(Error::io("read", path))?;
    let file = hdf5::File::open(&name.path).map_err(|error| Error::file(path, reason(&error)))?;
    let variables = file
        .datasets()
        .and_then(|sets| sets.iter().map(variable).collect::<hdf5::Result<Vec<_>>>());
    let variables = variables.map_err(|error| Error::file(path, reason(&error)))?;
    Ok(variables.into_iter().flatten().collect())
}

/// None for one without numbers.
fn variable(set: &Dataset) -> hdf5::Result<Option<NetCdfVariable>> {
    if !is_number(&set.dtype()?.to_descriptor()) {
        return Ok(None);
    }
    let mut attributes = Vec::new();
    for name in set.attr_names()? {
        let attribute = set.attr(&name)?;
        if let Some(value) = value(&attribute) {
            attributes.push((name, value));
        }
    }
    Ok(Some(NetCdfVariable {
        name: set.name().trim_start_matches('/').to_owned(),
        shape: set.shape(),
        stored: set.read_raw()?,
        attributes,
    }))
}

fn is_number(kind: &hdf5::Result<TypeDescriptor>) -> bool {
    use TypeDescriptor::{Float, Integer, Unsigned};
    matches!(kind, Ok(Integer(_) | Unsigned(_) | Float(_)))
}

/// None for what is neither a text nor numbers: references to dimensions, for one.
fn value(attribute: &Attribute) -> Option<NetCdfAttribute> {
    let kind = attribute.dtype().and_then(|kind| kind.to_descriptor());
    if is_number(&kind) {
        return attribute.read_raw().ok().map(NetCdfAttribute::Numbers);
    }
    let text = match kind.ok()? {
        TypeDescriptor::VarLenUnicode => first(attribute.read_raw::<VarLenUnicode>())?.to_string(),
        TypeDescriptor::VarLenAscii => first(attribute.read_raw::<VarLenAscii>())?.to_string(),
        TypeDescriptor::FixedAscii(_) => {
            first(attribute.read_raw::<FixedAscii<1024>>())?.to_string()
        }
        TypeDescriptor::FixedUnicode(_) => {
            first(attribute.read_raw::<FixedUnicode<1024>>())?.to_string()
        }
        _ => return None,
    };
    Some(NetCdfAttribute::Text(text))
}

fn first<T>(values: hdf5::Result<Vec<T>>) -> Option<T> {
    values.ok()?.into_iter().next()
}
