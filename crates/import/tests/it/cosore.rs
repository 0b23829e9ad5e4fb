//! Releases of COSORE.

use crate::{data, imported, miniature, refused};

const ZIP: &str = "layout = 'cosore'\nfiles = ['cosore-9.9.9.zip']\n";
const FOLDER: &str = "layout = 'cosore'\nfiles = ['cosore-9.9.9/description.csv']\n";

#[test]
fn a_release_becomes_days_of_fluxes_and_of_the_sensors_nearest_to_5_cm() {
    for mapping in [ZIP, FOLDER] {
        miniature::hold(&data("cosore-release"), mapping, "expected.csv");
    }
    let daily = imported(&data("cosore-release"), ZIP).unwrap();
    let said = |text: &str| {
        daily
            .warnings
            .iter()
            .chain(&daily.notes)
            .any(|said| said.contains(text))
    };
    assert!(
        said("taken for percent, whatever the dictionary of the release says: d20990102_BBB"),
        "{:?}",
        daily.warnings
    );
    assert!(
        said("d20990103_CCC") && said("`d20990104_DDD` has no flux"),
        "{:?}",
        daily.warnings
    );
}

#[test]
fn trenched_chambers_are_left_out_on_demand() {
    let daily = imported(
        &data("cosore-release"),
        &format!("{ZIP}[cosore]\ntreatments = 'none'\n"),
    )
    .unwrap();
    let account = daily
        .account
        .sites
        .iter()
        .find(|rows| rows.site == "d20990101_AAA")
        .unwrap();
    let other = account
        .dropped
        .iter()
        .find(|(rule, _)| rule == "other chamber");
    assert!(other.is_some_and(|(_, rows)| *rows > 300), "{account:?}");
}

#[test]
fn a_file_that_is_no_release_is_refused() {
    let error = refused(
        &data("licor-export"),
        "layout = 'cosore'\nfiles = ['ZZ-Ex2.csv']\n",
    );
    assert!(error.contains("no description.csv"), "{error}");
}
