//! A table that R's `write.csv` or another program wrote, with the line of each row.

use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use efflux_base::error::{Error, Result};

/// The most rows of a table about data sets: ports are the longest, a hundred a data set.
const MOST_ROWS: usize = 1 << 20;

#[derive(Debug)]
pub(in crate::cosore) struct Table {
    path: PathBuf,
    pub(super) header: Vec<String>,
    /// Each with its line.
    pub(in crate::cosore) rows: Vec<(u64, StringRecord)>,
}

/// A reader of rows that may be shorter than the header.
pub(super) fn reader<R: Read>(bytes: R) -> csv::Reader<R> {
    csv::ReaderBuilder::new()
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(bytes)
}

/// The names of the columns, without a mark of the byte order.
pub(super) fn header<R: Read>(path: &Path, reader: &mut csv::Reader<R>) -> Result<Vec<String>> {
    let header = reader.byte_headers().map_err(|error| fault(path, &error))?;
    let name = |cell: &[u8]| {
        let text = String::from_utf8_lossy(cell);
        text.trim_start_matches('\u{feff}')
            .trim()
            .trim_matches('"')
            .to_owned()
    };
    Ok(header.iter().map(name).collect())
}

pub(super) fn fault(path: &Path, error: &csv::Error) -> Error {
    Error::file(
        path,
        format!("cannot be read as CSV ({error}): get it again"),
    )
}

impl Table {
    pub(super) fn read(path: &Path, bytes: impl Read) -> Result<Self> {
        let mut reader = reader(bytes);
        let header = header(path, &mut reader)?;
        let mut rows = Vec::new();
        for record in reader.byte_records() {
            let record = record.map_err(|error| fault(path, &error))?;
            if rows.len() == MOST_ROWS {
                let reason =
                    format!("has more than {MOST_ROWS} rows, expected one a data set or port");
                return Err(Error::file(path, reason));
            }
            let line = record.position().map_or(0, csv::Position::line);
            // Names of people and places are no reason to refuse a table.
            rows.push((line, StringRecord::from_byte_record_lossy(record)));
        }
        Ok(Self {
            path: path.to_owned(),
            header,
            rows,
        })
    }

    /// A cell; `None` if the table or the row does not have it.
    pub(in crate::cosore) fn find(&self, row: usize, column: &str) -> Option<&str> {
        let column = self.header.iter().position(|name| name == column)?;
        self.rows[row].1.get(column)
    }

    /// A cell that must be there.
    pub(in crate::cosore) fn cell(&self, row: usize, column: &str) -> Result<&str> {
        match self.find(row, column).map(str::trim) {
            Some(cell) if !cell.is_empty() => Ok(cell),
            _ => Err(self.wrong(row, format!("has no `{column}`, expected one in every row"))),
        }
    }

    /// What is wrong with a row.
    pub(in crate::cosore) fn wrong(&self, row: usize, reason: String) -> Error {
        Error::line(&self.path, self.rows[row].0, reason)
    }
}
