//! What others have met: each folder `rds-*` of `tests/data/cases/cosore` holds a release as somebody has it, and the command
//! that was tried on it.

use std::path::PathBuf;

use efflux_data::Rows;
use efflux_ingest::{CosoreOptions, Filter, Flux, Release, Treatments, read_cosore};

fn cases() -> PathBuf {
    efflux_testing::repository().join("tests/data/cases/cosore")
}

/// Reads the release of a case with the options of its command.
fn read(case: &str) -> Release {
    let folder = cases().join(case);
    let command = std::fs::read_to_string(folder.join("cmd")).unwrap();
    let chosen = command.contains("--variables Rs --treatments none");
    let options = CosoreOptions {
        filter: Filter::None,
        fluxes: if chosen {
            vec![Flux::Rs]
        } else {
            Flux::ALL.to_vec()
        },
        treatments: if chosen {
            Treatments::None
        } else {
            Treatments::All
        },
        ..CosoreOptions::default()
    };
    read_cosore(&folder.join("rel"), &options).unwrap()
}

/// The daily means of the days that have one, and what became of the rows.
fn means(case: &str) -> (Vec<f64>, Rows) {
    let release = read(case);
    let [site] = &release.sites[..] else {
        panic!("{case} is one site");
    };
    let means = site.daily.flux.iter().copied();
    let observed = means.filter(|mean| !mean.is_nan()).collect();
    (observed, release.account.rows())
}

/// Two rows a day of 1.0, 1.1, 1.2 …
fn usual() -> Vec<f64> {
    (0..20).map(|day| 1.05 + 0.2 * f64::from(day)).collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], case: &str) {
    assert_eq!(found.len(), expected.len(), "{case}: {found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{case}: {found}, not {expected}"
        );
    }
}

#[test]
fn every_case_is_walked() {
    let mut folders: Vec<String> = std::fs::read_dir(cases())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("rds-"))
        .collect();
    folders.sort();
    assert_eq!(
        folders,
        [
            "rds-01_xz",
            "rds-03_uncompressed",
            "rds-04_ascii",
            "rds-06_write_rds",
            "rds-07_factor_flux",
            "rds-10_compact_intseq_port",
            "rds-11_compact_real",
            "rds-24_NA_time",
            "rds-26_error_flag",
            "rds-54_seq_flux",
        ]
    );
}

#[test]
fn other_ways_to_write_a_data_frame_are_read() {
    for case in [
        "rds-01_xz",
        "rds-03_uncompressed",
        "rds-04_ascii",
        "rds-06_write_rds",
        "rds-07_factor_flux",
        "rds-10_compact_intseq_port",
    ] {
        let (found, rows) = means(case);
        close(&found, &usual(), case);
        assert_eq!((rows.read, rows.kept), (40, 40), "{case}");
    }
}

#[test]
fn sequences_are_read() {
    for case in ["rds-11_compact_real", "rds-54_seq_flux"] {
        let (found, _) = means(case);
        let expected: Vec<f64> = (0..20).map(|day| 1.5 + 2.0 * f64::from(day)).collect();
        close(&found, &expected, case);
    }
}

#[test]
fn a_row_without_a_time_is_dropped_and_counted() {
    let (found, rows) = means("rds-24_NA_time");
    let mut expected = usual();
    expected[1] = 1.3;
    close(&found, &expected, "rds-24_NA_time");
    assert_eq!((rows.read, rows.without_time, rows.kept), (40, 1, 39));
}

#[test]
fn rows_with_an_error_are_dropped_and_counted() {
    let (_, rows) = means("rds-26_error_flag");
    assert_eq!((rows.read, rows.flagged, rows.kept), (40, 10, 30));
}
