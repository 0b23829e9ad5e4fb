//! The sections `[table]` and `[[weather]]` of a mapping.

use efflux_ingest::Missing;
use serde::Deserialize;

use crate::cells::{Delimiter, Dialect};
use crate::time::TimeKeys;

/// How files are written, and what their columns are. `[[weather]]` has the same keys, but for the flux.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableKeys {
    /// What is between two cells: one character, `tab` or `blanks`.
    #[serde(default = "comma")]
    delimiter: String,
    /// `.` or `,`
    #[serde(default = "point")]
    decimal: char,
    #[serde(default)]
    lines_before_names: usize,
    #[serde(default)]
    lines_after_names: usize,
    /// Lines that begin with this character are skipped.
    comment: Option<char>,
    /// The names of the columns, where the files have none.
    names: Option<Vec<String>>,
    /// Words and numbers that stand for a missing value.
    #[serde(default)]
    missing: Vec<String>,
    /// The column that tells the site.
    pub(crate) site: Option<String>,
    /// The column that tells the chamber: each has its own way through the hour that a clock with daylight saving shows twice.
    pub(crate) chamber: Option<String>,
    pub(crate) time: TimeKeys,
    pub(crate) flux: Option<FluxKeys>,
    #[serde(default)]
    pub(crate) drivers: Vec<DriverKeys>,
}

/// Files that hold no flux.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WeatherKeys {
    pub(crate) files: Vec<String>,
    /// The sites that it is the weather of; all if not said.
    pub(crate) sites: Option<Vec<String>>,
    pub(crate) table: TableKeys,
}

/// `[table.flux]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FluxKeys {
    /// Each holds values of its own: chambers side by side.
    pub(crate) columns: Vec<String>,
    /// `mg CO2 m-2 h-1`
    pub(crate) unit: String,
    pub(crate) quality: Option<QualityKeys>,
}

/// Which rows are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QualityKeys {
    pub(crate) column: String,
    /// The cells of rows to keep, as words or numbers.
    pub(crate) keep: Option<Vec<toml::Value>>,
    /// Least and greatest number of rows to keep.
    pub(crate) range: Option<[f64; 2]>,
}

/// `[[table.drivers]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DriverKeys {
    /// What the daily column is called, with the ending of its unit.
    pub(crate) name: String,
    /// Sensors of the same quantity.
    pub(crate) columns: Vec<String>,
    /// What is made of several.
    #[serde(default)]
    pub(crate) choose: Choose,
    /// The unit of the columns; that of the name if not said.
    pub(crate) unit: Option<String>,
    #[serde(default)]
    pub(crate) day: OfDay,
    /// For a sum: how many values a complete day has.
    pub(crate) values_a_day: Option<u32>,
    pub(crate) quality: Option<QualityKeys>,
}

/// What a row's value is of several sensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Choose {
    /// The mean of those that have one.
    #[default]
    Mean,
    /// That of the first that has one.
    First,
}

/// What a day is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OfDay {
    #[default]
    Mean,
    /// Of all values of the day; none of a day that lacks one.
    Sum,
    /// Of 0 (measured) and 1 (filled), whether less than half of the values are measured.
    Filled,
}

fn comma() -> String {
    ",".into()
}

fn point() -> char {
    '.'
}

impl TableKeys {
    /// How the files are written.
    ///
    /// # Arguments
    ///
    /// * `further`: what stands for a missing value by the rest of the mapping.
    ///
    /// # Errors
    ///
    /// What is wrong with the keys.
    pub(crate) fn dialect(&self, further: &[String]) -> Result<Dialect, String> {
        let one = |key: &str, character: char| {
            u8::try_from(character)
                .ok()
                .filter(u8::is_ascii)
                .ok_or(format!(
                    "`{key}` has `{character}`, expected one ASCII character"
                ))
        };
        let mut characters = self.delimiter.chars();
        let delimiter = match (
            self.delimiter.as_str(),
            characters.next(),
            characters.next(),
        ) {
            ("blanks", ..) => Delimiter::Blanks,
            ("tab", ..) => Delimiter::One(b'\t'),
            (_, Some(character), None) => Delimiter::One(one("delimiter", character)?),
            (other, ..) => {
                return Err(format!(
                    "`delimiter` has `{other}`, expected one character, `tab` or `blanks`"
                ));
            }
        };
        let decimal_comma = match self.decimal {
            ',' if delimiter == Delimiter::One(b',') => {
                return Err(
                    "`decimal` and `delimiter` are both `,` (what is between the cells?)".into(),
                );
            }
            ',' => true,
            '.' => false,
            other => return Err(format!("`decimal` has `{other}`, expected `.` or `,`")),
        };
        let missing: Vec<String> = self.missing.iter().chain(further).cloned().collect();
        let comment = self
            .comment
            .map(|comment| one("comment", comment))
            .transpose()?;
        Ok(Dialect {
            delimiter,
            decimal_comma,
            lines_before_names: self.lines_before_names,
            lines_after_names: self.lines_after_names,
            comment,
            names: self.names.clone(),
            missing: Missing::new(&missing, &[]),
        })
    }
}
