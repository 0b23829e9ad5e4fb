//! Values that are possible one by one but cannot be meant: weather that is held, fluxes that never change, negative
//! radiation, more rain than falls anywhere, fractions that do not add up, land covers that are no class.

use std::collections::BTreeMap;

use efflux_data::{FilledDays, HELD, Pack, Variable};

use super::{Finding, Kind};
use crate::land_cover;

/// Days that a predictor may be held on without a word: the longest step of a product, a month.
const HELD_DAYS: usize = 31;
/// Sites that a sentence names.
const NAMED: usize = 8;
/// Days from which on a flux that never changes is no coincidence.
const FLUX_DAYS: usize = 10;
/// Days from which on a mean tells of the year.
const MANY: usize = 50;
/// More precipitation falls nowhere in a year, metres (Mawsynram has 12).
const MOST_RAIN: f64 = 13.0;
/// Fractions of sand, silt and clay, and their total in per cent.
const TEXTURE: [&str; 3] = ["sand", "silt", "clay"];
const TEXTURE_TOTAL: [f64; 2] = [90.0, 110.0];

pub(super) fn findings(pack: &Pack) -> Vec<Finding> {
    let mut findings = land_covers(pack);
    for (index, variable) in pack.dynamic.iter().enumerate() {
        findings.extend(held(pack, variable, index));
    }
    for site in 0..pack.sites.len() {
        findings.extend(constant_flux(pack, site));
        findings.extend(texture(pack, site));
        for (index, variable) in pack.dynamic.iter().enumerate() {
            findings.extend(negative(pack, variable, index, site));
            findings.extend(too_much_rain(pack, variable, index, site));
        }
    }
    findings
}

fn finding(kind: Kind, sites: Vec<String>, message: String) -> Finding {
    Finding {
        kind,
        sites,
        message,
    }
}

/// Texts that are neither a class nor empty.
fn land_covers(pack: &Pack) -> Vec<Finding> {
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for site in &pack.sites {
        if !site.igbp.is_empty() && land_cover::class(&site.igbp).is_none() {
            texts.entry(&site.igbp).or_default().push(site.id.clone());
        }
    }
    let told = |(text, sites): (&str, Vec<String>)| {
        let message = format!(
            "land cover of site `{}`: {} (correct it, or it is a class of its own)",
            sites.join("`, `"),
            land_cover::misspelt(text)
        );
        finding(Kind::LandCover, sites, message)
    };
    texts.into_iter().map(told).collect()
}

/// A predictor that repeats its nearest measured value on many days with a flux.
fn held(pack: &Pack, variable: &Variable, index: usize) -> Option<Finding> {
    let of_site = |site: usize| {
        let flags: Vec<u8> = pack.flags(site, index).collect();
        let flux = pack.flux_of(site);
        let observed = (0..flux.len()).filter(|&day| !flux[day].is_nan());
        let FilledDays { days, held, .. } = FilledDays::among(&flags, observed);
        (held > HELD_DAYS).then(|| (pack.sites[site].id.clone(), format!("{held} of {days}")))
    };
    let found: Vec<(String, String)> = (0..pack.sites.len()).filter_map(of_site).collect();
    let told = found.iter().take(NAMED);
    let told = told.map(|(id, days)| format!("`{id}` on {days}"));
    let mut told: Vec<String> = told.collect();
    if found.len() > NAMED {
        told.push(format!("{} more sites", found.len() - NAMED));
    }
    (!found.is_empty()).then(|| {
        let message = format!(
            "`{}` repeats its nearest measured value on days with a flux: at {} (give it for these days, or leave the column of \
             such a site empty)",
            variable.name,
            told.join(", ")
        );
        finding(Kind::Filled, found.into_iter().map(|(id, _)| id).collect(), message)
    })
}

/// A flux that is the same on all of many days.
fn constant_flux(pack: &Pack, site: usize) -> Option<Finding> {
    let mut observed = pack.flux_of(site).iter().filter(|flux| !flux.is_nan());
    let first = observed.next()?;
    let mut days = 1;
    for flux in observed {
        if flux.to_bits() != first.to_bits() {
            return None;
        }
        days += 1;
    }
    let id = &pack.sites[site].id;
    (days >= FLUX_DAYS).then(|| {
        let message = format!(
            "the {} at site `{id}` is {first:.4} {} on all {days} observed days, so no score is defined there: \
             look at the file it is from, or leave the site out",
            pack.target.name(),
            pack.target.unit()
        );
        finding(Kind::Constant, vec![id.clone()], message)
    })
}

/// Fractions of sand, silt and clay that are not the whole.
fn texture(pack: &Pack, site: usize) -> Option<Finding> {
    let fraction = |of: &str| {
        let is = |variable: &Variable| variable.units == "%" && variable.name.starts_with(of);
        let index = pack.statics.iter().position(is)?;
        Some(f64::from(pack.attribute(site, index))).filter(|value| !value.is_nan())
    };
    let fractions = TEXTURE
        .into_iter()
        .map(fraction)
        .collect::<Option<Vec<f64>>>()?;
    let total: f64 = fractions.iter().sum();
    let id = &pack.sites[site].id;
    let [least, greatest] = TEXTURE_TOTAL;
    (!(least..=greatest).contains(&total)).then(|| {
        let message = format!(
            "sand, silt and clay at site `{id}` total {total:.1} %, expected 100 %: have the values of the soil table been \
             divided or multiplied already? Export them as they are stored, or give their scale in a file for \
             --predictors-config"
        );
        finding(Kind::Units, vec![id.clone()], message)
    })
}

/// Quantities that are never below 0, by their names.
fn is_rain(variable: &Variable) -> bool {
    let name = variable.name.to_ascii_lowercase();
    ["precip", "rain", "prcp"]
        .iter()
        .any(|part| name.contains(part))
        && matches!(variable.units.as_str(), "mm" | "m" | "")
}

fn is_incoming_radiation(variable: &Variable) -> bool {
    let name = variable.name.to_ascii_lowercase();
    let parts: Vec<&str> = name.split('_').collect();
    let whole = ["par", "ppfd", "rg", "sw", "swdown", "ssrd", "srad"];
    let named = parts.iter().any(|part| whole.contains(part))
        || ["radiation", "shortwave", "solar"]
            .iter()
            .any(|part| name.contains(part));
    named
        && !parts
            .iter()
            .any(|part| ["net", "lw", "longwave", "rn", "netrad"].contains(part))
}

/// What a variable is by its name that is never below 0, and the least value that a sensor's offset may make of it.
pub(super) fn never_negative(variable: &Variable) -> Option<(&'static str, f32)> {
    if is_rain(variable) {
        Some(("precipitation", 0.0))
    } else if is_incoming_radiation(variable) {
        Some(("incoming radiation", -5.0))
    } else {
        None
    }
}

/// Rain or incoming radiation below 0, but for the offset of a sensor at night.
fn negative(pack: &Pack, variable: &Variable, index: usize, site: usize) -> Option<Finding> {
    let (what, least) = never_negative(variable)?;
    let below = |value: &f32| *value < least;
    let days = pack.series(site, index).filter(below).count();
    let first = pack.series(site, index).position(|value| below(&value))?;
    let id = &pack.sites[site].id;
    let message = format!(
        "`{}` at site `{id}` is below {least} on {days} days, first on {} ({:.4}): {what} cannot be (a fill value, an offset, \
         or another sign? Correct the column, or empty these cells)",
        variable.name,
        pack.calendar.date(first),
        pack.series(site, index).nth(first).unwrap_or(0.0)
    );
    Some(finding(Kind::Units, vec![id.clone()], message))
}

/// More rain in a year than falls anywhere, as when running totals are summed.
fn too_much_rain(pack: &Pack, variable: &Variable, index: usize, site: usize) -> Option<Finding> {
    let metres = match variable.units.as_str() {
        "mm" => 0.001,
        "m" => 1.0,
        _ => return None,
    };
    let known = pack.flags(site, index).filter(|flag| *flag != HELD).count();
    // A day with more than a metre is told of as such.
    let in_another_unit = pack
        .series(site, index)
        .any(|value| f64::from(value) * metres > 1.0);
    if !is_rain(variable) || known < MANY || in_another_unit {
        return None;
    }
    let year = 365.25 * metres * pack.mean_over_record(site, index);
    let id = &pack.sites[site].id;
    (year > MOST_RAIN).then(|| {
        let message = format!(
            "`{}` at site `{id}` is {:.0} mm in a mean year, more than falls anywhere: is it a running total, a total of \
             more than a day, or in another unit? It must be the total of each day",
            variable.name,
            1000.0 * year
        );
        finding(Kind::Units, vec![id.clone()], message)
    })
}
