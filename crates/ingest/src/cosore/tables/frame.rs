//! `datasets/data_<name>.csv`: the measurements of a data set, times as the clock of the data set shows them.

use std::io::Read;
use std::path::Path;

use csv::ByteRecord;
use efflux_base::error::{Error, Result};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::super::frame::{BEGIN, ERROR, FLUX, Frame, PORT};
use super::super::rds::number;
use super::table::{fault, header, reader};

/// Rows of a table.
const MOST_ROWS: usize = 1 << 24;

/// Reads the measurements; `zone` is that of their clock.
///
/// # Errors
///
/// [`Error::Data`] with the line if a cell is not what its column holds.
pub(super) fn read(path: &Path, bytes: impl Read, zone: &str, ports: bool) -> Result<Frame> {
    let mut reader = reader(bytes);
    let header = header(path, &mut reader)?;
    let find = |name: &str| header.iter().position(|other| other == name);
    let missing = |name: &str| Error::file(path, format!("has no column {name}"));
    let begin = find(BEGIN).ok_or_else(|| missing(BEGIN))?;
    let flux = find(FLUX).ok_or_else(|| missing(FLUX))?;
    let (port, error) = (find(PORT), find(ERROR));
    if ports && port.is_none() {
        return Err(missing(PORT));
    }
    let clock = TimeZoneDatabase::bundled().get(zone).map_err(|_| {
        let reason = format!(
            "has times of the zone `{zone}` (CSR_TIMEZONE of description.csv), expected one of the IANA time zone database"
        );
        Error::file(path, reason)
    })?;
    let mut frame = Frame {
        time_zone: zone.to_owned(),
        begin: Vec::new(),
        flux: Vec::new(),
        port: Vec::new(),
        error: Vec::new(),
    };
    let mut record = ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| fault(path, &error))?
    {
        if frame.begin.len() == MOST_ROWS {
            return Err(Error::file(
                path,
                format!("has more than {MOST_ROWS} rows, expected one data set"),
            ));
        }
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |column: usize| String::from_utf8_lossy(record.get(column).unwrap_or_default());
        let wrong = |name: &str, column: usize, expected: &str| {
            let reason = format!("`{name}` has `{:.40}`, expected {expected}", cell(column));
            Error::line(path, line, reason)
        };
        let count = |name: &str, column: usize| {
            number(&cell(column)).ok_or_else(|| wrong(name, column, "a number"))
        };
        frame.begin.push(
            time(&cell(begin), &clock)
                .ok_or_else(|| wrong(BEGIN, begin, "a time as in `2009-01-31 05:00:00`"))?,
        );
        frame.flux.push(count(FLUX, flux)?);
        match port {
            Some(port) if ports => frame.port.push(count(PORT, port)?),
            // Without a choice of chambers a port only tells repeated rows.
            Some(port) => frame.port.push(number(&cell(port)).unwrap_or(f64::NAN)),
            None => {}
        }
        if let Some(error) = error {
            frame.error.push(match cell(error).trim() {
                "" | "NA" | "F" | "FALSE" | "False" | "false" => false,
                "T" | "TRUE" | "True" | "true" => true,
                _ => count(ERROR, error)? != 0.0,
            });
        }
    }
    frame
        .check(ports)
        .map_err(|reason| Error::file(path, reason))?;
    Ok(frame)
}

/// Seconds since 1970 of a time, NaN where missing. R leaves out the clock at midnight.
fn time(text: &str, clock: &TimeZone) -> Option<f64> {
    let text = text.trim();
    if matches!(text, "" | "NA") {
        return Some(f64::NAN);
    }
    // With `Z` or an offset, as other writers than R's own put it.
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(seconds(time));
    }
    let local = text
        .parse::<DateTime>()
        .or_else(|_| text.parse::<Date>().map(DateTime::from))
        .ok()?;
    let time = clock.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(seconds(time))
}

#[allow(clippy::cast_precision_loss)] // Milliseconds of 10,000 years.
fn seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "\u{feff}\"CSR_PORT\",\"CSR_TIMESTAMP_BEGIN\",\"CSR_FLUX_CO2\",\"CSR_LABEL\"\n\
                        1,2010-07-01 19:00:00,1.5,\"a, \"\"b\"\"\"\n2,2010-07-02,5e-04,NA\n2,NA,NA,\n";

    fn parse(text: &str) -> Result<Frame> {
        read(Path::new("data.csv"), text.as_bytes(), "Etc/GMT+5", true)
    }

    #[test]
    fn a_table_of_r_is_read() {
        let frame = parse(TEXT).unwrap();
        assert_eq!(frame.begin[..2], [1_278_028_800.0, 1_278_046_800.0]);
        assert!(frame.begin[2].is_nan() && frame.flux[2].is_nan());
        assert_eq!(
            (&frame.flux[..2], &frame.port[..]),
            (&[1.5, 5e-4][..], &[1.0, 2.0, 2.0][..])
        );
        let flagged = TEXT
            .replace("CSR_LABEL", "CSR_ERROR")
            .replace("\"a, \"\"b\"\"\"", "TRUE");
        assert_eq!(parse(&flagged).unwrap().error, [true, false, false]);
        for same in [
            "2010-07-02T00:00:00Z",
            "2010-07-02 02:00:00+02:00",
            "2010-07-01 19:00",
        ] {
            let frame = parse(&TEXT.replace("2010-07-01 19:00:00", same)).unwrap();
            assert_eq!(frame.begin[0], 1_278_028_800.0, "{same}");
        }
        let elsewhere = TEXT.replace("19:00:00", "24:00:00Z");
        assert!(parse(&elsewhere).is_err());
    }

    #[test]
    fn a_cell_that_is_wrong_is_named_with_its_line() {
        for (from, to, expected) in [
            (
                "1.5",
                "warm",
                "data.csv:2: `CSR_FLUX_CO2` has `warm`, expected a number",
            ),
            (
                "2010-07-02",
                "7/2/2010",
                "data.csv:3: `CSR_TIMESTAMP_BEGIN` has `7/2/2010`, expected a time as in",
            ),
            (
                "CSR_FLUX_CO2",
                "FLUX",
                "data.csv: has no column CSR_FLUX_CO2",
            ),
        ] {
            let message = parse(&TEXT.replace(from, to)).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
        let nowhere = read(Path::new("data.csv"), TEXT.as_bytes(), "NA", true).unwrap_err();
        assert!(nowhere.to_string().contains("zone `NA` (CSR_TIMEZONE"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_table_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            at in any::<prop::sample::Index>(),
        ) {
            let mut text = TEXT.as_bytes().to_vec();
            let at = at.index(text.len());
            text.splice(at..at, bytes);
            let _ = read(Path::new("data.csv"), &text[..], "Etc/GMT+5", true);
        }
    }
}
