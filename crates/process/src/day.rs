//! What a process knows of a day, and what it has seen of one.

/// The inputs of a day at a site, all of about the size of 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Day {
    /// Soil temperature, (T − 12 °C) / 8.
    pub t: f64,
    /// Soil moisture in standard deviations from the mean of the site's training days, −3 to 3; 0 where there is none.
    pub s: f64,
    /// Cosine of the time of the year; on the southern hemisphere half a year later.
    pub c: f64,
    /// Its sine.
    pub sn: f64,
    /// |latitude| / 30 − 1.2.
    pub lat: f64,
    /// Mean temperature of the last 7 days less today's, in 3 °C.
    pub t7: f64,
    /// The same of 30 days, in 5 °C.
    pub t30: f64,
    /// As `s`, of the mean moisture of the last 30 days.
    pub s30: f64,
    /// Moisture less its exponential mean of 10 days, in the site's standard deviations, −3 to 3.
    pub ds: f64,
}

/// How many inputs a day has.
pub const INPUTS: usize = 9;

impl Day {
    /// A day with these inputs, in the order of the fields.
    pub fn of([t, s, c, sn, lat, t7, t30, s30, ds]: [f64; INPUTS]) -> Self {
        Self {
            t,
            s,
            c,
            sn,
            lat,
            t7,
            t30,
            s30,
            ds,
        }
    }

    /// Its inputs, in the order of the fields.
    pub fn inputs(&self) -> [f64; INPUTS] {
        let Self {
            t,
            s,
            c,
            sn,
            lat,
            t7,
            t30,
            s30,
            ds,
        } = *self;
        [t, s, c, sn, lat, t7, t30, s30, ds]
    }

    /// Cosine and sine of twice the time of the year.
    pub(crate) fn second_harmonic(&self) -> [f64; 2] {
        [self.c * self.c - self.sn * self.sn, 2.0 * self.c * self.sn]
    }
}

/// A day on which something was observed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Which day it is: days of a site have numbers that count from the same one, whichever that is.
    pub number: i32,
    /// Its inputs.
    pub inputs: Day,
    /// What was observed, asinh units.
    pub target: f64,
}

/// Consecutive days to say something of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch<'a> {
    /// The number of the first.
    pub first: i32,
    /// Their inputs, `[D]`.
    pub days: &'a [Day],
}

impl Stretch<'_> {
    /// The days with their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (i32, &Day)> {
        (self.first..).zip(self.days)
    }

    /// How many lags there are between these days, those that were seen, and both, that of no days included.
    pub(crate) fn lags(&self, seen: &[Seen]) -> usize {
        let last = self.first.saturating_add_unsigned(count(self.days.len()));
        let numbers = seen.iter().map(|day| day.number);
        lags(numbers.chain([self.first, last.saturating_sub(1)]))
    }
}

/// How many lags there are between days of these numbers, that of no days included.
pub(crate) fn lags(numbers: impl Iterator<Item = i32> + Clone) -> usize {
    let ends = numbers.clone().min().zip(numbers.max());
    ends.map_or(0, |(first, last)| lag(first, last) + 1)
}

/// The days between two.
pub(crate) fn lag(a: i32, b: i32) -> usize {
    a.abs_diff(b) as usize
}

fn count(days: usize) -> u32 {
    u32::try_from(days).unwrap_or(u32::MAX)
}
