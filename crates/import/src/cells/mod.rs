//! Delimited text as programs and people write it, row by row, so that a file of any length fits into memory. Every
//! complaint names file, line and column.

mod lines;

use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use efflux_ingest::Missing;

use self::lines::Rows;
pub(crate) use self::lines::text;

/// How a file is written.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    pub(crate) delimiter: Delimiter,
    /// `1,5` is one and a half.
    pub(crate) decimal_comma: bool,
    /// Lines before the names of the columns.
    pub(crate) lines_before_names: usize,
    /// Lines between the names and the first row: units, as loggers write them.
    pub(crate) lines_after_names: usize,
    /// Lines that begin with this are skipped.
    pub(crate) comment: Option<u8>,
    /// The names of the columns, where the file has none.
    pub(crate) names: Option<Vec<String>>,
    /// What stands for a missing value, beside an empty cell.
    pub(crate) missing: Missing,
}

/// What is between two cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delimiter {
    /// This character.
    One(u8),
    /// Any number of blanks and tabs.
    Blanks,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::One(b','),
            decimal_comma: false,
            lines_before_names: 0,
            lines_after_names: 0,
            comment: Some(b'#'),
            names: None,
            missing: Missing::default(),
        }
    }
}

impl Dialect {
    /// Commas, lines with `#` skipped, and these words and numbers missing.
    pub(crate) fn with_missing(layout: &[&str], further: &[String]) -> Self {
        let words = layout
            .iter()
            .map(|word| (*word).to_owned())
            .chain(further.iter().cloned());
        Self {
            missing: Missing::new(&words.collect::<Vec<_>>(), &[]),
            ..Self::default()
        }
    }
}

/// A file that is read row by row.
pub(crate) struct Cells {
    head: Head,
    rows: Rows,
    record: csv::StringRecord,
    skip: usize,
}

/// The names of the columns, and where they are.
pub(crate) struct Head {
    pub(crate) path: PathBuf,
    pub(crate) names: Vec<String>,
    line: u64,
    missing: Missing,
    decimal_comma: bool,
}

/// A row and the line that it begins on.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    head: &'a Head,
    cells: &'a csv::StringRecord,
    pub(crate) line: u64,
}

impl Cells {
    /// Opens a file and reads the names of its columns.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is no text or has no names.
    pub(crate) fn open(path: &Path, dialect: &Dialect) -> Result<Self> {
        let rows = Rows::open(path, dialect)?;
        let mut cells = Self {
            head: Head {
                path: path.to_owned(),
                names: dialect.names.clone().unwrap_or_default(),
                line: dialect.lines_before_names as u64 + 1,
                missing: dialect.missing.clone(),
                decimal_comma: dialect.decimal_comma,
            },
            rows,
            record: csv::StringRecord::new(),
            skip: dialect.lines_after_names,
        };
        if dialect.names.is_none() {
            let Some(line) = cells.rows.next(path, &mut cells.record)? else {
                return Err(Error::file(
                    path,
                    "has no names of columns, expected them and rows",
                ));
            };
            cells.head.line = line;
            cells.head.names = cells.record.iter().map(str::to_owned).collect();
        }
        Ok(cells)
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// The next row that is not empty; `None` behind the last.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] with the line if it has more cells than there are names.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>> {
        loop {
            let Some(line) = self.rows.next(&self.head.path, &mut self.record)? else {
                return Ok(None);
            };
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            let width = self.head.names.len();
            if self.record.iter().skip(width).all(str::is_empty) {
                self.record.truncate(width);
            }
            if self.record.iter().all(str::is_empty) {
                continue;
            }
            if self.record.len() != self.head.names.len() {
                let (found, expected) = (self.record.len(), self.head.names.len());
                let reason = format!(
                    "has {found} cells, expected {expected} as there are names of columns (is it the right delimiter, and are \
                     decimal commas quoted? Is the line broken off?)"
                );
                return Err(Error::line(&self.head.path, line, reason));
            }
            return Ok(Some(Row {
                head: &self.head,
                cells: &self.record,
                line,
            }));
        }
    }
}

impl Head {
    /// The index of a column, if there is one of this name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|column| column == name)
    }

    /// The index of a column that must be there, once.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] with the nearest name there is.
    pub(crate) fn require(&self, name: &str) -> Result<usize> {
        let mut found = self
            .names
            .iter()
            .enumerate()
            .filter(|(_, column)| *column == name);
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Ok(index),
            (Some((first, _)), Some((second, _))) => Err(self.wrong(format!(
                "columns {} and {} are both called `{name}`, expected one (rename one)",
                first + 1,
                second + 1
            ))),
            (None, _) => {
                let near = |a: &&String| strsim::jaro_winkler(a, name);
                let nearest = self.names.iter().max_by(|a, b| near(a).total_cmp(&near(b)));
                let nearest = nearest
                    .filter(|nearest| near(nearest) > 0.8)
                    .map(|nearest| format!(" (did you mean `{nearest}`?)"))
                    .unwrap_or_default();
                let mut names = self.names.join(", ");
                if self.names.len() > 40 {
                    names = format!(
                        "{}, … ({} in all)",
                        self.names[..40].join(", "),
                        self.names.len()
                    );
                }
                if let [only] = &self.names[..]
                    && only.contains([';', '\t', ',', '|', ' '])
                {
                    names += " (is the `delimiter` of the mapping what is between the names?)";
                }
                Err(self.wrong(format!("has no column `{name}`{nearest}: it has {names}")))
            }
        }
    }

    /// What is wrong with the names of the columns.
    pub(crate) fn wrong(&self, reason: String) -> Error {
        Error::line(&self.path, self.line, reason)
    }
}

impl<'a> Row<'a> {
    pub(crate) fn cell(&self, column: usize) -> &'a str {
        &self.cells[column]
    }

    /// Whether a cell is empty or stands for a missing value.
    pub(crate) fn is_missing(&self, column: usize) -> bool {
        let text = self.cell(column);
        text.is_empty() || is_no_number(text) || self.head.missing.covers(text)
    }

    /// A finite number; `None` where it is missing.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] with line and column if it is something else.
    pub(crate) fn number(&self, column: usize) -> Result<Option<f64>> {
        if self.is_missing(column) {
            return Ok(None);
        }
        let text = self.cell(column);
        let number = if self.head.decimal_comma {
            let has_both = text.contains(',') && text.contains('.');
            (!has_both)
                .then(|| text.replace(',', ".").parse().ok())
                .flatten()
        } else {
            text.parse().ok()
        };
        match number.filter(|number: &f64| number.is_finite()) {
            Some(number)
                if self.head.decimal_comma && self.head.missing.covers(&number.to_string()) =>
            {
                Ok(None)
            }
            Some(number) => Ok(Some(number)),
            None => {
                let comma = text.contains(',') && !self.head.decimal_comma;
                let remedy = if comma {
                    "`decimal = \",\"` in the mapping if that is a decimal comma".to_owned()
                } else {
                    format!("`missing = [\"{text}\"]` in the mapping if that is a missing value")
                };
                Err(self.wrong(column, &format!("a number ({remedy})")))
            }
        }
    }

    /// What is wrong with a cell.
    pub(crate) fn wrong(&self, column: usize, expected: &str) -> Error {
        let (name, text) = (&self.head.names[column], self.cell(column));
        let found = if text.is_empty() {
            "is empty".to_owned()
        } else {
            format!("has `{text}`")
        };
        Error::line(
            &self.head.path,
            self.line,
            format!("`{name}` {found}, expected {expected}"),
        )
    }
}

/// Whether a text says that there is no number, whatever is measured.
pub(crate) fn is_no_number(text: &str) -> bool {
    NO_NUMBER.contains(&text)
}

/// What programs write where there is no number, whatever is measured.
const NO_NUMBER: [&str; 11] = [
    "NA", "NaN", "nan", "NAN", "N/A", "NULL", "null", "#N/A", "#VALUE!", "#REF!", "#DIV/0!",
];
