//! The ensemble as a netCDF-4 file: what was observed, what every member simulates, and their mean and spread.

use std::path::Path;

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_job::Part;

use super::member::Member;
use super::netcdf::NetCdf;
use crate::calendar::Calendar;
use crate::extrapolation::{ABOVE, BELOW, Extrapolation, INSIDE, InputFlags, STAND_IN};
use crate::filled::Filled;
use crate::h5::{self, reason, text};
use crate::pack::{HELD, INTERPOLATED, OBSERVED, Site};
use crate::split::Parts;
use crate::target::Target;

/// Attributes of a file whose target is not soil CO₂ efflux, beside the units of `observed`.
pub(super) const TARGET_NAME: &str = "target_name";
pub(super) const TARGET_LONG_NAME: &str = "target_long_name";

/// The level whose ends have variables of their own, `simulated_lower` and `simulated_upper`.
pub(super) const HEADLINE: f64 = 0.9;

/// Where the flux of a day is expected with some probability.
#[derive(Clone, Debug)]
pub struct Interval {
    /// That probability.
    pub level: f64,
    /// Its lower end, shape `[S, D]`, in the unit of the target, NaN where there is none.
    pub lower: Vec<f32>,
    /// Its upper end.
    pub upper: Vec<f32>,
}

/// The site is as near to the training's sites as these are to each other.
pub const INSIDE_AREA: u8 = 0;
/// The site is further from them.
pub const OUTSIDE_AREA: u8 = 1;
/// The site lacks an input, or there is no threshold.
pub const UNKNOWN_AREA: u8 = 2;

/// How far S sites are from those of a training, in what the model reads of them.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteDistances {
    /// The dissimilarity index up to which a site is inside the area of applicability; NaN if there is none.
    pub threshold: f64,
    /// The dissimilarity index of each site, `[S]`; NaN where it is not known.
    pub index: Vec<f64>,
    /// [`INSIDE_AREA`], [`OUTSIDE_AREA`] or [`UNKNOWN_AREA`], `[S]`.
    pub area: Vec<u8>,
    /// How many sites of the training are within the threshold of each, `[S]`; NaN where that is not known.
    pub near: Vec<f64>,
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
    /// What was observed and is simulated.
    pub target: &'a Target,
    /// Observed, shape `[S, D]`, in the unit of the target, NaN on a day without a value.
    pub observed: &'a [f32],
    /// Mean over the members, shape `[S, D]`, in the same unit.
    pub mean: &'a [f32],
    /// Standard deviation over the members, shape `[S, D]`, in the same unit; NaN if there is one member.
    pub sd: &'a [f32],
    /// Calibrated intervals about the mean by rising level; none where nothing calibrates them.
    pub intervals: &'a [Interval],
    /// What they are calibrated on, for people.
    pub calibrated_on: &'a str,
    /// The M members, each with S × D values.
    pub members: &'a [Member],
    /// How the values of the inputs came about.
    pub filled: &'a Filled,
    /// How many members there are to be.
    pub planned: usize,
    /// Whose days they are.
    pub days: DaysOf<'a>,
    /// How far the sites are from those of the training, if that is to be told.
    pub distances: Option<&'a SiteDistances>,
}

/// What the days of a file are to the training.
#[derive(Clone, Copy, Debug)]
pub enum DaysOf<'a> {
    /// Those of the run's own pack, each of a part.
    OwnPack(&'a Parts),
    /// Those of any pack.
    OtherPack {
        /// Where the inputs leave the range of the training.
        extrapolation: &'a Extrapolation,
        /// Which of the sites the training had.
        trained_with: &'a [bool],
    },
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
    let ends = ensemble.intervals.iter();
    let ends = ends.flat_map(|interval| [interval.lower.len(), interval.upper.len()]);
    let filled = ensemble.filled.least_known.len();
    if let Some(found) = given
        .into_iter()
        .chain(ends)
        .chain([filled])
        .chain(match ensemble.days {
            DaysOf::OwnPack(parts) => Some(parts.len()),
            DaysOf::OtherPack { .. } => None,
        })
        .chain(simulated)
        .find(|found| *found != cells)
    {
        let reason = format!("an array of the ensemble has {found} values, expected {cells}");
        return Err(Error::Internal(reason));
    }
    let of_sites = ensemble.distances.into_iter();
    let mut of_sites = of_sites.flat_map(|of| [of.index.len(), of.area.len(), of.near.len()]);
    if let Some(found) = of_sites.find(|found| *found != ensemble.sites.len()) {
        let expected = ensemble.sites.len();
        let reason = format!("distances of {found} sites, expected {expected}");
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
    let (target, job) = (ensemble.target, ensemble.job);
    let (long_name, unit) = (target.plain_long_name(), ("units", target.units()));
    let title = format!("Daily {long_name} simulated by the ensemble of {job}");
    file.attribute("title", &title)?;
    file.attribute("Conventions", "CF-1.8")?;
    file.attribute("source", &format!("efflux {}", efflux_base::version()))?;
    file.attribute("pack_digest", ensemble.pack_digest)?;
    if !target.is_soil_efflux() {
        file.attribute(TARGET_NAME, target.plain_name())?;
        file.attribute(TARGET_LONG_NAME, long_name)?;
    }
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
    let observed = format!("observed daily mean {long_name}");
    let about = [unit, ("long_name", &*observed)];
    file.variable("observed", &series, ensemble.observed, &about)?;
    let about = [unit, ("long_name", "mean over the members")];
    file.variable("simulated_mean", &series, ensemble.mean, &about)?;
    let about = [unit, ("long_name", "standard deviation over the members")];
    file.variable("simulated_sd", &series, ensemble.sd, &about)?;
    write_intervals(&mut file, ensemble)?;
    let all: Vec<f32> = ensemble
        .members
        .iter()
        .flat_map(|member| &member.flux)
        .copied()
        .collect();
    let simulated = format!("simulated daily mean {long_name}");
    let about = [unit, ("long_name", &*simulated)];
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
    match ensemble.days {
        DaysOf::OwnPack(parts) => {
            let about = [
                ("long_name", "part of the record that the day is in"),
                ("flag_meanings", "unused train validation test"),
            ];
            let numbers: Vec<u8> = parts.iter().copied().map(number_of).collect();
            file.variable("part", &series, &numbers, &about)?;
            let all = [Part::Unused, Part::Train, Part::Validation, Part::Test];
            file.numbers("part", "flag_values", &all.map(number_of))?;
        }
        DaysOf::OtherPack {
            extrapolation: Extrapolation { dynamic, statics },
            trained_with,
        } => {
            let about = [
                ("long_name", "whether the training had the site"),
                ("flag_meanings", "unseen seen"),
            ];
            let seen: Vec<u8> = trained_with.iter().copied().map(u8::from).collect();
            file.variable("site_in_training", &["site"], &seen, &about)?;
            file.numbers("site_in_training", "flag_values", &[0_u8, 1])?;
            let daily = ["input", "site", "time"];
            flags(&mut file, daily, "extrapolation", dynamic)?;
            let fixed = ["static_input", "site"];
            flags(&mut file, fixed, "static_extrapolation", statics)?;
        }
    }
    if let Some(of) = ensemble.distances {
        distances(&mut file, of)?;
    }
    file.finish()
}

/// The ends of all levels, and of the one that reports quote by themselves.
fn write_intervals(file: &mut NetCdf, ensemble: &Ensemble<'_>) -> hdf5::Result<()> {
    let Ensemble {
        intervals,
        calibrated_on,
        ..
    } = ensemble;
    if intervals.is_empty() {
        return Ok(());
    }
    let unit = ("units", ensemble.target.units());
    let levels: Vec<f64> = intervals.iter().map(|of| of.level).collect();
    let about = [("long_name", "share of days that the interval is to hold")];
    file.dimension("level", &levels, &about)?;
    type End = (&'static str, fn(&Interval) -> &Vec<f32>);
    let ends: [End; 2] = [("lower", |of| &of.lower), ("upper", |of| &of.upper)];
    for (end, values) in ends {
        let all: Vec<f32> = intervals.iter().flat_map(values).copied().collect();
        let about = format!("{end} end of the interval calibrated on {calibrated_on}");
        let about = [unit, ("long_name", about.as_str())];
        let name = format!("interval_{end}");
        file.variable(&name, &["level", "site", "time"], &all, &about)?;
    }
    for headline in intervals.iter().filter(|of| of.level == HEADLINE) {
        for (end, values) in ends {
            let about = format!("{end} end of the 90 % interval calibrated on {calibrated_on}");
            let about = [unit, ("long_name", about.as_str())];
            let name = format!("simulated_{end}");
            file.variable(&name, &["site", "time"], values(headline), &about)?;
            file.numbers(&name, "level", &[HEADLINE])?;
        }
    }
    Ok(())
}

/// As the file has a part.
fn number_of(part: Part) -> u8 {
    match part {
        Part::Unused => 0,
        Part::Train => 1,
        Part::Validation => 2,
        Part::Test => 3,
    }
}

/// How far sites are from those of the training.
fn distances(file: &mut NetCdf, of: &SiteDistances) -> hdf5::Result<()> {
    let name = "dissimilarity_index";
    let about = "distance to the nearest site of the training in weighted inputs, in mean distances between these";
    let about = [("units", "1"), ("long_name", about)];
    file.variable(name, &["site"], &of.index, &about)?;
    file.numbers(name, "threshold", &[of.threshold])?;
    let name = "applicability";
    let about = [
        (
            "long_name",
            "whether the site is inside the area of applicability",
        ),
        ("flag_meanings", "inside outside unknown"),
    ];
    file.variable(name, &["site"], &of.area, &about)?;
    file.numbers(
        name,
        "flag_values",
        &[INSIDE_AREA, OUTSIDE_AREA, UNKNOWN_AREA],
    )?;
    let about = "sites of the training within the threshold";
    let about = [("units", "1"), ("long_name", about)];
    file.variable("near_training_sites", &["site"], &of.near, &about)
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
