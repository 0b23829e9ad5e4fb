use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, DateTime};

use super::{Clock, Format, Position, SiteOffset, Zone, recognise};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/timestamps")
}

/// The rows of a file by the names of its columns.
fn table(name: &str) -> Vec<BTreeMap<String, String>> {
    let mut rows = csv::Reader::from_path(folder().join(name)).expect("the file");
    rows.deserialize().map(|row| row.expect("a row")).collect()
}

/// What a mapping says of each file: columns and format. `how.csv` says the rest.
const MAPPINGS: &[(&str, &[&str], &str)] = &[
    ("end_24h.csv", &["date", "time"], "%Y-%m-%d %H:%M"),
    ("end_0h.csv", &["timestamp"], "%Y-%m-%d %H:%M"),
    ("end_compact.csv", &["TIMESTAMP_END"], "%Y%m%d%H%M"),
    ("doy_hhmm.csv", &["Year", "DOY", "Time"], "%Y %j HHMM"),
    ("mid.csv", &["timestamp"], "iso"),
    ("mid_long.csv", &["timestamp"], "%Y-%m-%dT%H:%M"),
    ("two_digit_year.csv", &["when"], "%m/%d/%y %H:%M"),
    ("day_first.csv", &["when"], "%d/%m/%Y %H:%M"),
    ("am_pm.csv", &["Date", "Time"], "%m/%d/%Y %I:%M %p"),
    ("excel_1900.csv", &["serial"], "excel"),
    ("excel_1904.csv", &["serial"], "excel-1904"),
    ("matlab.csv", &["datenum"], "matlab"),
    ("fraction_of_year.csv", &["Year", "DOY"], "%Y %j"),
    ("fraction_from_zero.csv", &["Year", "doy0"], "%Y %0j"),
    ("running_doy.csv", &["DOY"], "days since 2005-12-31"),
    ("iso_z.csv", &["time"], "iso"),
    ("iso_offset.csv", &["time"], "iso"),
    ("epoch.csv", &["SECONDS"], "epoch"),
    ("etc_gmt.csv", &["time"], "%Y-%m-%d %H:%M:%S"),
    ("clock_spring.csv", &["time"], "%Y-%m-%d %H:%M"),
    ("clock_autumn.csv", &["time"], "%Y-%m-%d %H:%M"),
    ("date_only.csv", &["time"], "iso"),
    ("missing.csv", &["time"], "%Y-%m-%d %H:%M"),
];

fn cell(row: &BTreeMap<String, String>, columns: &[&str]) -> String {
    columns
        .iter()
        .map(|column| row[*column].as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn hours(text: &str) -> SiteOffset {
    SiteOffset::from_hours(text.parse().expect("hours")).expect("an offset")
}

fn clock_of(how: &BTreeMap<String, String>, format: &str) -> Clock {
    let position = match how["stamp"].as_str() {
        "begin" => Position::Begin,
        "middle" => Position::Middle,
        _ => Position::End,
    };
    let zone: Zone = how["zone"]
        .replace("in the stamp", "stamp")
        .parse()
        .expect("a zone");
    let site = hours(&how["utc_offset"]);
    let minutes = how["minutes"].parse().ok();
    Clock::new(
        format.parse().expect("a format"),
        position,
        minutes,
        Some(zone),
        Some(site),
    )
    .expect("a clock")
}

#[test]
fn every_kind_of_stamp_gives_the_days_of_its_file() {
    let expected = table("expected.csv");
    let all = table("how.csv");
    assert_eq!(all.len(), MAPPINGS.len());
    for (how, (file, columns, format)) in all.iter().zip(MAPPINGS) {
        assert_eq!(how["file"], *file);
        let mut clock = clock_of(how, format);
        let mut days: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for row in table(file) {
            let begin = clock
                .begin(&cell(&row, columns))
                .unwrap_or_else(|reason| panic!("{file}: {reason}"));
            if let Some(begin) = begin {
                let flux = row["flux"]
                    .trim()
                    .parse()
                    .ok()
                    .filter(|flux: &f64| flux.is_finite() && *flux > -900.0);
                days.entry(begin.date().to_string())
                    .or_default()
                    .extend(flux);
            }
        }
        let expected: Vec<_> = expected.iter().filter(|day| day["file"] == *file).collect();
        assert_eq!(days.len(), expected.len(), "{file}: {days:?}");
        for day in expected {
            let values = &days[&day["date"]];
            let mean =
                values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).expect("few"));
            assert_eq!(
                format!("{mean:.6}"),
                day["co2_flux_umol_m2_s"],
                "{file} {}",
                day["date"]
            );
            assert_eq!(
                values.len().to_string(),
                day["n_flux_values"],
                "{file} {}",
                day["date"]
            );
        }
    }
}

#[test]
fn formats_are_recognised_where_stamps_tell_and_asked_for_where_they_do_not() {
    for (file, columns, format) in MAPPINGS {
        let rows = table(file);
        let cells: Vec<String> = rows.iter().map(|row| cell(row, columns)).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let recognised = recognise(&cells).map(|format| format.to_string());
        let asked = [
            "excel_1900.csv",
            "excel_1904.csv",
            "doy_hhmm.csv",
            "fraction_of_year.csv",
            "fraction_from_zero.csv",
            "running_doy.csv",
        ];
        if asked.contains(file) {
            let reason = recognised.expect_err(file);
            assert!(reason.contains("format"), "{reason}");
        } else if format.starts_with("%Y-") {
            assert_eq!(recognised.as_deref(), Ok("iso"), "{file}");
        } else {
            assert_eq!(recognised.as_deref(), Ok(*format), "{file}");
        }
    }
    assert_eq!(
        recognise(&["14.03.2009 22:30:00"])
            .map(|f| f.to_string())
            .as_deref(),
        Ok("%d.%m.%Y %H:%M:%S")
    );
    assert_eq!(
        recognise(&["14-Mar-2009 10:30PM"])
            .map(|f| f.to_string())
            .as_deref(),
        Ok("%d-%b-%Y %I:%M%p")
    );
    assert_eq!(
        recognise(&["05/04/2009", "05/13/2009 4:00"])
            .map(|f| f.to_string())
            .as_deref(),
        Ok("%m/%d/%Y %H:%M")
    );
    assert_eq!(
        recognise(&["2009031423", "2009031500"])
            .map(|f| f.to_string())
            .as_deref(),
        Ok("%Y%m%d%H")
    );
    let ask = recognise(&["05/04/2009 10:00", "06/04/2009 10:00"]).expect_err("day or month first");
    assert!(ask.contains("`format = \"%d/%m/%Y %H:%M\"`"), "{ask}");
    let both = recognise(&["14/03/2009", "03/14/2009"]).expect_err("both");
    assert!(
        both.contains("`14/03/2009`") && both.contains("`03/14/2009`"),
        "{both}"
    );
}

fn begin(format: &str, cell: &str) -> Result<String, String> {
    let mut clock = Clock::new(format.parse()?, Position::Begin, None, None, None)?;
    Ok(clock
        .begin(cell)?
        .map_or_else(String::new, |begin: DateTime| begin.to_string()))
}

#[test]
fn what_no_clock_shows_is_refused_with_what_was_found() {
    for (format, cell, reason) in [
        (
            "%Y-%m-%d %H:%M",
            "2009-02-29 10:00",
            "2009-02-29 is no day of the calendar",
        ),
        (
            "%Y-%m-%d %H:%M",
            "2009-03-14 24:30",
            "24:00 is the last moment",
        ),
        ("%Y-%m-%d %H:%M", "2009-03-14 ", "expected a number"),
        (
            "%Y-%m-%d %H:%M",
            "2009-03-14 10:30 PM",
            "` PM` is left over",
        ),
        ("%Y-%m-%d %H:%M", "09-03-14 10:30", "has not four digits"),
        ("%m/%d/%Y", "14/03/2009", "month 14 is not from 1 to 12"),
        (
            "%m/%d/%Y %I:%M %p",
            "3/14/2009 13:10 PM",
            "hour 13 is not from 1 to 12",
        ),
        ("%Y %j HHMM", "2009 74 2460", "no time of the day"),
        ("%Y %j", "2007 366.5", "days since"),
        ("%Y%m%d%H%M", "2.00903E+11", "spreadsheet"),
        ("matlab", "39886.9", "not between 1900 and 2100"),
        ("excel", "2009-03-14", "expected a number"),
        ("iso", "14.03.2009", "expected a date such as"),
    ] {
        let error = begin(format, cell).expect_err(cell);
        assert!(error.contains(reason) && error.contains(cell), "{error}");
    }
    for (format, reason) in [
        ("%H:%M", "no year"),
        ("%Y %H:%M", "no day"),
        ("%Y-%m-%d %I:%M", "needs %p"),
        ("%Y-%m-%d %Q", "`%Q` is unknown"),
        ("yyyy-mm-dd", "a pattern such as"),
        ("fortnights since 2001-01-01", "expected days"),
        ("days since the flood", "expected a date"),
    ] {
        let error = format.parse::<Format>().expect_err(format);
        assert!(error.contains(reason) && error.contains(format), "{error}");
    }
}

#[test]
fn a_clock_asks_for_what_it_needs() {
    let clock = |position, minutes, zone: Option<&str>, site: Option<&str>, format: &str| {
        let zone = zone.map(|zone| zone.parse().expect("a zone"));
        let site = site.map(hours);
        Clock::new(
            format.parse().expect("a format"),
            position,
            minutes,
            zone,
            site,
        )
    };
    let error = clock(Position::End, None, None, None, "iso").expect_err("no length");
    assert!(error.contains("`minutes = 30`"), "{error}");
    for (zone, format) in [
        (Some("UTC"), "iso"),
        (Some("America/New_York"), "iso"),
        (Some("stamp"), "iso"),
        (None, "epoch"),
    ] {
        let error =
            clock(Position::Begin, None, zone, None, format).expect_err("no offset of the site");
        assert!(error.contains("`utc_offset = -5`"), "{error}");
    }
    let mut standard =
        clock(Position::Begin, None, Some("standard"), Some("-5"), "iso").expect("a clock");
    let error = standard
        .begin("2009-03-15T03:30:00Z")
        .expect_err("a stamp in another zone");
    assert!(error.contains("`zone = \"stamp\"`"), "{error}");
    let mut unsaid = clock(Position::Begin, None, None, Some("-5"), "iso").expect("a clock");
    assert_eq!(
        unsaid.begin("2009-03-15T03:30:00Z"),
        Ok(Some("2009-03-14T22:30:00".parse().expect("a time")))
    );
    assert_eq!(
        unsaid.begin("2009-03-15T03:30:00"),
        Ok(Some("2009-03-15T03:30:00".parse().expect("a time")))
    );
}

#[test]
fn zones_are_offsets_or_names_and_an_unknown_sign_is_asked_for() {
    for (text, offset) in [
        ("-5", -5.0),
        ("+05:30", 5.5),
        ("-0930", -9.5),
        ("Etc/GMT+5", -5.0),
        ("UTC-5", -5.0),
        ("UTC", 0.0),
        ("America/New_York", -5.0),
        ("Europe/Dublin", 0.0),
        ("Australia/Adelaide", 9.5),
    ] {
        let zone: Zone = text.parse().expect(text);
        let standard = SiteOffset::of_zone(&zone, Date::constant(2010, 7, 1));
        assert_eq!(standard, SiteOffset::from_hours(offset).ok(), "{text}");
    }
    let error = "GMT+5".parse::<Zone>().expect_err("of which sign");
    assert!(error.contains("`Etc/GMT+5` is UTC-5"), "{error}");
    assert!(
        SiteOffset::from_hours(25.0).is_err()
            && SiteOffset::from_hours(5.3).is_err()
            && SiteOffset::from_hours(f64::NAN).is_err()
    );
    assert!("Mars/Olympus".parse::<Zone>().is_err());
}
