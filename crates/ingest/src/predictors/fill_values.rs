//! Fill values in the tables of products that declare no range of valid values.

use std::path::Path;

use efflux_base::error::{Error, Result};

use super::products::{Formula, Product};
use super::rows::{Record, Value};
use crate::missing::Missing;

/// Refuses a stored value that looks like a fill value.
///
/// # Arguments
///
/// * `records`: of all sites.
/// * `files`: the names of the table's files in the folder.
pub(super) fn refuse(
    folder: &Path,
    product: &Product,
    records: &[Record],
    files: &[String],
    missing: &Missing,
) -> Result<()> {
    if product.valid.is_some() || product.formula != Formula::Band {
        return Ok(());
    }
    let rows = records.iter().flat_map(|record| record.values.values());
    let rows: Vec<&Value> = rows.filter(|row| !row.value.is_nan()).collect();
    // To the digits that scale and offset leave.
    let stored = |row: &&Value| {
        let stored = (row.value - product.offset) / product.scale;
        let tenths = (10.0 * stored).round() / 10.0;
        if (stored - tenths).abs() <= 1e-9 * stored.abs() {
            tenths
        } else {
            stored
        }
    };
    let values: Vec<f64> = rows.iter().map(stored).collect();
    let sentinels = missing.sentinels(&values);
    let Some(sentinel) = sentinels.first() else {
        return Ok(());
    };
    let origin = rows[sentinel.first].origin;
    let (value, count) = (sentinel.value, sentinel.count);
    let reason = format!(
        "`{}` has {value} in {count} rows, first here: this looks like a fill value (empty the cells, pack with \
         `--missing {value}`, or give product `{}` its range `valid`; if it was measured, `--measured {value}`)",
        product.bands.join("`, `"),
        product.name
    );
    let file = files.get(origin.file).map_or("", String::as_str);
    Err(Error::line(folder.join(file), origin.line, reason))
}
