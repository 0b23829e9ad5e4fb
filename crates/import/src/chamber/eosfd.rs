//! Tables of forced-diffusion chambers (eosFD): chambers side by side, with their number or serial number in the names of
//! their columns. No file of the maker was seen: these are the tables that people keep.
//!
//! # Source
//!
//! bpbond/cosore, `R/parse-others.R`, data sets SZUTU and DESAI.

use std::path::Path;

use efflux_base::error::Result;

use super::{NO_FLUX, NO_SUCH_TIME, Reader, export, read_sites};
use crate::cells::{Cells, Head};
use crate::driver_unit::Conversion;
use crate::mapping::Mapping;
use crate::record::Imported;

/// Of several depths the one nearest to this is taken, in centimetres.
const DEPTH: f64 = 5.0;

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let usual = [("soil_moisture_m3_m3", "VWC"), ("soil_temp_c", "Ts")];
    let mut imported = read_sites(mapping, &usual, &[NO_FLUX], |reader, path| {
        reader.warn_of_zone();
        file(reader, path)
    })?;
    imported.warnings.push(
        "no file of the maker of eosFD was seen, only tables that people keep: look whether chambers, units and times are taken as \
         you mean them"
            .into(),
    );
    Ok(imported)
}

/// One chamber's columns.
struct Chamber {
    port: String,
    time: usize,
    flux: usize,
    factor: f64,
    drivers: Vec<(Option<usize>, Conversion)>,
}

fn file(reader: &mut Reader<'_>, path: &Path) -> Result<()> {
    reader.start_file();
    let dialect = export::delimited(path, reader.dialect())?;
    let mut cells = Cells::open(path, &dialect)?;
    let chambers = chambers(reader, cells.head())?;
    let mut stamps = vec![Vec::new(); cells.head().names.len()];
    while let Some(row) = cells.next()? {
        for chamber in &chambers {
            stamps[chamber.time].push(row.cell(chamber.time).to_owned());
        }
    }
    let mut formats = vec![None; stamps.len()];
    for chamber in &chambers {
        let stamps: Vec<&str> = stamps[chamber.time].iter().map(String::as_str).collect();
        let format = reader.format(&stamps);
        let name = &cells.head().names[chamber.time];
        let format = format.map_err(|reason| {
            cells
                .head()
                .wrong(format!("`{name}`: {reason} in [chamber]"))
        })?;
        formats[chamber.time] = Some(format);
    }
    let mut cells = Cells::open(path, &dialect)?;
    let mut seen = reader.seen();
    while let Some(row) = cells.next()? {
        for chamber in &chambers {
            let stamp = row.cell(chamber.time);
            let flux = row.number(chamber.flux)?;
            // Chambers with times of their own end at different rows.
            if stamp.is_empty() && flux.is_none() {
                continue;
            }
            reader.rows.read();
            let Some(format) = &formats[chamber.time] else {
                continue;
            };
            let begin = reader.begin(&chamber.port, format, stamp);
            let Some(begin) = begin.map_err(|reason| row.wrong(chamber.time, &reason))? else {
                reader.rows.drop(NO_SUCH_TIME);
                continue;
            };
            match flux {
                Some(flux) => seen.push(0, flux, row.line),
                None => reader.rows.drop(NO_FLUX),
            }
            let mut drivers = Vec::new();
            for (index, (column, conversion)) in chamber.drivers.iter().enumerate() {
                let value = column
                    .map(|column| row.number(column))
                    .transpose()?
                    .flatten();
                if let Some(value) = value {
                    seen.push(index + 1, value, row.line);
                }
                drivers.push(value.map_or(f64::NAN, |value| conversion.of(value)));
            }
            reader.push(begin, flux.map(|flux| flux * chamber.factor), drivers);
        }
    }
    seen.check(path, &reader.mapping.measured)
}

/// The chambers of a table; each has the time that stands nearest before it.
fn chambers(reader: &Reader<'_>, head: &Head) -> Result<Vec<Chamber>> {
    let lower: Vec<String> = head
        .names
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let is_flux = |at: usize| lower[at].contains("flux");
    let is_time =
        |at: usize| !is_flux(at) && (lower[at].contains("time") || lower[at].contains("date"));
    let mut chambers = Vec::new();
    let mut time = None;
    for (at, name) in head.names.iter().enumerate() {
        if is_time(at) {
            if lower[at].contains("utc") && reader.zone.is_none() {
                return Err(reader.mapping.wrong(format!(
                    "does not say the zone of the times, and the column `{name}` says UTC, which was not so in a published data set: \
                     write `zone = \"UTC\"`, or what it is, in [chamber]"
                )));
            }
            time = Some(at);
        }
        if !is_flux(at) {
            continue;
        }
        let Some(time) = time else {
            return Err(head.wrong(format!("has no column of time before `{name}`, expected one with `time` or `date` in its name")));
        };
        let port = port(name).unwrap_or_else(|| name.clone());
        if !reader.wants_port(&port) {
            continue;
        }
        let unit = unit(name).or(reader.keys.unit.as_deref()).ok_or_else(|| {
            head.wrong(format!("`{name}` does not tell its unit: write `unit = \"umol m-2 s-1\"`, or what it is, in [chamber]"))
        })?;
        let factor = reader.mapping.target.factor(unit);
        let factor = factor.map_err(|reason| head.wrong(format!("`{name}`: {reason}")))?;
        let drivers = reader
            .columns
            .iter()
            .map(|column| (sensor(head, &column.name, &port), column.conversion));
        chambers.push(Chamber {
            drivers: drivers.collect(),
            port,
            time,
            flux: at,
            factor,
        });
    }
    for column in &reader.columns {
        let is_said = reader.keys.columns.contains_key(&column.driver);
        let is_there = head
            .names
            .iter()
            .any(|name| quantity(name).0 == column.name);
        if is_said && !is_there {
            return Err(head.wrong(format!(
                "has no column `{0}` and none that begins with `{0}.P`",
                column.name
            )));
        }
    }
    if chambers.is_empty() {
        return Err(head.wrong(format!(
            "has no flux, expected columns with `flux` in their names; it has {}",
            head.names.join(", ")
        )));
    }
    Ok(chambers)
}

/// `2` of `QCCombo.Flux.P2`, `FD20160001` of `Flux_umolm2-1s-1 (FD20160001)`.
fn port(name: &str) -> Option<String> {
    if let Some((_, rest)) = name.split_once('(')
        && let Some((serial, _)) = rest.split_once(')')
    {
        return Some(serial.trim().to_owned());
    }
    name.split('.').find_map(number_of_port).map(str::to_owned)
}

fn number_of_port(part: &str) -> Option<&str> {
    let digits = part.strip_prefix('P')?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// The unit in a name such as `Flux_umolm2-1s-1 (FD20160001)`.
fn unit(name: &str) -> Option<&str> {
    let at = name.to_ascii_lowercase().find("flux")? + "flux".len();
    let rest = name[at..].split('(').next()?.trim_matches(['_', ' ', '.']);
    (!rest.is_empty() && number_of_port(rest).is_none()).then_some(rest)
}

/// Quantity, port and depth in centimetres: `Ts`, `1` and `16.5` of `Ts.P1.16.5`.
fn quantity(name: &str) -> (&str, Option<&str>, Option<f64>) {
    let Some((quantity, rest)) = name.split_once(".P") else {
        return (name, None, None);
    };
    let (port, depth) = rest.split_once('.').unwrap_or((rest, ""));
    (quantity, Some(port), depth.parse().ok())
}

/// The column of a quantity at a port, nearest to 5 cm, the shallower of two.
fn sensor(head: &Head, wanted: &str, port: &str) -> Option<usize> {
    let at_port = head.names.iter().enumerate().filter_map(|(at, name)| {
        let (quantity, of, depth) = quantity(name);
        let is_it = quantity == wanted && of.is_none_or(|of| of == port);
        is_it.then(|| (at, depth.unwrap_or(DEPTH)))
    });
    let distance = |depth: f64| ((depth - DEPTH).abs(), depth);
    let nearest = at_port.min_by(|(_, a), (_, b)| {
        distance(*a)
            .partial_cmp(&distance(*b))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    nearest.map(|(at, _)| at)
}
