//! What a pack is: everything that is known of the sites, in physical units, on one calendar. How it lies in a file is
//! in `pack_write` and `pack_read`.

use std::fmt;

use efflux_numerics::{SiteByDay, hex, single};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::account::Account;
use super::calendar::Calendar;
use super::target::Target;

/// Site data for training and prediction. S sites, D days, F daily variables, A static attributes.
///
/// Nothing is scaled: scaling belongs to a job's split.
#[derive(Clone)]
pub struct Pack {
    /// The days of all daily arrays.
    pub calendar: Calendar,
    /// The sites of all arrays.
    pub sites: Vec<Site>,
    /// The daily variables of `values` and `filled`.
    pub dynamic: Vec<Variable>,
    /// Shape `[S, D, F]`, in the variables' units. At each site a variable is known on every day, or absent: NaN on
    /// every day.
    pub values: Vec<f32>,
    /// Shape `[S, D, F]`: [`super::OBSERVED`], [`super::INTERPOLATED`] or [`super::HELD`].
    pub filled: Vec<u8>,
    /// The attributes of `static_values`.
    pub statics: Vec<Variable>,
    /// Shape `[S, A]`, in the attributes' units; NaN where unknown.
    pub static_values: Vec<f32>,
    /// What `flux` is and its unit.
    pub target: Target,
    /// Daily mean of the target, shape `[S, D]`, in its unit; NaN on a day without a value. Never filled.
    pub flux: SiteByDay<f32>,
    /// How many measurements are in that mean, shape `[S, D]`.
    pub count: SiteByDay<u32>,
    /// How the daily means came about; none if the data came as daily means.
    pub origin: Option<Origin>,
    /// Where the data come from, for people.
    pub sources: Vec<String>,
    /// Under which licences, for people.
    pub licences: Vec<String>,
    /// SHA-256 over all of the above, 64 hex digits.
    pub digest: String,
}

/// How the daily means of a pack came about from single measurements.
#[derive(Clone)]
pub struct Origin {
    /// As [`Pack::flux`], without the percentile filter.
    pub flux: SiteByDay<f32>,
    /// As [`Pack::count`], without the percentile filter.
    pub count: SiteByDay<u32>,
    /// What became of everything that was read.
    pub account: Account,
}

/// A place where the target was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Site {
    /// Unique in its pack.
    pub id: String,
    /// For people.
    pub name: String,
    /// Degrees north, −90 to 90.
    pub latitude: f64,
    /// Degrees east, −180 to 180.
    pub longitude: f64,
    /// Metres above sea level.
    pub elevation: Option<f64>,
    /// Land cover in the words of the IGBP classes; empty if unknown.
    pub igbp: String,
    /// What to cite for this site; empty if unknown.
    pub publication: String,
}

impl Site {
    /// The static attributes that say where a site lies.
    pub fn place_attributes() -> Vec<Variable> {
        vec![
            Variable::new("latitude", "degrees_north"),
            Variable::new("longitude", "degrees_east"),
            Variable::new("elevation", "m"),
        ]
    }

    /// Their values at this site; NaN for an unknown elevation.
    pub fn place(&self) -> [f32; 3] {
        let elevation = self.elevation.unwrap_or(f64::NAN);
        [self.latitude, self.longitude, elevation].map(single)
    }
}

/// A daily variable or static attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// What job files call it.
    pub name: String,
    /// Its unit, `1` for a ratio; empty if unknown.
    pub units: String,
}

impl Variable {
    /// A variable of this name and unit.
    pub fn new(name: impl Into<String>, units: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            units: units.into(),
        }
    }
}

/// Without the arrays: they would bury whatever else is shown.
impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pack")
            .field("calendar", &self.calendar)
            .field("sites", &self.sites.len())
            .field("dynamic", &self.dynamic)
            .field("statics", &self.statics)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// The value was observed (or computed).
pub const OBSERVED: u8 = 0;
/// The value lies on the line between its observed neighbours.
pub const INTERPOLATED: u8 = 1;
/// The value is the nearest observed one, held at an end of the record.
pub const HELD: u8 = 2;

/// The datasets of [`Pack::origin`]: all there or none.
pub(super) const FLUX_UNFILTERED: &str = "/target/flux_unfiltered";
pub(super) const COUNT_UNFILTERED: &str = "/target/count_unfiltered";
pub(super) const ACCOUNT: &str = "/account";

/// What is wrong with a pack, and in which dataset of its file.
pub(super) struct Fault {
    pub(super) dataset: &'static str,
    pub(super) reason: String,
}

impl Pack {
    /// The observed record of a site: shape `[D]`, NaN on a day without a value.
    pub fn flux_of(&self, site: usize) -> &[f32] {
        self.flux.site(site)
    }

    /// A daily variable at a site, day by day.
    pub fn series(&self, site: usize, variable: usize) -> impl Iterator<Item = f32> + '_ {
        strided(&self.values, self, site, variable)
    }

    /// The day of the year of each day of the calendar, 1 to 366, `[D]`.
    pub fn days_of_year(&self) -> Vec<f64> {
        let days = 0..self.calendar.days;
        days.map(|day| f64::from(self.calendar.date(day).day_of_year()))
            .collect()
    }

    /// How a daily variable at a site came about, day by day.
    pub fn flags(&self, site: usize, variable: usize) -> impl Iterator<Item = u8> + '_ {
        strided(&self.filled, self, site, variable)
    }

    /// The mean of a daily variable at a site without the days at which its first or last value is held, which would
    /// outweigh a record of one year. NaN where the variable is absent.
    pub fn mean_over_record(&self, site: usize, variable: usize) -> f64 {
        let days = self.series(site, variable).zip(self.flags(site, variable));
        let (sum, count) = days
            .filter(|(_, flag)| *flag != HELD)
            .fold((0.0, 0.0), |(sum, count), (value, _)| {
                (sum + f64::from(value), count + 1.0)
            });
        sum / count
    }

    /// A static attribute at a site; NaN if unknown.
    pub fn attribute(&self, site: usize, attribute: usize) -> f32 {
        self.static_values[site * self.statics.len() + attribute]
    }

    /// The sites at which a daily variable is absent.
    pub fn sites_without(&self, variable: usize) -> Vec<usize> {
        let absent = |&site: &usize| self.series(site, variable).next().is_none_or(f32::is_nan);
        (0..self.sites.len()).filter(absent).collect()
    }

    /// The sites at which a static attribute is unknown.
    pub fn sites_without_attribute(&self, attribute: usize) -> Vec<usize> {
        let unknown = |&site: &usize| self.attribute(site, attribute).is_nan();
        (0..self.sites.len()).filter(unknown).collect()
    }

    /// This pack with the digest of its content.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.digest = self.content_digest();
        self
    }

    /// SHA-256 over the content: names, units and places as JSON, then the arrays as little-endian bytes, in the
    /// order of the fields, and the origin if there is one. Every NaN counts as the same. A target counts if it is not soil
    /// CO₂ efflux, which packs of before did not name.
    pub(super) fn content_digest(&self) -> String {
        let header = serde_json::json!([
            self.calendar,
            self.sites,
            self.dynamic,
            self.statics,
            self.sources,
            self.licences
        ]);
        let mut hasher = Sha256::new();
        hasher.update("efflux pack 1\n");
        hasher.update(header.to_string());
        if !self.target.is_soil_efflux() {
            hasher.update(serde_json::json!(self.target).to_string());
        }
        hash_floats(&mut hasher, &self.values);
        hasher.update(&self.filled);
        hash_floats(&mut hasher, &self.static_values);
        hash_floats(&mut hasher, &self.flux);
        hash_words(&mut hasher, self.count.iter().copied());
        if let Some(Origin {
            flux,
            count,
            account,
        }) = &self.origin
        {
            hasher.update(serde_json::json!(account).to_string());
            hash_floats(&mut hasher, flux);
            hash_words(&mut hasher, count.iter().copied());
        }
        hex(&hasher.finalize())
    }

    /// Whether everything is as the fields' documentation says.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let (s, d) = (self.sites.len(), self.calendar.days);
        let (f, a) = (self.dynamic.len(), self.statics.len());
        let fault = |dataset, reason: String| Err(Fault { dataset, reason });
        for (dataset, found, expected) in [
            ("/dynamic/values", self.values.len(), s * d * f),
            ("/dynamic/filled", self.filled.len(), s * d * f),
            ("/static/values", self.static_values.len(), s * a),
            ("/target/flux", self.flux.len(), s * d),
            ("/target/count", self.count.len(), s * d),
        ] {
            if found != expected {
                let reason = format!("has {found} values, expected {expected}");
                return fault(dataset, reason);
            }
        }
        if let Some(origin) = &self.origin {
            for (dataset, found) in [
                (FLUX_UNFILTERED, origin.flux.len()),
                (COUNT_UNFILTERED, origin.count.len()),
            ] {
                if found != s * d {
                    let reason = format!("has {found} values, expected {}", s * d);
                    return fault(dataset, reason);
                }
            }
            if origin.flux.iter().any(|flux| flux.is_infinite()) {
                return fault(FLUX_UNFILTERED, "has an infinite value".into());
            }
            if let Some(gap) = origin.account.gap() {
                return fault(ACCOUNT, gap);
            }
        }
        if s == 0 || d == 0 {
            return fault("/site/id", "there is no site or no day".into());
        }
        for (dataset, names) in [
            ("/site/id", unique(self.sites.iter().map(|site| &site.id))),
            (
                "/dynamic/name",
                unique(self.dynamic.iter().map(|v| &v.name)),
            ),
            ("/static/name", unique(self.statics.iter().map(|v| &v.name))),
        ] {
            if let Err(name) = names {
                return fault(
                    dataset,
                    format!("has `{name}`, expected each name once and none empty"),
                );
            }
        }
        for site in &self.sites {
            let place = |name, value: f64, limit: f64| {
                let reason = format!("`{}` has {value}, expected -{limit} to {limit}", site.id);
                if value.abs() <= limit {
                    Ok(())
                } else {
                    fault(name, reason)
                }
            };
            place("/site/latitude", site.latitude, 90.0)?;
            place("/site/longitude", site.longitude, 180.0)?;
        }
        if let Some(flag) = self.filled.iter().find(|flag| **flag > HELD) {
            return fault("/dynamic/filled", format!("has {flag}, expected 0, 1 or 2"));
        }
        for (dataset, values) in [
            ("/dynamic/values", &self.values[..]),
            ("/static/values", &self.static_values),
            ("/target/flux", &self.flux),
        ] {
            if values.iter().any(|value| value.is_infinite()) {
                return fault(dataset, "has an infinite value".into());
            }
        }
        for site in 0..s {
            let days = &self.values[site * d * f..][..d * f];
            let partly = (0..f).find(|&v| {
                let missing = days[v..].iter().step_by(f).filter(|x| x.is_nan()).count();
                missing > 0 && missing < d
            });
            if let Some(variable) = partly {
                let (name, id) = (&self.dynamic[variable].name, &self.sites[site].id);
                return fault(
                    "/dynamic/values",
                    format!(
                        "`{name}` has gaps at site `{id}`, expected a value on every day or on none"
                    ),
                );
            }
        }
        Ok(())
    }
}

fn strided<'a, T: Copy>(
    values: &'a [T],
    pack: &Pack,
    site: usize,
    variable: usize,
) -> impl Iterator<Item = T> + 'a {
    let (days, variables) = (pack.calendar.days, pack.dynamic.len());
    let block = &values[site * days * variables..][..days * variables];
    block[variable..].iter().step_by(variables).copied()
}

/// `Err` with the first name that is empty or stands there before.
fn unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), &'a str> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if name.is_empty() || !seen.insert(name) {
            return Err(name);
        }
    }
    Ok(())
}

fn hash_floats(hasher: &mut Sha256, values: &[f32]) {
    let bits = |value: &f32| {
        if value.is_nan() {
            f32::NAN.to_bits()
        } else {
            value.to_bits()
        }
    };
    hash_words(hasher, values.iter().map(bits));
}

fn hash_words(hasher: &mut Sha256, words: impl Iterator<Item = u32>) {
    const BUFFER: usize = 1 << 16;
    let mut bytes = Vec::with_capacity(BUFFER);
    for word in words {
        bytes.extend_from_slice(&word.to_le_bytes());
        if bytes.len() == BUFFER {
            hasher.update(&bytes);
            bytes.clear();
        }
    }
    hasher.update(&bytes);
}
