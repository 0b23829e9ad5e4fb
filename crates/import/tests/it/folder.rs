//! The folder that is written: all of it or nothing, and never over something else.

use std::fs;

use crate::{data, imported};

const MAPPING: &str = "layout = 'icos-l2'\nfiles = ['*/*.csv']\ntarget = 'RECO_NT_VUT_REF'\n";

#[test]
fn an_earlier_output_is_replaced_and_nothing_is_left_beside_it() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("new/daily");
    let daily = imported(&data("icos-l2"), MAPPING).unwrap();
    daily.write(&out).unwrap();
    let mut smaller = daily.clone();
    smaller.sites.truncate(1);
    smaller.write(&out).unwrap();
    assert!(out.join("ZZ-Ic1.csv").exists() && !out.join("ZZ-Ic2.csv").exists());
    assert_eq!(fs::read_dir(parent.path().join("new")).unwrap().count(), 1);
}

#[test]
fn a_folder_that_somebody_changed_or_wrote_is_left_as_it_is() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("daily");
    let daily = imported(&data("icos-l2"), MAPPING).unwrap();
    daily.write(&out).unwrap();
    let changed = format!("{}x", fs::read_to_string(out.join("ZZ-Ic1.csv")).unwrap());
    fs::write(out.join("ZZ-Ic1.csv"), &changed).unwrap();
    let error = daily.write(&out).unwrap_err().to_string();
    assert!(error.contains("`ZZ-Ic1.csv`, which was changed"), "{error}");
    assert_eq!(fs::read_to_string(out.join("ZZ-Ic1.csv")).unwrap(), changed);

    let other = parent.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("thesis.txt"), "mine").unwrap();
    let error = daily.write(&other).unwrap_err().to_string();
    assert!(
        error.contains("no earlier output of `efflux import`"),
        "{error}"
    );
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
}

#[test]
fn an_empty_folder_is_filled() {
    let out = tempfile::tempdir().unwrap();
    imported(&data("icos-l2"), MAPPING)
        .unwrap()
        .write(out.path())
        .unwrap();
    assert!(out.path().join("sites.csv").exists());
}

#[test]
fn what_an_import_wrote_is_no_input_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = "layout = 'icos-l2'\nfiles = ['*/*.csv']\ntarget = 'RECO_NT_VUT_REF'\n";
    let days = "TIMESTAMP,RECO_NT_VUT_REF,NEE_VUT_REF_QC\n20100101,1,1\n";
    let raw = folder.path().join("raw");
    fs::create_dir(&raw).unwrap();
    fs::write(raw.join("ICOSETC_ZZ-A_FLUXNET_DD_L2.csv"), days).unwrap();
    let mapping = format!("{mapping}[[sites]]\nid = 'ZZ-A'\nlat = 1\nlon = 2\n");
    let first = imported(folder.path(), &mapping).unwrap();
    first.write(&folder.path().join("daily")).unwrap();
    let second = imported(folder.path(), &mapping).unwrap();
    assert_eq!(first.notes, second.notes);
}
