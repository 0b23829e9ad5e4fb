//! Fluxes that another program predicts for the sites of a pack: a baseline like any other.

use std::fs::File;

use csv::{ReaderBuilder, StringRecord, Trim};
use efflux_base::error::{Error, Result};
use efflux_data::Pack;
use efflux_job::Job;
use efflux_numerics::SiteByDay;
use jiff::civil::Date;

/// The columns of the file.
const COLUMNS: [&str; 3] = ["site_id", "date", "value"];

/// What the file that a job names under `[baselines] external` predicts, `[S, D]`, in the unit of the target, NaN where it has no value;
/// none if the job names none.
///
/// # Errors
///
/// [`Error::Io`] if it cannot be read, [`Error::Data`] with the line of the first value that cannot be used.
pub fn external(job: &Job, pack: &Pack) -> Result<Option<SiteByDay<f32>>> {
    let Some(path) = &job.baselines.external else {
        return Ok(None);
    };
    let file = File::open(path).map_err(Error::io("read the predictions", path))?;
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(file);
    let broken = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        Error::line(path, line, error.to_string())
    };
    let header = reader.headers().map_err(broken)?.clone();
    let mut places = [0; 3];
    for (place, name) in places.iter_mut().zip(COLUMNS) {
        let found = header.iter().position(|column| column == name);
        *place = found.ok_or_else(|| {
            let found: Vec<&str> = header.iter().collect();
            let found = found.join(", ");
            let expected = COLUMNS.join(", ");
            Error::line(
                path,
                1,
                format!("has the columns `{found}`, expected `{expected}`"),
            )
        })?;
    }
    let mut flux = SiteByDay::filled(pack.sites.len(), pack.calendar.days, f32::NAN);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(broken)? {
        let line = record.position().map_or(0, csv::Position::line);
        let refused = |reason: String| Error::line(path, line, reason);
        let [site_id, date, value] = places.map(|place| record.get(place).unwrap_or_default());
        let (site, day, value) = row(pack, [site_id, date, value]).map_err(refused)?;
        let there = &mut flux[(site, day)];
        if !there.is_nan() {
            return Err(refused(format!(
                "`{site_id}` has a second value on {date}, expected one (the first is {there})"
            )));
        }
        *there = value;
    }
    if flux.iter().all(|value| value.is_nan()) {
        return Err(Error::file(path, "has no row, expected predictions"));
    }
    Ok(Some(flux))
}

/// The place and the value of a row.
fn row(
    pack: &Pack,
    [site_id, date, value]: [&str; 3],
) -> std::result::Result<(usize, usize, f32), String> {
    let site = pack.sites.iter().position(|site| site.id == site_id);
    let site = site.ok_or_else(|| {
        format!("site_id is `{site_id}`, expected a site of the pack (`efflux inspect` lists them)")
    })?;
    let parsed: Date = date
        .parse()
        .map_err(|_| format!("date is `{date}`, expected one like 2019-12-31"))?;
    let day = pack.calendar.index(parsed);
    let day = day.ok_or_else(|| {
        format!(
            "date is {parsed}, expected a day of the pack, {}",
            pack.calendar
        )
    })?;
    let number = value.parse().ok().filter(|value: &f32| value.is_finite());
    let number = number.ok_or_else(|| {
        format!(
            "value is `{value}`, expected a number in {}",
            pack.target.unit()
        )
    })?;
    Ok((site, day, number))
}
