//! Data sets of NeuralHydrology.

use std::fs;
use std::path::Path;

use crate::{data, imported, miniature, refused};

const MAPPING: &str = "layout = 'neuralhydrology'\nfiles = ['config.yml']\nmissing = ['-999']\n\
    [neuralhydrology.columns]\nsoil_temp_c = 'soil_temp'\nprecip_mm = 'prcp'\n";

/// The data set of the miniature in a folder of its own.
fn copy() -> tempfile::TempDir {
    fn all(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let place = to.join(path.file_name().unwrap());
            if path.is_dir() {
                all(&path, &place);
            } else {
                fs::copy(&path, &place).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    all(&data("neuralhydrology"), folder.path());
    folder
}

#[test]
fn basins_become_sites_whatever_units_packing_and_steps_their_files_have() {
    miniature::hold(&data("neuralhydrology"), MAPPING, "expected.csv");
    // Names and units of the dynamic inputs are enough where the mapping names none.
    let unnamed = "layout = 'neuralhydrology'\nfiles = ['config.yml']\nmissing = ['-999']\n";
    miniature::hold(&data("neuralhydrology"), unnamed, "expected.csv");
}

#[test]
fn files_that_are_hdf5_are_read_like_classic_ones() {
    let folder = copy();
    let file = folder.path().join("data/time_series/00990135.nc");
    fs::copy(data("netcdf4").join("00990135.nc"), file).unwrap();
    miniature::hold(folder.path(), MAPPING, "expected.csv");
}

#[test]
fn a_sentinel_that_nobody_named_is_asked_for() {
    let error = refused(
        &data("neuralhydrology"),
        &MAPPING.replace("missing = ['-999']\n", ""),
    );
    assert!(
        error.contains("00990135.nc (efflux): has -999 1 times")
            && error.contains("`missing = [\"-999\"]`"),
        "{error}"
    );
}

#[test]
fn what_an_experiment_names_and_is_not_there_is_told() {
    let change = |from: &str, to: &str| {
        let folder = copy();
        let path = folder.path().join("config.yml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(&path, text.replace(from, to)).unwrap();
        refused(folder.path(), MAPPING)
    };
    let error = change("dataset: generic", "dataset: camels_us");
    assert!(
        error.contains("config.yml:11: `dataset` is camels_us, expected `generic`"),
        "{error}"
    );
    let error = change("seq_length", "additional_feature_files: x.p\nseq_length");
    assert!(error.contains("pickles"), "{error}");
    let error = change("- efflux", "- nee");
    assert!(
        error.contains("has no variable `nee` with numbers, it has"),
        "{error}"
    );
    let folder = copy();
    let series = folder.path().join("data/time_series");
    fs::copy(series.join("990135.nc4"), series.join("990135.nc")).unwrap();
    let error = refused(folder.path(), MAPPING);
    assert!(error.contains("both 990135.nc and 990135.nc4"), "{error}");
    fs::remove_file(series.join("990135.nc")).unwrap();
    let file = series.join("990135.nc4");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 8]).unwrap();
    let error = refused(folder.path(), MAPPING);
    assert!(
        error.contains("990135.nc4: as a classic netCDF file is broken off"),
        "{error}"
    );
}

#[test]
fn a_basin_without_coordinates_is_asked_for_them() {
    let folder = copy();
    fs::remove_dir_all(folder.path().join("data/attributes")).unwrap();
    let error = refused(folder.path(), MAPPING);
    assert!(error.contains("site `00990135` has no `lat`"), "{error}");
    let told = "[[sites]]\nid = '00990135'\nlat = 44\nlon = -71\n[[sites]]\nid = '990135'\nlat = 45\nlon = -70\n[[sites]]\nid = \
                'hour_1'\nlat = 45\nlon = -70\n";
    assert_eq!(
        imported(folder.path(), &format!("{MAPPING}{told}"))
            .unwrap()
            .sites
            .len(),
        3
    );
}

#[test]
fn a_variable_in_another_unit_than_its_daily_name_is_converted() {
    let folder = copy();
    let path = folder.path().join("data/time_series/990135.nc4");
    let text = fs::read(&path).unwrap();
    let first = |folder: &Path| {
        let daily = imported(folder, MAPPING).unwrap();
        let site = daily
            .sites
            .iter()
            .find(|site| site.site.id == "990135")
            .unwrap()
            .clone();
        let soil = site
            .drivers
            .iter()
            .position(|driver| driver.name == "soil_temp_c")
            .unwrap();
        site.days[0].drivers[soil].unwrap()
    };
    let celsius = first(folder.path());
    let at = text
        .windows(4)
        .position(|window| window == b"degC")
        .unwrap();
    let kelvin = [&text[..at], b"K\0\0\0", &text[at + 4..]].concat();
    fs::write(&path, kelvin).unwrap();
    assert!((celsius - first(folder.path()) - 273.15).abs() < 1e-9);
}
