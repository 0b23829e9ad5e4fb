//! What looks wrong with a predictor although every number can be read: told with the site and what to do.

use super::daily::Series;
use super::products::{Product, Products};
use super::rows::{Record, belongs};
use crate::data::calendar::Calendar;
use crate::data::pack::Site;

/// Mean radius of the Earth, metres.
const EARTH: f64 = 6_371_008.8;

/// Why a product gives nothing at a site: no row there, or none that can be used.
pub(super) fn absent(product: &Product, site: &Site, record: &Record) -> String {
    let Product { name, table, .. } = product;
    let id = &site.id;
    if record.rows == 0 {
        return format!(
            "`{name}` is absent at site `{id}`: {table}.csv has no row of it (export the table again with this site in \
             the list)"
        );
    }
    let mut causes = Vec::new();
    for (rows, cause) in [
        (record.empty, "empty"),
        (record.invalid, "outside the valid range of stored values"),
        (record.poor, "of poor quality"),
        (record.dropped, "outside the values to keep"),
    ] {
        if rows > 0 {
            causes.push(format!("{rows} {cause}"));
        }
    }
    if causes.is_empty() {
        causes.push("outside the calendar, or on days without all 24 hours".into());
    }
    let valid = product.valid.map_or(String::new(), |[least, greatest]| {
        format!(
            "; valid are {least} to {greatest}, stored as {}",
            stored(product)
        )
    });
    format!(
        "`{name}` is absent at site `{id}`: of {} rows in {table}.csv none gives a day ({}{valid}); export the bands as \
         they are stored, or describe the table in a file for --predictors-config",
        record.rows,
        causes.join(", ")
    )
}

/// Doubled rows of a site.
pub(super) fn doubled(product: &Product, site: &Site, record: &Record) -> Option<String> {
    (record.doubled > 0).then(|| {
        format!(
            "{}.csv has {} doubled rows of site `{}`, the first in line {}: each used once (export the table again, or \
             remove them)",
            product.table, record.doubled, site.id, record.first_doubled
        )
    })
}

/// Values that are hardly possible in the unit, as when °C stand where K are declared.
pub(super) fn implausible(
    product: &Product,
    site: &Site,
    series: &Series,
    calendar: Calendar,
) -> Option<String> {
    let [least, greatest] = product.plausible;
    let outside = |value: f64| !value.is_nan() && !(least..=greatest).contains(&value);
    let days = series
        .values
        .iter()
        .filter(|value| outside(**value))
        .count();
    let first = series.values.iter().position(|value| outside(*value))?;
    Some(format!(
        "`{}` at site `{}` is {:.4} {} on {} and outside {least} to {greatest} on {days} days: {}",
        product.name,
        site.id,
        series.values[first],
        product.units,
        calendar.date(first),
        unit_remedy(product),
    ))
}

/// A static attribute that is hardly possible in its unit.
pub(super) fn implausible_attribute(product: &Product, site: &Site, value: f64) -> Option<String> {
    let [least, greatest] = product.plausible;
    let outside = !value.is_nan() && !(least..=greatest).contains(&value);
    outside.then(|| {
        format!(
            "`{}` at site `{}` is {value:.4} {}, outside {least} to {greatest}: {}",
            product.name,
            site.id,
            product.units,
            unit_remedy(product),
        )
    })
}

/// A predictor that never changes at a site.
pub(super) fn constant(product: &Product, site: &Site, series: &Series) -> Option<String> {
    let mut observed = series.observed();
    let first = observed.next()?;
    let mut more = observed.peekable();
    let same = more.peek().is_some() && more.all(|value| value == first);
    same.then(|| {
        format!(
            "`{}` at site `{}` is {first:.4} {} on every observed day: look at {}.csv, and leave the variable out of a \
             job's [inputs] if it is right",
            product.name, site.id, product.units, product.table
        )
    })
}

/// A static attribute that is the same at all of several sites.
pub(super) fn constant_attribute(product: &Product, values: &[f64]) -> Option<String> {
    let mut known = values.iter().filter(|value| !value.is_nan());
    let first = known.next()?;
    let rest: Vec<&f64> = known.collect();
    let same = rest.len() > 1 && rest.iter().all(|value| *value == first);
    same.then(|| {
        format!(
            "`{}` is {first:.4} {} at all sites: look at {}.csv",
            product.name, product.units, product.table
        )
    })
}

/// Sites whose series is that of an earlier one, although the two are too far apart to share a grid cell.
pub(super) fn twins(product: &Product, sites: &[Site], series: &[Series]) -> Vec<String> {
    let diagonal = product.cell_m * std::f64::consts::SQRT_2;
    let twin = |second: usize| {
        let same = |first: &usize| {
            !series[second].is_absent()
                && series[*first].values == series[second].values
                && distance(&sites[*first], &sites[second]) > diagonal
        };
        let first = (0..second).find(same)?;
        Some(format!(
            "`{}` is the same at sites `{}` and `{}`, which are {:.0} km apart, farther than a grid cell is wide: \
             compare their coordinates and ids in the export of {}.csv with those of the sites",
            product.name,
            sites[first].id,
            sites[second].id,
            distance(&sites[first], &sites[second]) / 1000.0,
            product.table
        ))
    };
    (0..series.len()).filter_map(twin).collect()
}

/// CSV files in the folder that belong to no product.
pub(super) fn strangers(files: &[String], products: &Products) -> Option<String> {
    let known = |file: &String| products.iter().any(|product| belongs(file, &product.table));
    let unknown: Vec<&str> = files
        .iter()
        .filter(|file| !known(file))
        .map(String::as_str)
        .collect();
    (!unknown.is_empty()).then(|| format!("no product has these tables: {}", unknown.join(", ")))
}

/// What a stored number of a product is.
fn stored(product: &Product) -> String {
    let Product {
        units,
        scale,
        offset,
        ..
    } = product;
    match (*scale, *offset) {
        (1.0, 0.0) => units.clone(),
        (_, 0.0) => format!("{scale} {units}"),
        _ => format!("{scale} of the unit from {offset} on"),
    }
}

fn unit_remedy(product: &Product) -> String {
    format!(
        "does {}.csv hold `{}` as {}, as the product says? Export it so, or give its scale in a file for \
         --predictors-config",
        product.table,
        product.bands.join("`, `"),
        stored(product)
    )
}

/// Metres between two sites along the surface.
///
/// # Source
///
/// The haversine formula on a sphere, Sinnott (1984), *Sky and Telescope* 68, 159.
fn distance(one: &Site, other: &Site) -> f64 {
    let (a, b) = (one.latitude.to_radians(), other.latitude.to_radians());
    let half_width = (other.longitude - one.longitude).to_radians() / 2.0;
    let h = ((b - a) / 2.0).sin().powi(2) + a.cos() * b.cos() * half_width.sin().powi(2);
    2.0 * EARTH * h.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_of_latitude_is_111_kilometres() {
        let site = |latitude, longitude| Site {
            id: "X".into(),
            name: String::new(),
            latitude,
            longitude,
            elevation: None,
            igbp: String::new(),
            publication: String::new(),
        };
        let apart = distance(&site(10.0, 20.0), &site(11.0, 20.0));
        assert!((apart - 111_195.0).abs() < 1.0, "{apart}");
        let around = distance(&site(0.0, 179.5), &site(0.0, -179.5));
        assert!((around - 111_195.0).abs() < 1.0, "{around}");
    }
}
