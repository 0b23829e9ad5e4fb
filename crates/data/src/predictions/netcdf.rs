//! The part of the netCDF-4 conventions that says which axis of a variable is which dimension: dimension scales of
//! HDF5.
//!
//! # Source
//!
//! *HDF5 Dimension Scale Specification* (The HDF Group); *NetCDF-4 file format*, Unidata.

use std::fs;
use std::path::Path;

use hdf5::file::LibraryVersion;
use hdf5::plist::file_create::{AttrCreationOrder, LinkCreationOrder};
use hdf5::types::{FixedAscii, VarLenArray};
use hdf5::{Dataset, Datatype, File, H5Type, ObjectReference1};
use ndarray::ArrayViewD;

use crate::h5::{self, text_attribute};

/// A netCDF-4 file that is being written.
pub(super) struct NetCdf {
    file: File,
    /// Of the attributes that make a dataset a dimension scale.
    name_type: Datatype,
    dimensions: Vec<Dimension>,
}

/// A dimension with its coordinate variable.
struct Dimension {
    name: &'static str,
    length: usize,
    scale: Dataset,
    used_by: Vec<Use>,
}

/// An axis that a dimension is attached to, as HDF5 lists it at the dimension.
#[derive(Clone, Copy, H5Type)]
#[repr(C)]
struct Use {
    dataset: ObjectReference1,
    dimension: u32,
}

impl NetCdf {
    pub(super) fn create(path: &Path) -> hdf5::Result<Self> {
        let name_type = terminated_text(path)?;
        // Without an order of links netCDF does not open a file to append to it.
        let file = h5::create(path, |list| {
            list.obj_track_times(false)
                .link_creation_order(LinkCreationOrder::Indexed)
                .attr_creation_order(AttrCreationOrder::Indexed)
        })?;
        Ok(Self {
            file,
            name_type,
            dimensions: Vec::new(),
        })
    }

    /// An attribute of the file.
    pub(super) fn attribute(&self, name: &str, value: &str) -> hdf5::Result<()> {
        text_attribute(&self.file, name, value)
    }

    /// A dimension and its coordinate variable of the same name.
    pub(super) fn dimension<T: H5Type>(
        &mut self,
        name: &'static str,
        values: &[T],
        attributes: &[(&str, &str)],
    ) -> hdf5::Result<()> {
        let scale = self.dataset(name, values, &[values.len()], None, attributes)?;
        for (attribute, value) in [("CLASS", "DIMENSION_SCALE"), ("NAME", name)] {
            let attribute = scale
                .new_attr_builder()
                .empty_as(self.name_type.clone())
                .create(attribute)?;
            attribute.write_scalar(&name_text(value)?)?;
        }
        let id = i32::try_from(self.dimensions.len()).unwrap_or(i32::MAX);
        scale
            .new_attr::<i32>()
            .create("_Netcdf4Dimid")?
            .write_scalar(&id)?;
        self.dimensions.push(Dimension {
            name,
            length: values.len(),
            scale,
            used_by: Vec::new(),
        });
        Ok(())
    }

    /// A variable over dimensions that are there already.
    pub(super) fn variable<T: H5Type>(
        &mut self,
        name: &str,
        over: &[&str],
        values: &[T],
        attributes: &[(&str, &str)],
    ) -> hdf5::Result<()> {
        let find = |wanted: &&str| {
            let found = self
                .dimensions
                .iter()
                .position(|dimension| dimension.name == *wanted);
            found.ok_or_else(|| hdf5::Error::from(format!("`{name}`: no dimension `{wanted}`")))
        };
        let axes = over
            .iter()
            .map(find)
            .collect::<hdf5::Result<Vec<usize>>>()?;
        let shape: Vec<usize> = axes
            .iter()
            .map(|&axis| self.dimensions[axis].length)
            .collect();
        // One chunk a series: reading a site reads nothing else.
        let chunk = (shape.len() > 1 && !values.is_empty()).then(|| {
            let mut chunk = vec![1; shape.len()];
            chunk[shape.len() - 1] = shape[shape.len() - 1];
            chunk
        });
        let dataset = self.dataset(name, values, &shape, chunk, attributes)?;
        let mut scales = Vec::new();
        for (index, &axis) in axes.iter().enumerate() {
            let dimension = &mut self.dimensions[axis];
            let scale: ObjectReference1 = self.file.reference(dimension.name)?;
            scales.push(VarLenArray::from_slice(&[scale]));
            dimension.used_by.push(Use {
                dataset: self.file.reference(name)?,
                dimension: u32::try_from(index).unwrap_or(u32::MAX),
            });
        }
        dataset
            .new_attr_builder()
            .with_data(&scales)
            .create("DIMENSION_LIST")?;
        Ok(())
    }

    /// A variable's attribute of several numbers.
    pub(super) fn numbers<T: H5Type>(
        &self,
        variable: &str,
        name: &str,
        values: &[T],
    ) -> hdf5::Result<()> {
        let attribute = self.file.dataset(variable)?.new_attr_builder();
        attribute.with_data(values).create(name)?;
        Ok(())
    }

    /// Completes the dimensions and closes the file.
    pub(super) fn finish(self) -> hdf5::Result<()> {
        for dimension in self.dimensions {
            if !dimension.used_by.is_empty() {
                let list = dimension
                    .scale
                    .new_attr_builder()
                    .with_data(&dimension.used_by);
                list.create("REFERENCE_LIST")?;
            }
        }
        h5::finish(self.file)
    }

    fn dataset<T: H5Type>(
        &self,
        name: &str,
        values: &[T],
        shape: &[usize],
        chunk: Option<Vec<usize>>,
        attributes: &[(&str, &str)],
    ) -> hdf5::Result<Dataset> {
        let view = ArrayViewD::from_shape(shape, values)?;
        let builder = self.file.new_dataset_builder().obj_track_times(false);
        let builder = match chunk {
            Some(chunk) => builder.chunk(chunk).fletcher32(),
            None => builder,
        };
        let dataset = builder.with_data(view).create(name)?;
        for (name, value) in attributes {
            text_attribute(&dataset, name, value)?;
        }
        Ok(dataset)
    }
}

/// The text of an attribute of a dimension scale: 15 characters at most.
fn name_text(value: &str) -> hdf5::Result<FixedAscii<TEXT_SIZE>> {
    FixedAscii::from_ascii(value).map_err(|error| hdf5::Error::from(format!("`{value}`: {error}")))
}

/// Size of the attributes of a dimension scale.
const TEXT_SIZE: usize = 16;

/// The type of text of 16 characters that a zero ends: HDF5 takes a dataset for a dimension scale only if its class has
/// this type, and the binding makes texts that zeros pad, but has no way to ask for this.
///
/// So a file with nothing but a padded text is written at `path`, the one byte that says so is changed in it, and the
/// type is read back. In this oldest format of the file no checksum covers that byte.
fn terminated_text(path: &Path) -> hdf5::Result<Datatype> {
    // Class 3 (text) of version 1, padding 1, size 16: "HDF5 File Format Specification", IV.A.2.d.
    const PADDED: [u8; 8] = [0x13, 1, 0, 0, 16, 0, 0, 0];
    let file = File::with_options()
        .with_fapl(|list| list.libver_bounds(LibraryVersion::Earliest, LibraryVersion::V18))
        .create(path)?;
    let attribute = file.new_attr::<FixedAscii<TEXT_SIZE>>().create("text")?;
    attribute.write_scalar(&name_text("text")?)?;
    drop(attribute);
    file.close()?;
    let system = |error: std::io::Error| hdf5::Error::from(error.to_string());
    let mut bytes = fs::read(path).map_err(system)?;
    let place = bytes
        .windows(PADDED.len())
        .position(|window| window == PADDED)
        .ok_or("HDF5 wrote a text in an unknown way")?;
    bytes[place + 1] = 0;
    fs::write(path, bytes).map_err(system)?;
    let file = File::open(path)?;
    let text = file.attr("text")?.dtype()?;
    file.close()?;
    Ok(text)
}
