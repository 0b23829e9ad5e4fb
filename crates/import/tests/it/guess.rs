//! What files are by their looks, and mappings that work once the marked lines are filled in.

use std::fs;
use std::path::{Path, PathBuf};

use efflux_import::guess;

use crate::{data, imported};

/// A table with units in a line of its own, as loggers write it.
const LOGGER: &str = "TOA5,CR1000,Station\n\
    TIMESTAMP,Rs_Avg,Ts_5cm,SWC,qc,Batt\n\
    TS,umol m-2 s-1,degC,%,,V\n\
    ,Avg,Avg,Smp,Smp,Min\n\
    2010-05-01 00:00:00,3.5,11.5,31,0,12.6\n\
    2010-05-01 12:00:00,4.5,-9999,33,0,12.6\n\
    2010-05-02 00:00:00,2.5,12.5,30,1,12.5\n\
    2010-05-02 12:00:00,3.0,12.0,30,0,12.5\n";

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn reason(name: &str, text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    guess(&[written(folder.path(), name, text)])
        .unwrap_err()
        .to_string()
}

#[test]
fn the_mapping_of_a_table_works_once_the_place_is_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "oak.csv", LOGGER);
    let mapping = guess(&[path]).unwrap();
    let error = imported(folder.path(), &mapping).unwrap_err();
    assert!(
        error.contains("site `oak` has no `lat`"),
        "{error}\n{mapping}"
    );
    let mapping = mapping.replace("# lat", "lat").replace("# lon", "lon");
    let daily = imported(folder.path(), &mapping).unwrap();
    let days = &daily.sites[0].days;
    assert_eq!((days[0].flux, days[0].count), (Some(4.0), 2), "{mapping}");
    assert_eq!(days[0].drivers, [Some(11.5), Some(0.32)], "{mapping}");
    assert!(mapping.contains("missing = [\"-9999\"]"), "{mapping}");
}

#[test]
fn a_spreadsheets_semicolons_and_decimal_commas_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let text = "Datum;Uhrzeit;Flux (mg CO2 m-2 h-1);Bodentemperatur (°C)\n\
        01.05.2010;00:30;300,5;10,5\n\
        13.05.2010;12:30;301,5;11,5\n";
    let mapping = guess(&[written(folder.path(), "a.csv", text)]).unwrap();
    for line in [
        "delimiter = \";\"",
        "decimal = \",\"",
        "columns = [\"Datum\", \"Uhrzeit\"]",
        "format = \"%d.%m.%Y %H:%M\"",
        "unit = \"mg CO2 m-2 h-1\"",
        "name = \"soil_temp_c\"",
    ] {
        assert!(mapping.contains(line), "{line}\n{mapping}");
    }
}

#[test]
fn layouts_of_networks_and_chambers_are_recognised_by_names_and_columns() {
    for (layout, file) in [
        (
            "ameriflux-base",
            "ameriflux-base/AMF_ZZ-Am1_BASE_HH_3-5.csv",
        ),
        (
            "fluxnet",
            "fluxnet/dd/AMF_ZZ-Fn2_FLUXNET_FLUXMET_DD_2016-2016_v1.3_r1.csv",
        ),
        (
            "icos-l2",
            "icos-l2/ICOSETC_ZZ-Ic1_ARCHIVE_L2/ICOSETC_ZZ-Ic1_FLUXNET_DD_L2.csv",
        ),
        ("neon", "neon/ZZNA/fluxes.csv"),
        ("licor-81x", "licor-81x/ZZ-Li1.81x"),
        ("licor-export", "licor-export/ZZ-Ex1.txt"),
        ("licor-export", "licor-export/ZZ-Ex2.csv"),
        (
            "licor-8250",
            "licor-8250/ZZ-Mx1/8250-0001-20190601_dense_summary.csv",
        ),
        ("eosfd", "eosfd/ZZ-Fd1.csv"),
        ("eosfd", "eosfd/ZZ-Fd2.csv"),
    ] {
        let mapping = guess(&[data(file)]).unwrap();
        assert!(
            mapping.contains(&format!("layout = \"{layout}\"")),
            "{mapping}"
        );
        let parsed = efflux_import::Mapping::parse(Path::new("import.toml"), &mapping);
        assert!(parsed.is_ok(), "{parsed:?}\n{mapping}");
    }
}

#[test]
fn logs_of_concentrations_and_annual_data_are_refused_with_the_reason() {
    for (name, text, says) in [
        ("a.data", "Model:\tLI-7810\nSN:\tTG10\n", "LI-7810"),
        (
            "b.dat",
            "DATE,FRAC_DAYS_SINCE_JAN1,EPOCH_TIME,CO2\n2010-01-01,0,1,400\n",
            "Picarro",
        ),
        ("c.txt", "Time,[CO2]_ppm\n1,400\n", "LGR"),
        ("d.dat", ";EGM-4\n1,2\n", "EGM-4"),
    ] {
        let error = reason(name, text);
        assert!(
            error.contains(says) && error.contains("compute fluxes of them first"),
            "{error}"
        );
    }
    let error = reason("srdb-data-v5.csv", "Study_number,Rs_annual\n1,800\n");
    assert!(
        error.contains("SRDB") && error.contains("no daily ones"),
        "{error}"
    );
    let error = guess(&[data("neon/ZZNA/SCO2C_30_minute.csv")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("concentrations of CO2 in the soil"),
        "{error}"
    );
}

#[test]
fn a_file_without_a_table_is_refused() {
    let error = reason("letter.txt", "Dear reader,\nthere are no numbers here\n");
    assert!(error.contains("no layout was recognised"), "{error}");
}

#[test]
fn what_a_network_tells_of_its_sites_is_part_of_the_mapping() {
    let folder = data("ameriflux-base");
    let files = [
        "AMF_ZZ-Am1_BASE_HH_3-5.csv",
        "AMF_AA-Flx_BIF_CCBY4_20991231.xlsx",
    ];
    let mapping = guess(&files.map(|name| folder.join(name))).unwrap();
    assert!(!mapping.contains("add the file BIF"), "{mapping}");
    let mapping = mapping.replace("# target", "target");
    assert_eq!(
        imported(&folder, &mapping).unwrap().sites[0].site.id,
        "ZZ-Am1"
    );
}

/// A table with a row of flux and rain at each of these minutes after midnight of 2010-05-01.
fn of_minutes(minutes: impl IntoIterator<Item = i64>) -> String {
    let midnight = jiff::civil::date(2010, 5, 1).at(0, 0, 0, 0);
    let mut text = String::from("time,flux (umol m-2 s-1),rain (mm)\n");
    for minute in minutes {
        let stamp = midnight + jiff::SignedDuration::from_mins(minute);
        text += &format!("{},1.5,0.25\n", stamp.strftime("%Y-%m-%d %H:%M"));
    }
    text
}

/// The mapping that is guessed of a text, with the place filled in, and the daily sum of rain that it makes of the second day.
fn guessed(text: &str) -> (String, Option<f64>) {
    let folder = tempfile::tempdir().unwrap();
    let mapping = guess(&[written(folder.path(), "a.csv", text)]).unwrap();
    let placed = mapping.replace("# lat", "lat").replace("# lon", "lon");
    let daily = imported(folder.path(), &placed).unwrap();
    (mapping, daily.sites[0].days[1].drivers[0])
}

#[test]
fn the_interval_of_a_table_is_that_between_most_of_its_stamps() {
    for (step, spelled) in [
        (1, "1 min"),
        (10, "10 min"),
        (30, "30 min"),
        (60, "1 h"),
        (180, "3 h"),
        (1440, "1 day"),
    ] {
        let values = 1440 / step;
        let (mapping, rain) = guessed(&of_minutes((0..4 * values).map(|row| row * step)));
        for line in [
            format!(
                "minutes = {step}  # CHECK: length of the interval: most stamps are {spelled} apart\n"
            ),
            format!("values_a_day = {values}  # CHECK: rows of a complete day\n"),
        ] {
            assert!(mapping.contains(&line), "{line}\n{mapping}");
        }
        #[allow(clippy::cast_precision_loss, reason = "a day's minutes at most")]
        let whole = 0.25 * values as f64;
        assert_eq!(rain, Some(whole), "{mapping}");
    }
}

#[test]
fn rows_that_were_taken_out_or_are_of_several_chambers_leave_the_interval_as_it_is() {
    // Two rows of a time; of three half hours one is missing, and of nine another.
    let kept = (0..300).filter(|row| row % 3 != 0 && row % 9 != 1);
    let twice = kept.flat_map(|row| [30 * row, 30 * row]);
    let (mapping, _) = guessed(&of_minutes(twice));
    assert!(
        mapping.contains("minutes = 30  # CHECK: length of the interval: most"),
        "{mapping}"
    );
}

#[test]
fn stamps_at_irregular_times_are_said_to_tell_no_interval_and_leave_one_to_be_confirmed() {
    let weeks = (0..40).map(|round| 7 * 1440 * round + 13 * round % 97);
    for (minutes, says) in [
        (
            (0..200).map(|row| 37 * row + row * row % 23).collect(),
            "they are irregular, 22 min to 52 min apart",
        ),
        (weeks.collect(), "they are 7 days apart"),
        (
            vec![0, 1, 90, 4000, 9000],
            "they are irregular, 1 min to 3 days apart",
        ),
        (vec![0, 3 * 1440, 6 * 1440], "they are 3 days apart"),
        (vec![0], "which the stamps do not tell\n"),
    ] as [(Vec<i64>, &str); 5]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), "a.csv", &of_minutes(minutes));
        let mapping = guess(&[path]).unwrap();
        let lines: Vec<&str> = mapping.lines().collect();
        let interval = lines
            .iter()
            .find(|line| line.starts_with("minutes = 30"))
            .unwrap();
        let interval = format!("{interval}\n");
        assert!(
            interval.contains("# CHECK: length of the interval, which the stamps do not tell")
                && interval.contains(says),
            "{says}: {interval}"
        );
        assert!(
            mapping.contains(
                "values_a_day = 48  # CHECK: rows of a complete day, which the stamps do not tell"
            ),
            "{mapping}"
        );
    }
}
