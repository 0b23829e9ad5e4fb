//! CSV files as people write them: every complaint names the file, the line and the column.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use efflux_base::error::{Error, Result};

use super::line_ends::{Head, LineEnds, header_on};
use super::missing::Missing;

/// A CSV file in memory.
#[derive(Debug)]
pub(super) struct Table {
    header: Header,
    /// Each with the line it begins on.
    rows: Vec<(u64, csv::StringRecord)>,
}

/// The names of the columns.
#[derive(Debug)]
pub(super) struct Header {
    path: PathBuf,
    columns: Vec<String>,
    /// The line of these names.
    line: u64,
    missing: Missing,
}

/// A CSV file that is read row by row, for files that memory should not have to hold.
pub(super) struct Rows<R> {
    pub(super) header: Header,
    head: Head,
    reader: csv::Reader<BufReader<LineEnds<R>>>,
    cells: csv::StringRecord,
}

/// One row and the line it begins on, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    header: &'a Header,
    line: u64,
    cells: &'a csv::StringRecord,
}

/// One cell. Cells are read without the white space around them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    pub(super) text: &'a str,
    column: &'a str,
    pub(super) line: u64,
    header: &'a Header,
}

impl Rows<BufReader<File>> {
    /// Opens a file with a header of distinct, non-empty names and rows of as many cells. The first column may have no
    /// name: some programs number the rows there.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] with the line if it has no such header.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        Self::new(path, BufReader::new(file))
    }
}

impl<R: BufRead> Rows<R> {
    /// [`Rows::open`] of something else than a file; `path` names it in messages.
    pub(super) fn new(path: &Path, input: R) -> Result<Self> {
        let (text, head) = header_on(input).map_err(Error::io("read", path))?;
        // Rows of another length are found here, after what is no text: that may be why.
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .flexible(true)
            .delimiter(head.separator)
            .from_reader(text);
        let header = reader.headers();
        let header = header.map_err(|error| malformed(path, head.lines, error))?;
        let columns: Vec<String> = header.iter().map(str::to_owned).collect();
        if columns.is_empty() {
            return Err(Error::file(
                path,
                "is empty, expected a header line and rows",
            ));
        }
        if columns.iter().any(|name| name.contains('\0')) {
            let reason = "has a zero byte, expected UTF-8 text (save the file with that encoding)";
            return Err(Error::line(path, head.lines + 1, reason));
        }
        for (index, name) in columns.iter().enumerate() {
            if (name.is_empty() && index > 0) || columns[..index].contains(name) {
                let reason = format!(
                    "column {} is called `{name}`, expected each name once and none empty (rename or remove it)",
                    index + 1
                );
                return Err(Error::line(path, head.lines + 1, reason));
            }
        }
        Ok(Self {
            header: Header {
                path: path.to_owned(),
                columns,
                line: head.lines + 1,
                missing: Missing::default(),
            },
            head,
            reader,
            cells: csv::StringRecord::new(),
        })
    }

    /// These rows, where these numbers and words stand for missing values.
    pub(super) fn with_missing(mut self, missing: &Missing) -> Self {
        self.header.missing = missing.clone();
        self
    }

    /// The next row; `None` behind the last.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] with the line if it is not such a row.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>> {
        let Self {
            header,
            head,
            reader,
            cells,
        } = self;
        let more = reader.read_record(cells);
        if !more.map_err(|error| malformed(&header.path, head.lines, error))? {
            return Ok(None);
        }
        let line = head.lines + cells.position().map_or(0, csv::Position::line);
        let (found, expected) = (cells.len(), header.columns.len());
        if found != expected {
            let mut reason = format!("has {found} cells, expected {expected} as in the header");
            reason += match header.other_separator() {
                Some(remedy) => remedy,
                None if found > expected => {
                    " (are there decimal commas? Write `.`, or quote the cells)"
                }
                None => "",
            };
            return Err(Error::line(&header.path, line, reason));
        }
        Ok(Some(Row {
            header,
            line,
            cells,
        }))
    }
}

impl Table {
    /// Reads all rows of a file.
    ///
    /// # Errors
    ///
    /// As from [`Rows::open`] and [`Rows::next`].
    pub(super) fn read(path: &Path, missing: &Missing) -> Result<Self> {
        Self::of(Rows::open(path)?.with_missing(missing))
    }

    /// Reads all rows that are left.
    pub(super) fn of<R: BufRead>(mut rows: Rows<R>) -> Result<Self> {
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push((row.line, row.cells.clone()));
        }
        Ok(Self {
            header: rows.header,
            rows: all,
        })
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.header.columns
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The line that a row begins on.
    pub(super) fn line(&self, row: usize) -> u64 {
        self.rows[row].0
    }

    /// As [`Header::find`].
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.header.find(name)
    }

    /// What is wrong with the columns.
    pub(super) fn wrong(&self, reason: String) -> Error {
        Error::line(&self.header.path, self.header.line, reason)
    }

    /// As [`Header::require`].
    pub(super) fn require(&self, name: &str) -> Result<usize> {
        self.header.require(name)
    }

    pub(super) fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        let (line, cells) = &self.rows[row];
        let row = Row {
            header: &self.header,
            line: *line,
            cells,
        };
        row.cell(column)
    }
}

impl Header {
    /// What to do about a header of one name that something else than a comma divides.
    fn other_separator(&self) -> Option<&'static str> {
        let [name] = &self.columns[..] else {
            return None;
        };
        name.contains([';', '\t'])
            .then_some(": separate the cells with commas, or put a line `sep=;` before the header")
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the file without its folder.
    pub(super) fn file_name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// The index of a column, if there is one of this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The index of a column that must be there.
    pub(super) fn require(&self, name: &str) -> Result<usize> {
        self.find(name).ok_or_else(|| {
            let mut reason = format!(
                "has no column `{name}` (it has {})",
                self.columns.join(", ")
            );
            reason += self.other_separator().unwrap_or_default();
            Error::line(&self.path, self.line, reason)
        })
    }
}

impl<'a> Row<'a> {
    pub(super) fn cell(&self, column: usize) -> Cell<'a> {
        Cell {
            text: self.cells.get(column).unwrap_or(""),
            column: &self.header.columns[column],
            line: self.line,
            header: self.header,
        }
    }
}

impl Cell<'_> {
    /// What is wrong with this cell, and where it is.
    pub(super) fn wrong(&self, expected: &str) -> Error {
        let (column, text) = (self.column, self.text);
        let found = if text.is_empty() {
            "is empty".to_owned()
        } else {
            format!("has `{text}`")
        };
        Error::line(
            &self.header.path,
            self.line,
            format!("`{column}` {found}, expected {expected}"),
        )
    }

    /// Nothing, or what was declared to stand for it.
    pub(super) fn is_missing(&self) -> bool {
        self.text.is_empty() || self.header.missing.covers(self.text)
    }

    /// A finite number; `None` where it is missing.
    pub(super) fn number(&self) -> Result<Option<f64>> {
        if self.is_missing() {
            return Ok(None);
        }
        let text = self.text;
        match f64::from_str(text) {
            Ok(number) if number.is_finite() && number.abs() <= f64::from(f32::MAX) => {
                Ok(Some(number))
            }
            Ok(_) => Err(self.wrong(&format!(
                "a finite number, or nothing if missing (empty the cell, or pack with `--missing {text}`)"
            ))),
            Err(_) if text.contains(',') => {
                Err(self.wrong("a number, or nothing if missing (`.` as decimal point, no separator of thousands)"))
            }
            Err(_) => Err(self.wrong(&format!(
                "a number, or nothing if missing (empty the cell, or pack with `--missing {text}`)"
            ))),
        }
    }

    /// A whole number, also written as `48.0`; `None` where it is missing.
    pub(super) fn whole(&self) -> Result<Option<u32>> {
        if self.is_missing() {
            return Ok(None);
        }
        let whole =
            |number: &f64| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // Whole and in the range.
        let of_float = || {
            f64::from_str(self.text)
                .ok()
                .filter(whole)
                .map(|number| number as u32)
        };
        let number = self.text.parse().ok().or_else(of_float);
        number
            .map(Some)
            .ok_or_else(|| self.wrong("a whole number, 0 or more, or nothing if missing"))
    }

    /// A whole number, where true is 1 and false is 0; `None` where it is missing.
    pub(super) fn code(&self) -> Result<Option<u32>> {
        match self.text.to_ascii_lowercase().as_str() {
            "true" => Ok(Some(1)),
            "false" => Ok(Some(0)),
            _ => self.whole(),
        }
    }

    /// A number in `-limit ..= limit` that must be there.
    pub(super) fn within(&self, limit: f64) -> Result<f64> {
        let number = self.number()?;
        number
            .filter(|number| number.abs() <= limit)
            .ok_or_else(|| self.wrong(&format!("a number from -{limit} to {limit}")))
    }
}

fn malformed(path: &Path, before: u64, error: csv::Error) -> Error {
    let line = error.position().map(|position| before + position.line());
    let reason = match error.into_kind() {
        csv::ErrorKind::Io(error) => return Error::io("read", path)(error),
        csv::ErrorKind::Utf8 { .. } => {
            "has bytes that are not UTF-8, expected UTF-8 text (save the file with that encoding)"
                .into()
        }
        other => format!("is no CSV: {other:?}"),
    };
    match line {
        Some(line) => Error::line(path, line, reason),
        None => Error::file(path, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Table> {
        table(text.as_bytes())
    }

    fn table(bytes: &[u8]) -> Result<Table> {
        Table::of(Rows::new(Path::new("t.csv"), bytes)?)
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn quotes_byte_order_marks_and_windows_line_ends_are_read() {
        let table = parse("\u{feff}a,b\r\n\"x, y\",2\r\n").unwrap();
        assert_eq!(table.columns(), ["a", "b"]);
        assert_eq!(table.cell(0, 0).text, "x, y");
        assert_eq!(table.cell(0, 1).number().unwrap(), Some(2.0));
    }

    #[test]
    fn complaints_name_file_and_line() {
        assert_eq!(
            message(""),
            "t.csv: is empty, expected a header line and rows"
        );
        assert!(message("a,b\n1,2\n3\n").starts_with("t.csv:3: has 1 cells, expected 2"));
        assert!(message("a,\0\n").starts_with("t.csv:1: has a zero byte"));
        assert!(message("a,a\n").starts_with("t.csv:1: column 2 is called `a`"));
        let latin = table(b"a\nb\n\xe9\n").unwrap_err();
        assert!(
            latin
                .to_string()
                .starts_with("t.csv:3: has bytes that are not UTF-8")
        );
        assert!(
            parse("a\n")
                .unwrap()
                .require("b")
                .unwrap_err()
                .to_string()
                .contains("no column `b` (it has a)")
        );
    }

    #[test]
    fn only_finite_numbers_are_numbers() {
        for text in ["inf", "-Infinity", "NaN", "1e300", "warm", "1,5"] {
            let table = parse(&format!("a\n\"{text}\"\n")).unwrap();
            let error = table.cell(0, 0).number().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("t.csv:2: `a` has `{text}`, expected a ")),
                "{error}"
            );
        }
    }

    #[test]
    fn other_delimiters_are_recognized() {
        for text in ["site;date\nOAK;1\n", "site\tdate\nOAK\t1\n"] {
            let error = parse(text).unwrap().require("site").unwrap_err();
            assert!(error.to_string().contains("with commas"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_table_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(table) = table(&bytes) {
                for row in 0..table.rows() {
                    for column in 0..table.columns().len() {
                        let _ = table.cell(row, column).number();
                    }
                }
            }
        }
    }
}
