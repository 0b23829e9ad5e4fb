//! geolearn's folder of a case: `data.npz` with arrays of forcing (`f`), discharge (`q`), concentrations (`c`) and attributes
//! (`g`), and `info.json` with their names.

use std::fs;
use std::io::Read;
use std::path::Path;

use efflux_base::error::{Error, Result};
use jiff::civil::Date;
use serde::Deserialize;

use super::npy::Array;
use super::{Place, Series, Wanted};
use crate::place;
use crate::record::Site;

#[derive(Deserialize)]
#[allow(non_snake_case, reason = "the names of the file")]
struct Info {
    #[serde(default)]
    varF: Vec<String>,
    #[serde(default)]
    varQ: Vec<String>,
    #[serde(default)]
    varC: Vec<String>,
    #[serde(default)]
    varG: Vec<String>,
    sd: Date,
    ed: Date,
    freq: String,
    siteNoLst: Vec<String>,
}

pub(super) fn read(wanted: &Wanted) -> Result<Vec<Place>> {
    let path = wanted.folder.join("info.json");
    let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
    let info: Info = serde_json::from_slice(&bytes)
        .map_err(|error| Error::file(&path, format!("is no `info.json` of a case: {error}")))?;
    if info.freq != "D" {
        return Err(Error::file(
            &path,
            format!("`freq` is {}, expected D: daily values", info.freq),
        ));
    }
    let days: Vec<Date> = info
        .sd
        .series(jiff::Span::new().days(1))
        .take_while(|day| *day <= info.ed)
        .collect();
    let npz = wanted.folder.join("data.npz");
    let sites = info.siteNoLst.len();
    let mut places: Vec<Place> = Vec::new();
    for id in &info.siteNoLst {
        places.push(Place {
            site: Site {
                id: id.clone(),
                ..Site::default()
            },
            days: Series::new(),
        });
    }
    let groups = [("f", &info.varF), ("q", &info.varQ), ("c", &info.varC)];
    for (at, name) in wanted.names.iter().enumerate() {
        let found = groups.iter().find_map(|(array, names)| {
            Some((array, names.iter().position(|other| other == name)?))
        });
        let Some((array, variable)) = found else {
            let known: Vec<&str> = groups
                .iter()
                .flat_map(|(_, names)| names.iter().map(String::as_str))
                .collect();
            return Err(Error::file(
                &path,
                format!("has no variable `{name}`, it has {}", known.join(", ")),
            ));
        };
        let array = array_of(&npz, array)?;
        let [length, places_there, variables] = array.shape[..] else {
            return Err(Error::file(
                &npz,
                format!(
                    "`{name}` lies in an array of {} dimensions, expected day, site, variable",
                    array.shape.len()
                ),
            ));
        };
        if length != days.len() || places_there != sites || variable >= variables {
            let reason = format!(
                "the array of `{name}` is {length} × {places_there} × {variables}, expected {} days × {sites} sites × its variables",
                days.len()
            );
            return Err(Error::file(&npz, reason));
        }
        for (number, place) in places.iter_mut().enumerate() {
            for (row, day) in days.iter().enumerate() {
                let own = place
                    .days
                    .entry(*day)
                    .or_insert_with(|| vec![f64::NAN; wanted.names.len()]);
                own[at] = array.values[(row * sites + number) * variables + variable];
            }
        }
    }
    let attributes = array_of(&npz, "g")?;
    if attributes.shape == [sites, info.varG.len()] {
        for (place, row) in places
            .iter_mut()
            .zip(attributes.values.chunks(info.varG.len().max(1)))
        {
            for (name, value) in info
                .varG
                .iter()
                .zip(row)
                .filter(|(_, value)| !value.is_nan())
            {
                place::tell(&mut place.site, name, &value.to_string())
                    .map_err(|reason| Error::file(&npz, reason))?;
            }
        }
    }
    Ok(places)
}

fn array_of(path: &Path, name: &str) -> Result<Array> {
    let file = fs::File::open(path).map_err(Error::io("read", path))?;
    let broken =
        |error: zip::result::ZipError| Error::file(path, format!("is no whole npz file: {error}"));
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(broken)?;
    let mut entry = archive.by_name(&format!("{name}.npy")).map_err(broken)?;
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .map_err(Error::io("unpack", path))?;
    Array::read(&bytes).map_err(|reason| Error::file(path, format!("the array `{name}` {reason}")))
}
