//! The tables of NEON's sensors of the soil.

use std::collections::BTreeMap;
use std::path::PathBuf;

use efflux_base::error::Result;
use jiff::civil::DateTime;

use super::depths::Depths;
use crate::cells::{Cells, Dialect};
use crate::fill_values::Seen;
use crate::mapping::Mapping;

/// A product's columns.
pub(super) struct Product {
    /// Its daily variable.
    pub(super) name: &'static str,
    value: &'static str,
    /// 0 if it passed. Values that failed may be there beside it.
    quality: &'static str,
    /// The file that tells the depths.
    pub(super) depths: &'static str,
}

pub(super) const SOIL_TEMPERATURE: Product = Product {
    name: "soil_temp_c",
    value: "soilTempMean",
    quality: "finalQF",
    depths: "sensor_positions_00041.csv",
};
pub(super) const SOIL_MOISTURE: Product = Product {
    name: "soil_moisture_m3_m3",
    value: "VSWCMean",
    quality: "VSWCFinalQF",
    depths: "swc_depthsV3.csv",
};

/// The mean over plots of the sensors nearest to 5 cm, at each begin of an interval.
pub(super) fn read(
    mapping: &Mapping,
    product: &Product,
    paths: &[PathBuf],
    depths: &Depths,
    clock: &impl Fn(&str) -> Result<DateTime, String>,
) -> Result<BTreeMap<DateTime, f64>> {
    let mut sums: BTreeMap<DateTime, (f64, u32)> = BTreeMap::new();
    for path in paths {
        let mut cells = Cells::open(path, &Dialect::with_missing(&[], &mapping.missing))?;
        let head = cells.head();
        let (plot, level) = (
            head.require("horizontalPosition")?,
            head.require("verticalPosition")?,
        );
        let time = head.require("startDateTime")?;
        let (value, quality) = (head.require(product.value)?, head.require(product.quality)?);
        let mut seen = Seen::new(&[product.value.to_owned()]);
        while let Some(row) = cells.next()? {
            let is_wanted = depths.is_nearest(row.cell(plot), row.cell(level), row.cell(time));
            if !is_wanted || row.number(quality)? != Some(0.0) {
                continue;
            }
            if let Some(number) = row.number(value)? {
                seen.push(0, number, row.line);
                let begin = clock(row.cell(time)).map_err(|reason| row.wrong(time, &reason))?;
                let (sum, count) = sums.entry(begin).or_default();
                *sum += number;
                *count += 1;
            }
        }
        seen.check(path, &mapping.measured)?;
    }
    let mean = |(begin, (sum, count)): (DateTime, (f64, u32))| (begin, sum / f64::from(count));
    Ok(sums.into_iter().map(mean).collect())
}
