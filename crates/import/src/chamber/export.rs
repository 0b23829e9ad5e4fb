//! A line a measurement, as LI-COR's programs for the LI-8100A export it.
//!
//! # Source
//!
//! LI-COR, *SoilFluxPro*, exported columns; bpbond/cosore, `R/parse-processed.R` (words for missing values).

use std::path::Path;

use efflux_base::error::Result;

use super::{NO_FLUX, NO_SUCH_TIME, Reader, read_sites};
use crate::cells::{Cells, Delimiter, Dialect};
use crate::mapping::Mapping;
use crate::record::Imported;
use crate::stamp::Format;

const STAMP: &str = "IV Date";
const STATUS: &str = "CrvFitStatus";

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    read_sites(mapping, &[], &[NO_FLUX], |reader, path| {
        reader.only(&["format", "zone", "stands_for", "minutes"])?;
        reader.warn_of_zone();
        reader.start_file();
        let dialect = delimited(path, reader.dialect())?;
        let format = format(reader, path, &dialect)?;
        rows(reader, path, &dialect, &format)
    })
}

/// The dialect with the mark that is between the names.
pub(super) fn delimited(path: &Path, dialect: Dialect) -> Result<Dialect> {
    for delimiter in [b'\t', b',', b';'] {
        let dialect = Dialect {
            delimiter: Delimiter::One(delimiter),
            ..dialect.clone()
        };
        if Cells::open(path, &dialect)?.head().names.len() > 1 {
            return Ok(dialect);
        }
    }
    Ok(dialect)
}

fn format(reader: &Reader<'_>, path: &Path, dialect: &Dialect) -> Result<Format> {
    let mut cells = Cells::open(path, dialect)?;
    let column = cells.head().require(STAMP)?;
    let mut stamps = Vec::new();
    while let Some(row) = cells.next()? {
        stamps.push(row.cell(column).to_owned());
    }
    let stamps: Vec<&str> = stamps.iter().map(String::as_str).collect();
    reader.format(&stamps).map_err(|reason| {
        cells
            .head()
            .wrong(format!("`{STAMP}`: {reason} in [chamber]"))
    })
}

fn rows(reader: &mut Reader<'_>, path: &Path, dialect: &Dialect, format: &Format) -> Result<()> {
    let mut cells = Cells::open(path, dialect)?;
    let head = cells.head();
    let (stamp, status) = (head.require(STAMP)?, head.find(STATUS));
    let (linear, exponential) = (head.find("Lin_Flux"), head.find("Exp_Flux"));
    let default = match linear.or(exponential) {
        Some(column) => column,
        None => head.require("Lin_Flux")?,
    };
    let port = head.find("Port#");
    let columns: Vec<_> = reader
        .columns
        .iter()
        .map(|own| Ok((head.require(&own.name)?, own.conversion)))
        .collect::<Result<_>>()?;
    let mut seen = reader.seen();
    while let Some(row) = cells.next()? {
        reader.rows.read();
        let port = port.map_or("", |port| row.cell(port));
        if !reader.takes(port) {
            continue;
        }
        let begin = reader.begin(port, format, row.cell(stamp));
        let Some(begin) = begin.map_err(|reason| row.wrong(stamp, &reason))? else {
            reader.rows.drop(NO_SUCH_TIME);
            continue;
        };
        let flux = match (status.map(|status| (status, row.cell(status))), exponential) {
            (Some((_, "Exp")), Some(exponential)) => exponential,
            (None | Some((_, "Lin" | "" | "NA")), _) => default,
            (Some((status, _)), _) => {
                return Err(row.wrong(status, "Exp, with a column `Exp_Flux`, or Lin"));
            }
        };
        let flux = row.number(flux)?;
        match flux {
            Some(flux) => seen.push(0, flux, row.line),
            None => reader.rows.drop(NO_FLUX),
        }
        let mut drivers = Vec::new();
        for (index, (column, conversion)) in columns.iter().enumerate() {
            let value = row.number(*column)?;
            if let Some(value) = value {
                seen.push(index + 1, value, row.line);
            }
            drivers.push(value.map_or(f64::NAN, |value| conversion.of(value)));
        }
        reader.push(begin, flux, drivers);
    }
    seen.check(path, &reader.mapping.measured)
}
