//! Patterns of time stamps: fields and the text between them.

use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};

use super::Stamp;
use crate::stamp::zone;

/// Fields and what stands between them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    items: Vec<Item>,
    /// The field that may have decimals.
    finest: Field,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Item {
    Field(Field),
    Text(char),
    /// One blank or more.
    Blank,
}

/// From the coarsest to the finest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Offset,
    Year,
    YearOfCentury,
    Month,
    MonthName,
    Day,
    /// Counted from 1.
    DayOfYear,
    /// Counted from 0.
    DaysOfYear,
    Half,
    Hour,
    HourOfHalf,
    HourMinute,
    Minute,
    Second,
}
use Field::{
    Day, DayOfYear, DaysOfYear, Half, Hour, HourMinute, HourOfHalf, Minute, Month, MonthName,
    Offset, Second, Year, YearOfCentury,
};

impl Field {
    /// Most digits.
    fn digits(self) -> usize {
        match self {
            Year | HourMinute => 4,
            DayOfYear | DaysOfYear => 3,
            _ => 2,
        }
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = |what: &str| format!("format `{text}`: {what}");
        let mut items = Vec::new();
        let mut rest = text
            .replace("%F", "%Y-%m-%d")
            .replace("%T", "%H:%M:%S")
            .replace("%R", "%H:%M");
        while let Some(next) = rest.chars().next() {
            const NAMES: [(&str, Field); 15] = [
                ("%Y", Year),
                ("%y", YearOfCentury),
                ("%m", Month),
                ("%b", MonthName),
                ("%B", MonthName),
                ("%d", Day),
                ("%j", DayOfYear),
                ("%0j", DaysOfYear),
                ("%p", Half),
                ("%H", Hour),
                ("%I", HourOfHalf),
                ("HHMM", HourMinute),
                ("%M", Minute),
                ("%S", Second),
                ("%z", Offset),
            ];
            let field = NAMES.iter().find(|(name, _)| rest.starts_with(name));
            let (item, length) = match (field, next) {
                (Some((name, field)), _) => (Item::Field(*field), name.len()),
                (None, '%') => {
                    let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                    return Err(error(&format!(
                        "`{}` is unknown; known are {}",
                        rest.chars().take(2).collect::<String>(),
                        names.join(" ")
                    )));
                }
                (None, ' ') => (Item::Blank, 1),
                (None, other) => (Item::Text(other), other.len_utf8()),
            };
            items.push(item);
            rest = rest[length..].to_owned();
        }
        let fields: Vec<Field> = items
            .iter()
            .filter_map(|item| {
                if let Item::Field(field) = item {
                    Some(*field)
                } else {
                    None
                }
            })
            .collect();
        let has = |some: &[Field]| some.iter().any(|field| fields.contains(field));
        if !has(&[Year, YearOfCentury]) {
            return Err(error("it has no year (%Y or %y)"));
        }
        if !(has(&[DayOfYear, DaysOfYear]) || has(&[Day]) && has(&[Month, MonthName])) {
            return Err(error("it has no day (%m and %d, or %j)"));
        }
        if has(&[HourOfHalf]) && !has(&[Half]) {
            return Err(error(
                "%I is an hour of the half of a day and needs %p; hours to 23 are %H",
            ));
        }
        let finest = fields.iter().copied().max().unwrap_or(Year);
        Ok(Self { items, finest })
    }
}

/// What the fields of a stamp say.
#[derive(Default)]
struct Said {
    year: i16,
    month: i8,
    day: i8,
    day_of_year: Option<i32>,
    hours: i32,
    afternoon: Option<bool>,
    of_half: bool,
    minutes: i32,
    seconds: i32,
    /// What the decimals are worth, in seconds.
    more: f64,
    offset: Option<jiff::tz::Offset>,
}

impl Pattern {
    /// # Errors
    ///
    /// Which part does not fit.
    pub(super) fn read(&self, cell: &str) -> Result<Stamp, String> {
        let mut said = Said::default();
        let mut rest = cell.trim_start();
        for (at, item) in self.items.iter().enumerate() {
            match item {
                // A date alone is midnight, as R writes it. An empty cell of time leaves the blank before it.
                Item::Blank if rest.is_empty() && self.only_time_follows(at) => {
                    return said.stamp();
                }
                Item::Blank if rest.starts_with(' ') => rest = rest.trim_start(),
                Item::Blank => return Err(format!("expected a blank at `{rest}`")),
                Item::Text(text) => {
                    rest = rest
                        .strip_prefix(*text)
                        .ok_or_else(|| format!("expected `{text}` at `{rest}`"))?;
                }
                Item::Field(field) => rest = self.field(*field, at, rest, &mut said)?,
            }
        }
        if rest.trim().is_empty() {
            said.stamp()
        } else {
            Err(format!("`{rest}` is left over"))
        }
    }

    fn only_time_follows(&self, at: usize) -> bool {
        self.items[at..]
            .iter()
            .all(|item| !matches!(item, Item::Field(field) if *field < Half))
    }

    /// Reads a field and returns what follows it.
    fn field<'a>(
        &self,
        field: Field,
        at: usize,
        rest: &'a str,
        said: &mut Said,
    ) -> Result<&'a str, String> {
        let rest = rest.trim_start();
        match field {
            MonthName => {
                let end = rest
                    .find(|c: char| !c.is_alphabetic())
                    .unwrap_or(rest.len());
                said.month = month(&rest[..end])
                    .ok_or_else(|| format!("expected the name of a month at `{rest}`"))?;
                return Ok(&rest[end..]);
            }
            Half => {
                let half = rest.get(..2).unwrap_or_default().to_ascii_lowercase();
                said.afternoon = Some(match half.as_str() {
                    "am" => false,
                    "pm" => true,
                    _ => return Err(format!("expected AM or PM at `{rest}`")),
                });
                return Ok(&rest[2..]);
            }
            Offset => {
                let end = rest
                    .find(|c: char| !(c.is_ascii_digit() || "+-:Z".contains(c)))
                    .unwrap_or(rest.len());
                let offset = if &rest[..end] == "Z" {
                    Some(jiff::tz::Offset::UTC)
                } else {
                    zone::offset(&rest[..end])
                };
                said.offset = Some(offset.ok_or_else(|| {
                    format!("expected Z or an offset such as -05:00 at `{rest}`")
                })?);
                return Ok(&rest[end..]);
            }
            _ => {}
        }
        let digits = rest
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count()
            .min(field.digits());
        let number: i32 = rest[..digits]
            .parse()
            .map_err(|_| format!("expected a number at `{rest}`"))?;
        let mut rest = &rest[digits..];
        let decimals = self.decimals(field, at, rest);
        let fraction: f64 = match decimals {
            0 => 0.0,
            _ => format!("0.{}", &rest[1..decimals])
                .parse()
                .unwrap_or_default(),
        };
        rest = &rest[decimals..];
        said.set(field, number, digits, fraction)?;
        Ok(rest)
    }

    /// How long the decimals after a number are, with their mark: any of the finest field, zeros of the others.
    fn decimals(&self, field: Field, at: usize, rest: &str) -> usize {
        let next = self.items.get(at + 1);
        if !rest.starts_with(['.', ',']) || matches!(next, Some(Item::Text('.' | ','))) {
            return 0;
        }
        let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
        let fine = field == self.finest && !matches!(field, Day | HourMinute);
        let zeros = rest[1..=digits].bytes().all(|byte| byte == b'0')
            && matches!(next, None | Some(Item::Blank));
        if digits > 0 && (fine || zeros) {
            1 + digits
        } else {
            0
        }
    }
}

impl Said {
    fn set(
        &mut self,
        field: Field,
        number: i32,
        digits: usize,
        fraction: f64,
    ) -> Result<(), String> {
        let within = |least: i32, most: i32, what: &str| {
            if (least..=most).contains(&number) {
                Ok(number)
            } else {
                Err(format!("{what} {number} is not from {least} to {most}"))
            }
        };
        let small = |number: i32| i8::try_from(number).unwrap_or_default();
        match field {
            Year if digits == 4 => self.year = i16::try_from(number).unwrap_or_default(),
            Year => return Err(format!("year {number} has not four digits (two are %y)")),
            YearOfCentury if digits == 2 => {
                let year = if number >= 69 {
                    1900 + number
                } else {
                    2000 + number
                };
                self.year = i16::try_from(year).unwrap_or_default();
            }
            YearOfCentury => return Err(format!("year {number} has not two digits")),
            Month => self.month = small(within(1, 12, "month")?),
            Day => self.day = small(within(1, 31, "day")?),
            DayOfYear => self.day_of_year = Some(number - 1),
            DaysOfYear => self.day_of_year = Some(number),
            Hour => self.hours = within(0, 24, "hour")?,
            HourOfHalf => {
                self.of_half = true;
                self.hours = within(1, 12, "hour")?;
            }
            HourMinute => {
                self.hours = number / 100;
                self.minutes = number % 100;
                if self.hours > 24 || self.minutes > 59 {
                    return Err(format!(
                        "{number} is no time of the day (HHMM is from 0 to 2400)"
                    ));
                }
            }
            Minute => self.minutes = within(0, 59, "minute")?,
            Second => self.seconds = within(0, 60, "second")?,
            MonthName | Half | Offset => {}
        }
        self.more += match field {
            DayOfYear | DaysOfYear => (86_400.0 * fraction).round(),
            Hour | HourOfHalf => (3_600.0 * fraction).round(),
            Minute => (60.0 * fraction).round(),
            _ => fraction,
        };
        Ok(())
    }

    fn stamp(&self) -> Result<Stamp, String> {
        let hours = match self.afternoon {
            None => self.hours,
            // `13:05 PM` says the same twice.
            Some(true) if self.hours >= 12 && !(self.of_half && self.hours > 12) => self.hours,
            Some(true) => self.hours + 12,
            Some(false) if self.hours == 12 => 0,
            Some(false) if self.hours > 12 => {
                return Err(format!("{} o'clock is not in the morning", self.hours));
            }
            Some(false) => self.hours,
        };
        let seconds = 3600 * hours + 60 * self.minutes + self.seconds;
        if seconds > 86_400 {
            return Err("24:00 is the last moment of a day".to_owned());
        }
        let duration = SignedDuration::from_secs(i64::from(seconds))
            + SignedDuration::from_secs_f64(self.more);
        let civil = self
            .midnight()?
            .checked_add(duration)
            .map_err(|_| "outside the calendar".to_owned())?;
        Ok(Stamp {
            civil,
            offset: self.offset,
        })
    }

    fn midnight(&self) -> Result<DateTime, String> {
        let date = match self.day_of_year {
            None => Date::new(self.year, self.month, self.day).map_err(|_| {
                format!(
                    "{:04}-{:02}-{:02} is no day of the calendar",
                    self.year, self.month, self.day
                )
            })?,
            Some(days) => {
                let first = Date::new(self.year, 1, 1)
                    .map_err(|_| format!("year {} is outside the calendar", self.year))?;
                if days < 0 || days >= i32::from(first.days_in_year()) {
                    return Err(format!(
                        "day {days} after 1 January {} is in another year; where the day of the year goes on counting over the \
                         years, write `days since` the day before the first 1 January",
                        self.year
                    ));
                }
                first
                    .checked_add(SignedDuration::from_hours(24 * i64::from(days)))
                    .map_err(|e| e.to_string())?
            }
        };
        Ok(date.to_datetime(Time::midnight()))
    }
}

fn month(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let name = name.to_lowercase();
    (1..)
        .zip(MONTHS)
        .find(|(_, month)| name.starts_with(month))
        .map(|(number, _)| number)
}
