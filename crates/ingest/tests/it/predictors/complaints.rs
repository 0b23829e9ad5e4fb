//! What is refused, and what is told with the site and what to do.

use std::fs;

use efflux_ingest::{Missing, Products, read_predictors};

use super::{
    assert_warned, calendar, export, lines, read, refused, replace, series, sites, table, warnings,
};

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
    let error = read_predictors(
        folder.path(),
        &products,
        &sites(),
        calendar(),
        &Missing::default(),
    )
    .unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("terraclimate.csv:1: has no column `"),
        "{message}"
    );
    assert!(
        message.contains("separate the cells with commas"),
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
    let error = read_predictors(
        empty.path(),
        &products,
        &sites(),
        calendar(),
        &Missing::default(),
    )
    .unwrap_err();
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
        !warnings(&found, sites())
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
    let found = read_predictors(
        folder.path(),
        &products,
        &near,
        calendar(),
        &Missing::default(),
    )
    .unwrap();
    let found = warnings(&found, near);
    let told = |warning: &String| warning.contains("sites `A` and `B`") && warning.contains("wind");
    assert!(!found.iter().any(told));
}
