//! How a pack is written as an HDF5 file. Two writes of the same pack give the same bytes.

use std::path::Path;

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use hdf5::{Dataset, Group, H5Type, Location};
use ndarray::ArrayViewD;

use super::h5::{self, reason, text, text_attribute};
use super::pack::{
    ACCOUNT, COUNT_UNFILTERED, FLUX_UNFILTERED, Fault, Origin, Pack, Site, Variable,
};

/// Attribute `format` of every pack.
pub(super) const FORMAT: &str = "efflux pack";
/// Attribute `version`: raised when an older reader would misread a newer file.
pub(super) const VERSION: u32 = 1;
/// Attribute `version` of a pack with a target of its own, which readers of version 1 would take for soil CO₂ efflux.
pub(super) const VERSION_WITH_TARGET: u32 = 2;
/// Attributes of `/target/flux` in version 2.
pub(super) const TARGET_NAME: &str = "name";
pub(super) const TARGET_LONG_NAME: &str = "long_name";

type TextOf = fn(&Site) -> &String;
type NumberOf = fn(&Site) -> f64;

impl Pack {
    /// Writes the pack; the file is there as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Data`] if it cannot be written; [`Error::Internal`] if the pack is not sound.
    pub fn write(&self, path: &Path) -> Result<()> {
        self.check().map_err(|Fault { dataset, reason }| {
            Error::Internal(format!("the pack to be written: {dataset} {reason}"))
        })?;
        durable::write_with(path, |temporary| {
            let name = h5::Name::of(temporary).map_err(Error::io("write", path))?;
            self.write_file(&name.path).map_err(|error| {
                Error::file(
                    path,
                    format!("the pack cannot be written: {}", reason(&error)),
                )
            })
        })
    }

    fn write_file(&self, path: &Path) -> hdf5::Result<()> {
        // Times of creation would make two equal packs two different files.
        let file = h5::create(path, |list| list.obj_track_times(false))?;
        let created_by = format!("efflux {}", efflux_base::version());
        let version = if self.target.is_soil_efflux() {
            VERSION
        } else {
            VERSION_WITH_TARGET
        };
        number_attribute(&file, "version", version)?;
        number_attribute(&file, "calendar_days", self.calendar.days as u64)?;
        text_attribute(&file, "calendar_start", &self.calendar.start.to_string())?;
        text_attribute(&file, "format", FORMAT)?;
        text_attribute(&file, "created_by", &created_by)?;
        text_attribute(&file, "digest", &self.digest)?;
        texts(&file, "sources", &self.sources, "where the data come from")?;
        texts(&file, "licences", &self.licences, "licences of the data")?;
        self.write_sites(&group(&file, "site")?)?;
        self.write_dynamic(&group(&file, "dynamic")?)?;
        self.write_statics(&group(&file, "static")?)?;
        self.write_target(&group(&file, "target")?)?;
        if let Some(origin) = &self.origin {
            self.write_origin(&file, origin)?;
        }
        h5::finish(file)
    }

    fn write_sites(&self, at: &Group) -> hdf5::Result<()> {
        let of_texts: [(_, TextOf, _); 4] = [
            ("id", |site| &site.id, "unique name of the site"),
            ("name", |site| &site.name, "name of the site for people"),
            (
                "igbp",
                |site| &site.igbp,
                "land cover class, empty if unknown",
            ),
            (
                "publication",
                |site| &site.publication,
                "what to cite, empty if unknown",
            ),
        ];
        for (name, of, about) in of_texts {
            texts(at, name, self.sites.iter().map(of), about)?;
        }
        let of_numbers: [(_, NumberOf, _, _); 3] = [
            (
                "latitude",
                |site| site.latitude,
                "degrees_north",
                "latitude",
            ),
            (
                "longitude",
                |site| site.longitude,
                "degrees_east",
                "longitude",
            ),
            (
                "elevation",
                |site| site.elevation.unwrap_or(f64::NAN),
                "m",
                "height above sea level, NaN if unknown",
            ),
        ];
        let shape = [self.sites.len()];
        for (name, of, units, about) in of_numbers {
            let values: Vec<f64> = self.sites.iter().map(of).collect();
            let layout = Layout {
                shape: &shape,
                chunk: &shape,
                units,
                about,
            };
            layout.create(at, name, &values)?;
        }
        Ok(())
    }

    fn write_dynamic(&self, at: &Group) -> hdf5::Result<()> {
        variables(at, &self.dynamic)?;
        let (sites, days, variables) = (self.sites.len(), self.calendar.days, self.dynamic.len());
        let values = Layout {
            shape: &[sites, days, variables],
            chunk: &[1, days, variables],
            units: "see /dynamic/units",
            about: "[site, day, variable]; NaN on every day of a site without the variable",
        };
        values.create(at, "values", &self.values)?;
        let filled = Layout {
            units: "1",
            about: "[site, day, variable]: 0 observed or computed, 1 interpolated, 2 held at an end of the record",
            ..values
        };
        filled.create(at, "filled", &self.filled)?;
        Ok(())
    }

    fn write_statics(&self, at: &Group) -> hdf5::Result<()> {
        variables(at, &self.statics)?;
        let shape = [self.sites.len(), self.statics.len()];
        let values = Layout {
            shape: &shape,
            chunk: &shape,
            units: "see /static/units",
            about: "[site, attribute]; NaN if unknown",
        };
        values.create(at, "values", &self.static_values)?;
        Ok(())
    }

    fn write_target(&self, at: &Group) -> hdf5::Result<()> {
        let (sites, days) = (self.sites.len(), self.calendar.days);
        let long_name = self.target.plain_long_name();
        let flux = Layout {
            shape: &[sites, days],
            chunk: &[1, days],
            units: self.target.units(),
            about: &format!("daily mean {long_name} [site, day]; NaN on a day without a value"),
        };
        let dataset = flux.create(at, "flux", &self.flux)?;
        if !self.target.is_soil_efflux() {
            text_attribute(&dataset, TARGET_NAME, self.target.plain_name())?;
            text_attribute(&dataset, TARGET_LONG_NAME, long_name)?;
        }
        // HDF5 lays out what follows by what is still open.
        drop(dataset);
        let count = Layout {
            units: "1",
            about: "measurements in the daily mean [site, day]",
            ..flux
        };
        count.create(at, "count", &self.count)?;
        Ok(())
    }

    fn write_origin(&self, at: &Group, origin: &Origin) -> hdf5::Result<()> {
        let (sites, days) = (self.sites.len(), self.calendar.days);
        let flux = Layout {
            shape: &[sites, days],
            chunk: &[1, days],
            units: self.target.units(),
            about: &format!(
                "daily mean {} without the percentile filter [site, day]; NaN on a day without a value",
                self.target.plain_long_name()
            ),
        };
        flux.create(at, FLUX_UNFILTERED, &origin.flux)?;
        let count = Layout {
            units: "1",
            about: "measurements in the daily mean without the percentile filter [site, day]",
            ..flux
        };
        count.create(at, COUNT_UNFILTERED, &origin.count)?;
        let account = serde_json::json!(origin.account).to_string();
        let about = "what became of every data set, row and day that was read, as JSON";
        texts(at, ACCOUNT, [&account], about)
    }
}

/// How an array lies in the file and what it is.
struct Layout<'a> {
    shape: &'a [usize],
    chunk: &'a [usize],
    units: &'a str,
    about: &'a str,
}

impl Layout<'_> {
    /// A checksummed array.
    fn create<T: H5Type>(&self, at: &Group, name: &str, values: &[T]) -> hdf5::Result<Dataset> {
        let view = ArrayViewD::from_shape(self.shape, values)?;
        let builder = at.new_dataset_builder().obj_track_times(false);
        // HDF5 has no chunk of nothing; an empty array needs no checksum either.
        let builder = if values.is_empty() {
            builder
        } else {
            builder.chunk(self.chunk.to_vec()).fletcher32()
        };
        let dataset = builder.with_data(view).create(name)?;
        text_attribute(&dataset, "units", self.units)?;
        text_attribute(&dataset, "description", self.about)?;
        Ok(dataset)
    }
}

fn group(parent: &Group, name: &str) -> hdf5::Result<Group> {
    parent
        .create_group_builder()
        .obj_track_times(false)
        .create(name)
}

fn number_attribute<T: H5Type>(at: &Location, name: &str, value: T) -> hdf5::Result<()> {
    at.new_attr::<T>().create(name)?.write_scalar(&value)
}

fn texts<'a>(
    at: &Group,
    name: &str,
    values: impl IntoIterator<Item = &'a String>,
    about: &str,
) -> hdf5::Result<()> {
    let values = values
        .into_iter()
        .map(|value| text(value))
        .collect::<hdf5::Result<Vec<_>>>()?;
    let dataset = at
        .new_dataset_builder()
        .obj_track_times(false)
        .with_data(&values)
        .create(name)?;
    text_attribute(&dataset, "description", about)
}

fn variables(at: &Group, variables: &[Variable]) -> hdf5::Result<()> {
    texts(
        at,
        "name",
        variables.iter().map(|v| &v.name),
        "names of the variables",
    )?;
    texts(
        at,
        "units",
        variables.iter().map(|v| &v.units),
        "units of the variables",
    )
}
