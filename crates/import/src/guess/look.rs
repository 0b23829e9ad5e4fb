//! The beginning of a file, and how it is written.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};

/// How much of a file is looked at.
const BYTES: u64 = 1 << 18;

/// A file's name and its first lines.
pub(super) struct Look {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) lines: Vec<String>,
    pub(super) is_zip: bool,
    pub(super) shape: Shape,
}

/// How lines become cells, and where rows begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// `None` for blanks.
    pub(super) delimiter: Option<char>,
    pub(super) decimal_comma: bool,
    /// The line of the names, from 0.
    pub(super) names: usize,
    /// The line of the first row.
    pub(super) rows: usize,
}

impl Look {
    pub(super) fn at(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(Error::io("read", path))?;
        file.take(BYTES)
            .read_to_end(&mut bytes)
            .map_err(Error::io("read", path))?;
        let is_whole = (bytes.len() as u64) < BYTES;
        let text = crate::cells::text(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if !is_whole {
            lines.pop();
        }
        let shape = Shape::of(&lines);
        Ok(Self {
            path: path.to_owned(),
            name: crate::tower::file_name(path),
            is_zip: bytes.starts_with(b"PK\x03\x04"),
            lines,
            shape,
        })
    }

    /// Why the file is nothing that a mapping could read as it is, if it is not.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        let small = self.name.to_lowercase();
        if self.name.starts_with("SCO2C_") {
            Some(
                "holds concentrations of CO2 in the soil (NEON DP1.00095, ppm), no fluxes: neonSoilFlux computes them, and its table \
                 is what `layout = \"neon\"` reads",
            )
        } else if [".rds", ".rdata", ".rda"]
            .iter()
            .any(|ending| small.ends_with(ending))
        {
            Some(
                "is a file of R: a release of COSORE is read by `efflux pack --cosore`, write others as CSV",
            )
        } else if self.is_zip && !self.is_metadata() {
            Some("is a zip or a spreadsheet: unpack it, or save the sheet as CSV")
        } else {
            None
        }
    }

    /// Whether it is no data, but tells of the sites of a network.
    pub(super) fn is_metadata(&self) -> bool {
        crate::tower::is_metadata(&self.name)
    }

    /// The cells of a line, without quotes and white space around them.
    pub(super) fn cells(&self, line: usize) -> Vec<String> {
        self.lines
            .get(line)
            .map_or_else(Vec::new, |line| split(line, self.shape.delimiter))
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> Vec<String> {
        self.cells(self.shape.names)
    }

    /// The cells of a column in all rows that are as long as the names.
    pub(super) fn column(&self, index: usize) -> Vec<String> {
        let width = self.names().len();
        let rows = (self.shape.rows..self.lines.len()).map(|line| self.cells(line));
        rows.filter(|row| row.len() == width)
            .map(|row| row[index].clone())
            .collect()
    }

    /// A number as this file writes it.
    pub(super) fn number(&self, text: &str) -> Option<f64> {
        number(text, self.shape.decimal_comma)
    }
}

impl Shape {
    fn of(lines: &[String]) -> Self {
        let delimiter = delimiter(lines);
        let cells: Vec<Vec<String>> = lines.iter().map(|line| split(line, delimiter)).collect();
        let width = commonest(cells.iter().map(Vec::len));
        let count = |comma: bool| {
            let all = cells.iter().flatten();
            all.filter(|cell| {
                cell.contains(if comma { ',' } else { '.' }) && number(cell, comma).is_some()
            })
            .count()
        };
        let decimal_comma = delimiter != Some(',') && count(true) > count(false);
        let is_row = |cells: &Vec<String>| {
            let numbers = cells
                .iter()
                .filter(|cell| number(cell, decimal_comma).is_some())
                .count();
            let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
            cells.len() == width && numbers > 0 && 2 * numbers + 3 > filled
        };
        let rows = cells.iter().position(is_row).unwrap_or(cells.len());
        let mut before =
            (0..rows).filter(|line| cells[*line].len() == width && !lines[*line].starts_with('#'));
        // The first line that is as wide as the rows; units are below it.
        let names = before.next().unwrap_or(rows.saturating_sub(1));
        Self {
            delimiter,
            decimal_comma,
            names,
            rows,
        }
    }
}

/// What divides the lines of a file: what is in most of them equally often, and most often.
fn delimiter(lines: &[String]) -> Option<char> {
    let score = |delimiter: char| {
        let counts = lines.iter().map(|line| line.matches(delimiter).count());
        let usual = commonest(counts.clone());
        (
            counts.filter(|count| *count == usual && usual > 0).count(),
            usual,
        )
    };
    let found = ['\t', ';', ',', '|']
        .into_iter()
        .map(|delimiter| (score(delimiter), delimiter));
    let best = found
        .filter(|((lines_alike, _), _)| 2 * lines_alike > lines.len())
        .max_by_key(|(score, _)| *score);
    best.map(|(_, delimiter)| delimiter).or_else(|| {
        (!lines
            .iter()
            .any(|line| line.trim().contains(char::is_whitespace)))
        .then_some(',')
    })
}

fn commonest(values: impl Iterator<Item = usize>) -> usize {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map_or(0, |(value, _)| value)
}

fn split(line: &str, delimiter: Option<char>) -> Vec<String> {
    let Some(delimiter) = delimiter else {
        return line.split_whitespace().map(str::to_owned).collect();
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(u8::try_from(delimiter).unwrap_or(b','))
        .from_reader(line.as_bytes());
    let record = reader
        .records()
        .next()
        .and_then(std::result::Result::ok)
        .unwrap_or_default();
    record.iter().map(|cell| cell.trim().to_owned()).collect()
}

fn number(text: &str, decimal_comma: bool) -> Option<f64> {
    let text = if decimal_comma {
        text.replace(',', ".")
    } else {
        text.to_owned()
    };
    text.parse().ok().filter(|number: &f64| number.is_finite())
}
