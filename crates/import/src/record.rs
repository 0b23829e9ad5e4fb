//! What every layout makes of its files.

use jiff::civil::DateTime;

use crate::account::Account;

/// What a layout has made of its files.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// The sites, in the order in which they are written.
    pub records: Vec<Record>,
    /// What was read, dropped and kept, also of sites without a record.
    pub account: Account,
    /// What a person should know, as sentences.
    pub warnings: Vec<String>,
    /// What a person may like to know, as sentences: nothing is wrong.
    pub notes: Vec<String>,
}

/// One site and what was measured there.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The site.
    pub site: Site,
    /// What the numbers of its samples are.
    pub drivers: Vec<Driver>,
    /// In any order, with any gaps. Several may begin at the same time (chambers, plots, a file of weather alone).
    pub samples: Vec<Sample>,
}

/// A row of `sites.csv`. What is not known is `None` or empty; a site that is written needs coordinates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// Names the site's file, too.
    pub id: String,
    /// Latitude, degrees north.
    pub lat: Option<f64>,
    /// Longitude, degrees east.
    pub lon: Option<f64>,
    /// Height above the sea, metres.
    pub elevation_m: Option<f64>,
    /// The site's name in words.
    pub name: String,
    /// Class of land cover, as a code or in words: `DBF`, `Deciduous broadleaf forest`.
    pub igbp: String,
    /// Where the data are from, and what the flux is if it is not measured by chambers.
    pub source: String,
    /// What others may do with the data.
    pub licence: String,
}

/// Values of one interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When the interval begins, in local standard time.
    pub begin: DateTime,
    /// A value of the target that is kept, in its unit; none where there is none or where a rule drops it.
    pub flux: Option<f64>,
    /// How many values the flux is the mean of: 1, but for data that are daily means of a known number.
    pub count: u32,
    /// A value of each driver of the record, in their order; NaN where it is missing.
    pub drivers: Vec<f64>,
}

/// A column beside the flux.
#[derive(Clone, Debug, PartialEq)]
pub struct Driver {
    /// Its name in the daily file, with the ending of its unit: `soil_temp_c`.
    pub name: String,
    /// How its days are made.
    pub combine: Combine,
}

/// How a driver's day is made of its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// The mean of all valid values.
    Mean,
    /// The sum, if each of the steps of the day has a value; of values that begin at the same time their mean.
    Sum {
        /// Steps in a day: 48 for half hours, 1 for daily data.
        steps: u32,
    },
    /// Of values 0 (measured) and 1 (filled): 1 if less than half of them are measured, else 0.
    Filled,
}
