//! The variables of one basin, over time.

use std::collections::BTreeMap;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_data::{NetCdfVariable, read_netcdf};
use efflux_ingest::Missing;
use jiff::civil::DateTime;

use super::{NO_VALUE, NeuralHydrologyKeys};
use crate::account::Rows;
use crate::column::Column;
use crate::mapping::Mapping;
use crate::record::{Driver, Sample};
use crate::stamp::{Clock, Format, Position};

const DATE: &str = "date";

pub(super) struct Series {
    pub(super) drivers: Vec<Driver>,
    pub(super) notes: Vec<String>,
    begins: Vec<DateTime>,
    /// As the file has it, but for what stands for nothing there.
    flux: Vec<f64>,
    factor: f64,
    columns: Vec<Vec<f64>>,
    /// Words of the mapping that stand for missing values, as numbers.
    missing: Vec<(String, f64)>,
}

/// Ending of a daily name and unit of `driver_unit` for what files write in `units`.
const ENDINGS: [(&[&str], &str); 10] = [
    (
        &[
            "degC",
            "°C",
            "C",
            "celsius",
            "degrees Celsius",
            "degree_Celsius",
        ],
        "_c",
    ),
    (&["K", "kelvin", "Kelvin"], "_k"),
    (
        &[
            "mm",
            "mm/day",
            "mm/d",
            "mm d-1",
            "mm day-1",
            "mm d^-1",
            "kg m-2",
            "kg m-2 d-1",
        ],
        "_mm",
    ),
    (&["mm/h", "mm/hour", "mm h-1", "mm hr-1"], "_mm"),
    (&["m3 m-3", "m3/m3", "m^3 m^-3", "m³ m⁻³"], "_m3_m3"),
    (&["%", "percent"], "_pct"),
    (&["hPa", "mbar"], "_hpa"),
    (&["W m-2", "W/m2", "W/m^2", "W m^-2"], "_w_m2"),
    (&["m s-1", "m/s", "m s^-1"], "_m_s"),
    (&["umol m-2 s-1", "µmol m-2 s-1"], "_umol_m2_s"),
];

/// Names of precipitation, whose days are sums.
const RAIN: [&str; 8] = [
    "prcp",
    "precip",
    "precipitation",
    "pr",
    "ppt",
    "rain",
    "rainfall",
    "total_precipitation",
];

impl Series {
    pub(super) fn read(
        path: &Path,
        target: &str,
        inputs: &[String],
        keys: &NeuralHydrologyKeys,
        mapping: &Mapping,
    ) -> Result<Self> {
        let variables = read_netcdf(path)?;
        let begins = begins(path, find(path, &variables, DATE)?)?;
        let of = |name: &str| {
            let variable = find(path, &variables, name)?;
            if variable.shape == [begins.len()] {
                return Ok(variable);
            }
            let reason = format!(
                "has the shape {:?}, expected a value for each of {} dates",
                variable.shape,
                begins.len()
            );
            Err(Error::dataset(path, name, reason))
        };
        let variable = of(target)?;
        let unit = variable.text("units").or(keys.unit.as_deref()).ok_or_else(|| {
            let reason = "does not tell its unit: write `unit = \"g C m-2 d-1\"`, or what it is, in [neuralhydrology]";
            Error::dataset(path, target, reason)
        })?;
        let factor = mapping.target.factor(unit);
        let factor = factor.map_err(|reason| Error::dataset(path, target, reason))?;
        let steps = steps(&begins);
        let mut notes = Vec::new();
        let mut chosen = Column::all(&keys.columns);
        if keys.columns.is_empty() {
            chosen = inputs
                .iter()
                .map(|input| Ok(usual(of_unit(&variables, input), input, &mut notes)))
                .collect();
        }
        let mut chosen = chosen
            .map_err(|reason| mapping.wrong(format!("`neuralhydrology.columns`: {reason}")))?;
        chosen.retain(|column| mapping.wants(&column.driver));
        let missing = numbers(mapping);
        let (mut drivers, mut columns) = (Vec::new(), Vec::new());
        for column in &chosen {
            let variable = of(&column.name)?;
            let share = share(variable.text("units"), steps);
            let conversion = column.conversion_from(variable.text("units"));
            let conversion = conversion.unwrap_or_else(|reason| {
                notes.push(reason);
                column.conversion
            });
            let values = sound(path, variable, &missing, mapping)?;
            let plain = |value: f64| {
                if missing.iter().any(|(_, word)| *word == value) {
                    f64::NAN
                } else {
                    value
                }
            };
            let driver = column.driver(steps);
            let is_sum = driver.combine != crate::record::Combine::Mean;
            let value = |value: f64| conversion.of(plain(value)) * if is_sum { share } else { 1.0 };
            columns.push(values.into_iter().map(value).collect());
            drivers.push(driver);
        }
        let flux = sound(path, variable, &missing, mapping)?;
        Ok(Self {
            drivers,
            notes,
            begins,
            flux,
            factor,
            columns,
            missing,
        })
    }

    /// One a date; of a date that is there again the row with a flux counts, the first of several.
    pub(super) fn samples(&self, rows: &mut Rows) -> Vec<Sample> {
        let is_missing = |at: usize| {
            self.flux[at].is_nan() || self.missing.iter().any(|(_, word)| *word == self.flux[at])
        };
        let mut chosen: BTreeMap<DateTime, usize> = BTreeMap::new();
        for (at, begin) in self.begins.iter().enumerate() {
            let before = *chosen.entry(*begin).or_insert(at);
            if is_missing(before) && !is_missing(at) {
                chosen.insert(*begin, at);
            }
        }
        let mut samples = Vec::new();
        for at in 0..self.begins.len() {
            rows.read();
            if chosen[&self.begins[at]] != at {
                rows.drop("date that is there again");
                continue;
            }
            let flux = self.flux[at];
            let word = self.missing.iter().find(|(_, word)| *word == flux);
            let flux = if flux.is_nan() {
                rows.drop(NO_VALUE);
                None
            } else if let Some((word, _)) = word {
                rows.drop(&format!("sentinel {word}"));
                None
            } else {
                Some(flux * self.factor)
            };
            let drivers = self.columns.iter().map(|column| column[at]).collect();
            samples.push(Sample {
                begin: self.begins[at],
                flux,
                count: 1,
                drivers,
            });
        }
        samples
    }
}

fn find<'a>(
    path: &Path,
    variables: &'a [NetCdfVariable],
    name: &str,
) -> Result<&'a NetCdfVariable> {
    variables
        .iter()
        .find(|variable| variable.name == name)
        .ok_or_else(|| {
            let names: Vec<&str> = variables
                .iter()
                .map(|variable| variable.name.as_str())
                .collect();
            Error::file(
                path,
                format!(
                    "has no variable `{name}` with numbers, it has {}",
                    names.join(", ")
                ),
            )
        })
}

fn of_unit<'a>(variables: &'a [NetCdfVariable], name: &str) -> Option<&'a str> {
    variables
        .iter()
        .find(|variable| variable.name == name)?
        .text("units")
}

/// The times of a coordinate, whose `units` and `calendar` say how they are counted.
fn begins(path: &Path, date: &NetCdfVariable) -> Result<Vec<DateTime>> {
    let wrong = |reason: String| Error::dataset(path, DATE, reason);
    if let Some(calendar) = date.text("calendar")
        && !["standard", "gregorian", "proleptic_gregorian"].contains(&calendar)
    {
        return Err(wrong(format!(
            "has the calendar {calendar}, expected standard or proleptic_gregorian"
        )));
    }
    let units = date
        .text("units")
        .ok_or_else(|| wrong("has no `units` such as `days since 1970-01-01`".into()))?;
    let format: Format = units.parse().map_err(&wrong)?;
    // Dates of these files have no zone: they are the site's days.
    let mut clock = Clock::new(
        format,
        Position::Begin,
        None,
        Some(crate::stamp::Zone::Standard),
        None,
    )
    .map_err(&wrong)?;
    let begin = |value: f64| {
        clock
            .begin_of_number(value)
            .map_err(&wrong)?
            .ok_or_else(|| wrong("has a time that does not exist".into()))
    };
    date.values().into_iter().map(begin).collect()
}

/// Steps in a day, by the shortest time between two dates.
fn steps(begins: &[DateTime]) -> u32 {
    let mut sorted = begins.to_vec();
    sorted.sort();
    sorted.dedup();
    let between = sorted
        .windows(2)
        .map(|pair| pair[1].duration_since(pair[0]).as_secs());
    let shortest = between.min().unwrap_or(86_400).clamp(60, 86_400);
    u32::try_from(86_400 / shortest).unwrap_or(1)
}

/// What a rate of precipitation brings in one step: of `mm/day` in a file of hours a twenty-fourth.
fn share(units: Option<&str>, steps: u32) -> f64 {
    match units.map(|units| units.replace(['^', ' '], "")) {
        Some(units)
            if units.ends_with("/day")
                || units.ends_with("/d")
                || units.ends_with("d-1")
                || units.ends_with("day-1") =>
        {
            1.0 / f64::from(steps)
        }
        Some(units)
            if units.ends_with("/h")
                || units.ends_with("/hour")
                || units.ends_with("h-1")
                || units.ends_with("hr-1") =>
        {
            24.0 / f64::from(steps)
        }
        _ => 1.0,
    }
}

/// A daily name that is the variable's with the ending of its unit.
fn usual(units: Option<&str>, input: &str, notes: &mut Vec<String>) -> Column {
    let ending = units.and_then(|units| ENDINGS.iter().find(|(known, _)| known.contains(&units)));
    let is_rain = RAIN.contains(&input.to_ascii_lowercase().as_str());
    let name = match ending {
        Some((_, "_mm")) if is_rain => "precip_mm".to_owned(),
        Some((_, ending)) if input.ends_with(ending) => input.to_owned(),
        Some((_, ending)) => format!("{input}{ending}"),
        None => {
            notes.push(format!(
                "the unit of `{input}` is not known here, so its name stays without one"
            ));
            input.to_owned()
        }
    };
    Column::plain(&name, input)
}

/// The mapping's words that are numbers.
fn numbers(mapping: &Mapping) -> Vec<(String, f64)> {
    mapping
        .missing
        .iter()
        .filter_map(|word| Some((word.clone(), word.parse().ok()?)))
        .collect()
}

/// The values of a variable, among which no number looks like a fill value that nobody has named.
fn sound(
    path: &Path,
    variable: &NetCdfVariable,
    named: &[(String, f64)],
    mapping: &Mapping,
) -> Result<Vec<f64>> {
    let values = variable.values();
    let others = |value: &&f64| !value.is_nan() && !named.iter().any(|(_, word)| *word == **value);
    let numbers: Vec<f64> = values.iter().filter(others).copied().collect();
    match Missing::new(&[], &mapping.measured)
        .sentinels(&numbers)
        .first()
    {
        None => Ok(values),
        Some(sentinel) => {
            let (value, count) = (sentinel.value, sentinel.count);
            let reason = format!(
                "has {value} {count} times, which looks like a fill value and is a number to NeuralHydrology (write `missing = \
                 [\"{value}\"]` at the top of the mapping if it is one, or `measured = [{value}]` if it was measured)"
            );
            Err(Error::dataset(path, &variable.name, reason))
        }
    }
}
