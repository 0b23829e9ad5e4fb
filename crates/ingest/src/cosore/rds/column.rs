//! A column of a data frame as numbers, times or flags, by its class: what R means, not how it stores it.

use std::borrow::Cow;

use super::object::{Object, Span, Values};
use super::stream::Stream;
use super::{MOST_ROWS, damaged};

/// Classes that change nothing about what the numbers or texts of a vector mean.
const PLAIN: [&str; 13] = [
    "AsIs",
    "array",
    "character",
    "double",
    "haven_labelled",
    "integer",
    "labelled",
    "logical",
    "matrix",
    "noquote",
    "numeric",
    "ts",
    "vctrs_vctr",
];

/// A column, and the file that holds its values.
#[derive(Clone, Copy)]
pub(super) struct Column<'a> {
    pub(super) file: Stream<'a>,
    pub(super) object: &'a Object,
    pub(super) name: &'a str,
}

impl<'a> Column<'a> {
    /// Its class, from the most special to the most general; none for a plain vector.
    fn classes(self) -> Result<Vec<String>, String> {
        let class = self.object.attribute("class");
        let classes = class.map(|class| texts(self.file, class)).transpose()?;
        Ok(classes.unwrap_or_default().into_iter().flatten().collect())
    }

    fn wrong(self, reason: &str) -> String {
        format!("{} {reason}", self.name)
    }

    /// What is wrong with a column that is not what it should be, and what to do in R.
    fn is_a(self, found: &str, expected: &str, conversion: &str) -> String {
        let name = self.name;
        format!(
            "{name} is a {found}, expected {expected}; in R: x${name} <- {conversion}, then \
             saveRDS(as.data.frame(x), \"data.RDS\")"
        )
    }

    /// Numbers, whatever they are stored as; NaN where missing.
    pub(super) fn numbers(self) -> Result<Vec<f64>, String> {
        let classes = self.classes()?;
        let has = |name: &str| classes.iter().any(|class| class == name);
        if has("factor") {
            return self
                .of_levels(|text, row| number(text).ok_or_else(|| self.not_a_number(text, row)));
        }
        if has("integer64") {
            return self.long_integers();
        }
        let foreign = classes
            .iter()
            .find(|class| !PLAIN.contains(&class.as_str()));
        if let Some(class) = foreign {
            let conversion = match class.as_str() {
                "units" => format!("as.numeric(x${}), in the unit that COSORE has", self.name),
                "difftime" => format!("as.numeric(x${}, units = \"secs\")", self.name),
                _ => format!("as.numeric(as.character(x${}))", self.name),
            };
            return Err(self.is_a(&format!("`{class}`"), "numbers", &conversion));
        }
        self.plain(self.object)
    }

    fn not_a_number(self, text: &str, row: usize) -> String {
        let reason = format!("has `{text:.40}` in row {}, expected a number", row + 1);
        self.wrong(&reason)
    }

    fn plain(self, object: &Object) -> Result<Vec<f64>, String> {
        match &object.values {
            Values::Real(span) => {
                let mut file = self.file.from(span.at);
                (0..span.length).map(|_| file.real()).collect()
            }
            Values::Integer(span) => whole(self.file, *span, f64::from),
            Values::Sequence {
                first,
                step,
                length,
            } => Ok((0..*length).map(|row| first + row as f64 * step).collect()),
            Values::Deferred(numbers) => self.plain(numbers),
            Values::Logical(span) => {
                // A column without any value has no type of its own: R makes it logical.
                let values = whole(self.file, *span, f64::from)?;
                if values.iter().any(|value| !value.is_nan()) {
                    return Err(self.wrong("holds true and false, expected numbers"));
                }
                Ok(values)
            }
            Values::Text(span) => {
                let mut numbers = Vec::new();
                each_text(self.file, *span, |row, text| {
                    let found = text.map_or(Some(f64::NAN), number);
                    let text = text.unwrap_or_default();
                    numbers.push(found.ok_or_else(|| self.not_a_number(text, row))?);
                    Ok(())
                })?;
                Ok(numbers)
            }
            Values::List(_) => Err(self.is_a(
                "list",
                "a vector of numbers",
                &format!("as.numeric(unlist(x${}))", self.name),
            )),
            Values::Other(kind) => {
                Err(self.wrong(&format!("is of type {kind}, expected a vector of numbers")))
            }
        }
    }

    /// What each row of a factor means: the text of its level, not its code.
    fn of_levels(
        self,
        mut meaning: impl FnMut(&str, usize) -> Result<f64, String>,
    ) -> Result<Vec<f64>, String> {
        let no_factor = || damaged(&format!("{} is a factor without levels", self.name));
        let levels = self.object.attribute("levels").ok_or_else(no_factor)?;
        let levels = texts(self.file, levels)?;
        let codes = match &self.object.values {
            Values::Integer(span) => whole(self.file, *span, f64::from)?,
            Values::Sequence { .. } => self.plain(self.object)?,
            _ => return Err(no_factor()),
        };
        // Each level once, when the first row needs it.
        let mut meanings = vec![None; levels.len()];
        let mut level = |(row, code): (usize, f64)| {
            if code.is_nan() {
                return Ok(f64::NAN);
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            // It was a whole number; 0 is no code.
            let index = (code as usize).wrapping_sub(1);
            let (Some(text), Some(known)) = (levels.get(index), meanings.get_mut(index)) else {
                return Err(damaged(&format!("{} has no level {code}", self.name)));
            };
            if let Some(known) = known {
                return Ok(*known);
            }
            let new = match text {
                None => f64::NAN,
                Some(text) => meaning(text, row)?,
            };
            *known = Some(new);
            Ok(new)
        };
        codes.into_iter().enumerate().map(&mut level).collect()
    }

    /// Numbers of the package bit64, whole ones in the bits of others.
    #[allow(clippy::cast_precision_loss)] // Fluxes and ports are small.
    fn long_integers(self) -> Result<Vec<f64>, String> {
        let Values::Real(span) = self.object.values else {
            return Err(damaged(&format!("{} is no vector of integer64", self.name)));
        };
        let mut file = self.file.from(span.at);
        let numbers = (0..span.length).map(|_| {
            let bits = file.bits()?;
            if self.file.is_text() && f64::from_bits(bits).is_nan() {
                return Err(self.is_a(
                    "`integer64` in a text (ascii = TRUE)",
                    "numbers: a text does not keep those below zero",
                    &format!("as.numeric(x${})", self.name),
                ));
            }
            Ok(match bits.cast_signed() {
                i64::MIN => f64::NAN,
                number => number as f64,
            })
        });
        numbers.collect()
    }

    /// Times in seconds since 1970, NaN where missing, and the name of their zone.
    pub(super) fn times(self) -> Result<(Vec<f64>, String), String> {
        const EXPECTED: &str = "times (POSIXct)";
        let classes = self.classes()?;
        let has = |name: &str| classes.iter().any(|class| class == name);
        let name = self.name;
        let conversion =
            format!("as.POSIXct(x${name}, tz = \"Etc/GMT+5\") with the zone of their local days");
        if has("factor") {
            let conversion =
                conversion.replacen(&format!("x${name}"), &format!("as.character(x${name})"), 1);
            return Err(self.is_a("factor", EXPECTED, &conversion));
        }
        if !has("POSIXct") {
            let found = match (classes.first(), &self.object.values) {
                (Some(class), _) => format!("`{class}`"),
                (None, Values::Text(_) | Values::Deferred(_)) => "text".to_owned(),
                (None, Values::List(_)) => "list".to_owned(),
                _ => return Err(self.no_zone()),
            };
            return Err(self.is_a(&found, EXPECTED, &conversion));
        }
        let zone = match self.object.attribute("tzone") {
            Some(value) => texts(self.file, value)?.into_iter().next().flatten(),
            None => None,
        };
        let zone = zone
            .filter(|zone| !zone.is_empty())
            .ok_or_else(|| self.no_zone())?;
        match self.object.values {
            Values::Real(_) | Values::Integer(_) | Values::Sequence { .. } => {
                Ok((self.plain(self.object)?, zone))
            }
            _ => Err(damaged(&format!("{name} is no vector of times"))),
        }
    }

    fn no_zone(self) -> String {
        let name = self.name;
        format!(
            "{name} has no time zone (tzone), expected times (POSIXct) with the zone of their local days; in R: \
             attr(x${name}, \"tzone\") <- \"Etc/GMT+5\" or what is theirs, then saveRDS(x, \"data.RDS\")"
        )
    }

    /// Which rows are flagged.
    pub(super) fn flags(self) -> Result<Vec<bool>, String> {
        let flag = |text: &str| match text.trim() {
            "" | "NA" | "F" | "FALSE" | "False" | "false" | "0" => Some(0.0),
            "T" | "TRUE" | "True" | "true" | "1" => Some(1.0),
            other => number(other),
        };
        let wrong = |text: &str, row: usize| {
            let reason = format!(
                "has `{text:.40}` in row {}, expected TRUE or FALSE",
                row + 1
            );
            self.wrong(&reason)
        };
        let is_factor = self.classes()?.iter().any(|class| class == "factor");
        let numbers = match &self.object.values {
            _ if is_factor => {
                self.of_levels(|text, row| flag(text).ok_or_else(|| wrong(text, row)))?
            }
            Values::Logical(span) => whole(self.file, *span, f64::from)?,
            Values::Text(span) => {
                let mut flags = Vec::new();
                each_text(self.file, *span, |row, text| {
                    let text = text.unwrap_or_default();
                    flags.push(flag(text).ok_or_else(|| wrong(text, row))?);
                    Ok(())
                })?;
                flags
            }
            _ => self.numbers()?,
        };
        let flagged = |number: &f64| !number.is_nan() && *number != 0.0;
        Ok(numbers.iter().map(flagged).collect())
    }
}

/// Whole numbers or truth values; NaN where missing.
fn whole(file: Stream<'_>, span: Span, number: impl Fn(i32) -> f64) -> Result<Vec<f64>, String> {
    let mut file = file.from(span.at);
    let numbers = (0..span.length).map(|_| {
        Ok(match file.integer()? {
            i32::MIN => f64::NAN,
            value => number(value),
        })
    });
    numbers.collect()
}

/// A text as a number, NaN where it says that there is none.
pub(in crate::cosore) fn number(text: &str) -> Option<f64> {
    match text.trim() {
        "" | "NA" | "NaN" => Some(f64::NAN),
        text => text.parse().ok(),
    }
}

/// Takes a look at each text of a vector, `None` where missing.
fn each_text(
    file: Stream<'_>,
    span: Span,
    mut look: impl FnMut(usize, Option<&str>) -> Result<(), String>,
) -> Result<(), String> {
    let mut file = file.from(span.at);
    for row in 0..span.length {
        file.integer()?;
        match usize::try_from(file.integer()?) {
            // What is missing has the length -1.
            Err(_) => look(row, None)?,
            Ok(length) => {
                let bytes = file.text(length)?;
                let text: Cow<'_, str> = String::from_utf8_lossy(&bytes);
                look(row, Some(&text))?;
            }
        }
    }
    Ok(())
}

/// A vector of texts; `None` for a missing one.
pub(super) fn texts(file: Stream<'_>, object: &Object) -> Result<Vec<Option<String>>, String> {
    match &object.values {
        Values::Text(span) if span.length <= MOST_ROWS => {
            let mut texts = Vec::new();
            each_text(file, *span, |_, text| {
                texts.push(text.map(str::to_owned));
                Ok(())
            })?;
            Ok(texts)
        }
        Values::Deferred(numbers) => {
            let of = Column {
                file,
                object: numbers,
                name: "as.character",
            };
            let text = |number: f64| (!number.is_nan()).then(|| number.to_string());
            Ok(of.plain(numbers)?.into_iter().map(text).collect())
        }
        _ => Err(damaged("it has no texts where names were expected")),
    }
}
