//! Tables of predictors as Earth Engine exports them: values worked out by hand, and what is refused or told.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use efflux::data::{
    Calendar, HELD, INTERPOLATED, OBSERVED, Pack, Predictors, Products, Site, pack_sites,
    read_predictors,
};
use efflux::error::Exit;
use jiff::civil::date;

use crate::harness::Study;

const SITES: [&str; 5] = ["A", "B", "C", "D", "E"];

/// 40 days from 2003-01-01.
fn calendar() -> Calendar {
    Calendar {
        start: date(2003, 1, 1),
        days: 40,
    }
}

/// Five sites, a degree of latitude apart.
fn sites() -> Vec<Site> {
    let site = |(number, id): (usize, &&str)| Site {
        id: (*id).to_owned(),
        name: String::new(),
        latitude: 40.0 + number as f64,
        longitude: 10.0,
        elevation: None,
        igbp: String::new(),
        publication: String::new(),
    };
    SITES.iter().enumerate().map(site).collect()
}

/// A table of rows that all sites have. A `#` in a cell becomes the digit of the site, 0 to 4.
fn table(folder: &Path, name: &str, columns: &str, rows: &[String]) {
    let mut text = format!("{columns},.geo\n");
    for (number, site) in SITES.iter().enumerate() {
        for row in rows {
            let row = row.replace('#', &number.to_string());
            writeln!(text, "{site},{row},").unwrap();
        }
    }
    fs::write(folder.join(format!("{name}.csv")), text).unwrap();
}

fn lines(rows: &[&str]) -> Vec<String> {
    rows.iter().map(|row| (*row).to_owned()).collect()
}

/// All tables, with gaps, fill values and bad quality. Site E has no land surface temperature.
fn export() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();

    // From midnight of 1 January, which belongs to the day before, to midnight of 5 January.
    let mut hours = vec!["2003-01-01T00:00,0.4,0.21#,0.30#".to_owned()];
    for (day, rain) in [(1, "0.001#"), (2, "0.004#"), (3, "0.002#"), (4, "0.003#")] {
        for hour in 1..=24 {
            let (day, stamp) = if hour == 24 {
                (day + 1, 0)
            } else {
                (day, hour)
            };
            let water = if stamp < 12 { 2 } else { 3 };
            let rain = if (day, stamp) == (2, 12) { "" } else { rain };
            hours.push(format!(
                "2003-01-{day:02}T{stamp:02}:00,{rain},0.{water}{day}#,0.3{day}#"
            ));
        }
    }
    let bands =
        "total_precipitation_hourly,volumetric_soil_water_layer_1,volumetric_soil_water_layer_2";
    table(path, "era5_land", &format!("site,date,{bands}"), &hours);

    let lst = lines(&[
        "2003-01-01,1400#,0,1350#,0",
        "2003-01-02,0,0,0,0",
        "2003-01-03,1500#,2,1360#,0",
        "2003-01-04,1450#,65,1370#,0",
        "2003-01-05,1600#,128,1380#,0",
        "2003-01-06,,,,",
    ]);
    table(
        path,
        "modis_lst",
        "site,date,LST_Day_1km,QC_Day,LST_Night_1km,QC_Night",
        &lst,
    );
    let lst = path.join("modis_lst.csv");
    let text = fs::read_to_string(&lst).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with('E')).collect();
    fs::write(&lst, kept.join("\n")).unwrap();

    let gshtd = lines(&[
        "2002-12-01,1365#,1415#",
        "2003-01-01,1375#,1425#",
        "2003-02-01,1385#,1435#",
    ]);
    table(path, "gshtd", "site,date,TMIN,TMAX", &gshtd);

    let et = lines(&[
        "2002_12_27,50,10#,0",
        "2003_01_01,16#,32#,0",
        "2003_01_09,999,999,8",
        "2003_01_17,32#,64#,24",
        "2003_01_25,32761,32761,0",
    ]);
    table(path, "modis_et", "site,system:index,ET,PET,ET_QC", &et);

    let landsat = lines(&[
        "LE07_013030_20030103,10000,2000#,64,0",
        "LE07_013031_20030103,10000,1600#,64,0",
        "LE07_013030_20030119,9000,2100#,72,0",
        "LE07_013030_20030120,9000,2100#,64,4",
        "LE07_013030_20030121,20000,1000#,64,0",
        "LE07_013030_20030123,12000,2000#,64,0",
    ]);
    table(
        path,
        "landsat7",
        "site,system:index,SR_B3,SR_B4,QA_PIXEL,QA_RADSAT",
        &landsat,
    );

    let lai = lines(&[
        "2002-12-31,3#,1#,0",
        "2003-01-01,4#,1#,2",
        "2003-01-05,255,255,0",
        "2003-01-09,6#,2#,0",
        "2003-01-13,9#,9#,128",
        "2003-01-17,9#,9#,4",
    ]);
    table(path, "modis_lai", "site,date,Fpar,Lai,FparLai_QC", &lai);

    let wind = lines(&["200212,25#", "200301,35#", "200302,30#"]);
    table(path, "terraclimate", "site,system:index,vs", &wind);

    let soil = "soc_0-5cm_mean,sand_0-5cm_mean,silt_0-5cm_mean,clay_0-5cm_mean,bdod_0-5cm_mean";
    table(
        path,
        "soilgrids",
        &format!("site,{soil}"),
        &lines(&["12#,45#,30#,24#,13#"]),
    );
    table(
        path,
        "worldclim",
        "site,bio_1,bio_12",
        &lines(&["8.#,104#"]),
    );
    folder
}

fn read(folder: &Path) -> Predictors {
    read_predictors(folder, &Products::paper().unwrap(), &sites(), calendar()).unwrap()
}

/// The message of the refusal of a folder in which a text was replaced, from the file's name on.
fn refused(file: &str, from: &str, to: &str) -> String {
    let folder = export();
    replace(folder.path(), file, from, to);
    let products = Products::paper().unwrap();
    let error = read_predictors(folder.path(), &products, &sites(), calendar()).unwrap_err();
    assert_eq!(error.exit(), Exit::Environment);
    let message = error.to_string();
    message.rsplit_once('/').unwrap().1.to_owned()
}

fn replace(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// The values and flags of a variable at a site.
fn series(predictors: &Predictors, site: usize, name: &str) -> Vec<(f32, u8)> {
    let variable = position(&predictors.dynamic, name);
    let begin = (site * predictors.dynamic.len() + variable) * 40;
    let values = predictors.values[begin..][..40].iter().copied();
    values
        .zip(predictors.filled[begin..][..40].iter().copied())
        .collect()
}

fn position(variables: &[efflux::data::Variable], name: &str) -> usize {
    variables
        .iter()
        .position(|variable| variable.name == name)
        .unwrap()
}

#[track_caller]
fn assert_days(predictors: &Predictors, site: usize, name: &str, expected: &[(usize, f64, u8)]) {
    let series = series(predictors, site, name);
    for (day, value, flag) in expected {
        let (found, how) = series[*day];
        let close = (f64::from(found) - value).abs() < 1e-5 * value.abs().max(0.01);
        assert!(
            close && how == *flag,
            "{name}, day {day}: {found} ({how}), not {value} ({flag})"
        );
    }
}

#[track_caller]
fn assert_warned(predictors: &Predictors, parts: &[&str]) {
    let told = |warning: &&String| parts.iter().all(|part| warning.contains(part));
    let found = predictors.warnings.iter().find(told);
    assert!(
        found.is_some(),
        "{parts:?} is not in {:#?}",
        predictors.warnings
    );
}

#[test]
fn an_export_of_all_products_gives_the_values_worked_out_by_hand() {
    let folder = export();
    let found = read(folder.path());
    let names: Vec<&str> = found
        .dynamic
        .iter()
        .map(|variable| variable.name.as_str())
        .collect();
    assert_eq!(names.len(), 13, "{names:?}");
    // 24 hours of 1, 2 and 3 mm that end on the day; the second day lacks one of its hours.
    let rain = [
        (0, 0.024, OBSERVED),
        (1, 0.036, INTERPOLATED),
        (2, 0.048, OBSERVED),
        (3, 0.072, OBSERVED),
        (4, 0.072, HELD),
    ];
    assert_days(&found, 0, "precipitation_m", &rain);
    // Rain of 1.4 mm an hour at the last site.
    assert_days(&found, 4, "precipitation_m", &[(0, 0.0336, OBSERVED)]);
    // Half a day at 0.21 and half a day at 0.31; of 5 January there is one hour.
    let upper = [(0, 0.26, OBSERVED), (3, 0.29, OBSERVED), (4, 0.29, HELD)];
    assert_days(&found, 0, "soil_water_0_7cm_m3_m3", &upper);
    let lower = [
        (0, (0.3 + 23.0 * 0.31) / 24.0, OBSERVED),
        (1, 0.32, OBSERVED),
    ];
    assert_days(&found, 0, "soil_water_7_28cm_m3_m3", &lower);
    // Fill value, not produced, error of 2 K, error of 3 K, nothing.
    let lst = [
        (0, 280.0, OBSERVED),
        (1, 280.0 + 10.0 / 3.0, INTERPOLATED),
        (3, 290.0, OBSERVED),
        (4, 290.0, HELD),
    ];
    assert_days(&found, 0, "lst_day_k", &lst);
    assert_days(
        &found,
        0,
        "lst_night_k",
        &[(1, 271.0, INTERPOLATED), (4, 276.0, OBSERVED)],
    );
    // Months stand for 16 December, 16 January and 15 February.
    let least = [
        (0, 273.0 + 2.0 * 16.0 / 31.0, INTERPOLATED),
        (15, 275.0, OBSERVED),
        (39, 275.0 + 2.0 * 24.0 / 30.0, INTERPOLATED),
    ];
    assert_days(&found, 0, "air_temp_min_k", &least);
    assert_days(&found, 0, "air_temp_max_k", &[(15, 285.0, OBSERVED)]);
    // Two scenes on one day; a cloud, a saturated band and bare ground left out.
    let ndvi = [
        (0, (0.275 / 0.425 + 0.165 / 0.315) / 2.0, HELD),
        (2, (0.275 / 0.425 + 0.165 / 0.315) / 2.0, OBSERVED),
        (
            12,
            ((0.275 / 0.425 + 0.165 / 0.315) / 2.0 + 0.22 / 0.48) / 2.0,
            INTERPOLATED,
        ),
        (22, 0.22 / 0.48, OBSERVED),
    ];
    assert_days(&found, 0, "ndvi", &ndvi);
    // 5 mm in the 5 days from 27 December are 8 mm in 8 days, on 29 December.
    let et = [
        (0, 8.0 + 8.0 * 3.0 / 7.0, INTERPOLATED),
        (4, 16.0, OBSERVED),
        (12, 24.0, INTERPOLATED),
        (20, 32.0, OBSERVED),
        (39, 32.0, HELD),
    ];
    assert_days(&found, 0, "et_mm_8d", &et);
    assert_days(
        &found,
        0,
        "pet_mm_8d",
        &[(0, 16.0 + 16.0 * 3.0 / 7.0, INTERPOLATED)],
    );
    // The composite of 31 December has one day; the third is filled, the last two are poor.
    let fpar = [
        (0, 0.3 + 0.1 / 3.0, INTERPOLATED),
        (2, 0.4, OBSERVED),
        (6, 0.5, INTERPOLATED),
        (10, 0.6, OBSERVED),
        (14, 0.6, HELD),
    ];
    assert_days(&found, 0, "fpar", &fpar);
    assert_days(
        &found,
        0,
        "lai_m2_m2",
        &[(0, 1.0, INTERPOLATED), (6, 1.5, INTERPOLATED)],
    );
    let wind = [
        (0, 2.5 + 16.0 / 31.0, INTERPOLATED),
        (39, 3.5 - 0.5 * 0.8, INTERPOLATED),
    ];
    assert_days(&found, 0, "wind_speed_m_s", &wind);

    let attributes = [
        "soc_g_kg",
        "sand_pct",
        "silt_pct",
        "clay_pct",
        "bulk_density_kg_dm3",
        "mat_c",
        "map_cm",
    ];
    let names: Vec<&str> = found
        .statics
        .iter()
        .map(|variable| variable.name.as_str())
        .collect();
    assert_eq!(names, attributes);
    let first = [12.0, 45.0, 30.0, 24.0, 1.3, 8.0, 104.0];
    for (value, expected) in found.static_values.iter().zip(first) {
        assert!((value - expected).abs() < 1e-4, "{value} is not {expected}");
    }

    // Only the site without land surface temperature is told of.
    assert_eq!(found.warnings.len(), 2, "{:#?}", found.warnings);
    assert_warned(
        &found,
        &[
            "`lst_day_k` is absent at site `E`",
            "modis_lst.csv has no row",
        ],
    );
    assert_warned(
        &found,
        &[
            "`lst_night_k` is absent at site `E`",
            "export the table again",
        ],
    );
    assert!(
        series(&found, 4, "lst_day_k")
            .iter()
            .all(|(value, _)| value.is_nan())
    );
    let lst = &found.sources[3];
    assert!(lst.contains("MOD11A1") && lst.contains("stand-in"), "{lst}");
    assert!(found.sources[12].contains("guess"), "{}", found.sources[12]);
}

#[test]
fn marks_and_line_ends_of_spreadsheets_change_nothing() {
    let folder = export();
    let before = read(folder.path());
    for file in ["modis_et.csv", "soilgrids.csv"] {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap().replace('\n', "\r\n");
        fs::write(path, format!("\u{feff}{text}")).unwrap();
    }
    let after = read(folder.path());
    let bits = |values: &[f32]| {
        values
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&before.values), bits(&after.values));
    assert_eq!(bits(&before.static_values), bits(&after.static_values));
    assert_eq!(before.warnings, after.warnings);
}

#[test]
fn parts_of_a_table_are_one_table() {
    let folder = export();
    let before = read(folder.path());
    let path = folder.path().join("modis_lst.csv");
    let text = fs::read_to_string(&path).unwrap();
    let header = text.lines().next().unwrap();
    for part in ["A", "B", "C", "D"] {
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with(part)).collect();
        let name = format!("modis_lst-{part}.csv");
        fs::write(
            folder.path().join(name),
            format!("{header}\n{}\n", rows.join("\n")),
        )
        .unwrap();
    }
    fs::remove_file(path).unwrap();
    assert_eq!(
        series(&before, 1, "lst_day_k"),
        series(&read(folder.path()), 1, "lst_day_k")
    );
}

#[test]
fn values_that_their_producer_filled_are_used_and_flagged() {
    let folder = export();
    let header = "site,date,LST_Day_1km,QC_Day,LST_Night_1km,QC_Night,filled";
    let rows = lines(&["2003-01-01,1400#,0,1350#,0,0", "2003-01-02,1420#,,1360#,,1"]);
    table(folder.path(), "modis_lst", header, &rows);
    let found = read(folder.path());
    assert_days(
        &found,
        0,
        "lst_day_k",
        &[(0, 280.0, OBSERVED), (1, 284.0, INTERPOLATED)],
    );
    assert!(
        !found.sources[3].contains("stand-in"),
        "{}",
        found.sources[3]
    );
}

#[test]
fn cells_that_could_be_misread_are_refused() {
    for (file, from, to, expected) in [
        (
            "modis_lst.csv",
            "14000",
            "\"14,000\"",
            "modis_lst.csv:2: `LST_Day_1km` has `14,000`, expected a number",
        ),
        (
            "modis_lst.csv",
            ",14000,0,",
            ",14000,1.5,",
            "modis_lst.csv:2: `QC_Day` has `1.5`, expected a whole number",
        ),
        (
            "modis_lst.csv",
            "2003-01-02",
            "02.01.2003",
            "modis_lst.csv:3: `date` has `02.01.2003`, expected a date like 2009-01-31",
        ),
        (
            "modis_lst.csv",
            "2003-01-02",
            "20030102",
            "modis_lst.csv:3: `date` has `20030102`, expected a date written as in line 2",
        ),
        (
            "modis_lst.csv",
            "2003-01-02",
            "2003-01-01",
            "modis_lst.csv:3: `site` has `A`, expected one row for a site and time, but the one in line 2",
        ),
        (
            "modis_et.csv",
            "2003_01_09",
            "2003_01_10",
            "modis_et.csv:4: `system:index` has `2003_01_10`, expected the first day of a composite",
        ),
        (
            "era5_land.csv",
            "2003-01-01T00:00",
            "2003-01-01",
            "era5_land.csv:2: `date` has `2003-01-01`, expected a date and an hour",
        ),
        (
            "modis_lai.csv",
            "FparLai_QC",
            "QC",
            "modis_lai.csv:1: has no column `FparLai_QC`",
        ),
        (
            "soilgrids.csv",
            "A,",
            ",",
            "soilgrids.csv:2: `site` is empty, expected the id of a site",
        ),
        (
            "soilgrids.csv",
            "B,121",
            "A,121",
            "soilgrids.csv:3: `site` has `A`, expected one row for a site and time",
        ),
        (
            "worldclim.csv",
            "8.0",
            "None",
            "worldclim.csv:2: `bio_1` has `None`, expected a number",
        ),
    ] {
        let message = refused(file, from, to);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn a_wrong_delimiter_is_refused() {
    let folder = export();
    let path = folder.path().join("terraclimate.csv");
    let text = fs::read_to_string(&path).unwrap().replace(',', ";");
    fs::write(&path, text).unwrap();
    let products = Products::paper().unwrap();
    let error = read_predictors(folder.path(), &products, &sites(), calendar()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("terraclimate.csv:1: has no column `"),
        "{message}"
    );
    assert!(
        message.ends_with("separate the cells with commas"),
        "{message}"
    );
}

#[test]
fn doubled_rows_count_once_and_are_told() {
    let folder = export();
    let before = read(folder.path());
    let path = folder.path().join("era5_land.csv");
    let text = fs::read_to_string(&path).unwrap();
    let row = text.lines().nth(2).unwrap();
    fs::write(&path, format!("{text}{row}\n")).unwrap();
    let after = read(folder.path());
    assert_eq!(
        series(&before, 0, "precipitation_m"),
        series(&after, 0, "precipitation_m")
    );
    assert_warned(
        &after,
        &["era5_land.csv has 1 doubled rows of site `A`", "used once"],
    );
    assert_eq!(
        after.warnings.len(),
        before.warnings.len() + 1,
        "told once, not by product"
    );
}

#[test]
fn missing_tables_and_unknown_ones_are_told() {
    let folder = export();
    fs::remove_file(folder.path().join("gshtd.csv")).unwrap();
    fs::write(folder.path().join("gshtd_2.csv"), "site\n").unwrap();
    let found = read(folder.path());
    assert_eq!(found.dynamic.len(), 11);
    assert_warned(
        &found,
        &["`air_temp_min_k` is left out", "no gshtd.csv", "export.js"],
    );
    assert_warned(&found, &["no product has these tables: gshtd_2.csv"]);

    let empty = tempfile::tempdir().unwrap();
    let products = Products::paper().unwrap();
    let error = read_predictors(empty.path(), &products, &sites(), calendar()).unwrap_err();
    assert!(error.to_string().contains("has no CSV file"), "{error}");
}

#[test]
fn rows_of_other_sites_are_left_out_and_told() {
    let folder = export();
    replace(
        folder.path(),
        "terraclimate.csv",
        "\nE,200212",
        "\nX,200212",
    );
    let found = read(folder.path());
    assert_warned(
        &found,
        &[
            "terraclimate.csv has rows of sites that are not among",
            ": X",
        ],
    );
}

#[test]
fn units_that_cannot_be_are_told() {
    // Kelvin where 0.02 K are declared: too small for the valid range at some sites, 5 K at others.
    let folder = export();
    let rows = lines(&["2002-12-01,27#,1415#", "2003-01-01,28#,1425#"]);
    table(folder.path(), "gshtd", "site,date,TMIN,TMAX", &rows);
    let found = read(folder.path());
    assert_warned(
        &found,
        &[
            "`air_temp_min_k` at site `A` is 5.5032 K on 2003-01-01",
            "hold `TMIN` as 0.02 K",
            "--predictors-config",
        ],
    );
    // Degrees Celsius where stored numbers are expected.
    let rows = lines(&["2003-01-01,1.#,0,2.#,0", "2003-01-02,3.#,0,2.#,0"]);
    table(
        folder.path(),
        "modis_lst",
        "site,date,LST_Day_1km,QC_Day,LST_Night_1km,QC_Night",
        &rows,
    );
    assert_warned(
        &read(folder.path()),
        &[
            "`lst_day_k` is absent at site `B`",
            "2 outside the valid range",
            "7500 to 65535, stored as 0.02 K",
        ],
    );
    // Millimetres where metres are declared.
    let path = folder.path().join("era5_land.csv");
    let text = fs::read_to_string(&path).unwrap().replace(",0.003", ",0.3");
    fs::write(&path, text).unwrap();
    assert_warned(
        &read(folder.path()),
        &["`precipitation_m` at site `A` is 7.2000 m on 2003-01-04"],
    );
    // Per cent where per mille are declared would be plausible, a bulk density in kg/dm3 is not.
    replace(folder.path(), "soilgrids.csv", ",130,", ",1.3,");
    assert_warned(
        &read(folder.path()),
        &["`bulk_density_kg_dm3` at site `A` is 0.0130 kg dm-3"],
    );
}

#[test]
fn predictors_that_never_change_and_copies_are_told() {
    let folder = export();
    let rows = lines(&["200212,250", "200301,250", "200302,250"]);
    table(folder.path(), "terraclimate", "site,system:index,vs", &rows);
    table(
        folder.path(),
        "worldclim",
        "site,bio_1,bio_12",
        &lines(&["8.5,104#"]),
    );
    let found = read(folder.path());
    let rows = lines(&["200212,250", "200301,350", "200302,300"]);
    table(folder.path(), "terraclimate", "site,system:index,vs", &rows);
    let copied = read(folder.path());
    // One month lies inside the calendar; a constant needs more than one observed day.
    assert!(
        !found
            .warnings
            .iter()
            .any(|warning| warning.contains("every observed day"))
    );
    assert_warned(&found, &["`mat_c` is 8.5000 degC at all sites"]);
    assert_warned(
        &copied,
        &["`wind_speed_m_s` is the same at sites `A` and `B`, which are 111 km apart"],
    );

    let lst = lines(&["2003-01-01,14500,0,1350#,0", "2003-01-02,14500,0,1360#,0"]);
    table(
        folder.path(),
        "modis_lst",
        "site,date,LST_Day_1km,QC_Day,LST_Night_1km,QC_Night",
        &lst,
    );
    assert_warned(
        &read(folder.path()),
        &["`lst_day_k` at site `C` is 290.0000 K on every observed day"],
    );

    // Two sites in one grid cell have the same wind.
    let mut near = sites();
    near[1].latitude = 40.01;
    let products = Products::paper().unwrap();
    let found = read_predictors(folder.path(), &products, &near, calendar()).unwrap();
    let told = |warning: &String| warning.contains("sites `A` and `B`") && warning.contains("wind");
    assert!(!found.warnings.iter().any(told));
}

#[test]
fn every_product_is_documented_and_exported_under_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let script = fs::read_to_string(root.join("earth-engine/export.js")).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(script.contains("CI DOES NOT RUN THIS SCRIPT"));
    let products = Products::paper().unwrap();
    assert_eq!(products.iter().count(), 20);
    for product in products.iter() {
        let name = &product.name;
        assert!(
            product.sentence.contains("(line"),
            "{name} has no line of the paper"
        );
        assert!(
            readme.contains(&format!("`{name}`")),
            "`{name}` is not in configs/README.md"
        );
        let columns = product
            .bands
            .iter()
            .chain(product.quality.iter().map(|quality| &quality.band));
        for quoted in columns.chain([&product.table]) {
            let quoted = format!("'{quoted}'");
            assert!(
                script.contains(&quoted),
                "{quoted} of `{name}` is not in export.js"
            );
        }
        if product.table != "worldclim" {
            let source = format!("'{}'", product.source);
            assert!(script.contains(&source), "{source} is not in export.js");
        }
    }
}

#[test]
fn a_pack_takes_the_predictors_behind_its_own() {
    let study = Study {
        directory: tempfile::tempdir().unwrap(),
    };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sites");
    fs::create_dir(study.path("sites")).unwrap();
    fs::create_dir(study.path("tables")).unwrap();
    for file in ["sites.csv", "BOG.csv", "OAK.csv"] {
        fs::copy(source.join(file), study.path("sites").join(file)).unwrap();
    }
    let wind =
        "site,system:index,vs\nBOG,201006,310\nBOG,201007,330\nOAK,200301,200\nOAK,200302,250\n";
    study.write("tables/terraclimate.csv", wind);
    study.write(
        "tables/worldclim.csv",
        "site,bio_1,bio_12\nBOG,1.5,600\nOAK,8.5,1100\n",
    );

    let arguments = [
        "pack",
        "--sites",
        "sites",
        "-o",
        "both.h5",
        "--predictors",
        "tables",
    ];
    let ended = study.run(&[&arguments[..], &["--strict"]].concat());
    ended.refused(
        4,
        &[
            "both.h5",
            "--strict",
            "`ndvi` is left out: there is no landsat7.csv",
        ],
    );
    assert!(!study.path("both.h5").exists());
    study.run(&arguments).ok();
    let both = Pack::read(&study.path("both.h5")).unwrap();
    let alone = pack_sites(&study.path("sites")).unwrap().pack;
    // As it was before there were predictor tables.
    assert_eq!(
        alone.digest,
        "adf1196f768209ce7ba166ac1e8f419de4a9a86fc7064e4e9a55eff9a979d4c3"
    );
    assert_ne!(alone.digest, both.digest);
    assert_eq!(both.dynamic[..4], alone.dynamic);
    assert_eq!(both.dynamic[4].name, "wind_speed_m_s");
    assert_eq!(both.statics[3].name, "mat_c");
    assert_eq!((both.attribute(1, 3), both.attribute(1, 4)), (8.5, 110.0));
    for variable in 0..4 {
        let bits = |pack: &Pack| {
            pack.series(1, variable)
                .map(f32::to_bits)
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&both), bits(&alone));
    }
    let june = both.calendar.index(date(2010, 6, 16)).unwrap();
    assert!((both.series(0, 4).nth(june).unwrap() - 3.1).abs() < 1e-6);
    assert_eq!(both.flags(0, 4).nth(june), Some(OBSERVED));
    assert!(
        both.sources
            .iter()
            .any(|source| source.contains("TERRACLIMATE"))
    );

    // The same name twice, and a description that fits what the tables hold.
    let own = "[[product]]\nname = \"soil_temp_c\"\nunits = \"degC\"\ntable = \"terraclimate\"\nsource = \"x\"\n\
        sentence = \"x\"\nbands = [\"vs\"]\nplausible = [0, 1]\nstep = \"month\"\ndaily = \"interpolation\"\ncell_m = 1\n";
    study.write("own.toml", own);
    let own = [&arguments[..], &["--predictors-config", "own.toml"]].concat();
    study.run(&own).refused(
        2,
        &["`soil_temp_c` comes with the sites and from the predictor tables"],
    );
    study.write("own.toml", "[[product]]\nnames = 1\n");
    study
        .run(&own)
        .refused(4, &["own.toml:2: unknown field `names`"]);
}
