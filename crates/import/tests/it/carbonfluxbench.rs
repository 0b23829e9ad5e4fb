//! Tables of CarbonFluxBench.

use std::fs;

use crate::{data, imported, miniature, refused};

const MAPPING: &str =
    "layout = 'carbonfluxbench'\nfiles = ['data/*.csv']\ntarget = 'RECO_NT_VUT_USTAR50'\n";

#[test]
fn days_with_all_targets_are_kept_with_the_weather_beside_them() {
    miniature::hold(&data("carbonfluxbench"), MAPPING, "expected.csv");
    let daily = imported(&data("carbonfluxbench"), MAPPING).unwrap();
    assert!(
        daily
            .warnings
            .iter()
            .any(|warning| warning.contains("modelled from tower data")),
        "{:?}",
        daily.warnings
    );
    let names: Vec<&str> = daily.sites[0]
        .drivers
        .iter()
        .map(|driver| driver.name.as_str())
        .collect();
    assert!(
        names.contains(&"soil_water_0_7cm_m3_m3") && !names.contains(&"sw_in_w_m2"),
        "{names:?}"
    );
}

#[test]
fn the_first_version_has_other_names_and_the_same_days() {
    let folder = tempfile::tempdir().unwrap();
    let from = data("carbonfluxbench");
    fs::copy(
        from.join("first/target_fluxes.csv"),
        folder.path().join("target_fluxes.csv"),
    )
    .unwrap();
    fs::copy(from.join("data/ERA5.csv"), folder.path().join("ERA5.csv")).unwrap();
    for name in ["expected.csv", "expected_account.csv", "expected_sites.csv"] {
        fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    let mapping = MAPPING.replace("data/*.csv", "[tE]*.csv");
    miniature::hold(folder.path(), &mapping, "expected.csv");
}

#[test]
fn modelled_respiration_is_imported_only_when_asked_for() {
    let error = refused(&data("carbonfluxbench"), &MAPPING.replace("target", "#"));
    assert!(
        error.contains("expected `RECO_NT_VUT_USTAR50`") && error.contains("only when asked for"),
        "{error}"
    );
}

#[test]
fn a_table_of_parquet_is_refused_with_what_makes_csv_of_it() {
    let error = refused(
        &data("carbonfluxbench"),
        &MAPPING.replace("data/*.csv", "first/*.parquet"),
    );
    assert!(error.contains("pandas.read_parquet('target_fluxes_v2.parquet').to_csv('target_fluxes_v2.csv', index=False)"), "{error}");
}

#[test]
fn a_band_that_no_table_has_is_named() {
    let error = refused(
        &data("carbonfluxbench"),
        &format!("{MAPPING}[carbonfluxbench.columns]\nlai_m2_m2 = 'leaf_area_index'\n"),
    );
    assert!(
        error.contains("`leaf_area_index`, which no file of weather has"),
        "{error}"
    );
}
