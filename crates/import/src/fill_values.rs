//! Numbers that look like fill values, before they become a part of a mean where nobody sees them.

use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_ingest::Missing;

/// The numbers of a file's columns as they are written, with their lines.
pub(crate) struct Seen {
    columns: Vec<Column>,
}

struct Column {
    name: String,
    numbers: Vec<f64>,
    lines: Vec<u64>,
}

impl Seen {
    pub(crate) fn new(names: &[String]) -> Self {
        let column = |name: &String| Column {
            name: name.clone(),
            numbers: Vec::new(),
            lines: Vec::new(),
        };
        Self {
            columns: names.iter().map(column).collect(),
        }
    }

    pub(crate) fn push(&mut self, column: usize, number: f64, line: u64) {
        self.columns[column].numbers.push(number);
        self.columns[column].lines.push(line);
    }

    /// # Arguments
    ///
    /// * `measured`: numbers that are measured although they look like fill values.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] with the first line of the most frequent number that looks like a fill value.
    pub(crate) fn check(&self, path: &Path, measured: &[f64]) -> Result<()> {
        let missing = Missing::new(&[], measured);
        for column in &self.columns {
            let found = missing.sentinels(&column.numbers);
            if let Some(sentinel) = found.iter().find(|sentinel| !is_of_images(sentinel.value)) {
                let (value, count) = (sentinel.value, sentinel.count);
                let others = sentinel.others.map_or(String::new(), |[least, greatest]| {
                    format!(", while all others are from {least} to {greatest}")
                });
                let reason = format!(
                    "`{}` has {value} in {count} rows{others}, which looks like a fill value (write `missing = [\"{value}\"]` \
                     at the top of the mapping if it is one, or `measured = [{value}]` if it was measured)",
                    column.name
                );
                return Err(Error::line(path, column.lines[sentinel.first], reason));
            }
        }
        Ok(())
    }
}

/// Whether a number is a fill value of images of eight bits alone, and so may be measured here: 250 W m⁻² at some noons.
fn is_of_images(value: f64) -> bool {
    (0.0..256.0).contains(&value)
}
