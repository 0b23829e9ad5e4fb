//! Tables of static attributes: a row a basin, whose id is in the first column.

use std::collections::BTreeMap;
use std::path::Path;

use efflux_base::error::{Error, Result};

use crate::cells::{Cells, Dialect};
use crate::place;
use crate::record::Site;

/// What the tables say, by basin and by name.
pub(super) struct Attributes(BTreeMap<String, Vec<(String, String)>>);

impl Attributes {
    /// Reads all tables of a folder; nothing if it is not there.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut basins: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        if !folder.is_dir() {
            return Ok(Self(basins));
        }
        let entries = std::fs::read_dir(folder).map_err(Error::io("look into", folder))?;
        let paths = entries.map(|entry| Ok(entry.map_err(Error::io("look into", folder))?.path()));
        let mut paths = paths.collect::<Result<Vec<_>>>()?;
        paths.sort();
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "csv"))
        {
            let mut cells = Cells::open(path, &Dialect::default())?;
            let names = cells.head().names.clone();
            while let Some(row) = cells.next()? {
                let own = basins.entry(row.cell(0).to_owned()).or_default();
                own.extend(
                    (1..names.len())
                        .filter(|at| !row.is_missing(*at))
                        .map(|at| (names[at].clone(), row.cell(at).to_owned())),
                );
            }
        }
        Ok(Self(basins))
    }

    /// Tells a site what the tables know of it.
    pub(super) fn tell(&self, basin: &str, site: &mut Site) -> Result<()> {
        for (name, value) in self.0.get(basin).into_iter().flatten() {
            place::tell(site, name, value)
                .map_err(|reason| Error::Internal(format!("attributes of {basin}: {reason}")))?;
        }
        Ok(())
    }
}
