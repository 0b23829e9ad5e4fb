//! hydroDL's data base of CSV files: `<root>/<set>/<year>/<variable>.csv`, a row a place and a column a day. The folder of a
//! year holds the days that its `timeStr.csv` says, usually from 1 April to 31 March.

use std::fs;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use jiff::civil::Date;

use super::{Place, Series, Wanted};
use crate::cells::{Cells, Dialect};
use crate::mapping::Mapping;
use crate::place;
use crate::record::Site;

pub(super) fn read(wanted: &Wanted, subset: Option<&str>, mapping: &Mapping) -> Result<Vec<Place>> {
    let Some(subset) = subset else {
        return Err(mapping.wrong(
            "has no `hydrodl.subset`, expected the name of a file in the folder `Subset`".into(),
        ));
    };
    let path = wanted.folder.join("Subset").join(format!("{subset}.csv"));
    let lines = column(&path)?;
    let Some((set, numbers)) = lines.split_first() else {
        return Err(Error::file(
            &path,
            "is empty, expected the name of a set, then numbers of places from 1, or -1 for all",
        ));
    };
    let folder = wanted.folder.join(set);
    let coordinates = rows(&folder.join("crd.csv"), mapping)?;
    let chosen = chosen(&path, numbers, coordinates.len())?;
    let mut places: Vec<Place> = Vec::new();
    for place in &chosen {
        let [Some(lat), Some(lon)] = coordinates[*place][..] else {
            let reason = "expected latitude and longitude in every row";
            return Err(Error::line(
                folder.join("crd.csv"),
                *place as u64 + 1,
                reason,
            ));
        };
        let id = format!("{set}_{}", place + 1);
        places.push(Place {
            site: Site {
                id,
                lat: Some(lat),
                lon: Some(lon),
                ..Site::default()
            },
            days: Series::new(),
        });
    }
    constants(&folder.join("const"), &chosen, &mut places)?;
    for year in years(&folder)? {
        let days = days(&year)?;
        for (at, name) in wanted.names.iter().enumerate() {
            let path = year.join(format!("{name}.csv"));
            let values = rows(&path, mapping)?;
            if values.len() != coordinates.len() || values.iter().any(|row| row.len() != days.len())
            {
                let width = values.first().map_or(0, Vec::len);
                let reason = format!(
                    "has {} rows of {width} cells, expected a row for each of {} places and a column for each of {} days",
                    values.len(),
                    coordinates.len(),
                    days.len()
                );
                return Err(Error::file(&path, reason));
            }
            for (place, row) in places
                .iter_mut()
                .zip(chosen.iter().map(|place| &values[*place]))
            {
                for (day, value) in days.iter().zip(row) {
                    let own = place
                        .days
                        .entry(*day)
                        .or_insert_with(|| vec![f64::NAN; wanted.names.len()]);
                    own[at] = value.unwrap_or(f64::NAN);
                }
            }
        }
    }
    Ok(places)
}

/// The places of a subset, counted from 0.
fn chosen(path: &Path, numbers: &[String], places: usize) -> Result<Vec<usize>> {
    if numbers.iter().any(|number| number == "-1") {
        return Ok((0..places).collect());
    }
    let one = |(at, text): (usize, &String)| {
        let number = text
            .parse()
            .ok()
            .filter(|number| (1..=places).contains(number));
        let reason =
            || format!("`{text}`: expected a number of a place from 1 to {places}, or -1 for all");
        number
            .map(|number: usize| number - 1)
            .ok_or_else(|| Error::line(path, at as u64 + 2, reason()))
    };
    numbers.iter().enumerate().map(one).collect()
}

/// What `const` knows of the places: their elevation.
fn constants(folder: &Path, chosen: &[usize], places: &mut [Place]) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for path in sorted(folder)? {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let values = column(&path)?;
        for (place, at) in places.iter_mut().zip(chosen) {
            if let Some(value) = values.get(*at) {
                place::tell(&mut place.site, &name, value)
                    .map_err(|reason| Error::line(&path, *at as u64 + 1, reason))?;
            }
        }
    }
    Ok(())
}

/// Folders with days.
fn years(folder: &Path) -> Result<Vec<PathBuf>> {
    let years: Vec<PathBuf> = sorted(folder)?
        .into_iter()
        .filter(|path| path.join("timeStr.csv").exists())
        .collect();
    if years.is_empty() {
        return Err(Error::file(
            folder,
            "has no folder of a year with a `timeStr.csv`",
        ));
    }
    Ok(years)
}

fn days(year: &Path) -> Result<Vec<Date>> {
    let path = year.join("timeStr.csv");
    let day = |(text, line): (String, u64)| {
        text.parse().map_err(|_| {
            Error::line(
                &path,
                line,
                format!("`{text}`: expected a day such as 2011-04-01"),
            )
        })
    };
    column(&path)?.into_iter().zip(1..).map(day).collect()
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::io("look into", folder))?;
    let paths = entries.map(|entry| Ok(entry.map_err(Error::io("look into", folder))?.path()));
    let mut paths = paths.collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// A file of one column without a name.
fn column(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

/// A file of numbers without names of columns; none where -9999 is.
fn rows(path: &Path, mapping: &Mapping) -> Result<Vec<Vec<Option<f64>>>> {
    let width = Cells::open(path, &Dialect::default())?.head().names.len();
    let names = (1..=width)
        .map(|number| format!("column {number}"))
        .collect();
    let dialect = Dialect {
        names: Some(names),
        ..Dialect::with_missing(&["-9999"], &mapping.missing)
    };
    let mut cells = Cells::open(path, &dialect)?;
    let mut rows = Vec::new();
    while let Some(row) = cells.next()? {
        rows.push(
            (0..width)
                .map(|column| row.number(column))
                .collect::<Result<Vec<_>>>()?,
        );
    }
    Ok(rows)
}
