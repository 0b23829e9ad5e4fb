//! Formats of time stamps.

mod pattern;

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use pattern::Pattern;

/// How stamps are written: one of
///
/// - `iso`: `2009-03-14`, `2009-03-14 22:30`, `2009-03-14T22:30:00Z`; a date alone is its midnight;
/// - a pattern of `%Y %y %m %b %d %H %I %M %S %p %j %z`, `HHMM` (`30` is 00:30) and `%0j` (the day of the year counted
///   from 0); the finest field may have decimals, 24:00 is the end of a day, of two digits 69 is 1969 and 68 is 2068;
/// - days, hours, minutes, seconds or milliseconds since a time: `days since 2001-01-01 12:00`; `excel` is days since
///   1899-12-30, `excel-1904` since 1904-01-01, `matlab` since the day before 1 January of year 0, `epoch` seconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Format {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Iso,
    Pattern(Pattern),
    Since { origin: Stamp, unit: Unit },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Days,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// A stamp as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stamp {
    pub(super) civil: DateTime,
    /// From UTC, if the stamp carries it.
    pub(super) offset: Option<Offset>,
}

const FORMATS: &str = "expected `iso`, a pattern such as `%Y-%m-%d %H:%M`, `days since 2001-01-01`, `excel`, `excel-1904`, \
                       `matlab` or `epoch`";

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = match text {
            "iso" => Kind::Iso,
            "excel" => since("days since 1899-12-30")?,
            "excel-1904" => since("days since 1904-01-01")?,
            // Day 719529 is 1970-01-01.
            "matlab" => Kind::Since {
                origin: Stamp {
                    civil: DateTime::constant(0, 1, 1, 0, 0, 0, 0) - SignedDuration::from_hours(24),
                    offset: None,
                },
                unit: Unit::Days,
            },
            "epoch" => since("seconds since 1970-01-01")?,
            _ if text.contains(" since ") => since(text)?,
            _ if text.contains('%') => Kind::Pattern(text.parse()?),
            _ => return Err(format!("format `{text}`: {FORMATS}")),
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }
}

fn since(text: &str) -> Result<Kind, String> {
    let (unit, origin) = text.split_once(" since ").unwrap_or((text, ""));
    let unit = match unit.trim().trim_end_matches('s') {
        "day" => Unit::Days,
        "hour" => Unit::Hours,
        "minute" => Unit::Minutes,
        "second" => Unit::Seconds,
        "millisecond" => Unit::Milliseconds,
        _ => {
            return Err(format!(
                "format `{text}`: expected days, hours, minutes, seconds or milliseconds since a time"
            ));
        }
    };
    // `1970-1-1 0:0:0` is allowed in netCDF.
    let short = || ISO.iter().find_map(|pattern| pattern.read(origin).ok());
    let origin = iso(origin)
        .or_else(|reason| short().ok_or(reason))
        .map_err(|reason| format!("format `{text}`: {reason}"))?;
    Ok(Kind::Since { origin, unit })
}

impl Format {
    /// Seconds or milliseconds since 1970, which are counted in UTC by convention.
    pub(super) fn counts_from_1970(&self) -> bool {
        let Kind::Since {
            origin,
            unit: Unit::Seconds | Unit::Milliseconds,
        } = &self.kind
        else {
            return false;
        };
        origin.civil == DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
    }

    /// # Arguments
    ///
    /// * `cell`: the cells of a stamp, with a blank between them.
    ///
    /// # Errors
    ///
    /// Found, expected, and what may be the reason.
    pub(super) fn read(&self, cell: &str) -> Result<Stamp, String> {
        match &self.kind {
            Kind::Iso => iso(cell),
            Kind::Pattern(pattern) => pattern.read(cell).map_err(|reason| {
                let mangled = if cell.contains(['E', 'e']) && cell.parse::<f64>().is_ok() {
                    "; a spreadsheet has shortened the number, and its digits are lost: export the file again"
                } else {
                    ""
                };
                format!("time `{cell}` does not fit `{self}`: {reason}{mangled}")
            }),
            Kind::Since { .. } => {
                let number: f64 = cell.trim().replace(',', ".").parse().map_err(|_| format!("time `{cell}`: expected a number, {self}"))?;
                self.number(number)
            }
        }
    }

    /// A stamp that is a number since some time.
    ///
    /// # Errors
    ///
    /// A time that is none of the last or the next hundred years, or a format that is no number.
    pub(super) fn number(&self, number: f64) -> Result<Stamp, String> {
        let Kind::Since { origin, unit } = &self.kind else {
            return Err(format!("time {number}: expected a text like `{self}`"));
        };
        // Days as decimals are good to parts of a second at best: 39886.9999999999 is midnight.
        let seconds = match unit {
            Unit::Days => (number * 86_400.0).round(),
            Unit::Hours => (number * 3_600.0).round(),
            Unit::Minutes => (number * 60.0).round(),
            Unit::Seconds => number,
            Unit::Milliseconds => number / 1e3,
        };
        let duration = SignedDuration::try_from_secs_f64(seconds).ok();
        let civil = duration.and_then(|duration| origin.civil.checked_add(duration).ok());
        match civil {
            Some(civil) if (1900..=2100).contains(&civil.year()) => Ok(Stamp {
                civil,
                offset: origin.offset,
            }),
            _ => Err(format!(
                "time {number} as {self} is not between 1900 and 2100: {FORMATS}"
            )),
        }
    }
}

/// A date, with hours, with minutes, with seconds.
static ISO: LazyLock<[Pattern; 4]> = LazyLock::new(|| {
    [
        "%Y-%m-%d",
        "%Y-%m-%d %H",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S",
    ]
    .map(|pattern| pattern.parse().expect("a pattern that is well formed"))
});

/// `2009-03-14`, with a time, with an offset.
fn iso(cell: &str) -> Result<Stamp, String> {
    let error = || {
        format!(
            "time `{cell}`: expected a date such as `2009-03-14`, `2009-03-14 22:30` or `2009-03-14T22:30:00Z`"
        )
    };
    let trimmed = cell.trim();
    let date = trimmed.get(..10).ok_or_else(error)?;
    let rest = trimmed[10..]
        .strip_prefix(['T', ' '])
        .unwrap_or(&trimmed[10..])
        .trim_start();
    if rest.is_empty() {
        return ISO[0].read(date).map_err(|_| error());
    }
    let offset = rest.find(['Z', '+', '-']).or_else(|| rest.find(" UTC"));
    let (time, offset) = rest.split_at(offset.unwrap_or(rest.len()));
    let pattern = &ISO[(time.matches(':').count() + 1).min(3)];
    let stamp = pattern
        .read(&format!("{date} {}", time.trim_end()))
        .map_err(|_| error())?;
    let offset = match offset.trim() {
        "" => None,
        "Z" | "UTC" => Some(Offset::UTC),
        other => Some(super::zone::offset(other).ok_or_else(error)?),
    };
    Ok(Stamp { offset, ..stamp })
}
