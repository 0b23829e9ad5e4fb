//! The ensemble as a netCDF-4 file: what was observed, what every member simulates, and their mean and spread.

use std::path::Path;

use efflux_base::durable;
use efflux_base::error::{Error, Result};

use super::member::Member;
use super::netcdf::NetCdf;
use crate::calendar::Calendar;
use crate::extrapolation::{ABOVE, BELOW, Extrapolation, INSIDE, InputFlags, STAND_IN};
use crate::filled::Filled;
use crate::h5::{self, reason, text};
use crate::pack::{HELD, INTERPOLATED, OBSERVED, Site};

const UNITS: (&str, &str) = ("units", "umol m-2 s-1");

/// Where the flux of a day is expected with some probability.
#[derive(Clone, Debug)]
pub struct Interval {
    /// That probability.
    pub level: f64,
    /// Its lower end, shape `[S, D]`, µmol m⁻² s⁻¹, NaN where there is none.
    pub lower: Vec<f32>,
    /// Its upper end.
    pub upper: Vec<f32>,
}

/// An ensemble over S sites and D days with M members.
#[derive(Clone, Copy, Debug)]
pub struct Ensemble<'a> {
    /// Name of the job, for the file's title.
    pub job: &'a str,
    /// Digest of the pack that was simulated.
    pub pack_digest: &'a str,
    /// The D days.
    pub calendar: Calendar,
    /// The S sites.
    pub sites: &'a [Site],
    /// Observed flux, shape `[S, D]`, µmol m⁻² s⁻¹, NaN on a day without a value.
    pub observed: &'a [f32],
    /// Mean over the members, shape `[S, D]`, µmol m⁻² s⁻¹.
    pub mean: &'a [f32],
    /// Standard deviation over the members, shape `[S, D]`, µmol m⁻² s⁻¹; NaN if there is one member.
    pub sd: &'a [f32],
    /// The interval about the mean from forecasts, if there is one.
    pub interval: Option<&'a Interval>,
    /// The M members, each with S × D values.
    pub members: &'a [Member],
    /// How the values of the inputs came about.
    pub filled: &'a Filled,
    /// How many members there are to be.
    pub planned: usize,
    /// Where the inputs leave the range of the training, if that is to be told.
    pub extrapolation: Option<&'a Extrapolation>,
}

/// Writes `predictions.nc`, which xarray opens with the dimensions `site`, `time` and `member`; the file is there as a
/// whole or not at all.
///
/// # Errors
///
/// [`Error::Io`] or [`Error::Data`] if it cannot be written; [`Error::Internal`] if an array has another shape than
/// the rest.
pub fn write_ensemble(path: &Path, ensemble: &Ensemble<'_>) -> Result<()> {
    let cells = ensemble.sites.len() * ensemble.calendar.days;
    let simulated = ensemble.members.iter().map(|member| member.flux.len());
    let given = [ensemble.observed, ensemble.mean, ensemble.sd].map(<[f32]>::len);
    let ends = ensemble.interval.into_iter();
    let ends = ends.flat_map(|interval| [interval.lower.len(), interval.upper.len()]);
    let filled = ensemble.filled.least_known.len();
    if let Some(found) = given
        .into_iter()
        .chain(ends)
        .chain([filled])
        .chain(simulated)
        .find(|found| *found != cells)
    {
        let reason = format!("an array of the ensemble has {found} values, expected {cells}");
        return Err(Error::Internal(reason));
    }
    durable::write_with(path, |temporary| {
        let name = h5::Name::of(temporary).map_err(Error::io("write", path))?;
        write(&name.path, ensemble).map_err(|error| {
            Error::file(
                path,
                format!("the predictions cannot be written: {}", reason(&error)),
            )
        })
    })
}

fn write(path: &Path, ensemble: &Ensemble<'_>) -> hdf5::Result<()> {
    let mut file = NetCdf::create(path)?;
    let title = format!(
        "Daily soil CO2 efflux simulated by the ensemble of {}",
        ensemble.job
    );
    file.attribute("title", &title)?;
    file.attribute("Conventions", "CF-1.8")?;
    file.attribute("source", &format!("efflux {}", efflux_base::version()))?;
    file.attribute("pack_digest", ensemble.pack_digest)?;
    let members = format!("{} of {} members", ensemble.members.len(), ensemble.planned);
    file.attribute("made_of", &members)?;

    let texts = |of: fn(&Site) -> &String| {
        ensemble
            .sites
            .iter()
            .map(|site| text(of(site)))
            .collect::<hdf5::Result<Vec<_>>>()
    };
    let ids = texts(|site| &site.id)?;
    file.dimension(
        "site",
        &ids,
        &[("long_name", "site"), ("cf_role", "timeseries_id")],
    )?;
    let days: Vec<i32> = (0..ensemble.calendar.days)
        .filter_map(|day| i32::try_from(day).ok())
        .collect();
    let since = format!("days since {} 00:00:00", ensemble.calendar.start);
    let time = [
        ("units", since.as_str()),
        ("calendar", "proleptic_gregorian"),
        ("standard_name", "time"),
        ("long_name", "local civil day"),
        ("axis", "T"),
    ];
    file.dimension("time", &days, &time)?;
    let numbers: Vec<i32> = (0..ensemble.members.len())
        .filter_map(|index| i32::try_from(index).ok())
        .collect();
    file.dimension(
        "member",
        &numbers,
        &[("long_name", "member of the ensemble")],
    )?;

    file.variable("site_name", &["site"], &texts(|site| &site.name)?, &[])?;
    file.variable(
        "igbp",
        &["site"],
        &texts(|site| &site.igbp)?,
        &[("long_name", "IGBP land cover class")],
    )?;
    let coordinates = |of: fn(&Site) -> f64| ensemble.sites.iter().map(of).collect::<Vec<_>>();
    let north = [("units", "degrees_north"), ("standard_name", "latitude")];
    file.variable(
        "latitude",
        &["site"],
        &coordinates(|site| site.latitude),
        &north,
    )?;
    let east = [("units", "degrees_east"), ("standard_name", "longitude")];
    file.variable(
        "longitude",
        &["site"],
        &coordinates(|site| site.longitude),
        &east,
    )?;

    let seeds: Vec<u64> = ensemble.members.iter().map(|member| member.seed).collect();
    file.variable(
        "seed",
        &["member"],
        &seeds,
        &[("long_name", "random seed of the member")],
    )?;
    let trials = ensemble.members.iter().map(|member| text(&member.trial_id));
    let trials = trials.collect::<hdf5::Result<Vec<_>>>()?;
    file.variable(
        "trial",
        &["member"],
        &trials,
        &[("long_name", "trial that trained the member")],
    )?;

    let series = ["site", "time"];
    let about = [UNITS, ("long_name", "observed daily mean soil CO2 efflux")];
    file.variable("observed", &series, ensemble.observed, &about)?;
    let about = [UNITS, ("long_name", "mean over the members")];
    file.variable("simulated_mean", &series, ensemble.mean, &about)?;
    let about = [UNITS, ("long_name", "standard deviation over the members")];
    file.variable("simulated_sd", &series, ensemble.sd, &about)?;
    if let Some(Interval {
        level,
        lower,
        upper,
    }) = ensemble.interval
    {
        for (end, values) in [("lower", lower), ("upper", upper)] {
            let about = format!("{end} end of the {level} interval from forecasts");
            let about = [UNITS, ("long_name", about.as_str())];
            let name = format!("simulated_{end}");
            file.variable(&name, &series, values, &about)?;
            file.numbers(&name, "level", &[*level])?;
        }
    }
    let all: Vec<f32> = ensemble
        .members
        .iter()
        .flat_map(|member| &member.flux)
        .copied()
        .collect();
    let about = [UNITS, ("long_name", "simulated daily mean soil CO2 efflux")];
    file.variable("simulated", &["member", "site", "time"], &all, &about)?;
    let about = [
        (
            "long_name",
            "how the least known of the inputs came about: measured, between measurements, or the nearest one held",
        ),
        ("flag_meanings", "observed interpolated held"),
    ];
    let name = "inputs_filled";
    let filled = ensemble.filled.least_known.values();
    file.variable(name, &series, filled, &about)?;
    file.numbers(name, "flag_values", &[OBSERVED, INTERPOLATED, HELD])?;
    if let Some(Extrapolation { dynamic, statics }) = ensemble.extrapolation {
        let daily = ["input", "site", "time"];
        flags(&mut file, daily, "extrapolation", dynamic)?;
        let fixed = ["static_input", "site"];
        flags(&mut file, fixed, "static_extrapolation", statics)?;
    }
    file.finish()
}

/// Where inputs leave the range of the training, over a dimension of their names; nothing if there are none.
fn flags<const N: usize>(
    file: &mut NetCdf,
    over: [&'static str; N],
    name: &str,
    inputs: &[InputFlags],
) -> hdf5::Result<()> {
    if inputs.is_empty() {
        return Ok(());
    }
    let names = inputs.iter().map(|input| text(&input.name));
    let names = names.collect::<hdf5::Result<Vec<_>>>()?;
    let input = over[0];
    file.dimension(input, &names, &[("long_name", "input of the model")])?;
    let units = inputs.iter().map(|input| text(&input.units));
    let units = units.collect::<hdf5::Result<Vec<_>>>()?;
    file.variable(&format!("{input}_units"), &[input], &units, &[])?;
    for (end, which) in [("min", "least"), ("max", "greatest")] {
        let place = usize::from(end == "max");
        let values: Vec<f64> = inputs.iter().map(|input| input.range[place]).collect();
        let about = format!("{which} value of the training, in the unit of the input");
        let name = format!("{input}_training_{end}");
        file.variable(&name, &[input], &values, &[("long_name", &about)])?;
    }
    let all: Vec<u8> = inputs
        .iter()
        .flat_map(|input| &input.flags)
        .copied()
        .collect();
    let about = [
        (
            "long_name",
            "where an input is outside the range of the training",
        ),
        ("flag_meanings", "inside below above stand_in"),
    ];
    file.variable(name, &over, &all, &about)?;
    file.numbers(name, "flag_values", &[INSIDE, BELOW, ABOVE, STAND_IN])
}
