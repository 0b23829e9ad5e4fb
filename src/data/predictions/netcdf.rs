//! The part of the netCDF-4 conventions that says which axis of a variable is which dimension: dimension scales of
//! HDF5.
//!
//! # Source
//!
//! *HDF5 Dimension Scale Specification* (The HDF Group); *NetCDF-4 file format*, Unidata.

use std::path::Path;

use hdf5::types::{FixedAscii, VarLenArray};
use hdf5::{Dataset, File, H5Type, Location, ObjectReference1};
use ndarray::ArrayViewD;

use crate::data::h5::text_attribute;

/// A netCDF-4 file that is being written.
pub(super) struct NetCdf {
    file: File,
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
        let file = File::with_options()
            .with_fcpl(|list| list.obj_track_times(false))
            .create(path)?;
        Ok(Self {
            file,
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
        fixed_attribute::<16>(&scale, "CLASS", "DIMENSION_SCALE")?;
        fixed_attribute::<16>(&scale, "NAME", name)?;
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
        self.file.close()
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

/// A text of fixed size: what HDF5 expects of the attributes of a dimension scale.
fn fixed_attribute<const N: usize>(at: &Location, name: &str, value: &str) -> hdf5::Result<()> {
    let value = FixedAscii::<N>::from_ascii(value)
        .map_err(|error| hdf5::Error::from(format!("`{value}`: {error}")))?;
    at.new_attr::<FixedAscii<N>>()
        .create(name)?
        .write_scalar(&value)
}
