//! The folder of daily site files: all of it, or nothing.
//!
//! It is written beside its place and put there when it is complete. `SHA256SUMS` says what was written, for `sha256sum -c`;
//! a folder that is as an earlier import left it is replaced, any other one that is not empty stays and is an error.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use sha2::{Digest, Sha256};

use crate::COUNT;
use crate::account::Account;
use crate::day::Day;
use crate::record::{Combine, Driver, Site};
use crate::target::TargetKeys;

/// Digests of the other files.
const SUMS: &str = "SHA256SUMS";
const SITES: &str = "sites.csv";
const ACCOUNT: &str = "account.csv";
const TARGET: &str = "target.toml";

/// A site whose days are made.
#[derive(Clone, Debug)]
pub struct DailySite {
    /// The site, with its coordinates.
    pub site: Site,
    /// What the days hold beside the flux.
    pub drivers: Vec<Driver>,
    /// Every day from the first to the last with a flux.
    pub days: Vec<Day>,
}

/// Writes `sites.csv`, a daily file for each site, `account.csv`, `target.toml` where the target is declared and `SHA256SUMS` into a new folder, or in the place of one
/// that an earlier import wrote and nobody changed.
///
/// # Errors
///
/// [`Error::Data`] if there is something else already; [`Error::Io`] if it cannot be written. Nothing has changed then.
pub(crate) fn write(
    folder: &Path,
    target: &TargetKeys,
    sites: &[DailySite],
    account: &Account,
) -> Result<()> {
    let mut files = files(target, sites, account)?;
    let sums = files.iter().fold(String::new(), |mut sums, (name, text)| {
        let _ = writeln!(sums, "{}  {name}", digest(text.as_bytes()));
        sums
    });
    files.push((SUMS.to_owned(), sums));
    put(folder, &files, may_be_replaced)
}

/// Writes a folder with these files, or nothing.
///
/// # Arguments
///
/// * `may_be_replaced`: whether something is there that gives way; an error if it must not.
///
/// # Errors
///
/// That, or [`Error::Io`]. Nothing has changed then.
pub(crate) fn put(
    folder: &Path,
    files: &[(String, String)],
    may_be_replaced: impl Fn(&Path) -> Result<bool>,
) -> Result<()> {
    let place = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let is_there = may_be_replaced(&place)?;
    let parent = place
        .parent()
        .filter(|parent| *parent != Path::new(""))
        .unwrap_or(Path::new("."));
    durable::create_directory(parent)?;
    let new = beside(parent, &place)?;
    for (name, text) in files {
        durable::write(&new.path().join(name), text)?;
    }
    if is_there {
        let old = beside(parent, &place)?;
        fs::rename(&place, old.path()).map_err(Error::io("replace", folder))?;
        if let Err(error) = fs::rename(new.path(), &place) {
            let _ = fs::rename(old.path(), &place);
            return Err(Error::io("write", folder)(error));
        }
    } else {
        fs::rename(new.path(), &place).map_err(Error::io("write", folder))?;
    }
    durable::sync_directory(parent)
}

/// Whether a file is in a folder that an import wrote, and so no input of another.
pub(crate) fn is_in_output(path: &Path) -> bool {
    let beside = |name: &str| path.with_file_name(name).is_file();
    [SUMS, ACCOUNT, SITES].into_iter().all(beside)
}

/// A folder in the same place with a name that is nobody's, removed when dropped if it is still there.
fn beside(parent: &Path, place: &Path) -> Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let name = place
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".tmp")
        // What the user's mask leaves, as for every other folder.
        .permissions(fs::Permissions::from_mode(0o777))
        .tempdir_in(parent)
        .map_err(Error::io("write", place))
}

/// Whether there is an earlier output; an error if there is something else.
fn may_be_replaced(place: &Path) -> Result<bool> {
    if !place.exists() {
        return Ok(false);
    }
    if !place.is_dir() {
        return Err(Error::file(
            place,
            "is a file, expected the name of a folder that is written",
        ));
    }
    let refused = |reason: String| {
        Error::file(
            place,
            format!(
                "{reason}, so it is not replaced (name another folder with -o, or remove this one)"
            ),
        )
    };
    let entries = fs::read_dir(place).map_err(Error::io("look into", place))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("look into", place))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    if names.is_empty() {
        return Ok(true);
    }
    if !names.iter().any(|name| name == SUMS) {
        return Err(refused(format!(
            "is not empty and has no {SUMS}, so it is no earlier output of `efflux import`"
        )));
    }
    let sums = read(&place.join(SUMS))?;
    let sums = String::from_utf8_lossy(&sums);
    let known: Vec<(&str, &str)> = sums
        .lines()
        .filter_map(|line| line.split_once("  "))
        .collect();
    for name in names.iter().filter(|name| *name != SUMS) {
        let Some((sum, _)) = known.iter().find(|(_, known)| known == name) else {
            return Err(refused(format!(
                "has `{name}`, which `efflux import` did not write"
            )));
        };
        if digest(&read(&place.join(name))?) != *sum {
            return Err(refused(format!(
                "has `{name}`, which was changed after `efflux import` wrote it"
            )));
        }
    }
    Ok(true)
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    fs::read(path).map_err(Error::io("read", path))
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Each file's name and text.
fn files(
    target: &TargetKeys,
    sites: &[DailySite],
    account: &Account,
) -> Result<Vec<(String, String)>> {
    let mut files = vec![
        (SITES.to_owned(), site_list(sites)?),
        (ACCOUNT.to_owned(), accounts(account)?),
    ];
    for site in sites {
        files.push((format!("{}.csv", site.site.id), daily(target, site)?));
    }
    files.extend(target.declaration()?.map(|text| (TARGET.to_owned(), text)));
    Ok(files)
}

fn site_list(sites: &[DailySite]) -> Result<String> {
    let header = [
        "site",
        "lat",
        "lon",
        "elevation_m",
        "site_name",
        "igbp",
        "source",
        "licence",
    ];
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let rows = sites.iter().map(|DailySite { site, .. }| {
        vec![
            site.id.clone(),
            number(site.lat),
            number(site.lon),
            number(site.elevation_m),
            site.name.clone(),
            site.igbp.clone(),
            site.source.clone(),
            site.licence.clone(),
        ]
    });
    csv(header.map(str::to_owned).to_vec(), rows)
}

fn accounts(account: &Account) -> Result<String> {
    let rows = account.sites.iter().flat_map(|rows| {
        let lines = rows.lines();
        lines.map(|(rule, count)| vec![rows.site.clone(), rule.to_owned(), count.to_string()])
    });
    csv(["site", "rule", "rows"].map(str::to_owned).to_vec(), rows)
}

fn daily(target: &TargetKeys, site: &DailySite) -> Result<String> {
    let flux = target.column_of_days();
    let mut header: Vec<String> = ["date", flux, COUNT].map(str::to_owned).to_vec();
    header.extend(site.drivers.iter().map(|driver| driver.name.clone()));
    let rows = site.days.iter().map(|day| {
        let mut row = vec![
            day.date.to_string(),
            day.flux.map(decimal).unwrap_or_default(),
            day.count.to_string(),
        ];
        for (value, driver) in day.drivers.iter().zip(&site.drivers) {
            row.push(match (value, driver.combine) {
                (None, _) => String::new(),
                (Some(flag), Combine::Filled) => format!("{flag:.0}"),
                (Some(value), _) => decimal(*value),
            });
        }
        row
    });
    csv(header, rows)
}

fn csv(header: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut all = std::iter::once(header).chain(rows);
    all.try_for_each(|row| writer.write_record(row))
        .and_then(|()| {
            writer
                .into_inner()
                .map_err(|error| error.into_error().into())
        })
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|error| Error::Internal(format!("a table in memory: {error}")))
}

/// A number with six decimals, or with as many as leave six digits of a small one; zero without any.
fn decimal(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let mut decimals = 6;
    let mut size = number.abs();
    while size < 0.1 && decimals < 40 {
        size *= 10.0;
        decimals += 1;
    }
    format!("{number:.decimals$}")
}
