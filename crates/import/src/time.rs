//! What a mapping says of time stamps, and the clock that reads them.

use serde::Deserialize;

use crate::mapping::SiteKeys;
use crate::stamp::{Clock, Format, Position, SiteOffset, Zone};

/// Columns of time and what they mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimeKeys {
    /// The columns, whose cells are joined by a blank.
    pub(crate) columns: Vec<String>,
    /// `"%d.%m.%Y %H:%M"`, `"iso"`, `"excel"`, …
    pub(crate) format: String,
    /// Whether the stamp is the begin, the middle or the end of the interval.
    pub(crate) stands_for: Position,
    /// Length of the interval.
    pub(crate) minutes: Option<f64>,
    /// The zone of the stamps: `"standard"` is that of the site, without daylight saving.
    pub(crate) zone: String,
}

impl TimeKeys {
    /// A clock for one series of rows at a site.
    ///
    /// # Errors
    ///
    /// What is wrong with the keys.
    pub(crate) fn clock(&self, site: Option<&SiteKeys>) -> Result<Clock, String> {
        let format: Format = self.format.parse()?;
        let zone: Zone = self.zone.parse()?;
        let offset = site.and_then(|site| site.utc_offset);
        let offset = offset.map(SiteOffset::from_hours).transpose()?;
        Clock::new(format, self.stands_for, self.minutes, Some(zone), offset)
    }
}
