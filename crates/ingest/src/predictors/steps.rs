//! Which hour, day, composite or month a row belongs to, and how long that is.

use efflux_base::error::Result;
use efflux_data::Calendar;
use jiff::civil::{Date, date};

use super::products::{Product, Step};
use super::stamp::Stamp;
use crate::table::Cell;

/// Which step a row belongs to.
pub(super) fn key(
    cell: &Cell<'_>,
    stamp: Stamp,
    product: &Product,
    calendar: Calendar,
) -> Result<i64> {
    let day = calendar.offset(stamp.date);
    match product.step {
        Step::Hour => match stamp.hour {
            Some(hour) => Ok(24 * day + i64::from(hour) - i64::from(product.stamp_ends_hour)),
            None => Err(cell.wrong(
                "a date and an hour like 2009-01-31T05:00 (for a table of daily values describe the product with \
                 `step = \"day\"` in a file for --predictors-config)",
            )),
        },
        Step::Month => Ok(calendar.offset(stamp.date.first_of_month())),
        Step::FourDays | Step::EightDays => {
            let step = if product.step == Step::FourDays { 4 } else { 8 };
            if (stamp.date.day_of_year() - 1) % step != 0 {
                return Err(cell.wrong(&format!(
                    "the first day of a composite: 1 January or a multiple of {step} days after it"
                )));
            }
            Ok(day)
        }
        Step::Day | Step::Scene => Ok(day),
        Step::Static => Ok(0),
    }
}

/// Days of the step that begins on this day.
pub(crate) fn days_of(step: Step, first: Date) -> u16 {
    let left = || {
        let end = date(first.year(), 12, 31).day_of_year();
        u16::try_from(end - first.day_of_year() + 1).unwrap_or(1)
    };
    match step {
        Step::FourDays => left().min(4),
        Step::EightDays => left().min(8),
        Step::Month => u16::try_from(first.days_in_month()).unwrap_or(1),
        Step::Static | Step::Hour | Step::Day | Step::Scene => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_composite_of_a_year_is_short() {
        for (step, first, days) in [
            (Step::EightDays, date(2003, 1, 1), 8),
            (Step::EightDays, date(2003, 12, 27), 5),
            (Step::EightDays, date(2004, 12, 26), 6),
            (Step::FourDays, date(2003, 12, 31), 1),
            (Step::FourDays, date(2004, 12, 30), 2),
            (Step::Month, date(2004, 2, 1), 29),
            (Step::Scene, date(2004, 2, 1), 1),
        ] {
            assert_eq!(days_of(step, first), days, "{first}");
        }
    }
}
