//! What networks of towers tell of their sites: BADM, one fact a row.
//!
//! AmeriFlux and FLUXNET call the file BIF, with the columns `SITE_ID, GROUP_ID, VARIABLE_GROUP, VARIABLE, DATAVALUE`; ICOS
//! calls it SITEINFO and has no `VARIABLE_GROUP`. Facts of one group belong together. A group can come again with the date
//! from which on it holds (`…_DATE_START`).

use std::path::Path;

use efflux_base::error::{Error, Result};
use jiff::civil::Date;

use crate::record::Site;

/// The facts of any number of sites.
#[derive(Debug, Default)]
pub(crate) struct Badm {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    site: String,
    id: String,
    facts: Vec<(String, String)>,
}

impl Badm {
    /// Adds the facts of a file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is no such file.
    pub(crate) fn read(&mut self, path: &Path) -> Result<()> {
        let is = |ending: &str| {
            path.extension()
                .is_some_and(|found| found.eq_ignore_ascii_case(ending))
        };
        let rows = if is("xlsx") {
            crate::workbook::first_sheet(path)?
        } else {
            text(path)?
        };
        self.add(path, rows)
    }

    fn add(&mut self, path: &Path, rows: Vec<Vec<String>>) -> Result<()> {
        let mut rows = rows.into_iter();
        let head = rows.next().unwrap_or_default();
        let find = |name: &str| {
            let found = head
                .iter()
                .position(|column| column.eq_ignore_ascii_case(name));
            found.ok_or_else(|| {
                let found = head.join(", ");
                Error::file(
                    path,
                    format!("has no column `{name}`, expected one as in BADM (it has {found})"),
                )
            })
        };
        let (site, id) = (find("SITE_ID")?, find("GROUP_ID")?);
        let (variable, value) = (find("VARIABLE")?, find("DATAVALUE")?);
        for row in rows {
            // A text with a comma and without quotes has more cells; a line that is broken off has fewer.
            let (Some(of_site), Some(of_id), Some(of_variable)) =
                (row.get(site), row.get(id), row.get(variable))
            else {
                continue;
            };
            let text = match row.get(value..) {
                Some(cells) if value + 1 == head.len() => cells.join(", "),
                Some([first, ..]) => first.clone(),
                _ => continue,
            };
            let found = self.groups.iter_mut().rev();
            let mut same = found.filter(|group| group.site == *of_site && group.id == *of_id);
            let fact = (of_variable.clone(), text.trim().to_owned());
            match same.next() {
                Some(group) => group.facts.push(fact),
                None => self.groups.push(Group {
                    site: of_site.clone(),
                    id: of_id.clone(),
                    facts: vec![fact],
                }),
            }
        }
        Ok(())
    }

    /// What is told of a site, and what was chosen where something is told more than once.
    ///
    /// # Arguments
    ///
    /// * `end`: the last day of the site's data. Of several values the first counts that held before.
    pub(crate) fn site(&self, id: &str, end: Date) -> (Site, Vec<String>) {
        let mut notes = Vec::new();
        let mut text =
            |variable: &str, beside: &[&str]| self.fact(id, variable, end, beside, &mut notes);
        let (lat, beside) = text("LOCATION_LAT", &["LOCATION_LONG", "LOCATION_ELEV"]);
        let [lon, elevation] = match &beside[..] {
            [lon, elevation] => [lon.clone(), elevation.clone()],
            _ => [None, None],
        };
        let lon = lon.or_else(|| text("LOCATION_LONG", &[]).0);
        let elevation = elevation.or_else(|| text("LOCATION_ELEV", &[]).0);
        let igbp = text("IGBP", &[]).0;
        let name = text("SITE_NAME", &[]).0;
        let number = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let site = Site {
            id: id.to_owned(),
            lat: number(lat),
            lon: number(lon),
            elevation_m: number(elevation),
            name: name.unwrap_or_default(),
            igbp: igbp.unwrap_or_default(),
            ..Site::default()
        };
        (site, notes)
    }

    /// The depth below the ground of a variable at a site, metres, if it is told.
    pub(crate) fn depth_m(&self, site: &str, variable: &str) -> Option<f64> {
        let mut groups = self.groups.iter().filter(|group| group.site == site);
        let group = groups.find(|group| group.fact("VAR_INFO_VARNAME") == Some(variable))?;
        let height: f64 = group.fact("VAR_INFO_HEIGHT")?.parse().ok()?;
        Some(-height)
    }

    /// A fact of a site with others of the same group.
    fn fact(
        &self,
        site: &str,
        variable: &str,
        end: Date,
        beside: &[&str],
        notes: &mut Vec<String>,
    ) -> (Option<String>, Vec<Option<String>>) {
        let of_site = self.groups.iter().filter(|group| group.site == site);
        let mut groups: Vec<&Group> = of_site
            .filter(|group| group.fact(variable).is_some())
            .collect();
        groups.sort_by_key(|group| group.begin());
        let held = groups
            .iter()
            .find(|group| group.begin().is_none_or(|begin| begin <= end));
        let Some(group) = held.or(groups.first()) else {
            return (None, Vec::new());
        };
        let value = group.fact(variable).unwrap_or_default();
        let others: Vec<&str> = groups
            .iter()
            .filter_map(|group| group.fact(variable))
            .collect();
        if others.iter().any(|other| *other != value) {
            notes.push(format!(
                "site `{site}` has {variable} {} times ({}): `{value}` is taken, the first that held before the data end",
                others.len(),
                others.join(", ")
            ));
        }
        let beside = beside
            .iter()
            .map(|name| group.fact(name).map(str::to_owned));
        (Some(value.to_owned()), beside.collect())
    }
}

impl Group {
    fn fact(&self, variable: &str) -> Option<&str> {
        let mut facts = self
            .facts
            .iter()
            .filter(|(name, value)| name == variable && !value.is_empty());
        facts.next().map(|(_, value)| value.as_str())
    }

    /// The day from which on the group holds, if it is told.
    fn begin(&self) -> Option<Date> {
        let mut facts = self.facts.iter();
        let (_, date) = facts.find(|(name, _)| name.ends_with("_DATE_START"))?;
        let digits: String = date.chars().filter(char::is_ascii_digit).take(8).collect();
        // A year alone, or a month, begins with its first day.
        let whole = format!("{digits:0<4}{}", &"0101"[digits.len().clamp(4, 8) - 4..]);
        Date::strptime("%Y%m%d", whole).ok()
    }
}

/// The rows of a delimited text, whatever their lengths.
fn text(path: &Path) -> Result<Vec<Vec<String>>> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(&bytes[..]);
    let rows = reader.byte_records().map(|row| {
        let row = row.map_err(|error| Error::file(path, format!("is no CSV: {error}")))?;
        Ok(row.iter().map(crate::cells::text).collect())
    });
    rows.collect()
}
