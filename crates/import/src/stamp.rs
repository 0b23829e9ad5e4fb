//! Time stamps, however they are written: when the interval of a row begins, in local standard time.

mod format;
mod recognise;
#[cfg(test)]
mod tests;
mod zone;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset};
use serde::Deserialize;

pub(crate) use format::Format;
pub(crate) use recognise::recognise;
pub(crate) use zone::{SiteOffset, Zone};

/// Which moment of its interval a stamp names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Position {
    /// The interval begins at the stamp.
    #[default]
    Begin,
    /// The stamp is half way through.
    Middle,
    /// The interval ends at the stamp: 00:00 belongs to the day before.
    End,
}

/// Reads the stamps of one series of rows.
///
/// The hour that a clock with daylight saving shows twice is told apart by the order of the rows, so each chamber of a
/// file whose rows alternate has a clock of its own.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    format: Format,
    back: SignedDuration,
    zone: Option<Zone>,
    site: Option<SiteOffset>,
    /// Of the row before.
    last: Option<jiff::Timestamp>,
}

impl Clock {
    /// # Arguments
    ///
    /// * `minutes`: length of the interval; only the begin does not need it.
    /// * `zone`: of the stamps. Where it is not said, stamps are in the site's standard time, unless they carry an offset
    ///   or count seconds since 1970.
    /// * `site`: the site's standard time. Not needed where stamps are in standard time already.
    ///
    /// # Errors
    ///
    /// What is missing, and what to write.
    pub(crate) fn new(
        format: Format,
        position: Position,
        minutes: Option<f64>,
        zone: Option<Zone>,
        site: Option<SiteOffset>,
    ) -> Result<Self, String> {
        let back = match (position, minutes) {
            (Position::Begin, _) => SignedDuration::ZERO,
            (_, None) => {
                return Err(
                    "stamps that are not the begin of their interval need its length: write `minutes = 30`, or what it is"
                        .to_owned(),
                );
            }
            (_, Some(minutes)) if !(minutes > 0.0 && minutes <= 1440.0) => {
                return Err(format!(
                    "minutes = {minutes}: expected the length of an interval, above 0 and at most 1440"
                ));
            }
            (Position::End, Some(minutes)) => SignedDuration::from_secs_f64(60.0 * minutes),
            (Position::Middle, Some(minutes)) => SignedDuration::from_secs_f64(30.0 * minutes),
        };
        let zone = zone.or_else(|| format.counts_from_1970().then(|| Zone::Offset(Offset::UTC)));
        let clock = Self {
            format,
            back,
            zone,
            site,
            last: None,
        };
        match &clock.zone {
            Some(Zone::Offset(_) | Zone::Clock(_) | Zone::Stamp) => clock.site().map(|_| clock),
            Some(Zone::Standard) | None => Ok(clock),
        }
    }

    /// When the interval of a row begins, in local standard time; none for a time that the clock has never shown, because
    /// it was put forward then.
    ///
    /// # Arguments
    ///
    /// * `cell`: the row's cells of time, with a blank between them.
    ///
    /// # Errors
    ///
    /// Found, expected, and what to write.
    pub(crate) fn begin(&mut self, cell: &str) -> Result<Option<DateTime>, String> {
        self.of(self.format.read(cell)?, cell)
    }

    /// As [`Clock::begin`], of a stamp that is a number in a file without text.
    ///
    /// # Errors
    ///
    /// [`Clock::begin`]; a format that is no number.
    pub(crate) fn begin_of_number(&mut self, number: f64) -> Result<Option<DateTime>, String> {
        self.of(self.format.number(number)?, &number.to_string())
    }

    fn of(&mut self, stamp: format::Stamp, cell: &str) -> Result<Option<DateTime>, String> {
        let offset = match (&self.zone, stamp.offset) {
            (None | Some(Zone::Stamp), Some(offset)) => offset,
            (Some(Zone::Offset(zone)), Some(offset)) if *zone == offset => offset,
            (Some(zone), Some(_)) => {
                return Err(format!(
                    "`{cell}` carries its offset from UTC, and the zone of the stamps is said to be {zone}: write `zone = \
                     \"stamp\"` if the offset is right, or a format without it if it is not"
                ));
            }
            (Some(Zone::Stamp), None) => {
                return Err(format!(
                    "`{cell}` carries no offset from UTC, which zone = \"stamp\" expects"
                ));
            }
            (None | Some(Zone::Standard), None) => return self.back_from(stamp.civil).map(Some),
            (Some(Zone::Offset(offset)), None) => *offset,
            (Some(Zone::Clock(zone)), None) => {
                match zone.to_ambiguous_timestamp(stamp.civil).offset() {
                    AmbiguousOffset::Unambiguous { offset } => offset,
                    AmbiguousOffset::Gap { .. } => return Ok(None),
                    AmbiguousOffset::Fold { before, after } => {
                        let first = instant(before, stamp.civil)?;
                        if self.last.is_none_or(|last| first > last) {
                            before
                        } else {
                            after
                        }
                    }
                }
            }
        };
        let instant = instant(offset, stamp.civil)?;
        self.last = Some(instant);
        let local = self.site()?.of_instant(instant);
        self.back_from(local).map(Some)
    }

    fn site(&self) -> Result<SiteOffset, String> {
        self.site.ok_or_else(|| {
            "stamps that are not in the site's standard time need its offset from UTC: write `utc_offset = -5`, or what it is"
                .to_owned()
        })
    }

    fn back_from(&self, stamp: DateTime) -> Result<DateTime, String> {
        stamp
            .checked_sub(self.back)
            .map_err(|_| format!("{stamp}: outside the calendar"))
    }
}

fn instant(offset: Offset, civil: DateTime) -> Result<jiff::Timestamp, String> {
    offset
        .to_timestamp(civil)
        .map_err(|_| format!("{civil}: outside the calendar"))
}
