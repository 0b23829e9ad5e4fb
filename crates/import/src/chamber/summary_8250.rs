//! Daily summaries of the LI-8250 multiplexer: three lines of head, of device, variable and unit.
//!
//! # Source
//!
//! LI-COR, *LI-8250*, data files and data dictionary. The names of the columns of R² are a guess.

use std::path::Path;

use efflux_base::error::{Error, Result};

use super::{FAILED_FIT, NO_FLUX, NO_SUCH_TIME, Reader, read_sites};
use crate::cells::{Cells, Dialect};
use crate::mapping::Mapping;
use crate::record::Imported;
use crate::stamp::Format;

const FLUX: &str = "FCO2_DRY";

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    read_sites(mapping, &[], &[NO_FLUX, FAILED_FIT], |reader, path| {
        reader.only(&["zone", "stands_for", "minutes"])?;
        reader.warn_of_zone();
        file(reader, path)
    })
}

/// The three lines of head.
struct Head {
    path: std::path::PathBuf,
    devices: Vec<String>,
    variables: Vec<String>,
    units: Vec<String>,
}

impl Head {
    fn read(path: &Path) -> Result<Self> {
        let plain = Dialect {
            comment: None,
            ..Dialect::default()
        };
        let lines = [0, 1, 2].map(|before| {
            let dialect = Dialect {
                lines_before_names: before,
                ..plain.clone()
            };
            Cells::open(path, &dialect).map(|cells| cells.head().names.clone())
        });
        let [devices, variables, units] = lines;
        let head = Self {
            path: path.to_owned(),
            devices: devices?,
            variables: variables?,
            units: units?,
        };
        let same =
            head.devices.len() == head.variables.len() && head.devices.len() == head.units.len();
        if same && head.units.iter().any(|unit| unit.starts_with('[')) {
            return Ok(head);
        }
        let reason = "has not the three lines of head (device, variable, unit in brackets) of a summary of the LI-8250";
        Err(Error::file(path, reason))
    }

    fn names(&self) -> Vec<String> {
        self.devices
            .iter()
            .zip(&self.variables)
            .map(|(device, variable)| format!("{device}/{variable}"))
            .collect()
    }

    /// The column of a variable, or of `device/variable` where several devices have it.
    fn find(&self, name: &str) -> Result<Option<usize>> {
        let names = self.names();
        let is_it = |at: &usize| names[*at] == name || self.variables[*at] == name;
        let found: Vec<usize> = (0..names.len()).filter(is_it).collect();
        match found[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => {
                let all: Vec<&str> = found.iter().map(|at| names[*at].as_str()).collect();
                Err(self.wrong(&format!(
                    "`{name}` is there more than once, expected one of {}",
                    all.join(", ")
                )))
            }
        }
    }

    fn require(&self, name: &str) -> Result<usize> {
        let found = self.find(name)?;
        found.ok_or_else(|| {
            self.wrong(&format!(
                "has no column `{name}`, it has {}",
                self.names().join(", ")
            ))
        })
    }

    fn wrong(&self, reason: &str) -> Error {
        Error::line(&self.path, 2, reason)
    }
}

fn file(reader: &mut Reader<'_>, path: &Path) -> Result<()> {
    reader.start_file();
    let head = Head::read(path)?;
    let flux = head.require(reader.mapping.target.column.as_deref().unwrap_or(FLUX))?;
    let factor = reader.mapping.target.factor(&head.units[flux]);
    let factor = factor
        .map_err(|reason| Error::line(path, 3, format!("`{}`: {reason}", head.variables[flux])))?;
    let fit = (0..head.variables.len()).find(|at| {
        let rest = head.variables[*at].strip_prefix(&head.variables[flux]);
        head.devices[*at] == head.devices[flux]
            && rest.is_some_and(|rest| rest.to_ascii_uppercase().contains("R2"))
    });
    if fit.is_none() {
        reader.warn(
            "no column of R2 is beside the flux, so fits that failed cannot be told from fluxes of 0 (the names of these columns \
             are a guess: tell us yours)",
        );
    }
    let port = (0..head.variables.len()).find(|at| head.variables[*at] == "PORT");
    let (date, time) = (head.require("DATE")?, head.require("TIME")?);
    let mut columns = Vec::new();
    let mut unknown = Vec::new();
    for own in &reader.columns {
        let column = head.require(&own.name)?;
        let conversion = own.conversion_from(Some(&head.units[column]));
        columns.push((
            column,
            conversion.unwrap_or_else(|reason| {
                unknown.push(reason);
                own.conversion
            }),
        ));
    }
    for reason in unknown {
        reader.warn(reason);
    }
    let dialect = Dialect {
        lines_before_names: 3,
        names: Some(head.names()),
        ..reader.dialect()
    };
    let mut cells = Cells::open(path, &dialect)?;
    let mut seen = reader.seen();
    while let Some(row) = cells.next()? {
        reader.rows.read();
        let port = port.map_or("", |port| row.cell(port));
        if !reader.takes(port) {
            continue;
        }
        let is_compact = row.cell(date).bytes().all(|byte| byte.is_ascii_digit());
        let format = if is_compact {
            "%Y%m%d %H%M%S"
        } else {
            "%Y-%m-%d %H:%M:%S"
        };
        let format: Format = format
            .parse()
            .map_err(|reason: String| row.wrong(date, &reason))?;
        let stamp = format!("{} {}", row.cell(date), row.cell(time));
        let begin = reader.begin(&format!("{port} {is_compact}"), &format, &stamp);
        let Some(begin) = begin.map_err(|reason| row.wrong(date, &reason))? else {
            reader.rows.drop(NO_SUCH_TIME);
            continue;
        };
        let mut value = row.number(flux)?;
        match value {
            None => reader.rows.drop(NO_FLUX),
            Some(0.0) if fit.map(|fit| row.number(fit)).transpose()?.flatten() == Some(0.0) => {
                reader.rows.drop(FAILED_FIT);
                value = None;
            }
            Some(value) => seen.push(0, value, row.line),
        }
        let mut drivers = Vec::new();
        for (index, (column, conversion)) in columns.iter().enumerate() {
            let value = row.number(*column)?;
            if let Some(value) = value {
                seen.push(index + 1, value, row.line);
            }
            drivers.push(value.map_or(f64::NAN, |value| conversion.of(value)));
        }
        reader.push(begin, value.map(|value| value * factor), drivers);
    }
    seen.check(path, &reader.mapping.measured)
}
