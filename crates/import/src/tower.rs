//! What files of flux towers have in common: stamps, missing values, targets that are no efflux of soil.

use std::path::Path;

use efflux_base::error::Result;
use jiff::civil::{Date, DateTime, Time};

use crate::cells::Row;
use crate::mapping::Mapping;
use crate::record::Site;

/// What stands for a missing value in files of all networks.
pub(crate) const MISSING: [&str; 1] = ["-9999"];

/// A file's name without its folder.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Whether a file tells of sites: `AMF_US-Ha1_BIF_20240101.xlsx`, `FLX_AA-Flx_BIF_DD_20200501.csv`.
pub(crate) fn is_metadata(name: &str) -> bool {
    let kind = |part: &str| matches!(part, "BIF" | "SITEINFO") || part.starts_with("BIFVARINFO");
    let is_table = [".csv", ".xlsx"]
        .iter()
        .any(|ending| name.ends_with(ending));
    is_table && name.split(['_', '.']).any(kind)
}

/// A stamp of eight or twelve digits, `20100314` or `201003142330`, in local standard time.
pub(crate) fn stamp(row: &Row<'_>, column: usize) -> Result<DateTime> {
    let parsed = || -> Option<DateTime> {
        let text = row.cell(column);
        let text = text.strip_suffix(".0").unwrap_or(text);
        if !text.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(text.len(), 8 | 12) {
            return None;
        }
        let part = |from: usize, to: usize| text[from..to].parse::<i16>().ok();
        let small = |from: usize, to: usize| text[from..to].parse::<i8>().ok();
        let day = Date::new(part(0, 4)?, small(4, 6)?, small(6, 8)?).ok()?;
        match text.len() {
            8 => Some(day.at(0, 0, 0, 0)),
            _ => {
                let time = Time::new(small(8, 10)?, small(10, 12)?, 0, 0).ok()?;
                Some(day.to_datetime(time))
            }
        }
    };
    parsed().ok_or_else(|| row.wrong(column, "a time such as 20100314 or 201003142330"))
}

/// What a target is if it is no efflux of soil.
pub(crate) fn meaning(target: &str) -> Option<&'static str> {
    let begins = |names: &[&str]| {
        names.iter().any(|name| {
            target == *name
                || target
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('_'))
        })
    };
    if begins(&["RECO", "ER", "TER"]) {
        Some("respiration of the whole ecosystem, modelled from tower data")
    } else if begins(&["FC", "NEE", "NEP"]) {
        Some("net exchange of the ecosystem, negative by day")
    } else if begins(&["GPP"]) {
        Some("photosynthesis, modelled from tower data")
    } else {
        None
    }
}

/// What is added to a site's source: the name of the target, and what it is.
pub(crate) fn of_target(mapping: &Mapping) -> String {
    match mapping
        .target
        .column
        .as_deref()
        .map(|target| (target, meaning(target)))
    {
        Some((target, Some(meaning))) => format!("; the flux is {target}: {meaning}"),
        Some((target, None)) => format!("; the flux is {target}"),
        None => String::new(),
    }
}

/// A site with what the mapping says of it.
pub(crate) fn told(mapping: &Mapping, site: &mut Site) {
    if let Some(keys) = mapping.site(&site.id) {
        keys.over(site);
    }
}
