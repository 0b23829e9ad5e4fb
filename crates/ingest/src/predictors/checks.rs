//! What looks wrong with the tables although every number can be read: told with the site and what to do.

use efflux_data::Site;

use super::products::{Product, Products, Step};
use super::rows::{Origin, Record, belongs};

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
            product.stored()
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
///
/// # Arguments
///
/// * `files`: the names of the table's files.
pub(super) fn doubled(
    product: &Product,
    site: &Site,
    record: &Record,
    files: &[String],
) -> Option<String> {
    (record.doubled > 0).then(|| {
        format!(
            "{}.csv has {} doubled rows of site `{}`, the first in line {}: each used once (export the table again, or \
             remove them)",
            product.table,
            record.doubled,
            site.id,
            place(record.first_doubled, files)
        )
    })
}

/// Hours whose values are not possible: their days are filled.
pub(super) fn invalid(
    product: &Product,
    site: &Site,
    record: &Record,
    files: &[String],
) -> Option<String> {
    let (value, origin) = record
        .first_invalid
        .filter(|_| product.step == Step::Hour)?;
    let [least, greatest] = product.valid?;
    Some(format!(
        "`{}` at site `{}`: {} hours of {}.csv are outside the valid range of stored values, {least} to {greatest} (first \
         {value} in line {}), so their days are dropped and filled from their neighbours (correct them in the table, or \
         widen `valid` in a file for --predictors-config)",
        product.name,
        site.id,
        record.invalid,
        product.table,
        place(origin, files)
    ))
}

/// A line, and of which file if there are several.
fn place(origin: Origin, files: &[String]) -> String {
    let Origin { file, line } = origin;
    match files.get(file) {
        Some(name) if files.len() > 1 => format!("{line} of {name}"),
        _ => line.to_string(),
    }
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
