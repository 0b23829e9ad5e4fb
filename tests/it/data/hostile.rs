//! Files that do harm or could be misread: what `tests/data/hostile/expected.csv` says of each is what a user is told, by
//! a program that may take neither much memory nor much time.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use efflux_data::Pack;
use efflux_testing::release::{Column, data_frame, data_set, times};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::{Ended, Study};

/// What the program may take: address space in KiB and seconds of a processor. Of the former the libraries that a
/// development build links take most, and reading data sets by four threads the rest.
const MOST_KIB: u32 = 6 << 20;
const MOST_SECONDS: u32 = 20;

/// Where a file of each folder belongs, and the options that make `efflux pack` read it.
const PLACES: [(&str, &str, &str); 8] = [
    (
        "rds",
        "release/datasets/A/data/data.RDS",
        "--cosore release",
    ),
    (
        "description",
        "release/datasets/A/DESCRIPTION.txt",
        "--cosore release",
    ),
    ("site", "sites/A.csv", "--sites sites"),
    ("sites", "sites/sites.csv", "--sites sites"),
    (
        "terraclimate",
        "tables/terraclimate.csv",
        "--sites sites --predictors tables",
    ),
    (
        "era5_land",
        "tables/era5_land.csv",
        "--sites sites --predictors tables",
    ),
    (
        "modis_et",
        "tables/modis_et.csv",
        "--sites sites --predictors tables",
    ),
    (
        "bomb",
        "release/datasets/A/data/data.RDS",
        "--cosore release",
    ),
];

fn corpus() -> PathBuf {
    efflux_testing::repository().join("tests/data/hostile")
}

/// A folder of sites, a release and a folder for tables in which nothing is wrong.
fn study() -> Study {
    let study = Study {
        directory: tempfile::tempdir().unwrap(),
    };
    fs::create_dir_all(study.path("sites")).unwrap();
    fs::create_dir_all(study.path("tables")).unwrap();
    study.write(
        "sites/sites.csv",
        fs::read(corpus().join("sites/clean.csv")).unwrap(),
    );
    study.write(
        "sites/A.csv",
        fs::read(corpus().join("site/clean.csv")).unwrap(),
    );
    let begin = Column::Times(times(&["2010-01-01T00:00:00Z"]), "UTC");
    let data = data_frame(&[
        ("CSR_TIMESTAMP_BEGIN", begin),
        ("CSR_FLUX_CO2", Column::Real(vec![1.0])),
    ]);
    data_set(&study.path("release"), "A", "Wetland", "", Some(&data));
    study
}

/// Packs with a file in the place where files of its folder belong, within the bounds.
fn pack(study: &Study, folder: &str, bytes: &[u8]) -> Ended {
    let (_, place, options) = PLACES.iter().find(|(name, ..)| *name == folder).unwrap();
    study.write(place, bytes);
    let limits = format!("ulimit -v {MOST_KIB} -t {MOST_SECONDS} && exec \"$0\" \"$@\"");
    let mut arguments = vec!["pack", "-o", "a.h5"];
    arguments.extend(options.split(' '));
    if options.starts_with("--sites") {
        arguments.extend(["--from", "2003-01-01", "--to", "2020-02-29"]);
    }
    let program = study.command(&arguments);
    let mut bounded = std::process::Command::new("bash");
    bounded
        .args(["-c", &limits])
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(study.directory.path())
        .env_remove("EFFLUX_RUN_DIR");
    bounded.output().unwrap().into()
}

/// File, what becomes of it and what is told, of every file of a folder.
fn expected(folder: &str) -> Vec<(String, String, String)> {
    let mut list = csv::Reader::from_path(corpus().join("expected.csv")).unwrap();
    let rows = list.deserialize().map(Result::unwrap);
    rows.filter(|(file, ..): &(String, String, String)| Path::new(file).starts_with(folder))
        .collect()
}

#[track_caller]
fn walk(folder: &str) {
    let expected = expected(folder);
    let found: BTreeSet<String> = fs::read_dir(corpus().join(folder))
        .unwrap()
        .map(|entry| format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy()))
        .collect();
    let listed: BTreeSet<String> = expected.iter().map(|(file, ..)| file.clone()).collect();
    assert_eq!(found, listed, "expected.csv lists every file");
    let mut clean = None;
    for (file, outcome, told) in expected {
        let study = study();
        let ended = pack(&study, folder, &fs::read(corpus().join(&file)).unwrap());
        let said = format!("{file}: {:?} {}", ended.code, ended.stderr);
        assert!(ended.stderr.contains(&told), "{said}");
        assert!(!ended.stderr.contains("panicked"), "{said}");
        match outcome.as_str() {
            "refused" => {
                assert_eq!(ended.code, Some(4), "{said}");
                assert!(!study.path("a.h5").exists(), "{said}");
            }
            "warned" => assert_eq!(ended.code, Some(0), "{said}"),
            // Written in another way, but the same data.
            "read" => {
                assert_eq!(ended.code, Some(0), "{said}");
                let digest = Pack::read(&study.path("a.h5")).unwrap().digest;
                assert_eq!(clean.get_or_insert(digest.clone()), &digest, "{said}");
            }
            other => panic!("{file}: {other} is no outcome"),
        }
    }
}

#[test]
fn hostile_data_frames_are_refused() {
    walk("rds");
}

#[test]
fn hostile_descriptions_are_refused() {
    walk("description");
}

#[test]
fn hostile_files_of_sites_are_refused_or_told() {
    walk("site");
}

#[test]
fn hostile_lists_of_sites_are_refused() {
    walk("sites");
}

#[test]
fn hostile_tables_of_months_are_refused_or_told() {
    walk("terraclimate");
}

#[test]
fn hostile_tables_of_hours_are_refused_or_told() {
    walk("era5_land");
}

#[test]
fn hostile_tables_of_composites_are_refused() {
    walk("modis_et");
}

#[test]
fn every_folder_of_hostile_files_is_walked() {
    let folders: BTreeSet<String> = fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let walked: BTreeSet<String> = PLACES[..7]
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    assert_eq!(folders, walked);
}

/// A gzip file of two megabytes that unpacks to two gigabytes is too large to be kept with the others.
#[test]
fn a_bomb_is_refused_before_it_fills_the_memory() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    std::io::Write::write_all(&mut bomb, b"X\n").unwrap();
    for _ in 0..2048 {
        std::io::Write::write_all(&mut bomb, &zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 4 << 20);
    let ended = pack(&study(), "bomb", &bomb);
    ended.refused(
        4,
        &["datasets/A/data/data.RDS: unpacks to more than 268435456 bytes"],
    );
}
