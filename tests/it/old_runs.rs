//! What an earlier version left behind is opened, evaluated, used and gone on with. `tests/data/run-0.1.0/README.md` says
//! how it was made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use csv::StringRecord;
use efflux_job::Key;
use efflux_testing::repository;

use crate::harness::Study;

/// What version 0.1.0 left behind, unpacked.
fn kept() -> Study {
    let study = Study {
        directory: tempfile::tempdir().unwrap(),
    };
    let archive = repository().join("tests/data/run-0.1.0/run.tar.gz");
    let unpacked = Command::new("tar")
        .arg("-xzf")
        .arg(archive)
        .arg("-C")
        .arg(study.directory.path())
        .status();
    assert!(unpacked.unwrap().success());
    study
}

/// The kept job sweeps again.
fn sweep(study: &Study) -> String {
    let sweep = [
        "sweep",
        "study.toml",
        "--run-dir",
        "run",
        "--slots",
        "1",
        "--device",
        "cpu",
    ];
    study.run(&sweep).ok().stderr
}

/// The trials that have a record, by id; each has one.
fn ended(study: &Study) -> BTreeSet<String> {
    let records = study.records("run");
    let ids: BTreeSet<String> = records
        .iter()
        .map(|record| record.trial.id.to_string())
        .collect();
    assert_eq!(ids.len(), records.len(), "a trial was trained twice");
    ids
}

fn read(table: &Path) -> (StringRecord, Vec<StringRecord>) {
    let mut reader = csv::Reader::from_path(table)
        .unwrap_or_else(|error| panic!("{}: {error}", table.display()));
    let header = reader.headers().unwrap().clone();
    (header, reader.records().map(Result::unwrap).collect())
}

/// Equal texts, or numbers that differ no more than mathematical libraries do, and the rate of an exponential response, which
/// version 0.1.0 found to eight digits, its scores to fewer.
fn agree(old: &str, new: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    old == new
        || number(old)
            .zip(number(new))
            .is_some_and(|(old, new)| (old - new).abs() <= 1e-6 * old.abs().max(new.abs()).max(1.0))
}

/// Every column of the old table is in the new one, with the same values in the same rows, but for rows of a baseline that
/// there was not yet.
fn compare(old: &Path, new: &Path) {
    let name = old.file_name().unwrap().to_string_lossy();
    let ((columns, old), (found, mut new)) = (read(old), read(new));
    if let Some(place) = found.iter().position(|column| column == "series") {
        new.retain(|row| &row[place] != "pooled-process");
    }
    assert_eq!(old.len(), new.len(), "rows of {name}");
    for (index, column) in columns.iter().enumerate() {
        let place = found.iter().position(|found| found == column);
        let place = place.unwrap_or_else(|| panic!("{name}: no column {column}"));
        for (row, (old, new)) in old.iter().zip(&new).enumerate() {
            let (old, new) = (&old[index], &new[place]);
            assert!(
                agree(old, new),
                "{name}, row {row}, {column}: {old:?} before, now {new:?}"
            );
        }
    }
}

/// Compares every table of a directory that was set aside.
fn compare_all(old: &Path, new: &Path) {
    let tables: Vec<_> = fs::read_dir(old)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "csv"))
        .collect();
    assert!(!tables.is_empty(), "{}", old.display());
    for table in tables {
        compare(&table, &new.join(table.file_name().unwrap()));
    }
}

fn series(file: &Path, name: &str) -> Vec<f32> {
    let file = hdf5::File::open(file).unwrap();
    file.dataset(name).unwrap().read_raw().unwrap()
}

/// The series of two files of predictions, to what another instruction set may change.
fn compare_predictions(old: &Path, new: &Path) {
    for name in ["observed", "simulated", "simulated_mean", "simulated_sd"] {
        let (old, new) = (series(old, name), series(new, name));
        assert_eq!(old.len(), new.len(), "{name}");
        for (old, new) in old.into_iter().zip(new) {
            let is_near = (old - new).abs() <= 1e-4 * old.abs().max(1.0);
            assert!(
                is_near || (old.is_nan() && new.is_nan()),
                "{name}: {old} before, now {new}"
            );
        }
    }
}

#[test]
fn status_finds_a_run_of_version_0_1_0_complete() {
    let study = kept();
    let said = study.run(&["status", "run"]).ok().stdout;
    for part in [
        "run: complete",
        "4 of 4 finished, 0 failed",
        "2 of 2 finished, 0 failed",
        "-0.112 (hidden 8 · dropout 0.2 · window 30 d, seed 1)",
        "hidden 8 · dropout 0.2 · window 30 d, -1.094 over its seeds",
    ] {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

#[test]
fn its_tables_and_predictions_come_out_of_its_members_as_they_were() {
    let study = kept();
    fs::rename(study.path("run/report"), study.path("report")).unwrap();
    fs::rename(study.path("run/ensemble"), study.path("ensemble")).unwrap();
    study.run(&["evaluate", "run"]).ok();
    study.run(&["report", "run"]).ok();
    compare_all(
        &study.path("report/tables"),
        &study.path("run/report/tables"),
    );
    compare_predictions(
        &study.path("ensemble/predictions.nc"),
        &study.path("run/ensemble/predictions.nc"),
    );
    assert!(study.path("run/report/index.html").exists());
}

#[test]
fn its_members_predict_another_pack_as_they_did() {
    let study = kept();
    let said = study
        .run(&[
            "predict", "run", "--pack", "other.h5", "-o", "now", "--device", "cpu", "--level",
            "baseline",
        ])
        .ok()
        .stdout;
    assert!(said.contains("applicability   not known"), "{said}");
    compare_predictions(
        &study.path("predicted/predictions.nc"),
        &study.path("now/predictions.nc"),
    );
    // Scores of simulations whose last bits may differ: the counts are compared, the scores are those of the series.
    compare(
        &study.path("predicted/extrapolation.csv"),
        &study.path("now/extrapolation.csv"),
    );
}

#[test]
fn the_same_job_trains_nothing_and_a_larger_grid_only_what_is_new() {
    let study = kept();
    let before = ended(&study);
    assert_eq!(before.len(), 6);
    let said = sweep(&study);
    assert!(said.contains("search: 4 of 4 trials known"), "{said}");
    assert!(said.contains("final: 2 of 2 trials known"), "{said}");
    assert_eq!(ended(&study), before);

    let job = fs::read_to_string(study.path("study.toml")).unwrap();
    let larger = job.replace("dropout = [0.0, 0.2]", "dropout = [0.0, 0.2, 0.4]");
    assert_ne!(job, larger);
    study.write("study.toml", larger);
    let said = sweep(&study);
    assert!(said.contains("search: 4 of 6 trials known"), "{said}");
    let after = ended(&study);
    assert!(after.is_superset(&before));
    let new = study.records("run").into_iter();
    let new = new.filter(|record| !before.contains(record.trial.id.as_str()));
    // Two of the search, and two members if the selection falls on the new configuration.
    for record in new {
        assert_eq!(record.trial.params.text(Key::DROPOUT), "0.4");
    }
    assert!([2, 4].contains(&(after.len() - before.len())), "{said}");
}
