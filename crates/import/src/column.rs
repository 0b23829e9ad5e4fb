//! Daily variables and the columns that they are made of, where a mapping tells them by name.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::driver_unit::{self, Conversion};
use crate::record::{Combine, Driver};

/// `soil_temp_c = "V3"` or `soil_moisture_m3_m3 = { column = "V4", unit = "%" }`, by daily variable.
pub(crate) type ColumnKeys = BTreeMap<String, OneColumn>;

/// A column and, if it is not that of the daily variable, its unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneColumn {
    Name(String),
    InUnit(InUnit),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InUnit {
    column: String,
    unit: String,
}

/// A daily variable and the column that it is made of.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) driver: String,
    pub(crate) name: String,
    pub(crate) conversion: Conversion,
    /// Whether a mapping tells the unit, so that what a file says does not matter.
    unit_is_said: bool,
}

impl Column {
    /// A column whose numbers are taken as they are.
    pub(crate) fn plain(driver: &str, name: &str) -> Self {
        Self {
            driver: driver.to_owned(),
            name: name.to_owned(),
            conversion: Conversion::NONE,
            unit_is_said: false,
        }
    }

    /// One whose numbers are multiplied, whatever the file says of their unit.
    pub(crate) fn times(driver: &str, name: &str, factor: f64) -> Self {
        Self {
            conversion: Conversion {
                factor,
                offset: 0.0,
            },
            unit_is_said: true,
            ..Self::plain(driver, name)
        }
    }

    /// How its numbers become the daily variable's where the file tells their unit (`K`, `[m+3m-3]`, `mm/day`).
    ///
    /// # Errors
    ///
    /// A unit that cannot be compared with the end of the daily variable's name; numbers are taken as they are then.
    pub(crate) fn conversion_from(&self, unit: Option<&str>) -> Result<Conversion, String> {
        let Some(unit) = unit.filter(|_| !self.unit_is_said) else {
            return Ok(self.conversion);
        };
        let amount = unit.replace('+', "");
        let per_time = [
            "/day", "/hour", "/d", "/h", "day-1", "hr-1", "d-1", "h-1", "d^-1", "h^-1",
        ];
        let is_depth = self.driver.ends_with("_mm") || self.driver.ends_with("_m");
        let amount = match per_time.iter().find_map(|time| amount.strip_suffix(time)) {
            Some(depth) if is_depth => depth,
            _ => &amount,
        };
        driver_unit::conversion(&self.driver, amount).map_err(|reason| {
            format!(
                "`{}`: {reason}; its numbers are taken as they are",
                self.name
            )
        })
    }

    /// # Errors
    ///
    /// A unit that is none of the daily variable's.
    pub(crate) fn all(keys: &ColumnKeys) -> Result<Vec<Self>, String> {
        let one = |(driver, column): (&String, &OneColumn)| match column {
            OneColumn::Name(name) => Ok(Self::plain(driver, name)),
            OneColumn::InUnit(InUnit { column, unit }) => {
                let conversion = driver_unit::conversion(driver, unit)?;
                Ok(Self {
                    conversion,
                    unit_is_said: true,
                    ..Self::plain(driver, column)
                })
            }
        };
        keys.iter().map(one).collect()
    }

    /// The daily variable: precipitation is a sum, all else a mean.
    pub(crate) fn driver(&self, steps: u32) -> Driver {
        let is_sum = self.driver.starts_with("precip");
        Driver {
            name: self.driver.clone(),
            combine: if is_sum {
                Combine::Sum { steps }
            } else {
                Combine::Mean
            },
        }
    }
}
