//! The sensors beside the fluxes: `CSR_T4.5`, `CSR_SM10`, named by quantity and depth in centimetres.

use std::io::Read;
use std::path::Path;

use csv::ByteRecord;
use efflux_base::error::{Error, Result};

use super::super::rds::number;
use super::table::{fault, header, reader};

/// What names of sensors begin with.
const QUANTITIES: [&str; 2] = ["CSR_SM", "CSR_T"];

/// Name and values of each sensor, a value a row; NaN where it is missing.
pub(super) type Sensors = Vec<(String, Vec<f64>)>;

/// Reads the sensors of a data set.
///
/// # Errors
///
/// [`Error::Data`] with the line if a cell is no number.
pub(super) fn read(path: &Path, bytes: impl Read) -> Result<Sensors> {
    let mut reader = reader(bytes);
    let header = header(path, &mut reader)?;
    let is_sensor = |name: &str| {
        let depth = QUANTITIES
            .iter()
            .find_map(|quantity| name.strip_prefix(quantity));
        depth.is_some_and(|depth| depth.parse::<f64>().is_ok())
    };
    let columns: Vec<usize> = (0..header.len())
        .filter(|column| is_sensor(&header[*column]))
        .collect();
    let mut sensors: Sensors = columns
        .iter()
        .map(|column| (header[*column].clone(), Vec::new()))
        .collect();
    let mut record = ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| fault(path, &error))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        for (column, (name, values)) in columns.iter().zip(&mut sensors) {
            let cell = String::from_utf8_lossy(record.get(*column).unwrap_or_default());
            let value = number(&cell);
            let wrong = || {
                Error::line(
                    path,
                    line,
                    format!("`{name}` has `{cell:.40}`, expected a number"),
                )
            };
            values.push(value.ok_or_else(wrong)?);
        }
    }
    Ok(sensors)
}
