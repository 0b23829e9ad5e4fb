//! What became of every data set, row and day of a release on its way into a pack.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The account of a release: what was read is what was kept and what each rule dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// What was asked for, as whoever made the pack writes it.
    pub options: Value,
    /// Every data set of the release, by name.
    pub data_sets: Vec<Entry>,
    /// The limits of the filter, by class; none without a filter.
    pub limits: Vec<Limits>,
}

/// What became of one data set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, which is the site's id.
    pub id: String,
    /// The zone of its local days; empty if it was not read.
    pub time_zone: String,
    /// Its rows.
    pub rows: Rows,
    /// Rows with a flux that say what another one says: port, time and flux. They stay, as in the paper.
    #[serde(default, skip_serializing_if = "is_none")]
    pub repeated: u64,
    /// Its days.
    pub days: Days,
    /// Why it is no site of the pack.
    pub left_out: Option<LeftOut>,
}

/// Rows, each counted once, by the first rule that drops it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// All there are.
    pub read: u64,
    /// Flagged as errors of the instrument or the import.
    #[serde(default, skip_serializing_if = "is_none")]
    pub flagged: u64,
    /// Without a CO₂ flux.
    pub without_flux: u64,
    /// Without a time.
    #[serde(default, skip_serializing_if = "is_none")]
    pub without_time: u64,
    /// Without a chamber, where chambers were chosen.
    #[serde(default, skip_serializing_if = "is_none")]
    pub without_port: u64,
    /// Of chambers that were not asked for.
    pub other_ports: u64,
    /// On a day that the calendar does not have.
    pub outside_calendar: u64,
    /// Below the 1st percentile.
    pub below: u64,
    /// Above the 99th percentile.
    pub above: u64,
    /// In a daily mean.
    pub kept: u64,
}

/// What a pack from before such rows were counted does not say, and no pack says of nothing.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes it so.
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Days of the calendar with a CO₂ flux.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// Before the filter.
    pub read: u64,
    /// Those of which the filter left nothing.
    pub emptied: u64,
    /// With a daily mean.
    pub kept: u64,
}

/// Why a data set is no site of the pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// It has no data file: embargoed, or left out of this copy.
    NoData,
    /// It is under an embargo, and these were not asked for.
    Embargoed,
    /// It cannot be read, and was to be left out then.
    Unreadable,
    /// It has no CO₂ flux.
    NoFlux,
    /// All its rows are flagged as errors.
    Flagged,
    /// None of its rows has a time.
    NoTime,
    /// It has none of the chambers that were asked for.
    NoPort,
    /// It has no CO₂ flux on a day of the calendar.
    OutsideCalendar,
    /// The filter dropped all of it.
    NothingKept,
}

/// The limits of the filter in one class, µmol m⁻² s⁻¹.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The class, in the words of the release.
    pub igbp: String,
    /// Values whose percentiles these are.
    pub values: u64,
    /// 1st percentile.
    pub low: f64,
    /// 99th percentile.
    pub high: f64,
}

impl AddAssign for Rows {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.flagged += other.flagged;
        self.without_flux += other.without_flux;
        self.without_time += other.without_time;
        self.without_port += other.without_port;
        self.other_ports += other.other_ports;
        self.outside_calendar += other.outside_calendar;
        self.below += other.below;
        self.above += other.above;
        self.kept += other.kept;
    }
}

impl AddAssign for Days {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.emptied += other.emptied;
        self.kept += other.kept;
    }
}

impl Account {
    /// The rows of all data sets.
    pub fn rows(&self) -> Rows {
        let mut sum = Rows::default();
        self.data_sets.iter().for_each(|of| sum += of.rows);
        sum
    }

    /// The days of all data sets.
    pub fn days(&self) -> Days {
        let mut sum = Days::default();
        self.data_sets.iter().for_each(|of| sum += of.days);
        sum
    }

    /// Names of the data sets that are no sites, by reason.
    pub fn left_out(&self) -> BTreeMap<LeftOut, Vec<&str>> {
        let mut names: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for entry in &self.data_sets {
            if let Some(reason) = entry.left_out {
                names.entry(reason).or_default().push(&entry.id);
            }
        }
        names
    }

    /// The first data set whose account does not add up, and how.
    pub(super) fn gap(&self) -> Option<String> {
        self.data_sets
            .iter()
            .find_map(|Entry { id, rows, days, .. }| {
                let dropped = [
                    rows.flagged,
                    rows.without_flux,
                    rows.without_time,
                    rows.without_port,
                    rows.other_ports,
                    rows.outside_calendar,
                    rows.below,
                    rows.above,
                ];
                let accounted = dropped.iter().sum::<u64>() + rows.kept;
                let fault = |what, read, accounted| {
                    Some(format!(
                        "accounts for {accounted} of {read} {what} of `{id}`"
                    ))
                };
                if accounted != rows.read {
                    fault("rows", rows.read, accounted)
                } else if days.emptied + days.kept != days.read {
                    fault("days", days.read, days.emptied + days.kept)
                } else {
                    None
                }
            })
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoData => "no data file",
            Self::Embargoed => "under an embargo (CSR_EMBARGO; --embargoed takes it)",
            Self::Unreadable => "unreadable",
            Self::NoFlux => "no CO2 flux",
            Self::Flagged => "all rows flagged as errors (CSR_ERROR)",
            Self::NoTime => "no row with a time",
            Self::NoPort => "none of the chambers asked for",
            Self::OutsideCalendar => "no CO2 flux inside the calendar",
            Self::NothingKept => "nothing left after the filter",
        })
    }
}

/// What was read, and below it what became of it, in lines that add up.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, days, left_out) = (self.rows(), self.days(), self.left_out());
        let all = self.data_sets.len();
        let dropped: usize = left_out.values().map(Vec::len).sum();
        write!(f, "{all:>9} data sets\n{:>11} kept", all - dropped)?;
        for (reason, names) in &left_out {
            write!(f, "\n{:>11} left out: {reason}", names.len())?;
        }
        write!(f, "\n{:>9} rows\n{:>11} kept", rows.read, rows.kept)?;
        for (count, why) in [
            (rows.flagged, "flagged as errors (CSR_ERROR)"),
            (rows.without_flux, "without a CO2 flux"),
            (rows.without_time, "without a time"),
            (rows.without_port, "without a port"),
            (rows.other_ports, "of chambers not asked for"),
            (rows.outside_calendar, "outside the calendar"),
            (rows.below, "below the 1st percentile"),
            (rows.above, "above the 99th percentile"),
        ] {
            if count > 0 {
                write!(f, "\n{count:>11} {why}")?;
            }
        }
        let repeated: u64 = self.data_sets.iter().map(|of| of.repeated).sum();
        if repeated > 0 {
            write!(
                f,
                "\n{repeated:>9} rows repeat another's port, time and flux"
            )?;
        }
        write!(f, "\n{:>9} days\n{:>11} kept", days.read, days.kept)?;
        if days.emptied > 0 {
            write!(f, "\n{:>11} emptied by the filter", days.emptied)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        let rows = Rows {
            read: 10,
            without_flux: 1,
            below: 2,
            kept: 7,
            ..Rows::default()
        };
        let days = Days {
            read: 3,
            emptied: 1,
            kept: 2,
        };
        let entry = |id: &str, left_out| Entry {
            id: id.into(),
            rows,
            days,
            left_out,
            ..Entry::default()
        };
        Account {
            options: Value::Null,
            data_sets: vec![entry("A", None), entry("B", Some(LeftOut::NothingKept))],
            limits: Vec::new(),
        }
    }

    #[test]
    fn an_account_that_does_not_add_up_is_found() {
        let mut account = account();
        assert_eq!(account.gap(), None);
        account.data_sets[1].rows.above = 1;
        assert_eq!(account.gap().unwrap(), "accounts for 11 of 10 rows of `B`");
    }

    #[test]
    fn the_account_is_told_line_by_line() {
        let expected = [
            "        2 data sets",
            "          1 kept",
            "          1 left out: nothing left after the filter",
            "       20 rows",
            "         14 kept",
            "          2 without a CO2 flux",
            "          4 below the 1st percentile",
            "        6 days",
            "          4 kept",
            "          2 emptied by the filter",
        ];
        assert_eq!(account().to_string(), expected.join("\n"));
    }
}
