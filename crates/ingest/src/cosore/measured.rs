//! The rows of a data set with its sensors, for those who make something else of them than daily means of the flux.

use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_data::{LeftOut, Site};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZoneDatabase;

use super::frame::Frame;
use super::options::CosoreOptions;
use super::ports::Ports;
use super::tables::Tables;

/// A data set of a release of tables.
#[derive(Clone, Debug)]
pub struct MeasuredSet {
    /// Where it was measured.
    pub site: Site,
    /// In the order of the file.
    pub rows: Vec<MeasuredRow>,
    /// Name (`CSR_T5`, `CSR_SM10`) and values of each sensor, a value a row; NaN where it is missing.
    pub sensors: Vec<(String, Vec<f64>)>,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredRow {
    /// Begin of the measurement, as the clock of the data set shows it.
    pub begin: Option<DateTime>,
    /// µmol m⁻² s⁻¹.
    pub flux: Option<f64>,
    /// Whether the instrument or the import went wrong.
    pub is_flagged: bool,
    /// Whether the chamber was asked for.
    pub is_wanted: bool,
}

/// Reads the data sets of a release of tables, a folder or a zip archive, by name; a data set without rows has the reason.
/// Of the options, those of chambers and of embargoes are heeded.
///
/// # Errors
///
/// As of [`super::read_cosore`]; [`Error::Data`] if the path is no release of tables.
pub fn read_measured(
    path: &Path,
    options: &CosoreOptions,
) -> Result<Vec<(String, std::result::Result<MeasuredSet, LeftOut>)>> {
    let tables = Tables::find(path, options)?.ok_or_else(|| {
        let reason = "is no release of tables (it has no description.csv): `efflux pack --cosore` reads COSORE's repository";
        Error::file(path, reason)
    })?;
    let one = |id: String| Ok((id.clone(), tables.measured(&id, options)?));
    tables.names().into_iter().map(one).collect()
}

pub(super) fn of(
    site: Site,
    frame: &Frame,
    sensors: Vec<(String, Vec<f64>)>,
    ports: Option<&Ports>,
    options: &CosoreOptions,
) -> std::result::Result<MeasuredSet, String> {
    let zone = TimeZoneDatabase::bundled()
        .get(&frame.time_zone)
        .map_err(|error| error.to_string())?;
    let begin = |seconds: f64| {
        #[allow(clippy::cast_possible_truncation)] // Milliseconds of times that were read as such.
        let time = Timestamp::from_millisecond((seconds * 1e3).round() as i64).ok()?;
        (!seconds.is_nan()).then(|| zone.to_datetime(time))
    };
    let chosen = ports.filter(|_| options.selects_ports());
    let row = |row: usize| {
        let is_dropped = frame.is_flagged(row) || frame.flux[row].is_nan();
        let is_wanted = match chosen.filter(|_| !is_dropped) {
            None => true,
            Some(_) if frame.port[row].is_nan() => false,
            Some(ports) => {
                let port = frame.port[row];
                let wanted = ports.wanted(port, &options.fluxes, options.treatments);
                wanted.ok_or_else(|| {
                    format!(
                        "does not describe port {port}, which `{}` has in row {}",
                        site.id,
                        row + 1
                    )
                })?
            }
        };
        Ok(MeasuredRow {
            begin: begin(frame.begin[row]),
            flux: (!frame.flux[row].is_nan()).then(|| frame.flux[row]),
            is_flagged: frame.is_flagged(row),
            is_wanted,
        })
    };
    let rows = (0..frame.flux.len())
        .map(row)
        .collect::<std::result::Result<_, String>>()?;
    Ok(MeasuredSet {
        site,
        rows,
        sensors,
    })
}
