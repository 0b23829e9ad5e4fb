//! A report of made-up results: its tables, its terminal summary, and its page in a real browser.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "helpers of tests are tests, and the numbers are small"
)]

mod baselines;
mod browser;
mod curves;
mod drivers;
mod external;
mod extremes;
mod figures;
mod files;
mod filled;
mod grid;
mod paper;
mod reasons;
mod study;
mod target;
mod uncertainty;
mod unseen;

use std::fs;
use std::path::{Path, PathBuf};

use efflux_analysis::measures::NSE;
use efflux_job::Part;
use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{files as files_in, row, rows};

use study::{CONSTANT, SITES, Study, UNOBSERVED};

#[test]
fn undefined_scores_are_empty_cells_with_a_reason_and_nothing_is_nan() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let sites = rows(out.path(), "sites.csv");
    assert_eq!(sites.len(), SITES);
    for (index, reason) in [
        (CONSTANT, "NSE: observations are constant"),
        (UNOBSERVED, "NSE: 0 values, 2 needed"),
    ] {
        let row = row(&sites, &[("site", &study.sites[index].id)]);
        assert_eq!(
            (row["test_nse"].as_str(), row["class_text"].as_str()),
            ("", "")
        );
        assert!(row["not_defined"].contains(reason), "{row:?}");
    }
    let baseline = rows(out.path(), "scores.csv");
    let baseline = row(
        &baseline,
        &[("series", "training-mean"), ("site", &study.sites[1].id)],
    );
    assert!(baseline["not_defined"].contains("KGE: simulation is constant"));
    for (path, content) in files_in(out.path()) {
        // Inflation of a mean is a word, and no number.
        let text = String::from_utf8(content).unwrap().replace("inflat", "");
        for word in ["NaN", "inf,", ",inf", "-inf", ">inf"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

#[test]
fn the_same_results_give_the_same_files_in_whatever_order_trials_ended() {
    let (mut study, first, second) = (
        Study::new(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    report::write(&study.results(), first.path(), Output::All).unwrap();
    study.records.reverse();
    report::write(&study.results(), second.path(), Output::All).unwrap();
    let names = |files: Vec<(PathBuf, Vec<u8>)>, root: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        files
            .into_iter()
            .map(|(path, content)| (path.strip_prefix(root).unwrap().to_owned(), content))
            .collect()
    };
    assert_eq!(
        names(files_in(first.path()), first.path()),
        names(files_in(second.path()), second.path())
    );
}

#[test]
fn the_terminal_summary_fits_eighty_columns_and_agrees_with_the_tables() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    let mut summary = report::write(&study.results(), out.path(), Output::All).unwrap();
    summary.report = PathBuf::from("runs/made-up/report/index.html");
    let text = summary.to_string();
    println!("{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert!(text.contains("10 of 12"));
    let table = rows(out.path(), "summary.csv");
    let median = &row(
        &table,
        &[
            ("series", "ensemble-mean"),
            ("part", "test"),
            ("score", "nse"),
        ],
    )["median"];
    assert_eq!(
        median.parse::<f64>().unwrap(),
        summary.test().unwrap().medians[NSE].unwrap()
    );
    assert!(text.contains(&format!("{:.3}", median.parse::<f64>().unwrap())));
    let classes = summary.classes;
    assert_eq!(
        classes.good + classes.fair + classes.poor + classes.undefined,
        SITES
    );
    assert_eq!(classes.undefined, 2);
}

#[test]
fn a_sweep_without_members_still_has_a_report_that_says_so() {
    let (mut study, out) = (Study::new(), tempfile::tempdir().unwrap());
    study.members.clear();
    study.selection.winner = None;
    let summary = report::write(&study.results(), out.path(), Output::All).unwrap();
    assert!(summary.to_string().contains("not defined"));
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(page.contains("No configuration could be selected"));
    assert!(page.contains("0 of 12 members"));
}

#[test]
fn series_of_the_wrong_length_are_refused_before_anything_is_written() {
    let (mut study, out) = (Study::new(), tempfile::tempdir().unwrap());
    study.members[3].flux.pop();
    assert!(report::write(&study.results(), out.path(), Output::All).is_err());
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn tables_and_page_written_apart_are_those_written_together() {
    let study = Study::new();
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    report::write(&study.results(), whole.path(), Output::All).unwrap();
    report::write(&study.results(), parts.path(), Output::Tables).unwrap();
    assert!(!parts.path().join("index.html").exists());
    report::write(&study.results(), parts.path(), Output::Page).unwrap();
    let relative = |root: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let files = files_in(root).into_iter();
        files
            .map(|(path, content)| (path.strip_prefix(root).unwrap().to_owned(), content))
            .collect()
    };
    assert!(relative(whole.path()) == relative(parts.path()));
}

#[test]
fn observations_that_the_filter_took_are_scored_beside() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    let mut unfiltered = study.observed.clone();
    // A day of the test part that the filter is said to have taken, far from what is simulated.
    let taken = study
        .parts
        .days(1, Part::Test)
        .find(|&day| unfiltered[(1, day)].is_nan())
        .unwrap();
    unfiltered[(1, taken)] = 40.0;
    let results = report::Results {
        unfiltered: Some(&unfiltered),
        ..study.results()
    };
    report::write(&results, out.path(), Output::All).unwrap();
    let scores = rows(out.path(), "scores.csv");
    let score = |series: &str, column: &str| -> f64 {
        let with = [
            ("series", series),
            ("part", "test"),
            ("site", study.sites[1].id.as_str()),
        ];
        row(&scores, &with)[column].parse().unwrap()
    };
    let both = ["ensemble-mean", "ensemble-mean-unfiltered"];
    let [with, without] = both.map(|series| score(series, "days"));
    assert_eq!(without, with + 1.0);
    let [with, without] = both.map(|series| score(series, "rmse_umol_m-2_s-1"));
    assert!(without > with);
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(page.contains("without the percentile filter"));
}

#[test]
fn the_two_parts_of_a_bias_are_the_bias() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::Tables).unwrap();
    let sites = rows(out.path(), "sites.csv");
    for row in sites.iter().filter(|row| row["test_days"] != "0") {
        let number = |column: &str| row[column].parse::<f64>().unwrap();
        let parts =
            number("bias_of_model_umol_m-2_s-1") + number("bias_of_back_transform_umol_m-2_s-1");
        assert!(
            (parts - number("test_bias_umol_m-2_s-1")).abs() < 1e-9,
            "{row:?}"
        );
    }
}
