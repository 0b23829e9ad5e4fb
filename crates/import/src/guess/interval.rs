//! How long the intervals of a table are, by how far apart its stamps are.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::stamp::{Clock, Format, Position, SiteOffset};

const MINUTES_A_DAY: i64 = 1440;
/// What is written where no stamp tells.
const USUAL: i64 = 30;

/// The length of a table's intervals, and where it is known from.
pub(super) struct Interval {
    pub(super) minutes: i64,
    /// For people who are to look at it.
    pub(super) remark: String,
    is_told: bool,
}

impl Interval {
    /// That of rows with these stamps. Their order does not matter, and several rows of one time, such as those of chambers,
    /// are one stamp.
    pub(super) fn of(format: &Format, stamps: &[&str]) -> Self {
        let utc = SiteOffset::from_hours(0.0).ok();
        let Ok(mut clock) = Clock::new(format.clone(), Position::Begin, None, None, utc) else {
            return Self::unknown();
        };
        let read = stamps.iter().filter_map(|cell| clock.begin(cell).ok()?);
        let mut times: Vec<_> = read.collect();
        times.sort_unstable();
        times.dedup();
        // Stamps that were rounded to seconds or less stay those of a grid of minutes.
        let between = times.windows(2).map(|pair| {
            let seconds = pair[1].duration_since(pair[0]).as_secs();
            (seconds + 30).div_euclid(60)
        });
        Self::between(&between.collect::<Vec<i64>>())
    }

    /// From the minutes between one stamp and the next.
    fn between(differences: &[i64]) -> Self {
        let mut counts = BTreeMap::<i64, usize>::new();
        for difference in differences {
            *counts.entry(*difference).or_default() += 1;
        }
        let commonest = counts
            .iter()
            .max_by_key(|(difference, count)| (**count, Reverse(**difference)));
        let (Some((&minutes, &same)), Some((&least, _)), Some((&most, _))) =
            (commonest, counts.first_key_value(), counts.last_key_value())
        else {
            return Self::unknown();
        };
        let all = differences.len();
        // Rows that were taken out leave multiples of the interval.
        let multiples = || {
            let on_grid = differences.iter().filter(|other| *other % minutes == 0);
            on_grid.count()
        };
        let is_interval = (1..=MINUTES_A_DAY).contains(&minutes);
        if is_interval && (2 * same > all || (4 * same > all && 10 * multiples() >= 9 * all)) {
            return Self {
                minutes,
                remark: format!(
                    "length of the interval: most stamps are {} apart",
                    spelled(minutes)
                ),
                is_told: true,
            };
        }
        let found = match (spelled(least), spelled(most)) {
            (_, most) if most == spelled(0) => "less than a minute apart".to_owned(),
            (least, most) if least == most => format!("{most} apart"),
            (least, most) => format!("irregular, {least} to {most} apart"),
        };
        Self {
            remark: format!(
                "length of the interval, which the stamps do not tell: they are {found}"
            ),
            ..Self::unknown()
        }
    }

    /// Where there are no stamps to go by.
    pub(super) fn unknown() -> Self {
        Self {
            minutes: USUAL,
            remark: "length of the interval, which the stamps do not tell".to_owned(),
            is_told: false,
        }
    }

    /// How many rows a complete day has, and what to say of it.
    pub(super) fn values_a_day(&self) -> (i64, &'static str) {
        let remark = match self.is_told && MINUTES_A_DAY % self.minutes == 0 {
            true => "rows of a complete day",
            false => "rows of a complete day, which the stamps do not tell",
        };
        (MINUTES_A_DAY / self.minutes, remark)
    }
}

/// `10 min`, `3 h`, `1 day`, and days alone of what is longer.
fn spelled(minutes: i64) -> String {
    match minutes {
        MINUTES_A_DAY => "1 day".to_owned(),
        _ if minutes > MINUTES_A_DAY => {
            let days = (minutes + MINUTES_A_DAY / 2) / MINUTES_A_DAY;
            format!("{days} days")
        }
        _ if minutes > 0 && minutes % 60 == 0 => format!("{} h", minutes / 60),
        _ => format!("{minutes} min"),
    }
}
