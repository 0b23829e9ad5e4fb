//! Lines of a file as cells, before anything is known of them.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use efflux_base::error::{Error, Result};

use super::{Delimiter, Dialect};

/// The rows of a file, names of columns included.
pub(super) enum Rows {
    Csv {
        reader: csv::Reader<BufReader<File>>,
        cells: csv::ByteRecord,
        lines: u64,
    },
    Blanks {
        reader: BufReader<File>,
        line: u64,
        comment: Option<u8>,
    },
}

impl Rows {
    pub(super) fn open(path: &Path, dialect: &Dialect) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::io("read", path))?;
        let mut begin = [0; 3];
        let length = file.read(&mut begin).map_err(Error::io("read", path))?;
        let begin = &begin[..length];
        if begin.starts_with(b"\xff\xfe") || begin.starts_with(b"\xfe\xff") {
            return Err(Error::file(
                path,
                "is UTF-16, expected UTF-8 (save it with that encoding)",
            ));
        }
        if begin.starts_with(b"PK\x03") {
            return Err(Error::file(
                path,
                "is a zip or a spreadsheet, expected text (unpack it, or save it as CSV)",
            ));
        }
        let mark = if begin == b"\xef\xbb\xbf" { 3 } else { 0 };
        file.seek(SeekFrom::Start(mark))
            .map_err(Error::io("read", path))?;
        let mut input = BufReader::new(file);
        let mut lines = 0;
        for _ in 0..dialect.lines_before_names {
            let mut line = Vec::new();
            input
                .read_until(b'\n', &mut line)
                .map_err(Error::io("read", path))?;
            lines += 1;
        }
        Ok(match dialect.delimiter {
            Delimiter::Blanks => Self::Blanks {
                reader: input,
                line: lines,
                comment: dialect.comment,
            },
            Delimiter::One(delimiter) => Self::Csv {
                reader: csv::ReaderBuilder::new()
                    .has_headers(false)
                    .flexible(true)
                    .delimiter(delimiter)
                    .comment(dialect.comment)
                    .from_reader(input),
                cells: csv::ByteRecord::new(),
                lines,
            },
        })
    }

    /// Reads a row into `record`, each cell without the white space around it; its line.
    pub(super) fn next(
        &mut self,
        path: &Path,
        record: &mut csv::StringRecord,
    ) -> Result<Option<u64>> {
        record.clear();
        match self {
            Self::Csv {
                reader,
                cells,
                lines,
            } => {
                if !reader
                    .read_byte_record(cells)
                    .map_err(|error| malformed(path, error))?
                {
                    return Ok(None);
                }
                let line = *lines + cells.position().map_or(0, csv::Position::line);
                if cells.as_slice().contains(&0) {
                    let reason = "has a zero byte, expected text (save the file as UTF-8)";
                    return Err(Error::line(path, line, reason));
                }
                *record = match csv::StringRecord::from_byte_record(cells.clone()) {
                    Ok(record) => record,
                    Err(_) => cells.iter().map(text).collect(),
                };
                record.trim();
                Ok(Some(line))
            }
            Self::Blanks {
                reader,
                line,
                comment,
            } => loop {
                let mut bytes = Vec::new();
                let read = reader
                    .read_until(b'\n', &mut bytes)
                    .map_err(Error::io("read", path))?;
                if read == 0 {
                    return Ok(None);
                }
                *line += 1;
                if comment.is_some_and(|comment| bytes.first() == Some(&comment)) {
                    continue;
                }
                let whole = text(&bytes);
                if !whole.is_empty() {
                    record.extend(whole.split_whitespace());
                    return Ok(Some(*line));
                }
            },
        }
    }
}

/// Bytes as UTF-8, or else as Latin-1, without the white space around them.
pub(crate) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim().to_owned(),
        Err(_) => {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            text.trim().to_owned()
        }
    }
}

fn malformed(path: &Path, error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::io("read", path)(error),
        other => Error::file(path, format!("is no delimited text: {other:?}")),
    }
}
