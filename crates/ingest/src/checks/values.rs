//! Values that are hardly possible in their unit, predictors that never change, predictors that are the same at two
//! sites.

use efflux_data::{OBSERVED, Pack, Site, Variable, distance_km};

use super::meaning::never_negative;
use super::{Finding, Kind};
use crate::predictors::{Product, Products};
use crate::sun::{DAY_LENGTH, RADIATION};

/// Least and greatest daily mean that is credible in a unit, for variables that no product describes.
const PLAUSIBLE: [(&str, [f64; 2]); 11] = [
    ("degC", [-80.0, 60.0]),
    ("K", [180.0, 350.0]),
    ("m3 m-3", [0.0, 1.0]),
    ("m2 m-2", [0.0, 15.0]),
    ("%", [0.0, 100.0]),
    ("mm", [0.0, 2000.0]),
    ("h", [0.0, 24.0]),
    ("W m-2", [-200.0, 1600.0]),
    ("m s-1", [0.0, 110.0]),
    ("hPa", [0.0, 1100.0]),
    ("umol m-2 s-1", [-100.0, 3000.0]),
];
/// The same for daily means of soil CO₂ efflux, µmol m⁻² s⁻¹.
const PLAUSIBLE_FLUX: [f64; 2] = [-50.0, 100.0];
/// The same for the height of a site, metres.
const PLAUSIBLE_ELEVATION: [f64; 2] = [-430.0, 8850.0];
/// Side of a grid cell, metres, if no product says it: ERA5-Land, the coarsest of the paper's products.
const COARSEST_CELL: f64 = 11_132.0;

/// What is known of a variable beyond its name.
struct Known<'a> {
    variable: &'a Variable,
    product: Option<&'a Product>,
}

impl<'a> Known<'a> {
    fn of(variable: &'a Variable, products: &'a Products) -> Self {
        let same =
            |product: &&Product| product.name == variable.name && product.units == variable.units;
        Self {
            variable,
            product: products.iter().find(same),
        }
    }

    fn plausible(&self) -> Option<[f64; 2]> {
        let of_unit = || {
            let known = PLAUSIBLE
                .iter()
                .find(|(unit, _)| *unit == self.variable.units);
            known.map(|(_, range)| *range)
        };
        self.product
            .map(|product| product.plausible)
            .or_else(of_unit)
    }

    /// What to do about values that cannot be.
    fn unit_remedy(&self) -> String {
        match self.product {
            Some(product) => format!(
                "does {}.csv hold `{}` as {}, as the product says? Export it so, or give its scale in a file for \
                 --predictors-config",
                product.table,
                product.bands.join("`, `"),
                product.stored()
            ),
            None => format!(
                "is it in {}? Convert the column, or let its name end in its unit",
                self.variable.units
            ),
        }
    }

    /// Where to look.
    fn origin(&self) -> String {
        match self.product {
            Some(product) => format!("{}.csv", product.table),
            None => "the column in the files of the sites".into(),
        }
    }
}

/// Findings of all daily variables.
pub(super) fn daily(pack: &Pack, products: &Products) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, variable) in pack.dynamic.iter().enumerate() {
        let known = Known::of(variable, products);
        for site in 0..pack.sites.len() {
            findings.extend(implausible(pack, &known, index, site));
        }
        // Computed from latitude and date: the same all along the equator, and at all sites of a latitude.
        if [DAY_LENGTH, RADIATION].contains(&variable.name.as_str()) {
            continue;
        }
        for site in 0..pack.sites.len() {
            findings.extend(constant(pack, &known, index, site));
        }
        findings.extend(twins(pack, &known, index));
    }
    findings
}

/// Values that are hardly possible in the unit, as when °C stand where K are declared.
fn implausible(pack: &Pack, known: &Known<'_>, variable: usize, site: usize) -> Option<Finding> {
    let [least, greatest] = known.plausible()?;
    // What is below 0 and cannot be is told as that, not as another unit.
    let told = never_negative(known.variable).is_some();
    let outside = |value: &f32| {
        let value = f64::from(*value);
        let is_told = told && value < 0.0;
        !value.is_nan() && !is_told && !(least..=greatest).contains(&value)
    };
    let days = pack.series(site, variable).filter(outside).count();
    let (day, first) = pack
        .series(site, variable)
        .enumerate()
        .find(|(_, value)| outside(value))?;
    let id = &pack.sites[site].id;
    Some(finding(
        Kind::Units,
        [id],
        format!(
            "`{}` at site `{id}` is {first:.4} {} on {} and outside {least} to {greatest} on {days} days: {}",
            known.variable.name,
            known.variable.units,
            pack.calendar.date(day),
            known.unit_remedy(),
        ),
    ))
}

/// A predictor that never changes at a site.
fn constant(pack: &Pack, known: &Known<'_>, variable: usize, site: usize) -> Option<Finding> {
    let flags = pack.flags(site, variable);
    let mut observed = pack
        .series(site, variable)
        .zip(flags)
        .filter(|(value, flag)| *flag == OBSERVED && !value.is_nan())
        .map(|(value, _)| value);
    let first = observed.next()?;
    let mut more = observed.peekable();
    let same = more.peek().is_some() && more.all(|value| value.to_bits() == first.to_bits());
    let id = &pack.sites[site].id;
    let message = || {
        format!(
            "`{}` at site `{id}` is {first:.4} {} on every observed day: look at {}, and leave the variable out of a \
             job's [inputs] if it is right",
            known.variable.name,
            known.variable.units,
            known.origin()
        )
    };
    same.then(|| finding(Kind::Constant, [id], message()))
}

/// Sites whose series is that of an earlier one, although the two are too far apart to share a grid cell.
fn twins(pack: &Pack, known: &Known<'_>, variable: usize) -> Vec<Finding> {
    let cell = known
        .product
        .map_or(COARSEST_CELL, |product| product.cell_m);
    let diagonal = cell * std::f64::consts::SQRT_2;
    let point = |site: usize| [pack.sites[site].latitude, pack.sites[site].longitude];
    let apart = |one: usize, other: usize| 1000.0 * distance_km(point(one), point(other));
    let twin = |second: usize| {
        let same = |first: &usize| {
            // Where it is absent, no value equals another.
            pack.series(*first, variable)
                .eq(pack.series(second, variable))
                && apart(*first, second) > diagonal
        };
        let first = (0..second).find(same)?;
        let ids = [&pack.sites[first].id, &pack.sites[second].id];
        Some(finding(
            Kind::Identical,
            ids,
            format!(
                "`{}` is the same at sites `{}` and `{}`, which are {:.0} km apart, farther than a grid cell is wide: \
                 compare their coordinates and ids with those in {}",
                known.variable.name,
                ids[0],
                ids[1],
                apart(first, second) / 1000.0,
                known.origin()
            ),
        ))
    };
    (0..pack.sites.len()).filter_map(twin).collect()
}

/// Findings of all static attributes.
pub(super) fn attributes(pack: &Pack, products: &Products) -> Vec<Finding> {
    let mut findings = Vec::new();
    let places = Site::place_attributes();
    for (index, variable) in pack.statics.iter().enumerate() {
        let known = Known::of(variable, products);
        let plausible = if *variable == places[2] {
            Some(PLAUSIBLE_ELEVATION)
        } else {
            known.product.map(|product| product.plausible)
        };
        for (site, of) in pack.sites.iter().enumerate() {
            let value = f64::from(pack.attribute(site, index));
            if let Some([least, greatest]) = plausible
                && !value.is_nan()
                && !(least..=greatest).contains(&value)
            {
                let message = format!(
                    "`{}` at site `{}` is {value:.4} {}, outside {least} to {greatest}: {}",
                    variable.name,
                    of.id,
                    variable.units,
                    known.unit_remedy()
                );
                findings.push(finding(Kind::Units, [&of.id], message));
            }
        }
        // Sites may well lie on one latitude, or in one field.
        if !places.contains(variable) {
            findings.extend(constant_attribute(pack, &known, index));
        }
    }
    findings
}

/// A static attribute that is the same at all of several sites.
fn constant_attribute(pack: &Pack, known: &Known<'_>, attribute: usize) -> Option<Finding> {
    let mut values = (0..pack.sites.len())
        .map(|site| pack.attribute(site, attribute))
        .filter(|value| !value.is_nan());
    let first = values.next()?;
    let rest: Vec<f32> = values.collect();
    let same = rest.len() > 1 && rest.iter().all(|value| value.to_bits() == first.to_bits());
    let message = || {
        format!(
            "`{}` is {first:.4} {} at all sites: look at {}",
            known.variable.name,
            known.variable.units,
            known.origin()
        )
    };
    same.then(|| finding(Kind::Constant, [], message()))
}

/// Fluxes that are hardly possible. What is possible for another target nobody has said.
pub(super) fn flux(pack: &Pack) -> Vec<Finding> {
    if !pack.target.is_soil_efflux() {
        return Vec::new();
    }
    let [least, greatest] = PLAUSIBLE_FLUX;
    let outside = |value: &f32| !value.is_nan() && !(least..=greatest).contains(&f64::from(*value));
    let of_site = |(site, of): (usize, &Site)| {
        let flux = pack.flux_of(site);
        let first = flux.iter().position(outside)?;
        let days = flux.iter().filter(|value| outside(value)).count();
        let message = format!(
            "the flux at site `{}` is {:.4} µmol m⁻² s⁻¹ on {} and outside {least} to {greatest} on {days} days: is it in \
             another unit, or a sentinel for a missing value? Convert it, or leave the cell empty",
            of.id,
            flux[first],
            pack.calendar.date(first),
        );
        Some(finding(Kind::Units, [&of.id], message))
    };
    pack.sites.iter().enumerate().filter_map(of_site).collect()
}

fn finding<const N: usize>(kind: Kind, sites: [&String; N], message: String) -> Finding {
    Finding {
        kind,
        sites: sites.map(String::clone).to_vec(),
        message,
    }
}
