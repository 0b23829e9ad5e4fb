//! What is told of the files of the sites: what was left out of them, and why.

use std::collections::BTreeMap;

use efflux_data::Site;

use super::columns::FLUX;
use super::series::Series;

/// Sentences on columns, days and sites that are left out.
pub(super) fn remarks(sites: &[Site], records: &[Series]) -> Vec<String> {
    let mut remarks = columns(sites, records);
    for (site, record) in sites.iter().zip(records) {
        if record.filled_fluxes > 0 {
            remarks.push(format!(
                "the flux of {} days at site `{}` is flagged as filled, so it is no observation and left out",
                record.filled_fluxes, site.id
            ));
        }
    }
    for (site, record) in sites.iter().zip(records) {
        for name in &record.imprecise {
            remarks.push(format!(
                "`{name}` at site `{}` is another number in single precision, which packs hold: subtract a constant, or let \
                 it be in another unit",
                site.id
            ));
        }
    }
    let without: Vec<String> = sites
        .iter()
        .zip(records)
        .filter(|(_, record)| record.flux.iter().all(|flux| flux.is_nan()))
        .map(|(site, _)| format!("`{}`", site.id))
        .collect();
    if !without.is_empty() {
        remarks.push(format!(
            "no value in `{FLUX}` at {} of {} sites, so they are there for prediction alone: {}",
            without.len(),
            sites.len(),
            without.join(", ")
        ));
    }
    remarks
}

/// Columns that are no inputs.
fn columns(sites: &[Site], records: &[Series]) -> Vec<String> {
    let mut columns: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (site, record) in sites.iter().zip(records) {
        for (name, reason) in &record.left_out {
            columns.entry((name, reason)).or_default().push(&site.id);
        }
    }
    let told = |((name, reason), sites): ((&str, &str), Vec<&str>)| {
        let sites = sites.join("`, `");
        if name.is_empty() {
            return format!(
                "the first column has no name, so it is left out (site `{sites}`): if it is an input, name it"
            );
        }
        let flags = if reason.contains("quality") {
            "; if it says which days are filled, let it be called as its column with the ending `_filled`, with 0 for observed"
        } else {
            ""
        };
        format!(
            "`{name}` looks like {reason}, so it is left out (site `{sites}`): if it is an input, pack with \
             `--keep-columns \"{name}\"`{flags}"
        )
    };
    columns.into_iter().map(told).collect()
}
