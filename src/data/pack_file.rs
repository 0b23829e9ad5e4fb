//! How a pack lies in an HDF5 file. Two writes of the same pack give the same bytes.

use std::fs;
use std::io::Read;
use std::path::Path;

use hdf5::types::VarLenUnicode;
use hdf5::{File, Group, H5Type};
use jiff::civil::Date;
use ndarray::ArrayViewD;

use super::calendar::Calendar;
use super::durable;
use super::pack::{Fault, Pack, Site, Variable};
use crate::error::{Error, Result};

/// Attribute `format` of every pack.
const FORMAT: &str = "efflux pack";
/// Attribute `version`: raised when an older reader would misread a newer file.
const VERSION: u32 = 1;
/// The first bytes of every HDF5 file that has no user block.
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

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
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::io("write a pack into this folder", folder)(missing));
        }
        durable::replace(path, |temporary| {
            self.write_file(temporary)
                .map_err(|error| Error::file(path, format!("the pack cannot be written: {error}")))
        })
    }

    fn write_file(&self, path: &Path) -> hdf5::Result<()> {
        let (s, d) = (self.sites.len(), self.calendar.days);
        let (f, a) = (self.dynamic.len(), self.statics.len());
        // Times of creation would make two equal packs two different files.
        let file = File::with_options()
            .with_fcpl(|list| list.obj_track_times(false))
            .create(path)?;
        text_attribute(&file, "format", FORMAT)?;
        file.new_attr::<u32>()
            .create("version")?
            .write_scalar(&VERSION)?;
        text_attribute(
            &file,
            "created_by",
            concat!("efflux ", env!("CARGO_PKG_VERSION")),
        )?;
        text_attribute(&file, "digest", &self.digest)?;
        text_attribute(&file, "calendar_start", &self.calendar.start.to_string())?;
        let days = self.calendar.days as u64;
        file.new_attr::<u64>()
            .create("calendar_days")?
            .write_scalar(&days)?;
        texts(&file, "sources", &self.sources, "where the data come from")?;
        texts(&file, "licences", &self.licences, "licences of the data")?;

        let site = group(&file, "site")?;
        let of_sites = |what: fn(&Site) -> &String| self.sites.iter().map(what);
        texts(
            &site,
            "id",
            of_sites(|site| &site.id),
            "unique name of the site",
        )?;
        texts(
            &site,
            "name",
            of_sites(|site| &site.name),
            "name of the site for people",
        )?;
        texts(
            &site,
            "igbp",
            of_sites(|site| &site.igbp),
            "IGBP land cover class, empty if unknown",
        )?;
        texts(
            &site,
            "publication",
            of_sites(|site| &site.publication),
            "what to cite, empty if unknown",
        )?;
        let numbers = |what: fn(&Site) -> f64| self.sites.iter().map(what).collect::<Vec<_>>();
        array(
            &site,
            "latitude",
            &numbers(|site| site.latitude),
            &[s],
            &[s],
            "degrees_north",
            "latitude",
        )?;
        array(
            &site,
            "longitude",
            &numbers(|site| site.longitude),
            &[s],
            &[s],
            "degrees_east",
            "longitude",
        )?;
        let elevation = numbers(|site| site.elevation.unwrap_or(f64::NAN));
        array(
            &site,
            "elevation",
            &elevation,
            &[s],
            &[s],
            "m",
            "metres above sea level, NaN if unknown",
        )?;

        let dynamic = group(&file, "dynamic")?;
        variables(&dynamic, &self.dynamic)?;
        let about = "daily variables [site, day, variable], each in its own unit; NaN on every day where absent";
        array(
            &dynamic,
            "values",
            &self.values,
            &[s, d, f],
            &[1, d, f],
            "see units",
            about,
        )?;
        let about =
            "[site, day, variable]: 0 observed or computed, 1 interpolated, 2 held at the edge";
        array(
            &dynamic,
            "filled",
            &self.filled,
            &[s, d, f],
            &[1, d, f],
            "1",
            about,
        )?;

        let statics = group(&file, "static")?;
        variables(&statics, &self.statics)?;
        let about = "static attributes [site, attribute], each in its own unit; NaN if unknown";
        array(
            &statics,
            "values",
            &self.static_values,
            &[s, a],
            &[s, a],
            "see units",
            about,
        )?;

        let target = group(&file, "target")?;
        let about = "daily mean soil CO2 efflux [site, day]; NaN on a day without a value";
        array(
            &target,
            "flux",
            &self.flux,
            &[s, d],
            &[1, d],
            "umol m-2 s-1",
            about,
        )?;
        let about = "measurements in the daily mean [site, day]";
        array(&target, "count", &self.count, &[s, d], &[1, d], "1", about)?;
        file.close()
    }

    /// Reads a pack and checks its format, shapes, checksums and digest.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::Data`] naming the dataset if it is not a whole pack of
    /// version 1.
    pub fn read(path: &Path) -> Result<Self> {
        let file = open(path)?;
        let reader = Reader { path, file: &file };
        reader.require_format()?;
        let start = reader.text("calendar_start")?;
        let start: Date = start.parse().map_err(|_| {
            Error::dataset(
                path,
                "calendar_start",
                format!("has `{start}`, expected a date"),
            )
        })?;
        let days: u64 = reader.scalar("calendar_days")?;
        let days = usize::try_from(days)
            .map_err(|_| Error::dataset(path, "calendar_days", format!("has {days}: too many")))?;

        let ids = reader.texts("/site/id")?;
        let s = ids.len();
        let dynamic = reader.variables("/dynamic/name", "/dynamic/units")?;
        let statics = reader.variables("/static/name", "/static/units")?;
        let (f, a) = (dynamic.len(), statics.len());
        let pack = Self {
            calendar: Calendar { start, days },
            sites: reader.sites(ids)?,
            values: reader.array("/dynamic/values", &[s, days, f])?,
            filled: reader.array("/dynamic/filled", &[s, days, f])?,
            dynamic,
            static_values: reader.array("/static/values", &[s, a])?,
            statics,
            flux: reader.array("/target/flux", &[s, days])?,
            count: reader.array("/target/count", &[s, days])?,
            sources: reader.texts("/sources")?,
            licences: reader.texts("/licences")?,
            digest: reader.text("digest")?,
        };
        pack.check()
            .map_err(|Fault { dataset, reason }| Error::dataset(path, dataset, reason))?;
        let found = pack.content_digest();
        if found != pack.digest {
            let reason = format!(
                "says {}, but the content has {found}: the pack was damaged or changed, make or copy it again",
                pack.digest
            );
            return Err(Error::dataset(path, "digest", reason));
        }
        Ok(pack)
    }
}

fn group(parent: &Group, name: &str) -> hdf5::Result<Group> {
    parent
        .create_group_builder()
        .obj_track_times(false)
        .create(name)
}

fn text(value: &str) -> hdf5::Result<VarLenUnicode> {
    value
        .parse()
        .map_err(|error| hdf5::Error::from(format!("`{value}`: {error}")))
}

fn text_attribute(at: &hdf5::Location, name: &str, value: &str) -> hdf5::Result<()> {
    at.new_attr::<VarLenUnicode>()
        .create(name)?
        .write_scalar(&text(value)?)
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

/// A checksummed array in chunks of this shape.
fn array<T: H5Type>(
    at: &Group,
    name: &str,
    values: &[T],
    shape: &[usize],
    chunk: &[usize],
    units: &str,
    about: &str,
) -> hdf5::Result<()> {
    let view = ArrayViewD::from_shape(shape, values)?;
    let builder = at.new_dataset_builder().obj_track_times(false);
    // HDF5 has no chunk of nothing; an empty array needs no checksum either.
    let builder = if values.is_empty() {
        builder
    } else {
        builder.chunk(chunk.to_vec()).fletcher32()
    };
    let dataset = builder.with_data(view).create(name)?;
    text_attribute(&dataset, "units", units)?;
    text_attribute(&dataset, "description", about)
}

/// Opens an HDF5 file for reading, without locks: a pack never changes, and some file servers have no locks.
fn open(path: &Path) -> Result<File> {
    let mut start = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(SIGNATURE.len() as u64).read_to_end(&mut start))
        .map_err(Error::io("read the pack", path))?;
    if start != SIGNATURE {
        let found = if start.is_empty() {
            "is empty"
        } else {
            "is not an HDF5 file"
        };
        return Err(Error::file(
            path,
            format!("{found}, expected a pack (`efflux pack` or `efflux synth` make one)"),
        ));
    }
    File::with_options()
        .with_fapl(|list| list.file_locking(false))
        .open(path)
        .map_err(|error| damaged(path, "", &error))
}

/// What HDF5 could not read. The pack's own shape is checked elsewhere, so this is a file cut short or overwritten.
fn damaged(path: &Path, dataset: &str, error: &hdf5::Error) -> Error {
    let reason = format!("is damaged or cut short, make or copy the pack again ({error})");
    if dataset.is_empty() {
        Error::file(path, reason)
    } else {
        Error::dataset(path, dataset, reason)
    }
}

struct Reader<'a> {
    path: &'a Path,
    file: &'a File,
}

impl Reader<'_> {
    fn require_format(&self) -> Result<()> {
        let names = self
            .file
            .attr_names()
            .map_err(|error| damaged(self.path, "", &error))?;
        let format = names
            .iter()
            .any(|name| name == "format")
            .then(|| self.text("format"))
            .transpose()?;
        if format.as_deref() != Some(FORMAT) {
            let found = format.map_or("no attribute `format`".to_owned(), |f| {
                format!("format `{f}`")
            });
            return Err(Error::file(
                self.path,
                format!("is an HDF5 file with {found}, expected format `{FORMAT}`"),
            ));
        }
        let version: u32 = self.scalar("version")?;
        if version != VERSION {
            return Err(Error::file(
                self.path,
                format!(
                    "is a pack of version {version}, expected version {VERSION} (make it again with this efflux, \
                     or use the efflux it was made with)"
                ),
            ));
        }
        Ok(())
    }

    fn scalar<T: H5Type>(&self, name: &str) -> Result<T> {
        self.file
            .attr(name)
            .and_then(|attribute| attribute.read_scalar())
            .map_err(|error| damaged(self.path, name, &error))
    }

    fn text(&self, name: &str) -> Result<String> {
        self.scalar::<VarLenUnicode>(name)
            .map(|text| text.as_str().to_owned())
    }

    fn texts(&self, name: &str) -> Result<Vec<String>> {
        let texts = self
            .file
            .dataset(name)
            .and_then(|dataset| dataset.read_1d::<VarLenUnicode>())
            .map_err(|error| damaged(self.path, name, &error))?;
        Ok(texts.iter().map(|text| text.as_str().to_owned()).collect())
    }

    /// An array of exactly this shape; the shape is compared before anything is read.
    fn array<T: H5Type>(&self, name: &str, shape: &[usize]) -> Result<Vec<T>> {
        let damaged = |error| damaged(self.path, name, &error);
        let dataset = self.file.dataset(name).map_err(damaged)?;
        if dataset.shape() != shape {
            return Err(Error::dataset(
                self.path,
                name,
                format!("has shape {:?}, expected {shape:?}", dataset.shape()),
            ));
        }
        dataset.read_raw().map_err(damaged)
    }

    fn variables(&self, names: &str, units: &str) -> Result<Vec<Variable>> {
        let (variables, unit_list) = (self.texts(names)?, self.texts(units)?);
        if variables.len() != unit_list.len() {
            let (found, expected) = (unit_list.len(), variables.len());
            let reason = format!("has {found} values, expected {expected}");
            return Err(Error::dataset(self.path, units, reason));
        }
        let pairs = variables.into_iter().zip(unit_list);
        Ok(pairs
            .map(|(name, units)| Variable { name, units })
            .collect())
    }

    fn sites(&self, ids: Vec<String>) -> Result<Vec<Site>> {
        let count = ids.len();
        let numbers = |name| self.array::<f64>(name, &[count]);
        let texts = |name| {
            let texts = self.texts(name)?;
            if texts.len() == count {
                Ok(texts)
            } else {
                let reason = format!("has {} values, expected {count}", texts.len());
                Err(Error::dataset(self.path, name, reason))
            }
        };
        let (latitude, longitude) = (numbers("/site/latitude")?, numbers("/site/longitude")?);
        let elevation = numbers("/site/elevation")?;
        let (names, igbp) = (texts("/site/name")?, texts("/site/igbp")?);
        let publication = texts("/site/publication")?;
        let sites = ids.into_iter().enumerate().map(|(index, id)| Site {
            id,
            name: names[index].clone(),
            latitude: latitude[index],
            longitude: longitude[index],
            elevation: Some(elevation[index]).filter(|metres| !metres.is_nan()),
            igbp: igbp[index].clone(),
            publication: publication[index].clone(),
        });
        Ok(sites.collect())
    }
}
