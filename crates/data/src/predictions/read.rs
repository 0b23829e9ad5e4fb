//! What is compared of `predictions.nc`, read again.

use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_numerics::SiteByDay;
use hdf5::types::VarLenUnicode;
use hdf5::{File, Location};
use jiff::civil::Date;

use super::ensemble::{TARGET_LONG_NAME, TARGET_NAME};
use crate::calendar::Calendar;
use crate::h5::{Name, reason};
use crate::target::Target;

/// What a file of predictions has of S sites and D days, but for the single members.
#[derive(Clone, Debug)]
pub struct Predictions {
    /// The D days.
    pub calendar: Calendar,
    /// Ids of the S sites.
    pub sites: Vec<String>,
    /// Which trials trained each member.
    pub trials: Vec<String>,
    /// What was observed and is simulated.
    pub target: Target,
    /// Observed, `[S, D]`, in the unit of the target, NaN on a day without a value.
    pub observed: SiteByDay<f32>,
    /// Mean over the members, `[S, D]`, in the same unit.
    pub mean: SiteByDay<f32>,
}

/// Reads sites, days, observations and the mean over the members.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] if something of that is not in it as `write_ensemble` puts it
/// there.
pub fn read_predictions(path: &Path) -> Result<Predictions> {
    with_file(path, Predictions::of)
}

/// What `read` finds in a file of predictions.
pub(super) fn with_file<T>(path: &Path, read: impl FnOnce(&File) -> hdf5::Result<T>) -> Result<T> {
    std::fs::metadata(path).map_err(Error::io("read", path))?;
    let name = Name::of(path).map_err(Error::io("read", path))?;
    File::open(&name.path)
        .and_then(|file| read(&file))
        .map_err(|error| {
            let advice = "expected predictions as `efflux evaluate RUN` writes them";
            Error::file(path, format!("{}, {advice}", reason(&error)))
        })
}

impl Predictions {
    pub(super) fn of(file: &File) -> hdf5::Result<Self> {
        let texts = |name: &str| -> hdf5::Result<Vec<String>> {
            let texts = file.dataset(name)?.read_raw::<VarLenUnicode>()?.into_iter();
            Ok(texts.map(|text| text.to_string()).collect())
        };
        let series = |name: &str| -> hdf5::Result<(Vec<usize>, Vec<f32>)> {
            let set = file.dataset(name)?;
            Ok((set.shape(), set.read_raw()?))
        };
        let since = file.dataset("time")?.attr("units")?;
        let since = since.read_scalar::<VarLenUnicode>()?.to_string();
        let date = since.strip_prefix("days since ");
        let date = date.and_then(|rest| rest.split(' ').next()?.parse::<Date>().ok());
        let start = date.ok_or_else(|| hdf5::Error::from(format!("its times are `{since}`")))?;
        let sites = texts("site")?;
        let (observed, mean) = (series("observed")?, series("simulated_mean")?);
        let days = match observed.0[..] {
            [of_sites, days] if of_sites == sites.len() && observed.0 == mean.0 => days,
            _ => {
                let (one, other, sites) = (observed.0, mean.0, sites.len());
                let shapes = format!("`observed` is {one:?}, `simulated_mean` {other:?}");
                return Err(hdf5::Error::from(format!("{shapes} for {sites} sites")));
            }
        };
        Ok(Self {
            target: target(file)?,
            calendar: Calendar { start, days },
            sites,
            trials: texts("trial")?,
            observed: SiteByDay::of(days, observed.1),
            mean: SiteByDay::of(days, mean.1),
        })
    }
}

/// Files of soil CO₂ efflux do not name it.
fn target(file: &File) -> hdf5::Result<Target> {
    if !file.attr_names()?.iter().any(|name| name == TARGET_NAME) {
        return Ok(Target::default());
    }
    let text = |at: &Location, name: &str| at.attr(name)?.read_scalar::<VarLenUnicode>();
    let observed = file.dataset("observed")?;
    let (name, long_name) = (text(file, TARGET_NAME)?, text(file, TARGET_LONG_NAME)?);
    Target::new(&name, &long_name, &text(&observed, "units")?).map_err(hdf5::Error::from)
}
