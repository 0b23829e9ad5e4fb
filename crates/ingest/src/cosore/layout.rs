//! The two layouts of a release: COSORE's repository has a folder for each data set, its releases have tables.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use efflux_base::error::{Error, Result};
use efflux_data::{Calendar, LeftOut};

use super::dataset::DataSet;
use super::options::CosoreOptions;
use super::tables::Tables;

/// The folder of the data sets in a release.
const DATA_SETS: &str = "datasets";
/// Data sets read at a time, at most: each takes memory, and the disk soon has no more to give.
const MOST_THREADS: usize = 4;

/// A data set, or why there is nothing to be read.
type Read = Result<std::result::Result<DataSet, LeftOut>>;

pub(super) enum Layout {
    /// The folder of the data sets' folders.
    Folders(PathBuf),
    Tables(Box<Tables>),
}

impl Layout {
    /// The layout of the release at a path.
    ///
    /// # Errors
    ///
    /// As for [`Tables::find`].
    pub(super) fn find(path: &Path, options: &CosoreOptions) -> Result<Self> {
        Ok(match Tables::find(path, options)? {
            Some(tables) => Self::Tables(Box::new(tables)),
            None => Self::Folders(path.join(DATA_SETS)),
        })
    }

    /// The names of the data sets, in the order of their bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Data`] if the folder is no release.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let data_sets = match self {
            Self::Tables(tables) => return Ok(tables.names()),
            Self::Folders(data_sets) => data_sets,
        };
        let release = data_sets.parent().unwrap_or(data_sets);
        if release.is_dir() && !data_sets.is_dir() {
            let reason = format!("has no folder `{DATA_SETS}`, expected a release of COSORE");
            return Err(Error::file(release, reason));
        }
        let mut names = Vec::new();
        let entries =
            std::fs::read_dir(data_sets).map_err(Error::io("list the folder", data_sets))?;
        for entry in entries {
            let entry = entry.map_err(Error::io("list the folder", data_sets))?;
            let name = entry.file_name().into_string();
            if entry.path().is_dir() {
                names.push(name.map_err(|_| {
                    let reason = "has a name that is not UTF-8, expected the name of a data set";
                    Error::file(entry.path(), reason)
                })?);
            } else if name.is_ok_and(|name| name.starts_with("data_") && name.ends_with(".csv")) {
                let reason = "has tables of data sets but no description.csv, which says where they were measured: \
                              get the whole release";
                return Err(Error::file(release, reason));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn read(&self, name: &str, calendar: Calendar, options: &CosoreOptions) -> Read {
        match self {
            Self::Folders(folder) => DataSet::read(&folder.join(name), name, calendar, options),
            Self::Tables(tables) => tables.read(name, calendar, options),
        }
    }

    /// Reads all data sets, several at a time; what comes of each stands where its name does.
    pub(super) fn read_all(
        &self,
        names: &[String],
        calendar: Calendar,
        options: &CosoreOptions,
    ) -> Vec<Read> {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut read = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(name) = names.get(index) else {
                    return read;
                };
                read.push((index, self.read(name, calendar, options)));
            }
        };
        let mut all = std::thread::scope(|scope| {
            let others: Vec<_> = (1..processors.min(MOST_THREADS))
                .map(|_| scope.spawn(work))
                .collect();
            let mut all = work();
            for other in others {
                match other.join() {
                    Ok(read) => all.extend(read),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            all
        });
        all.sort_unstable_by_key(|(index, _)| *index);
        all.into_iter().map(|(_, read)| read).collect()
    }
}
