//! When a row was observed, in the ways in which Earth Engine writes it.

use jiff::civil::Date;

/// The columns that may tell it, the first one that a table has.
pub(super) const COLUMNS: [&str; 2] = ["date", "system:index"];

/// The day of a row, and its hour where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) date: Date,
    pub(super) hour: Option<i8>,
    pub(super) form: Form,
}

/// How a stamp is written. All put the year first, so none can be taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `2003-01-31`
    Iso,
    /// `2003-01-31T05:00`, with or without minutes and seconds
    IsoTime,
    /// `2003_01_31`, the images of MODIS
    Underscored,
    /// `20030131`
    Digits,
    /// `20030131T05`, the images of ERA5-Land
    DigitsTime,
    /// `LE07_013030_20030131`, the images of Landsat
    Scene,
    /// `200301`, the images of TerraClimate: stands for the first of the month
    Month,
}

impl Stamp {
    /// The stamp in a text. Behind the name of an image there may be `_` and what Earth Engine adds to keep the rows of
    /// an export apart.
    pub(super) fn parse(text: &str) -> Option<Self> {
        iso(text).or_else(|| image(unmerged(text)))
    }

    /// The first four characters of a Landsat image's name, its satellite and instrument: `LE07`.
    pub(super) fn instrument(text: &str) -> Option<&str> {
        unmerged(text).get(..4).filter(|name| name.starts_with('L'))
    }
}

/// A name without the numbers that Earth Engine's `merge()` puts before it: `1_2_LE07_…`.
fn unmerged(mut text: &str) -> &str {
    while let Some((number, rest)) = text.split_once('_')
        && (1..=3).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        text = rest;
    }
    text
}

fn iso(text: &str) -> Option<Stamp> {
    let (day, time) = match text.split_once(['T', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let mut parts = day.split('-');
    let date = date(parts.next()?, parts.next()?, parts.next()?)?;
    if parts.next().is_some() {
        return None;
    }
    let Some(time) = time else {
        return Some(Stamp {
            date,
            hour: None,
            form: Form::Iso,
        });
    };
    let mut parts = time.strip_suffix('Z').unwrap_or(time).split(':');
    let hour = hour(parts.next()?)?;
    // Minutes would be lost, so only the full hour is one.
    if parts.any(|rest| !matches!(rest, "00" | "00.000")) {
        return None;
    }
    Some(Stamp {
        date,
        hour: Some(hour),
        form: Form::IsoTime,
    })
}

fn image(text: &str) -> Option<Stamp> {
    let mut parts = text.split('_');
    let first = parts.next()?;
    let stamp = |date, form| Stamp {
        date,
        hour: None,
        form,
    };
    match first.len() {
        4 if first.starts_with('L') => {
            let _path_and_row: u32 = digits(parts.next()?, 6)?;
            Some(stamp(compact(parts.next()?)?, Form::Scene))
        }
        4 => {
            let date = date(first, parts.next()?, parts.next()?)?;
            Some(stamp(date, Form::Underscored))
        }
        6 => {
            let (year, month) = first.split_at_checked(4)?;
            Some(stamp(date(year, month, "01")?, Form::Month))
        }
        8 => Some(stamp(compact(first)?, Form::Digits)),
        11 => {
            let (day, time) = first.split_once('T')?;
            Some(Stamp {
                date: compact(day)?,
                hour: Some(hour(time)?),
                form: Form::DigitsTime,
            })
        }
        _ => None,
    }
}

fn compact(text: &str) -> Option<Date> {
    let (year, rest) = text.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    date(year, month, day)
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    Date::new(digits(year, 4)?, digits(month, 2)?, digits(day, 2)?).ok()
}

fn hour(text: &str) -> Option<i8> {
    digits(text, 2).filter(|hour| *hour < 24)
}

/// A number of exactly so many digits.
fn digits<T: std::str::FromStr>(text: &str, length: usize) -> Option<T> {
    let plain = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn every_way_of_earth_engine_is_read() {
        for (text, form, hour) in [
            ("2003-01-31", Form::Iso, None),
            ("2003-01-31T05:00", Form::IsoTime, Some(5)),
            ("2003-01-31T05:00:00Z", Form::IsoTime, Some(5)),
            ("2003-01-31 23", Form::IsoTime, Some(23)),
            ("2003_01_31", Form::Underscored, None),
            ("2003_01_31_00000000000000000007", Form::Underscored, None),
            ("20030131", Form::Digits, None),
            ("20030131T05", Form::DigitsTime, Some(5)),
            ("20030131T05_12", Form::DigitsTime, Some(5)),
            ("LE07_013030_20030131", Form::Scene, None),
            ("1_LE07_013030_20030131", Form::Scene, None),
            ("2_1_2003_01_31", Form::Underscored, None),
        ] {
            let date = date(2003, 1, 31);
            assert_eq!(
                Stamp::parse(text),
                Some(Stamp { date, hour, form }),
                "{text}"
            );
        }
        let month = Stamp::parse("200301").unwrap();
        assert_eq!((month.date, month.form), (date(2003, 1, 1), Form::Month));
    }

    #[test]
    fn what_could_be_something_else_is_no_stamp() {
        for text in [
            "",
            "31.01.2003",
            "01/31/2003",
            "31-01-2003",
            "2003-02-29",
            "2003-1-31",
            "2003-01-31T05:30",
            "2003-01-31T24:00",
            "2003-01-31T",
            "2003031",
            "200313",
            "20030131T5",
            "1234_LE07_013030_20030131",
            "LE07_0130_20030131",
        ] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_stamp_or_none(text in "[-_TLZ:0-9 é]{0,24}") {
            let _ = Stamp::parse(&text);
        }
    }
}
