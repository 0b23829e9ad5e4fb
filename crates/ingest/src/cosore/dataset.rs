//! One data set of a release: a description, chambers and a data frame.

use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use efflux_data::{Calendar, LeftOut, Rows, Site};
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::description;
use super::frame::{BEGIN, Frame};
use super::options::{CosoreOptions, Flux};
use super::ports::Ports;
use super::rds;

/// Where the data frame lies in the folder of a data set.
const DATA: &str = "data/data.RDS";
const SECONDS_A_DAY: f64 = 86_400.0;

/// What a data set holds of the fluxes that were asked for.
#[derive(Debug)]
pub(super) struct DataSet {
    pub(super) site: Site,
    pub(super) time_zone: String,
    /// Counted up to the filter.
    pub(super) rows: Rows,
    /// Rows that repeat another.
    pub(super) repeated: u64,
    /// Whether chambers of net ecosystem exchange enter.
    pub(super) has_exchange: bool,
    /// Those on days of the calendar, in the order of the file.
    pub(super) measurements: Vec<Measurement>,
}

/// One flux that a chamber measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measurement {
    /// Index of its local day in the calendar.
    pub(super) day: usize,
    /// µmol m⁻² s⁻¹.
    pub(super) flux: f64,
}

/// What a data set is made of, wherever it was read.
pub(super) struct Parts {
    pub(super) site: Site,
    pub(super) frame: Frame,
    /// The file of the frame.
    pub(super) data: PathBuf,
    /// Needed to select chambers.
    pub(super) ports: Option<Ports>,
    /// The file of the ports.
    pub(super) ports_path: PathBuf,
}

impl DataSet {
    /// Reads the folder of a data set; or why there is nothing to be read.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Data`], naming the file, if one of its files cannot be read or understood.
    pub(super) fn read(
        folder: &Path,
        id: &str,
        calendar: Calendar,
        options: &CosoreOptions,
    ) -> Result<Result<Self, LeftOut>> {
        let data = folder.join(DATA);
        if !data.try_exists().map_err(Error::io("read", &data))? {
            return Ok(Err(LeftOut::NoData));
        }
        let description = description::read(&folder.join("DESCRIPTION.txt"), id)?;
        if description.is_embargoed && !options.embargoed {
            return Ok(Err(LeftOut::Embargoed));
        }
        let ports_path = folder.join("PORTS.txt");
        let ports = Ports::read(&ports_path);
        let parts = Parts {
            site: description.site,
            ports: if options.selects_ports() {
                Some(ports?)
            } else {
                ports.ok()
            },
            frame: rds::read(&data, options.selects_ports())?,
            data,
            ports_path,
        };
        Self::of(parts, calendar, options).map(Ok)
    }

    /// Counts the rows, and takes those that were asked for.
    pub(super) fn of(parts: Parts, calendar: Calendar, options: &CosoreOptions) -> Result<Self> {
        let Parts {
            site,
            frame,
            data,
            ports,
            ports_path,
        } = parts;
        let days = LocalDays::new(&frame.time_zone, calendar).ok_or_else(|| {
            let reason = format!(
                "has times of the zone `{}`, expected one of the IANA time zone database",
                frame.time_zone
            );
            Error::file(&data, reason)
        })?;
        let chosen = ports.as_ref().filter(|_| options.selects_ports());
        let mut rows = Rows::default();
        let mut measurements = Vec::with_capacity(frame.flux.len());
        for (row, flux) in frame.flux.iter().copied().enumerate() {
            rows.read += 1;
            if frame.is_flagged(row) {
                rows.flagged += 1;
                continue;
            }
            if flux.is_nan() {
                rows.without_flux += 1;
                continue;
            }
            if frame.begin[row].is_nan() {
                rows.without_time += 1;
                continue;
            }
            if let Some(ports) = chosen {
                if frame.port[row].is_nan() {
                    rows.without_port += 1;
                    continue;
                }
                let wanted = wanted(ports, &frame, row, &data, options);
                if !wanted.map_err(|reason| Error::file(&ports_path, reason))? {
                    rows.other_ports += 1;
                    continue;
                }
            }
            match days.index(frame.begin[row]) {
                Ok(Some(day)) => measurements.push(Measurement { day, flux }),
                Ok(None) => rows.outside_calendar += 1,
                Err(NoTime) => {
                    let (time, row) = (frame.begin[row], row + 1);
                    let reason = format!(
                        "{BEGIN} has the time {time} in row {row}, expected seconds since 1970"
                    );
                    return Err(Error::file(&data, reason));
                }
            }
        }
        measurements.shrink_to_fit();
        let has_exchange = |ports: &Ports| ports.measure(Flux::Nee);
        Ok(Self {
            site,
            repeated: frame.repeated(),
            time_zone: frame.time_zone,
            rows,
            has_exchange: options.fluxes.contains(&Flux::Nee)
                && ports.as_ref().is_some_and(has_exchange),
            measurements,
        })
    }
}

/// Whether the chamber of a row was asked for; or that it is unknown.
fn wanted(
    ports: &Ports,
    frame: &Frame,
    row: usize,
    data: &Path,
    options: &CosoreOptions,
) -> Result<bool, String> {
    let port = frame.port[row];
    ports
        .wanted(port, &options.fluxes, options.treatments)
        .ok_or_else(|| {
            let row = row + 1;
            let data = data.strip_prefix(data.ancestors().nth(2).unwrap_or(data));
            let data = data.map_or(DATA.into(), Path::to_string_lossy);
            format!("does not describe port {port}, which {data} has in row {row}")
        })
}

/// A time that is none, or too far from today for a calendar.
#[derive(Debug, PartialEq)]
struct NoTime;

/// The local days of one time zone as indices of a calendar.
struct LocalDays {
    zone: TimeZone,
    calendar: Calendar,
    /// Days from the calendar's first to 1970-01-01.
    epoch: i64,
}

impl LocalDays {
    /// `None` for a zone that nobody knows. The zones are those of the program, not of the machine.
    fn new(zone: &str, calendar: Calendar) -> Option<Self> {
        Some(Self {
            zone: TimeZoneDatabase::bundled().get(zone).ok()?,
            calendar,
            epoch: calendar.offset(date(1970, 1, 1)),
        })
    }

    /// The day at a time in seconds since 1970-01-01T00:00:00Z; `None` if the calendar does not have it.
    #[allow(clippy::cast_possible_truncation)] // A timestamp is within 10,000 years.
    fn index(&self, seconds: f64) -> Result<Option<usize>, NoTime> {
        if !seconds.is_finite() {
            return Err(NoTime);
        }
        let time = Timestamp::from_second(seconds.floor() as i64).map_err(|_| NoTime)?;
        let offset = self.zone.to_offset(time).seconds();
        let local = (seconds + f64::from(offset)) / SECONDS_A_DAY;
        let index = local.floor() as i64 + self.epoch;
        Ok(usize::try_from(index)
            .ok()
            .filter(|index| *index < self.calendar.days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, time: &str) -> Option<usize> {
        let time: Timestamp = time.parse().unwrap();
        let days = LocalDays::new(zone, Calendar::default()).unwrap();
        days.index(time.as_second() as f64).unwrap()
    }

    #[test]
    fn days_are_those_of_the_zone() {
        // The sign of these names is the other way round: five hours behind UTC.
        assert_eq!(day("Etc/GMT+5", "2003-01-02T04:59:59Z"), Some(0));
        assert_eq!(day("Etc/GMT+5", "2003-01-02T05:00:00Z"), Some(1));
        assert_eq!(day("Etc/GMT-8", "2002-12-31T16:00:00Z"), Some(0));
        assert_eq!(day("UTC", "2002-12-31T23:59:59Z"), None);
        assert_eq!(day("UTC", "2020-02-29T23:59:59Z"), Some(6268));
        assert_eq!(day("UTC", "2020-03-01T00:00:00Z"), None);
        // Daylight saving: midnight of New York is four hours behind UTC in summer, five in winter.
        assert_eq!(day("America/New_York", "2003-07-01T04:00:00Z"), Some(181));
        assert_eq!(day("America/New_York", "2003-07-01T03:59:59Z"), Some(180));
        assert_eq!(day("America/New_York", "2003-01-02T04:00:00Z"), Some(0));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let days = LocalDays::new("UTC", Calendar::default()).unwrap();
        for seconds in [f64::NAN, f64::INFINITY, -1e300, 9e11] {
            assert_eq!(days.index(seconds), Err(NoTime));
        }
        assert_eq!(days.index(-1e9), Ok(None));
        assert!(LocalDays::new("Mars/Olympus", Calendar::default()).is_none());
    }
}
