//! Raw files of the LI-8100A and LI-8150: a record a measurement, of labels, a table and a footer with the flux.
//!
//! # Source
//!
//! LI-COR, *LI-8100A instruction manual*, data files; bpbond/cosore, `R/parse-LI8100.R` (which flux is taken).

use std::path::Path;

use efflux_base::error::{Error, Result};

use super::{NO_FLUX, NO_SUCH_TIME, Reader, read_sites};
use crate::mapping::Mapping;
use crate::record::Imported;

const START: &str = "LI-8100:";
const NOT_WHOLE: &str = "record without table, footer or end";
const MARKED: &str = "error marked by the instrument";
const TWICE: &str = "labels twice";

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    read_sites(mapping, &[], &[NOT_WHOLE, MARKED, TWICE], |reader, path| {
        reader.only(&["format", "zone", "stands_for", "minutes"])?;
        reader.warn_of_zone();
        reader.start_file();
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let starts = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.starts_with(START));
        let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
        if starts.is_empty() {
            let reason = "has no record, expected lines that begin with `LI-8100:` as in files of the LI-8100A";
            return Err(Error::file(path, reason));
        }
        let mut seen = reader.seen();
        let mut without_footer = 0;
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(lines.len());
            let record = Record::new(path, &lines[*start..end], *start);
            reader.rows.read();
            if let Err(rule) = record.is_sound(&mut without_footer) {
                reader.rows.drop(rule);
                continue;
            }
            record.measurement(reader, &mut seen)?;
        }
        if without_footer > 0 {
            reader.warn(format!(
                "{}: {without_footer} records have a table but no footer: their flux was not computed on the instrument (LI-COR's \
                 program computes it from the raw file)",
                path.display()
            ));
        }
        seen.check(path, &mapping.measured)
    })
}

/// One measurement.
struct Record<'a> {
    path: &'a Path,
    lines: &'a [&'a str],
    /// Lines of the file before it.
    before: usize,
    /// Place of the names of the table's columns.
    table: Option<usize>,
}

impl<'a> Record<'a> {
    fn new(path: &'a Path, lines: &'a [&'a str], before: usize) -> Self {
        let table = lines.iter().position(|line| line.starts_with("Type\t"));
        Self {
            path,
            lines,
            before,
            table,
        }
    }

    fn labels(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let values = self.lines.iter().filter_map(|line| line.split_once(":\t"));
        values
            .filter(move |(label, _)| *label == name)
            .map(|(_, value)| value.trim())
    }

    /// Rows of the table with their place; words between them are skipped, and a row may lack its last cells.
    fn rows(&self) -> impl Iterator<Item = (usize, Vec<&'a str>, i32)> {
        let first = self.table.map_or(self.lines.len(), |at| at + 1);
        self.lines
            .iter()
            .enumerate()
            .skip(first)
            .filter_map(|(at, line)| {
                let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
                let kind = cells[0].parse().ok()?;
                Some((at, cells, kind))
            })
    }

    /// The label of the flux that the instrument chose; the linear one where it does not say.
    fn flux_label(&self) -> &'static str {
        match self.labels("CrvFitStatus").next() {
            Some("Exp") => "Exp_Flux",
            _ => "Lin_Flux",
        }
    }

    /// The rule that drops it.
    fn is_sound(&self, without_footer: &mut u32) -> Result<(), &'static str> {
        // A record that was begun anew within itself.
        let twice = [
            "CrvFitStatus",
            "Exp_Flux",
            "Lin_Flux",
            "Label",
            "Area",
            "Port#",
            "Obs#",
        ];
        if twice.iter().any(|label| self.labels(label).count() > 1) {
            return Err(TWICE);
        }
        let has_footer = self.labels(self.flux_label()).next().is_some();
        if self.rows().next().is_none() || !has_footer {
            let is_whole = self.rows().any(|(_, _, kind)| kind == 4);
            *without_footer += u32::from(!has_footer && is_whole);
            return Err(NOT_WHOLE);
        }
        if self.rows().any(|(_, _, kind)| kind < 0) {
            return Err(MARKED);
        }
        Ok(())
    }

    fn measurement(
        &self,
        reader: &mut Reader<'_>,
        seen: &mut crate::fill_values::Seen,
    ) -> Result<()> {
        let port = self.labels("Port#").next().unwrap_or_default();
        if !reader.takes(port) {
            return Ok(());
        }
        let column = |name: &str| {
            let names = self.table.map_or("", |at| self.lines[at]);
            let found = names.split('\t').position(|other| other.trim() == name);
            found.ok_or_else(|| {
                self.wrong(
                    self.table.unwrap_or(0),
                    &format!("the table has no column `{name}`, it has {names}"),
                )
            })
        };
        let Some((at, cells, _)) = self.rows().next() else {
            return Ok(());
        };
        let stamp = cells.get(column("Date")?).copied().unwrap_or_default();
        let format = reader
            .format(&[stamp])
            .map_err(|reason| self.wrong(at, &reason))?;
        let begin = reader
            .begin(port, &format, stamp)
            .map_err(|reason| self.wrong(at, &reason))?;
        let Some(begin) = begin else {
            reader.rows.drop(NO_SUCH_TIME);
            return Ok(());
        };
        let label = self.flux_label();
        let flux = self.number(reader, self.labels(label).next().unwrap_or_default(), at)?;
        match flux {
            Some(flux) => seen.push(0, flux, (self.before + at + 1) as u64),
            None => reader.rows.drop(NO_FLUX),
        }
        let (time, mut drivers) = (column("Etime")?, Vec::new());
        let columns: Vec<_> = reader
            .columns
            .iter()
            .map(|own| Ok((column(&own.name)?, own.conversion)))
            .collect::<Result<_>>()?;
        for (index, (column, conversion)) in columns.into_iter().enumerate() {
            let (mut sum, mut count) = (0.0, 0.0);
            // Type 1 is measured, 2 to 4 are initial value, mean and range; before 0 s the chamber was open.
            for (at, cells, _) in self.rows().filter(|(_, _, kind)| *kind == 1) {
                let number = |column: usize| {
                    self.number(reader, cells.get(column).copied().unwrap_or_default(), at)
                };
                if number(time)?.is_some_and(|time| time >= 0.0)
                    && let Some(value) = number(column)?
                {
                    seen.push(index + 1, value, (self.before + at + 1) as u64);
                    sum += conversion.of(value);
                    count += 1.0;
                }
            }
            drivers.push(if count > 0.0 { sum / count } else { f64::NAN });
        }
        reader.push(begin, flux, drivers);
        Ok(())
    }

    /// None where a value is missing.
    fn number(&self, reader: &Reader<'_>, text: &str, at: usize) -> Result<Option<f64>> {
        let missing = ["", "NA", "nan", "NaN", "-9999"];
        if missing.contains(&text) || reader.mapping.missing.iter().any(|word| word == text) {
            return Ok(None);
        }
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number
            .map(Some)
            .ok_or_else(|| self.wrong(at, &format!("`{text}`: expected a number")))
    }

    fn wrong(&self, at: usize, reason: &str) -> Error {
        Error::line(self.path, (self.before + at + 1) as u64, reason)
    }
}
