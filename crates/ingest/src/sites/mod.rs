//! A folder of daily CSV files, one a site, and `sites.csv` becomes a pack. `configs/README.md` describes the folder.

mod series;

use std::collections::BTreeSet;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_data::{Calendar, HELD, OBSERVED, Pack, Site, Variable};
use efflux_numerics::single;

use self::series::Series;
use super::sun::{DAY_LENGTH, RADIATION, Sun};
use super::table::Table;

/// The list of sites in the folder.
const SITES: &str = "sites.csv";

/// Endings of column names and the unit each stands for.
const UNITS: [(&str, &str); 12] = [
    ("_umol_m2_s", "umol m-2 s-1"),
    ("_m3_m3", "m3 m-3"),
    ("_m2_m2", "m2 m-2"),
    ("_w_m2", "W m-2"),
    ("_m_s", "m s-1"),
    ("_hpa", "hPa"),
    ("_pct", "%"),
    ("_mm", "mm"),
    ("_m", "m"),
    ("_c", "degC"),
    ("_k", "K"),
    ("_h", "h"),
];

/// A pack made from a folder, and what happened on the way.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The pack.
    pub pack: Pack,
    /// Days with a flux, all sites together.
    pub observed_days: usize,
    /// Days with a flux that are outside the calendar, and so not in the pack.
    pub dropped_days: usize,
    /// What a person should know, as sentences.
    pub warnings: Vec<String>,
}

/// Reads a folder of site data onto the default calendar.
///
/// Daily variables come in the order in which their columns first appear. Where a site lacks a column, or it is empty,
/// the variable is absent at that site. Inside a site's record gaps are filled linearly; outside, the nearest value is
/// held. Day length and radiation at the top of the atmosphere are computed for all days.
///
/// # Errors
///
/// [`Error::Io`] if a file cannot be read; [`Error::Data`] with file and line for anything that is not as
/// `configs/README.md` says.
pub fn pack_sites(folder: &Path) -> Result<Packed> {
    let mut warnings = Vec::new();
    let list = List::read(folder)?;
    let mut records = Vec::new();
    for site in &list.sites {
        let path = folder.join(format!("{}.csv", site.id));
        if !path.is_file() {
            let reason = format!("is missing: {SITES} lists `{}`", site.id);
            return Err(Error::file(path, reason));
        }
        records.push(Series::read(&path)?);
    }
    warnings.extend(strangers(folder, &list.sites)?);

    let calendar = Calendar::default();
    let dynamic = variables(&records);
    let mut pack = Pack {
        calendar,
        values: vec![f32::NAN; list.sites.len() * calendar.days * dynamic.len()],
        filled: vec![OBSERVED; list.sites.len() * calendar.days * dynamic.len()],
        dynamic,
        statics: Site::place_attributes(),
        static_values: Vec::new(),
        flux: vec![f32::NAN; list.sites.len() * calendar.days],
        count: vec![0; list.sites.len() * calendar.days],
        origin: None,
        sites: list.sites,
        sources: list.sources,
        licences: list.licences,
        digest: String::new(),
    };
    let (mut observed_days, mut dropped_days) = (0, 0);
    for (site, record) in records.iter().enumerate() {
        let (observed, dropped) = add(&mut pack, site, record);
        if observed == 0 {
            let path = folder.join(format!("{}.csv", pack.sites[site].id));
            let reason = format!("has no flux inside the calendar, {calendar}");
            return Err(Error::file(path, reason));
        }
        observed_days += observed;
        dropped_days += dropped;
    }
    for (variable, of) in pack.dynamic.iter().enumerate() {
        let lacking = pack.sites_without(variable).len();
        if lacking > 0 {
            let all = pack.sites.len();
            warnings.push(format!(
                "`{}` is absent at {lacking} of {all} sites",
                of.name
            ));
        }
    }
    if pack.licences.is_empty() {
        warnings.push(format!(
            "no licence is stated: {SITES} may have a column `licence`"
        ));
    }
    Ok(Packed {
        pack: pack.sealed(),
        observed_days,
        dropped_days,
        warnings,
    })
}

/// What `sites.csv` says.
struct List {
    sites: Vec<Site>,
    sources: Vec<String>,
    licences: Vec<String>,
}

impl List {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(SITES);
        if folder.is_dir() && !path.is_file() {
            let reason =
                format!("has no {SITES}, expected a folder as configs/README.md describes it");
            return Err(Error::file(folder, reason));
        }
        let table = Table::read(&path)?;
        let (id, latitude, longitude) = (
            table.require("site")?,
            table.require("lat")?,
            table.require("lon")?,
        );
        let optional = |name| table.find(name);
        let (name, igbp) = (optional("site_name"), optional("igbp"));
        let (publication, licence) = (optional("primary_pub"), optional("licence"));
        let (elevation, source) = (optional("elevation_m"), optional("source"));
        let mut sites: Vec<Site> = Vec::new();
        let (mut sources, mut licences) = (BTreeSet::new(), BTreeSet::new());
        for row in 0..table.rows() {
            let text = |column: Option<usize>| {
                column
                    .map_or("", |column| table.cell(row, column).text)
                    .to_owned()
            };
            let cell = table.cell(row, id);
            // The id is the name of a file in this folder, and later part of others' names.
            let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
            if cell.text.is_empty() || cell.text.starts_with('.') || !cell.text.chars().all(plain) {
                return Err(cell.wrong(
                    "letters, digits, `_`, `-` and `.`, as in the name of the site's file",
                ));
            }
            if sites.iter().any(|site| site.id == cell.text) {
                return Err(cell.wrong("each site once"));
            }
            sources.extend(Some(text(source)).filter(|source| !source.is_empty()));
            licences.extend(Some(text(licence)).filter(|licence| !licence.is_empty()));
            sites.push(Site {
                id: cell.text.to_owned(),
                name: text(name),
                latitude: table.cell(row, latitude).within(90.0)?,
                longitude: table.cell(row, longitude).within(180.0)?,
                elevation: match elevation {
                    Some(column) => table.cell(row, column).number()?,
                    None => None,
                },
                igbp: text(igbp),
                publication: text(publication),
            });
        }
        if sites.is_empty() {
            return Err(Error::file(path, "lists no site"));
        }
        // Not the folder's name: the same data are the same pack wherever they lie.
        if sources.is_empty() {
            sources.insert(format!("daily files of {} sites", sites.len()));
        }
        Ok(Self {
            sites,
            sources: sources.into_iter().collect(),
            licences: licences.into_iter().collect(),
        })
    }
}

/// One sentence if the folder holds CSV files that no site claims.
fn strangers(folder: &Path, sites: &[Site]) -> Result<Option<String>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("list the folder", folder))?;
    let mut unlisted = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list the folder", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let id = name.strip_suffix(".csv").filter(|_| name != SITES);
        if id.is_some_and(|id| !sites.iter().any(|site| site.id == id)) {
            unlisted.insert(name);
        }
    }
    Ok((!unlisted.is_empty()).then(|| {
        let names = unlisted.into_iter().collect::<Vec<_>>().join(", ");
        format!("not in {SITES}, so left out: {names}")
    }))
}

/// The daily variables of all files, in order of appearance, and the two computed ones.
fn variables(records: &[Series]) -> Vec<Variable> {
    let columns = records.iter().flat_map(|record| &record.predictors);
    let mut names: Vec<&str> = Vec::new();
    for name in columns
        .map(|column| column.name.as_str())
        .chain([DAY_LENGTH, RADIATION])
    {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let unit = |name: &str| {
        let known = UNITS.iter().find(|(ending, _)| name.ends_with(ending));
        known.map_or("", |(_, unit)| unit)
    };
    names
        .iter()
        .map(|name| Variable::new(*name, unit(name)))
        .collect()
}

/// Puts a site's record onto the calendar; the number of days with a flux that are on it and that are not.
fn add(pack: &mut Pack, site: usize, record: &Series) -> (usize, usize) {
    let (calendar, variables) = (pack.calendar, pack.dynamic.len());
    let latitude = pack.sites[site].latitude;
    pack.static_values.extend(pack.sites[site].place());

    // Day of the record that a day of the calendar takes its predictors from, and whether it is held.
    let begin = calendar.offset(record.first);
    let source = |day: usize| {
        let position = i64::try_from(day).unwrap_or(i64::MAX) - begin;
        let last = record.flux.len() - 1;
        let nearest = usize::try_from(position).unwrap_or(0).min(last);
        (nearest, i64::try_from(nearest) != Ok(position))
    };
    for (variable, of) in pack.dynamic.iter().enumerate() {
        let column = record
            .predictors
            .iter()
            .find(|column| column.name == of.name && !column.values[0].is_nan());
        for day in 0..calendar.days {
            let index = (site * calendar.days + day) * variables + variable;
            let day_of_year = || f64::from(calendar.date(day).day_of_year());
            if of.name == DAY_LENGTH {
                pack.values[index] = single(Sun::at(latitude, day_of_year()).day_length);
            } else if of.name == RADIATION {
                pack.values[index] = single(Sun::at(latitude, day_of_year()).radiation);
            } else if let Some(column) = column {
                let (nearest, held) = source(day);
                pack.values[index] = single(column.values[nearest]);
                pack.filled[index] = if held { HELD } else { column.flags[nearest] };
            }
        }
    }

    let (mut observed, mut dropped) = (0, 0);
    for (position, flux) in record
        .flux
        .iter()
        .enumerate()
        .filter(|(_, flux)| !flux.is_nan())
    {
        let day = usize::try_from(begin + position as i64)
            .ok()
            .filter(|day| *day < calendar.days);
        if let Some(day) = day {
            pack.flux[site * calendar.days + day] = single(*flux);
            pack.count[site * calendar.days + day] = record.count[position];
            observed += 1;
        } else {
            dropped += 1;
        }
    }
    (observed, dropped)
}
