//! A folder of daily CSV files, one a site, and `sites.csv` becomes a pack. `configs/README.md` describes the folder.

mod columns;
mod remarks;
mod series;
mod target;

use std::collections::BTreeSet;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_data::{Calendar, HELD, OBSERVED, Pack, Site, Variable};
use efflux_numerics::{SiteByDay, single};
use jiff::civil::Date;

use self::remarks::remarks;
use self::series::Series;
use self::target::Declared;
use super::land_cover;
use super::missing::Missing;
use super::site_table::height;
use super::span;
use super::sun::{DAY_LENGTH, RADIATION, Sun};
use super::table::Table;

/// The list of sites in the folder.
const SITES: &str = "sites.csv";
/// What became of the rows that the daily values were made of, as `efflux import` writes it.
const ACCOUNT: &str = "account.csv";

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
    /// What a person may add, as sentences: nothing is wrong without it.
    pub notes: Vec<String>,
}

/// How a folder of site data is read.
#[derive(Clone, Debug, Default)]
pub struct SiteOptions {
    /// First day of the calendar; none for the first day of the files.
    pub from: Option<Date>,
    /// Last day of the calendar; none for the last day of the files.
    pub to: Option<Date>,
    /// What stands for a missing value, beside an empty cell.
    pub missing: Missing,
    /// Columns that are inputs although they look like an index, a date or a quality flag.
    pub keep_columns: Vec<String>,
}

impl SiteOptions {
    /// The days of the paper, 2003-01-01 to 2020-02-29.
    pub fn paper() -> Self {
        let calendar = Calendar::default();
        Self {
            from: Some(calendar.start),
            to: Some(calendar.end()),
            ..Self::default()
        }
    }

    /// The calendar for these records.
    fn calendar(&self, records: &[Series]) -> Result<Calendar> {
        let first = records.iter().map(|record| record.first).min();
        let last = records.iter().map(Series::last).max();
        let default = Calendar::default();
        let start = self.from.or(first).unwrap_or(default.start);
        let end = self.to.or(last).unwrap_or(default.end());
        span::calendar(start, end)
    }
}

/// Reads a folder of site data.
///
/// Daily variables come in the order in which their columns first appear. Where a site lacks a column, or it is empty,
/// the variable is absent at that site. Inside a site's record gaps are filled linearly; outside, the nearest value is
/// held. Day length and radiation at the top of the atmosphere are computed for all days. A site may be without a flux:
/// it is there for prediction. What the target is, `target.toml` says, or it is soil CO₂ efflux.
///
/// # Errors
///
/// [`Error::Io`] if a file cannot be read; [`Error::Data`] with file and line for anything that is not as
/// `configs/README.md` says; [`Error::Job`] for what is wrong in `target.toml`; [`Error::Usage`] if the calendar would have no day.
pub fn pack_sites(folder: &Path, options: &SiteOptions) -> Result<Packed> {
    let list = List::read(folder, options)?;
    let declared = Declared::read(folder)?;
    let mut records = Vec::new();
    for site in &list.sites {
        let path = folder.join(format!("{}.csv", site.id));
        if !path.is_file() {
            let reason = match other_letters(folder, &site.id) {
                Some(other) => format!(
                    "is missing: {SITES} lists `{}`, expected a file of that name, and there is {other} (capitals count: \
                     rename one of them)",
                    site.id
                ),
                None => format!("is missing: {SITES} lists `{}`", site.id),
            };
            return Err(Error::file(path, reason));
        }
        records.push(Series::read(&path, &declared, options)?);
    }
    let mut warnings: Vec<String> = strangers(folder, &list.sites)?.into_iter().collect();
    warnings.extend(remarks(
        &list.sites,
        &records,
        &declared,
        &options.keep_columns,
    ));

    let calendar = options.calendar(&records)?;
    let dynamic = variables(&records);
    let mut pack = Pack {
        calendar,
        values: vec![f32::NAN; list.sites.len() * calendar.days * dynamic.len()],
        filled: vec![OBSERVED; list.sites.len() * calendar.days * dynamic.len()],
        dynamic,
        statics: Site::place_attributes(),
        static_values: Vec::new(),
        target: declared.target,
        flux: SiteByDay::filled(list.sites.len(), calendar.days, f32::NAN),
        count: SiteByDay::filled(list.sites.len(), calendar.days, 0),
        origin: None,
        sites: list.sites,
        sources: list.sources,
        licences: list.licences,
        digest: String::new(),
    };
    let (mut observed_days, mut dropped_days) = (0, 0);
    let mut outside = Vec::new();
    for (site, record) in records.iter().enumerate() {
        let (observed, dropped) = add(&mut pack, site, record);
        let apart = record.last() < calendar.start || record.first > calendar.end();
        if apart || (observed == 0 && dropped > 0) {
            let path = folder.join(format!("{}.csv", pack.sites[site].id));
            let what = if dropped > 0 { "flux" } else { "day" };
            let reason = format!(
                "has no {what} inside the calendar, {calendar}: its days are {} to {} (widen it with `--from` and `--to`)",
                record.first,
                record.last()
            );
            return Err(Error::file(path, reason));
        }
        if dropped > 0 {
            outside.push(format!("{dropped} at `{}`", pack.sites[site].id));
        }
        observed_days += observed;
        dropped_days += dropped;
    }
    if !outside.is_empty() {
        warnings.push(format!(
            "days with a flux outside the calendar, {calendar}, are left out: {} (widen it with `--from` and `--to`)",
            outside.join(", ")
        ));
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
    let licence = || format!("no licence is stated: {SITES} may have a column `licence`");
    let notes = pack.licences.is_empty().then(licence);
    Ok(Packed {
        pack: pack.sealed(),
        observed_days,
        dropped_days,
        warnings,
        notes: notes.into_iter().collect(),
    })
}

/// What `sites.csv` says.
struct List {
    sites: Vec<Site>,
    sources: Vec<String>,
    licences: Vec<String>,
}

impl List {
    fn read(folder: &Path, options: &SiteOptions) -> Result<Self> {
        let path = folder.join(SITES);
        if folder.is_dir() && !path.is_file() {
            let reason =
                format!("has no {SITES}, expected a folder as configs/README.md describes it");
            return Err(Error::file(folder, reason));
        }
        let table = Table::read(&path, &options.missing)?;
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
                    .replace('\0', "\u{fffd}")
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
                    Some(column) => height(&table.cell(row, column), &options.missing)?,
                    None => None,
                },
                igbp: land_cover::class(&text(igbp)).map_or_else(|| text(igbp), str::to_owned),
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

/// A file that would be that of the site if capitals did not count.
fn other_letters(folder: &Path, id: &str) -> Option<String> {
    let wanted = format!("{id}.csv").to_lowercase();
    let entries = std::fs::read_dir(folder).ok()?;
    let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.find(|name| name.to_lowercase() == wanted)
}

/// One sentence if the folder holds CSV files that no site claims.
fn strangers(folder: &Path, sites: &[Site]) -> Result<Option<String>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("list the folder", folder))?;
    let mut unlisted = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list the folder", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let id = name
            .strip_suffix(".csv")
            .filter(|_| name != SITES && name != ACCOUNT);
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
            pack.flux[(site, day)] = single(*flux);
            pack.count[(site, day)] = record.count[position];
            observed += 1;
        } else {
            dropped += 1;
        }
    }
    (observed, dropped)
}
