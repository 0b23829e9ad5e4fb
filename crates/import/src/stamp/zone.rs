//! Zones of stamps, and the standard time of a site.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

/// The zone that stamps are in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Zone {
    /// The site's standard time, without daylight saving.
    Standard,
    /// Each stamp carries its offset from UTC.
    Stamp,
    /// One offset from UTC.
    Offset(Offset),
    /// A clock that daylight saving may put forward and back.
    Clock(TimeZone),
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("\"standard\""),
            Self::Stamp => f.write_str("\"stamp\""),
            Self::Offset(offset) => write!(f, "UTC{offset}"),
            Self::Clock(zone) => write!(f, "{}", zone.iana_name().unwrap_or("a clock's")),
        }
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "standard" => Ok(Self::Standard),
            "stamp" => Ok(Self::Stamp),
            "UTC" | "Z" => Ok(Self::Offset(Offset::UTC)),
            other => {
                if let Some(offset) = offset(other) {
                    return Ok(Self::Offset(offset));
                }
                named(other).map(Self::Clock)
            }
        }
    }
}

fn named(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| {
        let sign = if text.to_ascii_uppercase().starts_with("GMT") {
            "; of GMT+5 nobody knows the sign: `Etc/GMT+5` is UTC-5"
        } else {
            ""
        };
        format!(
            "zone `{text}` is not known: write `standard` (the site's own, without daylight saving), `stamp` (each stamp carries \
             its offset), `UTC`, an offset such as `-05:00`, or a name such as `America/New_York`{sign}"
        )
    })
}

/// `-05:00`, `+0930`, `UTC-5`, `-5`.
pub(super) fn offset(text: &str) -> Option<Offset> {
    let text = text.strip_prefix("UTC").unwrap_or(text);
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, "0"),
    };
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 2;
    if !plain(hours) || !plain(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let in_range = hours <= 14 && minutes < 60;
    in_range.then(|| Offset::from_seconds(sign * (3600 * hours + 60 * minutes)).ok())?
}

/// How far the standard time of a site is ahead of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SiteOffset(Offset);

impl SiteOffset {
    /// # Arguments
    ///
    /// * `hours`: need not be whole (9.5, 5.75).
    ///
    /// # Errors
    ///
    /// What was expected.
    pub(crate) fn from_hours(hours: f64) -> Result<Self, String> {
        let quarters = hours * 4.0;
        if quarters.fract() != 0.0 || hours.abs() > 14.0 {
            return Err(format!(
                "utc_offset = {hours}: expected hours from -14 to 14, whole or with .25, .5 or .75"
            ));
        }
        #[allow(clippy::cast_possible_truncation)] // At most 56.
        let offset = Offset::from_seconds(900 * quarters as i32);
        offset.map(Self).map_err(|error| error.to_string())
    }

    /// That of the standard time of a zone in the year of a day: the lesser of its offsets in January and July.
    pub(crate) fn of_zone(zone: &Zone, day: Date) -> Option<Self> {
        let zone = match zone {
            Zone::Offset(offset) => return Some(Self(*offset)),
            Zone::Clock(zone) => zone,
            Zone::Standard | Zone::Stamp => return None,
        };
        let at = |month| {
            let first = Date::constant(day.year(), month, 1).to_datetime(Time::midnight());
            let instant = Offset::UTC.to_timestamp(first).ok()?;
            Some(zone.to_offset(instant))
        };
        Some(Self(at(1)?.min(at(7)?)))
    }

    /// What a clock in standard time shows.
    pub(super) fn of_instant(self, instant: Timestamp) -> DateTime {
        self.0.to_datetime(instant)
    }
}
