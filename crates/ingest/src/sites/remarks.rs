//! What is told of the files of the sites: what was left out of them, and why.

use std::collections::{BTreeMap, BTreeSet};

use efflux_data::Site;

use super::columns::is_like_flux;
use super::series::Series;
use super::target::Declared;

/// Sentences on columns, days and sites that are left out.
///
/// # Arguments
///
/// * `kept`: names of columns that are inputs whatever they look like.
pub(super) fn remarks(
    sites: &[Site],
    records: &[Series],
    declared: &Declared,
    kept: &[String],
) -> Vec<String> {
    let mut remarks = columns(sites, records);
    for (site, record) in sites.iter().zip(records) {
        if record.filled_fluxes > 0 {
            remarks.push(format!(
                "the flux of {} days at site `{}` is flagged as filled, so it is no observation and left out",
                record.filled_fluxes, site.id
            ));
        }
    }
    let columns = records.iter().flat_map(|record| &record.predictors);
    let like_flux: BTreeSet<&str> = columns
        .filter(|column| is_like_flux(&column.name, declared) && !kept.contains(&column.name))
        .map(|column| column.name.as_str())
        .collect();
    for name in like_flux {
        remarks.push(format!(
            "`{name}` is an input, though by its name it may be the flux itself, in which a model would read the answer: \
             remove it, or pack with `--keep-columns \"{name}\"` if it is none"
        ));
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
            "no value in `{}` at {} of {} sites, so they are there for prediction alone: {}",
            declared.column(),
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
