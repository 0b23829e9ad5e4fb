//! The table of a pack's sites, for people and other programs, and what it gives back: elevations that a release lacks.

use std::collections::BTreeSet;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_data::{Pack, Site};
use efflux_numerics::single;

use super::missing::Missing;
use super::table::{Cell, Table};

/// The name of a column, and what stands in it.
type Column = (&'static str, fn(&Site) -> String);

/// The columns, by the names that a folder of site data has for them.
const COLUMNS: [Column; 7] = [
    (SITE, |site| site.id.clone()),
    ("lat", |site| site.latitude.to_string()),
    ("lon", |site| site.longitude.to_string()),
    (ELEVATION, |site| {
        site.elevation.map_or_else(String::new, |of| of.to_string())
    }),
    ("site_name", |site| site.name.clone()),
    ("igbp", |site| site.igbp.clone()),
    ("primary_pub", |site| site.publication.clone()),
];
const SITE: &str = "site";
const ELEVATION: &str = "elevation_m";

/// The sites of a pack as a `sites.csv`: what `configs/earth-engine/export.js` and `efflux pack --sites` read. What is
/// unknown is an empty cell.
///
/// # Errors
///
/// [`Error::Internal`] if a row cannot be written into memory.
pub fn site_table(sites: &[Site]) -> Result<Vec<u8>> {
    let failed =
        |error: &dyn std::fmt::Display| Error::Internal(format!("table of sites: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = COLUMNS.map(|(name, _)| name);
    writer
        .write_record(header)
        .map_err(|error| failed(&error))?;
    for site in sites {
        let row = COLUMNS.map(|(_, of)| of(site));
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

/// This pack with the elevations of a table where it has none, and what a person should know, as sentences: a site that
/// has another elevation keeps its own.
///
/// # Errors
///
/// [`Error::Io`] if the table cannot be read; [`Error::Data`] with file, line and column if it lacks `site` or
/// `elevation_m`, names a site twice or has an elevation that is none.
pub fn add_elevations(
    mut pack: Pack,
    path: &Path,
    missing: &Missing,
) -> Result<(Pack, Vec<String>)> {
    let table = Table::read(path, missing)?;
    let (id, elevation) = (table.require(SITE)?, table.require(ELEVATION)?);
    let attribute = pack.statics.iter().position(|of| of.name == "elevation");
    let attributes = pack.statics.len();
    let (mut seen, mut given) = (BTreeSet::new(), Vec::new());
    let (mut strangers, mut other) = (Vec::new(), Vec::new());
    for row in 0..table.rows() {
        let cell = table.cell(row, id);
        if !seen.insert(cell.text) {
            return Err(cell.wrong("each site once"));
        }
        let Some(metres) = height(&table.cell(row, elevation), missing)? else {
            continue;
        };
        let Some(place) = pack.sites.iter().position(|site| site.id == cell.text) else {
            strangers.push(format!("`{}`", cell.text));
            continue;
        };
        match pack.sites[place].elevation {
            Some(known) if known.to_bits() == metres.to_bits() => {}
            Some(known) => other.push(format!("`{}` ({known} m, not {metres} m)", cell.text)),
            None => {
                pack.sites[place].elevation = Some(metres);
                if let Some(attribute) = attribute {
                    pack.static_values[place * attributes + attribute] = single(metres);
                }
                given.push(pack.sites[place].id.clone());
            }
        }
    }
    if !given.is_empty() {
        pack.sources.push(format!(
            "elevation at {}: given with `--elevations`",
            given.join(", ")
        ));
    }
    let name = path.display();
    let told = [
        (
            strangers,
            "has elevations of sites that are not among those to pack, so left out",
        ),
        (
            other,
            "has other elevations than these sites themselves, which are kept",
        ),
    ];
    let told = told.into_iter().filter(|(sites, _)| !sites.is_empty());
    let told = told.map(|(sites, what)| format!("{name} {what}: {}", sites.join(", ")));
    Ok((pack.sealed(), told.collect()))
}

/// Metres above sea level; no fill value.
pub(super) fn height(cell: &Cell<'_>, missing: &Missing) -> Result<Option<f64>> {
    let height = cell.number()?;
    let out = |height: &f64| *height < -500.0 || *height > 9000.0;
    match height.filter(out) {
        Some(height) if !missing.sentinels(&[height]).is_empty() => Err(cell.wrong(&format!(
            "metres above sea level: this looks like a fill value (leave the cell empty, or pack with `--missing {height}`)"
        ))),
        _ => Ok(height),
    }
}
