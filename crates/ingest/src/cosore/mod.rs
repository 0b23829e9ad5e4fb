//! A release of COSORE, the raw measurements of many sites, becomes daily means and a pack. `configs/README.md`
//! describes what is read and every rule.

mod dataset;
mod description;
mod filter;
mod frame;
mod layout;
mod measured;
mod options;
mod ports;
mod rds;
mod tables;
mod told;

use std::path::Path;

use self::dataset::{DataSet, Measurement};
pub use self::filter::DailyMeans;
use self::filter::SiteFilter;
use self::layout::Layout;
pub use self::measured::{MeasuredRow, MeasuredSet, read_measured};
pub use self::options::{CosoreOptions, Filter, Flux, Treatments};
use super::sun::{DAY_LENGTH, RADIATION, Sun};
use efflux_base::error::{Error, Result};
use efflux_data::Calendar;
use efflux_data::OBSERVED;
use efflux_data::{Account, Days, Entry, LeftOut};
use efflux_data::{Origin, Pack, Site, Target, Variable};
use efflux_numerics::{SiteByDay, single};

const SOURCE: &str = "COSORE. Bond-Lamberty et al. (2020), COSORE: A community database for continuous soil respiration \
                      and other soil-atmosphere greenhouse gas flux data, Global Change Biology 26, 7268-7283, \
                      doi 10.1111/gcb.15353";
const LICENCE: &str =
    "CC BY 4.0: cite COSORE (Bond-Lamberty et al. 2020) and the primary publication of each site";

/// The daily means of a release.
#[derive(Clone, Debug)]
pub struct Release {
    /// The days of all means.
    pub calendar: Calendar,
    /// The sites, by name.
    pub sites: Vec<DailySite>,
    /// What became of all that was read.
    pub account: Account,
    /// What a person should know, as sentences.
    pub warnings: Vec<String>,
}

/// The daily means of one site.
#[derive(Clone, Debug)]
pub struct DailySite {
    /// The site.
    pub site: Site,
    /// What the filter left.
    pub daily: DailyMeans,
    /// The same without the filter.
    pub unfiltered: DailyMeans,
}

/// Reads a release, a folder or a zip archive: filters the measurements and averages them by local day.
///
/// # Errors
///
/// [`Error::Io`] if a folder or file cannot be read; [`Error::Data`] naming the file if it is damaged or not as
/// `configs/README.md` says, unless such data sets are to be left out, or if no site is left; [`Error::Usage`] if the
/// calendar would have no day.
pub fn read_cosore(folder: &Path, options: &CosoreOptions) -> Result<Release> {
    let calendar = options.calendar()?;
    let layout = Layout::find(folder, options)?;
    let names = layout.names()?;
    let read = layout.read_all(&names, calendar, options);

    let mut warnings = Vec::new();
    let (mut entries, mut data_sets) = (Vec::new(), Vec::new());
    for (id, read) in names.into_iter().zip(read) {
        let mut entry = Entry {
            id,
            ..Entry::default()
        };
        match read {
            Ok(Ok(data_set)) => {
                entry.time_zone.clone_from(&data_set.time_zone);
                entry.rows = data_set.rows;
                entry.repeated = data_set.repeated;
                entry.left_out = missing(&data_set);
                if entry.left_out.is_none() {
                    data_sets.push(data_set);
                }
            }
            Ok(Err(reason)) => entry.left_out = Some(reason),
            Err(error) if options.skip_unreadable => {
                warnings.push(error.to_string());
                entry.left_out = Some(LeftOut::Unreadable);
            }
            Err(error) => return Err(error),
        }
        entries.push(entry);
    }

    let unfiltered: Vec<DailyMeans> = data_sets
        .iter()
        .map(|of| DailyMeans::of(calendar.days, of.measurements.iter()))
        .collect();
    let (filters, limits) = filter::filters(options.filter, &data_sets, &unfiltered);
    let (mut sites, mut exchange) = (Vec::new(), Vec::new());
    let read = entries.iter_mut().filter(|entry| entry.left_out.is_none());
    for (((entry, of), unfiltered), filter) in read.zip(data_sets).zip(unfiltered).zip(filters) {
        let daily = filtered(entry, &of.measurements, filter, &unfiltered);
        if entry.days.kept == 0 {
            entry.left_out = Some(LeftOut::NothingKept);
            continue;
        }
        if of.has_exchange {
            exchange.push(of.site.id.clone());
        }
        sites.push(DailySite {
            site: of.site,
            daily,
            unfiltered,
        });
    }
    let account = Account {
        options: serde_json::json!(options.in_order()),
        data_sets: entries,
        limits,
    };
    for (reason, names) in account.left_out() {
        let names = names.join(", ");
        warnings.push(format!("left out, {reason}: {names}"));
    }
    if sites.is_empty() {
        let reason = format!(
            "has no data set with a CO2 flux inside the calendar, {calendar} (`--from` and `--to` set it): {}",
            warnings.join("; ")
        );
        return Err(Error::file(folder, reason));
    }
    warnings.extend(told::rows(&account));
    warnings.extend(told::exchange(&exchange));
    Ok(Release {
        calendar,
        sites,
        account,
        warnings,
    })
}

/// Why a data set without a measurement has none.
fn missing(of: &DataSet) -> Option<LeftOut> {
    let rows = of.rows;
    if !of.measurements.is_empty() {
        None
    } else if rows.without_flux == rows.read {
        Some(LeftOut::NoFlux)
    } else if rows.outside_calendar > 0 {
        Some(LeftOut::OutsideCalendar)
    } else if rows.other_ports + rows.without_port > 0 {
        Some(LeftOut::NoPort)
    } else if rows.without_time > 0 {
        Some(LeftOut::NoTime)
    } else {
        Some(LeftOut::Flagged)
    }
}

/// The daily means of what the filter keeps of a site; its entry is told what became of its rows and days.
fn filtered(
    entry: &mut Entry,
    measurements: &[Measurement],
    filter: SiteFilter,
    unfiltered: &DailyMeans,
) -> DailyMeans {
    let mut kept = Vec::with_capacity(measurements.len());
    for measurement in measurements {
        if filter.is_below(measurement) {
            entry.rows.below += 1;
        } else if filter.is_above(measurement) {
            entry.rows.above += 1;
        } else {
            entry.rows.kept += 1;
            kept.push(measurement);
        }
    }
    let daily = DailyMeans::of(unfiltered.count.len(), kept.into_iter());
    let days = unfiltered.count.iter().zip(&daily.count);
    let emptied = days.filter(|(before, after)| **before > 0 && **after == 0);
    entry.days = Days {
        read: unfiltered.observed() as u64,
        emptied: emptied.count() as u64,
        kept: daily.observed() as u64,
    };
    daily
}

impl Release {
    /// A pack of these sites: their fluxes, places, and day length and radiation at the top of the atmosphere for all
    /// days.
    pub fn into_pack(self) -> Pack {
        let calendar = self.calendar;
        let mut pack = Pack {
            calendar,
            dynamic: vec![
                Variable::new(DAY_LENGTH, "h"),
                Variable::new(RADIATION, "W m-2"),
            ],
            values: Vec::new(),
            filled: vec![OBSERVED; self.sites.len() * calendar.days * 2],
            statics: Site::place_attributes(),
            static_values: Vec::new(),
            target: Target::default(),
            flux: SiteByDay::filled(0, calendar.days, 0.0),
            count: SiteByDay::filled(0, calendar.days, 0),
            origin: None,
            sites: Vec::new(),
            sources: vec![SOURCE.to_owned()],
            licences: vec![LICENCE.to_owned()],
            digest: String::new(),
        };
        let mut origin = Origin {
            flux: SiteByDay::filled(0, calendar.days, 0.0),
            count: SiteByDay::filled(0, calendar.days, 0),
            account: self.account,
        };
        for DailySite {
            site,
            daily,
            unfiltered,
        } in self.sites
        {
            for day in 0..calendar.days {
                let day_of_year = f64::from(calendar.date(day).day_of_year());
                let sun = Sun::at(site.latitude, day_of_year);
                pack.values
                    .extend([sun.day_length, sun.radiation].map(single));
            }
            pack.static_values.extend(site.place());
            pack.flux.push_site(daily.flux.into_iter().map(single));
            pack.count.push_site(daily.count);
            origin
                .flux
                .push_site(unfiltered.flux.into_iter().map(single));
            origin.count.push_site(unfiltered.count);
            pack.sites.push(site);
        }
        pack.origin = Some(origin);
        pack.sealed()
    }
}
