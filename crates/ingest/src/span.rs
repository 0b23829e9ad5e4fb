//! The calendar of a pack, from its first to its last day.

use efflux_base::error::{Error, Result};
use efflux_data::Calendar;
use jiff::civil::Date;

/// The days from one to another, both included.
///
/// # Errors
///
/// [`Error::Usage`] if there is none.
pub(crate) fn calendar(start: Date, end: Date) -> Result<Calendar> {
    let days = Calendar { start, days: 0 }.offset(end) + 1;
    match usize::try_from(days) {
        Ok(days) if days > 0 => Ok(Calendar { start, days }),
        _ => Err(Error::Usage(format!(
            "the calendar would begin on {start} and end on {end}: give `--from` and `--to` so that days are between"
        ))),
    }
}
