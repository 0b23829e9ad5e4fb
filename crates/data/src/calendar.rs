//! Which day has which index: one gapless calendar for all sites of a pack.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Consecutive days, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The day with index 0.
    pub start: Date,
    /// How many days there are.
    pub days: usize,
}

impl Default for Calendar {
    /// 2003-01-01 to 2020-02-29: 6269 days, from the first year of both MODIS satellites to the end of COSORE.
    fn default() -> Self {
        Self {
            start: jiff::civil::date(2003, 1, 1),
            days: 6269,
        }
    }
}

impl Calendar {
    /// The date of a day. An index beyond the calendar is a date after it, at most 9999-12-31.
    ///
    /// ```
    /// let calendar = efflux_data::Calendar::default();
    /// assert_eq!(calendar.date(59).to_string(), "2003-03-01");
    /// ```
    pub fn date(&self, index: usize) -> Date {
        let days = i64::from(i32::try_from(index).unwrap_or(i32::MAX));
        self.start
            .saturating_add(SignedDuration::from_hours(24 * days))
    }

    /// The index of a date, if the calendar has it.
    pub fn index(&self, date: Date) -> Option<usize> {
        usize::try_from(self.offset(date))
            .ok()
            .filter(|index| *index < self.days)
    }

    /// Days from the calendar's start to a date; negative before it.
    pub fn offset(&self, date: Date) -> i64 {
        date.duration_since(self.start).as_hours() / 24
    }

    /// The last day; of a calendar without days, its start.
    pub fn end(&self) -> Date {
        self.date(self.days.saturating_sub(1))
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} ({} days)", self.start, self.end(), self.days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_default_calendar_ends_on_the_leap_day_of_2020() {
        let calendar = Calendar::default();
        assert_eq!(calendar.to_string(), "2003-01-01 to 2020-02-29 (6269 days)");
        assert_eq!(calendar.index(date(2020, 2, 29)), Some(6268));
    }

    #[test]
    fn a_date_outside_the_calendar_has_no_index() {
        let calendar = Calendar::default();
        assert_eq!(calendar.index(date(2002, 12, 31)), None);
        assert_eq!(calendar.offset(date(2002, 12, 31)), -1);
        assert_eq!(calendar.index(date(2020, 3, 1)), None);
    }

    #[test]
    fn date_and_index_are_inverse() {
        let calendar = Calendar::default();
        for index in 0..calendar.days {
            assert_eq!(calendar.index(calendar.date(index)), Some(index));
        }
        assert_eq!(calendar.date(usize::MAX), Date::MAX);
    }
}
