//! How a pack is read from an HDF5 file, and what can be wrong with the file.

use std::fs;
use std::io::Read;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_numerics::SiteByDay;
use hdf5::types::VarLenUnicode;
use hdf5::{Dataset, File, H5Type, LinkType};
use jiff::civil::Date;

use super::calendar::Calendar;
use super::h5;
use super::pack::{
    ACCOUNT, COUNT_UNFILTERED, FLUX_UNFILTERED, Fault, Origin, Pack, Site, Variable,
};
use super::pack_write::{FORMAT, TARGET_LONG_NAME, TARGET_NAME, VERSION, VERSION_WITH_TARGET};
use super::target::Target;

/// The first bytes of every HDF5 file that has no user block.
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

impl Pack {
    /// Reads a pack and checks its format, shapes, checksums and digest.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::Data`] naming the dataset if it is not a whole pack of
    /// version 1 or 2.
    pub fn read(path: &Path) -> Result<Self> {
        let file = open(path)?;
        let reader = Reader { path, file: &file };
        let version = reader.require_format()?;
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
            target: reader.target(version)?,
            flux: SiteByDay::of(days, reader.array("/target/flux", &[s, days])?),
            count: SiteByDay::of(days, reader.array("/target/count", &[s, days])?),
            origin: reader.origin([s, days])?,
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
    let name = h5::Name::of(path).map_err(Error::io("read the pack", path))?;
    let file = File::with_options()
        .with_fapl(|list| list.file_locking(false))
        .open(&name.path)
        .map_err(|error| damaged(path, "", &error))?;
    refuse_other_files(path, &file)?;
    Ok(file)
}

/// A pack is one file: no part of it may lie in another, which whoever made the pack could choose.
fn refuse_other_files(path: &Path, file: &File) -> Result<()> {
    let mut found = None;
    for group in ["/", "/site", "/dynamic", "/static", "/target"] {
        if found.is_some() || (group != "/" && !file.link_exists(&group[1..])) {
            continue;
        }
        // What is no group is found out by whoever reads it.
        let Ok(group) = file.group(group) else {
            continue;
        };
        group
            .iter_visit_default(|name, link| {
                if link.link_type == LinkType::External {
                    found = Some(format!("{}/{name}", group.name().trim_end_matches('/')));
                }
                Ok(())
            })
            .map_err(|error| damaged(path, "", &error))?;
    }
    match found {
        Some(name) => Err(Error::dataset(path, &name, OTHER_FILE)),
        None => Ok(()),
    }
}

const OTHER_FILE: &str =
    "lies in another file, expected a pack of one file (`h5repack` puts everything into one)";

/// What deflate can make of a byte at most: an array that claims to hold more than that of what the file has is damaged or
/// made to exhaust the memory.
const LARGEST_RATIO: u64 = 1032;

/// What HDF5 could not read. The pack's own shape is checked elsewhere, so this is a file cut short or overwritten.
fn damaged(path: &Path, dataset: &str, error: &hdf5::Error) -> Error {
    let reason = format!(
        "is damaged or cut short, make or copy the pack again ({})",
        h5::reason(error)
    );
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
    /// Whether it is a pack; its version.
    fn require_format(&self) -> Result<u32> {
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
        if ![VERSION, VERSION_WITH_TARGET].contains(&version) {
            return Err(Error::file(
                self.path,
                format!(
                    "is a pack of version {version}, expected version {VERSION} or {VERSION_WITH_TARGET} (make it again with this efflux, \
                     or use the efflux it was made with)"
                ),
            ));
        }
        Ok(version)
    }

    /// What the pack's values are: said since version 2.
    fn target(&self, version: u32) -> Result<Target> {
        const FLUX: &str = "/target/flux";
        if version == VERSION {
            return Ok(Target::default());
        }
        let dataset = self.dataset(FLUX)?;
        let text = |name: &str| {
            let text = dataset
                .attr(name)
                .and_then(|attribute| attribute.read_scalar::<VarLenUnicode>());
            text.map_err(|error| damaged(self.path, FLUX, &error))
        };
        let (name, long_name) = (text(TARGET_NAME)?, text(TARGET_LONG_NAME)?);
        Target::new(&name, &long_name, &text("units")?)
            .map_err(|reason| Error::dataset(self.path, FLUX, reason))
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
        let dataset = self.dataset(name)?;
        self.check_size(name, &dataset)?;
        let texts = dataset
            .read_1d::<VarLenUnicode>()
            .map_err(|error| damaged(self.path, name, &error))?;
        Ok(texts.iter().map(|text| text.as_str().to_owned()).collect())
    }

    /// An array of exactly this shape; the shape is compared before anything is read.
    fn array<T: H5Type>(&self, name: &str, shape: &[usize]) -> Result<Vec<T>> {
        let dataset = self.dataset(name)?;
        if dataset.shape() != shape {
            return Err(Error::dataset(
                self.path,
                name,
                format!("has shape {:?}, expected {shape:?}", dataset.shape()),
            ));
        }
        self.check_size(name, &dataset)?;
        dataset
            .read_raw()
            .map_err(|error| damaged(self.path, name, &error))
    }

    /// A dataset whose values are in the file.
    fn dataset(&self, name: &str) -> Result<Dataset> {
        let damaged = |error| damaged(self.path, name, &error);
        let dataset = self.file.dataset(name).map_err(damaged)?;
        if !dataset.dcpl().map_err(damaged)?.external().is_empty() {
            return Err(Error::dataset(self.path, name, OTHER_FILE));
        }
        Ok(dataset)
    }

    /// Whether the file is large enough for what a dataset claims to hold, before memory is asked for.
    fn check_size(&self, name: &str, dataset: &Dataset) -> Result<()> {
        let each = dataset
            .dtype()
            .map_err(|error| damaged(self.path, name, &error))?;
        let shape = dataset.shape();
        let claimed = shape.iter().try_fold(each.size() as u64, |bytes, &length| {
            bytes.checked_mul(u64::try_from(length).ok()?)
        });
        let stored = dataset.storage_size();
        if claimed.is_some_and(|bytes| bytes <= stored.saturating_mul(LARGEST_RATIO)) {
            return Ok(());
        }
        let reason = format!(
            "claims the shape {shape:?}, but the file holds {stored} bytes of it: the pack was damaged or changed, make or \
             copy it again"
        );
        Err(Error::dataset(self.path, name, reason))
    }

    /// What the pack says of how it came about, if it does.
    fn origin(&self, shape: [usize; 2]) -> Result<Option<Origin>> {
        if !self.file.link_exists(ACCOUNT) {
            return Ok(None);
        }
        let [_, days] = shape;
        let text = self.texts(ACCOUNT)?.concat();
        let account = serde_json::from_str(&text).map_err(|error| {
            let reason = format!("is no account of a release ({error}): make the pack again");
            Error::dataset(self.path, ACCOUNT, reason)
        })?;
        Ok(Some(Origin {
            flux: SiteByDay::of(days, self.array(FLUX_UNFILTERED, &shape)?),
            count: SiteByDay::of(days, self.array(COUNT_UNFILTERED, &shape)?),
            account,
        }))
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
