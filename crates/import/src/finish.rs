//! From what a layout read to what is written: sites are checked, days are made.

use std::fmt;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_ingest::land_cover;

use crate::account::{Account, Rows};
use crate::day::days;
use crate::folder::{self, DailySite};
use crate::mapping::{Mapping, check_id};
use crate::record::{Imported, Record, Site};
use crate::target::TargetKeys;

/// Days of sites, ready to be written.
#[derive(Clone, Debug)]
pub struct Daily {
    /// The sites that have a flux.
    pub sites: Vec<DailySite>,
    /// What their target is, and its column.
    pub(crate) target: TargetKeys,
    /// What was read, dropped and kept.
    pub account: Account,
    /// What a person should know, as sentences.
    pub warnings: Vec<String>,
    /// What a person may like to know, as sentences: nothing is wrong.
    pub notes: Vec<String>,
}

/// Reads what a mapping describes and makes days of it.
///
/// # Errors
///
/// [`Error::Job`] if the mapping is wrong or says too little, [`Error::Data`] or [`Error::Io`] if a file is.
pub fn import(mapping: &Mapping) -> Result<Daily> {
    let Imported {
        mut records,
        account,
        mut warnings,
        notes,
    } = mapping.layout.read(mapping)?;
    check_account(&records, &account)?;
    if let (Some(unit), Some(_)) = (mapping.layout.unit(), &mapping.target.declared) {
        let factor = mapping.target.factor(unit);
        let factor = factor.map_err(|reason| mapping.wrong(format!("`target.unit`: {reason}")))?;
        let samples = records.iter_mut().flat_map(|record| &mut record.samples);
        for flux in samples.filter_map(|sample| sample.flux.as_mut()) {
            *flux *= factor;
        }
    }
    for keys in &mapping.sites {
        if !records.iter().any(|record| record.site.id == keys.id) {
            warnings.push(format!("no file is of the site `{}` of [[sites]]", keys.id));
        }
    }
    let mut sites: Vec<DailySite> = Vec::new();
    for record in records {
        let days = days(&record);
        if days.is_empty() {
            warnings.push(format!(
                "site `{}` has no flux that is kept, so it is not written",
                record.site.id
            ));
            continue;
        }
        let site = checked(mapping, record.site, &mut warnings)?;
        if sites.iter().any(|other| other.site.id == site.id) {
            return Err(mapping.wrong(format!("`files` has the site `{}` twice", site.id)));
        }
        sites.push(DailySite {
            site,
            drivers: record.drivers,
            days,
        });
    }
    if sites.is_empty() {
        return Err(mapping.wrong(format!(
            "leaves no flux at any site, expected one at least ({})",
            account
                .sites
                .iter()
                .map(said)
                .collect::<Vec<_>>()
                .join("; ")
        )));
    }
    if let (Some(target), None) = (&mapping.target.column, &mapping.target.declared)
        && let Some(meaning) = crate::tower::meaning(target)
    {
        warnings.push(format!(
            "the flux is {target}: {meaning}, not efflux of soil. What a model learns of it is that ([target] declares it, so that reports say it)"
        ));
    }
    Ok(Daily {
        target: mapping.target.clone(),
        sites,
        account,
        warnings,
        notes,
    })
}

impl Daily {
    /// Writes the folder, or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] if there is something else already,
    /// [`Error::Io`] if it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        folder::write(folder, &self.target, &self.sites, &self.account)
    }
}

impl fmt::Display for Daily {
    /// Sites and days with a flux, then what became of the rows of each site.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.sites.iter().flat_map(|site| &site.days);
        let observed = days.filter(|day| day.flux.is_some()).count();
        write!(f, "{} sites, {observed} days with a flux", self.sites.len())?;
        for rows in &self.account.sites {
            write!(f, "\n  {}", said(rows))?;
        }
        Ok(())
    }
}

/// The rows that the account keeps are those that became values of the flux.
fn check_account(records: &[Record], account: &Account) -> Result<()> {
    let kept: u64 = account.sites.iter().map(Rows::kept).sum();
    let samples = records.iter().flat_map(|record| &record.samples);
    let values: u64 = samples
        .filter(|sample| sample.flux.is_some())
        .map(|sample| u64::from(sample.count))
        .sum();
    if kept == values {
        return Ok(());
    }
    Err(Error::Internal(format!(
        "{kept} rows were kept, but the days have {values}"
    )))
}

/// A site that can be written: with coordinates, and its land cover in words.
fn checked(mapping: &Mapping, mut site: Site, warnings: &mut Vec<String>) -> Result<Site> {
    check_id(&site.id).map_err(|reason| mapping.wrong(reason))?;
    for (key, value, limit) in [("lat", site.lat, 90.0), ("lon", site.lon, 180.0)] {
        match value {
            Some(value) if value.abs() <= limit => {}
            Some(value) => {
                return Err(mapping.wrong(format!(
                    "site `{}` has {key} = {value}, expected a number from -{limit} to {limit}",
                    site.id
                )));
            }
            None => {
                return Err(mapping.wrong(format!(
                    "site `{id}` has no `{key}` in any file, expected it in the mapping:\n\n[[sites]]\nid = \"{id}\"\nlat = …\nlon = …",
                    id = site.id
                )));
            }
        }
    }
    if !site.igbp.is_empty() {
        match land_cover::class(&site.igbp) {
            Some(class) => class.clone_into(&mut site.igbp),
            None => warnings.push(format!(
                "site `{}`: {}",
                site.id,
                land_cover::misspelt(&site.igbp)
            )),
        }
    }
    Ok(site)
}

fn said(rows: &Rows) -> String {
    let lines: Vec<String> = rows
        .lines()
        .map(|(rule, count)| format!("{rule} {count}"))
        .collect();
    format!("{}: {}", rows.site, lines.join(", "))
}
