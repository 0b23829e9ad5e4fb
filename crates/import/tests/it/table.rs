//! Tables with names, units, delimiters and sentinels of their own.

use std::fs;
use std::path::Path;

use efflux_import::Daily;
use tempfile::TempDir;

use crate::{imported, refused};

/// Half hours of two chambers, as a spreadsheet of a German speaker has them, and the weather of another logger.
const CHAMBERS: &str = "Station Eiche\n\
    Datum;Zeit;F1;F2;Ts 5 cm;Ts 5 cm b;SWC;qc\n\
    ;;mg CO2;mg CO2;°C;°C;%;\n\
    01.05.2010;00:30;300,0;-9999;10,0;12,0;31,0;0\n\
    01.05.2010;24:00;420,5;380,5;12,0;-9999;33,0;1\n\
    02.05.2010;00:30;9999,0;1,5;11,0;11,0;30,0;2\n\
    03.05.2010;12:00;100;NA;9,0;9,0;-9999;0\n";
const WEATHER: &str = "TIMESTAMP\tRain_in\tTair_F\n\
    2010-05-01T00:00:00\t0.1\t50\n\
    2010-05-01T12:00:00\t0\t68\n\
    2010-05-02T00:00:00\t0.5\t32\n\
    2010-05-03T00:00:00\t0\t32\n\
    2010-05-03T12:00:00\t0\t32\n";
const MAPPING: &str = "\
layout = 'table'
files = ['chambers.csv']

[[sites]]
id = 'EICHE'
lat = 51.2
lon = 9.1
igbp = 'DBF'

[table]
delimiter = ';'
decimal = ','
lines_before_names = 1
lines_after_names = 1
missing = ['-9999']
time = { columns = ['Datum', 'Zeit'], format = '%d.%m.%Y %H:%M', stands_for = 'end', minutes = 30, zone = 'standard' }
flux = { columns = ['F1', 'F2'], unit = 'mg CO2 m-2 h-1', quality = { column = 'qc', keep = [0, 1] } }

[[table.drivers]]
name = 'soil_temp_c'
columns = ['Ts 5 cm', 'Ts 5 cm b']
unit = '°C'

[[table.drivers]]
name = 'soil_moisture_m3_m3'
columns = ['SWC']
unit = '%'

[[weather]]
files = ['weather.txt']

[weather.table]
delimiter = 'tab'
time = { columns = ['TIMESTAMP'], format = 'iso', stands_for = 'begin', minutes = 720, zone = 'standard' }

[[weather.table.drivers]]
name = 'precip_mm'
columns = ['Rain_in']
unit = 'in'
day = 'sum'
values_a_day = 2

[[weather.table.drivers]]
name = 'air_temp_c'
columns = ['Tair_F']
unit = '°F'
";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("chambers.csv"), CHAMBERS).unwrap();
    fs::write(folder.path().join("weather.txt"), WEATHER).unwrap();
    folder
}

fn days(folder: &Path, mapping: &str) -> Daily {
    imported(folder, mapping).unwrap()
}

fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-9)
}

#[test]
fn own_names_units_delimiters_and_sentinels_become_days() {
    let folder = folder();
    let daily = days(folder.path(), MAPPING);
    let site = &daily.sites[0];
    assert_eq!(site.site.igbp, "Deciduous broadleaf forest");
    let names: Vec<&str> = site
        .drivers
        .iter()
        .map(|driver| driver.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "soil_temp_c",
            "soil_moisture_m3_m3",
            "precip_mm",
            "air_temp_c"
        ]
    );
    let dates: Vec<String> = site.days.iter().map(|day| day.date.to_string()).collect();
    assert_eq!(dates, ["2010-05-01", "2010-05-02", "2010-05-03"]);
    let [first, second, third] = &site.days[..] else {
        panic!()
    };

    // Three values of two chambers; 24:00 ends the day. 44.009 mg are 1 mmol.
    let factor = 1e3 / 44.009 / 3600.0;
    assert!(
        close(first.flux, (300.0 + 420.5 + 380.5) / 3.0 * factor),
        "{:?}",
        first.flux
    );
    assert_eq!((first.count, second.count, third.count), (3, 0, 1));
    // Rows of two sensors, then the day: ((10 + 12) / 2 + 12) / 2.
    assert!(close(first.drivers[0], 11.5));
    assert!(close(first.drivers[1], 0.32));
    assert!(close(first.drivers[2], 2.54));
    assert!(close(first.drivers[3], 15.0));
    // A row whose flux dropped still has a temperature; a day with half of its rain has no sum.
    assert_eq!(second.flux, None);
    assert!(close(second.drivers[0], 11.0));
    assert_eq!(second.drivers[2], None);
    assert_eq!(third.drivers[1], None);
}

#[test]
fn every_value_is_in_the_account() {
    let folder = folder();
    let daily = days(folder.path(), MAPPING);
    let lines: Vec<(&str, u64)> = daily.account.sites[0].lines().collect();
    let expected = [
        ("read", 8),
        ("time that does not exist", 0),
        ("no flux", 2),
        ("quality", 2),
        ("kept", 4),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_number_that_looks_like_a_fill_value_is_not_averaged_in_silence() {
    let folder = folder();
    let error = refused(folder.path(), &MAPPING.replace("missing = ['-9999']", ""));
    assert!(
        error.contains("has -9999 in 1 rows") && error.contains("missing = [\"-9999\"]"),
        "{error}"
    );
    assert!(error.contains("chambers.csv:"), "{error}");
}

#[test]
fn a_cell_that_is_no_number_is_named_with_its_line_and_column() {
    let folder = folder();
    let path = folder.path().join("chambers.csv");
    fs::write(&path, CHAMBERS.replace("420,5", "420,5*")).unwrap();
    let error = refused(folder.path(), MAPPING);
    assert!(
        error.contains("chambers.csv:5: `F1` has `420,5*`, expected a number"),
        "{error}"
    );
}

#[test]
fn a_time_that_is_none_is_named_with_its_line() {
    let folder = folder();
    let path = folder.path().join("chambers.csv");
    fs::write(&path, CHAMBERS.replace("03.05.2010", "03.13.2010")).unwrap();
    let error = refused(folder.path(), MAPPING);
    assert!(
        error.contains("chambers.csv:7: `Datum` has `03.13.2010`"),
        "{error}"
    );
}

#[test]
fn a_column_that_is_not_there_is_named_with_the_nearest() {
    let folder = folder();
    let error = refused(folder.path(), &MAPPING.replace("'Ts 5 cm b'", "'Ts 5cm b'"));
    assert!(
        error.contains("chambers.csv:2: has no column `Ts 5cm b` (did you mean `Ts 5 cm b`?)"),
        "{error}"
    );
}

#[test]
fn a_unit_that_does_not_say_what_is_weighed_is_refused() {
    let folder = folder();
    let error = refused(
        folder.path(),
        &MAPPING.replace("mg CO2 m-2 h-1", "mg m-2 h-1"),
    );
    assert!(error.contains("table.flux.unit"), "{error}");
}

#[test]
fn the_delimiter_that_is_missing_in_the_mapping_is_asked_for() {
    let folder = folder();
    let error = refused(
        folder.path(),
        &MAPPING.replace("delimiter = ';'\ndecimal = ','", ""),
    );
    assert!(error.contains("delimiter"), "{error}");
}

#[test]
fn latin_1_is_read_as_utf_8_is() {
    let folder = folder();
    let text = CHAMBERS.replace("Ts 5 cm;", "T (°C);");
    let latin: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    fs::write(folder.path().join("chambers.csv"), latin).unwrap();
    let daily = days(folder.path(), &MAPPING.replace("'Ts 5 cm',", "'T (°C)',"));
    assert!(close(daily.sites[0].days[0].drivers[0], 11.5));
}

#[test]
fn sites_are_told_by_a_column_or_by_their_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.csv"),
        "plot,t,f\nA,2010-05-01,1\nB,2010-05-01,2\n",
    )
    .unwrap();
    let time = "time = { columns = ['t'], format = 'iso', stands_for = 'begin', zone = 'standard' }\n\
                flux = { columns = ['f'], unit = 'umol m-2 s-1' }\n";
    let sites = |more: &str| {
        format!(
            "[[sites]]\nid = 'A'\nlat = 1\nlon = 2\n{more}[[sites]]\nid = 'B'\nlat = 3\nlon = 4\n{more}"
        )
    };
    let by_column = format!(
        "layout = 'table'\nfiles = ['a.csv']\n{}[table]\nsite = 'plot'\n{time}",
        sites("")
    );
    let daily = days(folder.path(), &by_column);
    let fluxes: Vec<Option<f64>> = daily.sites.iter().map(|site| site.days[0].flux).collect();
    assert_eq!(fluxes, [Some(1.0), Some(2.0)]);

    let untold = format!(
        "layout = 'table'\nfiles = ['a.csv']\n{}[table]\n{time}",
        sites("")
    );
    assert!(refused(folder.path(), &untold).contains("does not tell which site"));

    let by_file = format!(
        "layout = 'table'\n{}[table]\n{time}",
        sites("files = ['a.csv']\n")
    );
    assert_eq!(days(folder.path(), &by_file).sites[1].days[0].count, 2);

    fs::write(
        folder.path().join("a.csv"),
        "plot,t,f\nA,2010-05-01,1\nC,2010-05-01,2\n",
    )
    .unwrap();
    let error = refused(folder.path(), &by_column);
    assert!(
        error.contains("a.csv:3: `plot` has `C`, expected the `id` of one of [[sites]]"),
        "{error}"
    );
}
