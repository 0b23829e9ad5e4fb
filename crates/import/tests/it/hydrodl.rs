//! Folders of hydroDL and its relatives: the same values, laid out in three ways.

use std::fs;

use crate::{data, imported, miniature, refused};

fn mapping(kind: &str, columns: [&str; 2], more: &str) -> String {
    let [soil, rain] = columns;
    format!(
        "layout = 'hydrodl'\ntarget = 'efflux'\n[hydrodl]\nkind = '{kind}'\nfolder = '{kind}'\nunit = 'umol m-2 s-1'\n{more}\n\
         [hydrodl.columns]\nsoil_temp_c = '{soil}'\nprecip_mm = '{rain}'\n"
    )
}

fn dbcsv(subset: &str) -> String {
    mapping("dbcsv", ["Tsoil", "APCP"], &format!("subset = '{subset}'"))
}

const COORDINATES: &str = "[[sites]]\nid = '00990135'\nlat = 43.3\nlon = -73.9\n[[sites]]\nid = '00994150'\nlat = 32.7\nlon = -108.3\n";

#[test]
fn a_data_base_of_csv_files_has_a_row_a_place_and_the_days_that_it_says() {
    miniature::hold(&data("hydrodl"), &dbcsv("ZZ"), "expected_dbcsv.csv");
    let daily = imported(&data("hydrodl"), &dbcsv("ZZ")).unwrap();
    let site = &daily.sites[0].site;
    assert_eq!(
        (site.id.as_str(), site.lat, site.lon, site.elevation_m),
        ("ZZ_1", Some(43.3), Some(-73.9), Some(333.0))
    );
}

#[test]
fn a_subset_numbers_its_places_from_one() {
    let daily = imported(&data("hydrodl"), &dbcsv("ZZone")).unwrap();
    let ids: Vec<&str> = daily
        .sites
        .iter()
        .map(|site| site.site.id.as_str())
        .collect();
    assert_eq!(ids, ["ZZ_2"]);
    assert_eq!(daily.sites[0].site.lat, Some(32.7));
}

#[test]
fn a_case_of_arrays_is_asked_for_the_places_that_it_lacks() {
    let case = mapping("case", ["Tsoil", "APCP"], "");
    let error = refused(&data("hydrodl"), &case);
    assert!(error.contains("site `00990135` has no `lat`"), "{error}");
    miniature::hold(
        &data("hydrodl"),
        &format!("{case}{COORDINATES}"),
        "expected_case.csv",
    );
    let error = refused(&data("hydrodl"), &case.replace("'Tsoil'", "'tsoil'"));
    assert!(
        error.contains("has no variable `tsoil`, it has Tsoil, APCP, efflux"),
        "{error}"
    );
}

#[test]
fn tables_with_a_column_a_site_are_joined_with_their_attributes_by_its_name() {
    let wide = mapping("wide", ["tsoil", "prcp"], "");
    miniature::hold(&data("hydrodl"), &wide, "expected_wide.csv");
    let daily = imported(&data("hydrodl"), &wide).unwrap();
    let site = &daily.sites[1].site;
    assert_eq!(
        (site.id.as_str(), site.lat, site.elevation_m),
        ("s2", Some(32.7), Some(1210.0))
    );
    assert!(
        daily
            .warnings
            .iter()
            .any(|warning| warning.contains("were not seen")),
        "{:?}",
        daily.warnings
    );
}

#[test]
fn a_file_that_is_not_as_wide_as_its_days_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let year = folder.path().join("dbcsv/A/2011");
    fs::create_dir_all(folder.path().join("dbcsv/Subset")).unwrap();
    fs::create_dir_all(&year).unwrap();
    fs::write(folder.path().join("dbcsv/Subset/A.csv"), "A\n1\n").unwrap();
    fs::write(folder.path().join("dbcsv/A/crd.csv"), "1,2\n3,4\n").unwrap();
    fs::write(year.join("timeStr.csv"), "2011-04-01\n2011-04-02\n").unwrap();
    fs::write(year.join("efflux.csv"), "1.5\n2.5\n").unwrap();
    let error = refused(folder.path(), &dbcsv("A"));
    assert!(error.contains("efflux.csv: has 2 rows of 1 cells, expected a row for each of 2 places and a column for each of 2 days"), "{error}");
    fs::write(folder.path().join("dbcsv/Subset/A.csv"), "A\n0\n").unwrap();
    let error = refused(folder.path(), &dbcsv("A"));
    assert!(
        error.contains("A.csv:2: `0`: expected a number of a place from 1 to 2"),
        "{error}"
    );
}
