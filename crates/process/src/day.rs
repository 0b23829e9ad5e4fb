//! What a process knows of a day.

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

impl Day {
    /// Cosine and sine of twice the time of the year.
    pub(crate) fn second_harmonic(&self) -> [f64; 2] {
        [self.c * self.c - self.sn * self.sn, 2.0 * self.c * self.sn]
    }
}
