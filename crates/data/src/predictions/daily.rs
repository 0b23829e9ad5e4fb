//! What a file of predictions says of every site and day, read back.

use std::path::Path;

use efflux_base::error::Result;
use hdf5::{File, H5Type};

use super::ensemble::{HEADLINE, Interval};
use super::read::{Predictions, with_file};

/// What there is to tell of the S sites and D days of a `predictions.nc`; all series have the shape `[S, D]`, observations and simulations are in
/// the unit of the target.
#[derive(Clone, Debug)]
pub struct DailyPredictions {
    /// Sites, days, observed flux and the mean over the members.
    pub predictions: Predictions,
    /// Standard deviation over the members, NaN if there is one.
    pub sd: Vec<f32>,
    /// Calibrated intervals by rising level.
    pub intervals: Vec<Interval>,
    /// How the least known input came about, as the file has it; none in files of versions that did not keep it.
    pub filled: Option<Vec<u8>>,
    /// The part of the day as the file has it; none where the pack is not the run's own.
    pub parts: Option<Vec<u8>>,
    /// How many inputs are outside the range of the training, daily and static; none where the pack is the run's own.
    pub outside: Option<Vec<usize>>,
    /// Whether the training had the site, `[S]`; none where the pack is the run's own.
    pub trained_with: Option<Vec<bool>>,
}

impl DailyPredictions {
    /// Reads the file of a run or of a prediction.
    ///
    /// # Errors
    ///
    /// As [`read_predictions`](super::read::read_predictions).
    pub fn read(path: &Path) -> Result<Self> {
        with_file(path, Self::of)
    }

    fn of(file: &File) -> hdf5::Result<Self> {
        let predictions = Predictions::of(file)?;
        let (sites, days) = (predictions.sites.len(), predictions.calendar.days);
        let cells = sites * days;
        let optional = |name: &str| -> hdf5::Result<Option<Vec<u8>>> {
            let is_there = file.link_exists(name);
            is_there.then(|| values(file, name)).transpose()
        };
        let found = Self {
            sd: values(file, "simulated_sd")?,
            intervals: intervals(file, cells)?,
            filled: optional("inputs_filled")?,
            parts: optional("part")?,
            outside: outside(
                [
                    optional("extrapolation")?,
                    optional("static_extrapolation")?,
                ],
                days,
                sites,
            ),
            trained_with: optional("site_in_training")?
                .map(|flags| flags.into_iter().map(|flag| flag != 0).collect()),
            predictions,
        };
        let lengths = [
            Some(found.sd.len()),
            found.filled.as_ref().map(Vec::len),
            found.parts.as_ref().map(Vec::len),
        ];
        let mut lengths = lengths.into_iter().flatten();
        if let Some(length) = lengths.find(|&length| length != cells) {
            let reason = format!("a series has {length} values, expected {cells}");
            return Err(hdf5::Error::from(reason));
        }
        Ok(found)
    }
}

fn values<T: H5Type>(file: &File, name: &str) -> hdf5::Result<Vec<T>> {
    file.dataset(name)?.read_raw()
}

/// By rising level. Files of versions that kept one level have it in two variables.
fn intervals(file: &File, cells: usize) -> hdf5::Result<Vec<Interval>> {
    let (names, levels) = if file.link_exists("interval_lower") {
        (["interval_lower", "interval_upper"], values(file, "level")?)
    } else if file.link_exists("simulated_lower") {
        (["simulated_lower", "simulated_upper"], vec![HEADLINE])
    } else {
        return Ok(Vec::new());
    };
    let [lower, upper] = names.map(|name| values::<f32>(file, name));
    let (lower, upper) = (lower?, upper?);
    let rows = lower
        .chunks_exact(cells.max(1))
        .zip(upper.chunks_exact(cells.max(1)));
    let of_level = |(level, (lower, upper)): (f64, (&[f32], &[f32]))| Interval {
        level,
        lower: lower.to_vec(),
        upper: upper.to_vec(),
    };
    Ok(levels.into_iter().zip(rows).map(of_level).collect())
}

/// How many flags of inputs `[I, S, D]` and of static inputs `[I, S]` are set at each site and day.
fn outside([daily, fixed]: [Option<Vec<u8>>; 2], days: usize, sites: usize) -> Option<Vec<usize>> {
    if daily.is_none() && fixed.is_none() {
        return None;
    }
    let mut count = vec![0; sites * days];
    for (place, flag) in daily.into_iter().flatten().enumerate() {
        count[place % (sites * days)] += usize::from(flag != 0);
    }
    for (place, flag) in fixed.into_iter().flatten().enumerate() {
        let site = place % sites;
        for of_day in &mut count[site * days..][..days] {
            *of_day += usize::from(flag != 0);
        }
    }
    Some(count)
}
