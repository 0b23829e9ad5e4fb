//! How the configurations of the search learned.

use std::fs;

use efflux_analysis::measures::NSE;
use efflux_job::Stage;
use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{row, rows};

use super::study::Study;

#[test]
fn the_curve_of_a_configuration_is_the_mean_of_its_trials_and_says_what_became_of_it() {
    let (mut study, out) = (Study::new(), tempfile::tempdir().unwrap());
    study.selection.candidates[5].stopped = Some(5);
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let curves = rows(out.path(), "curves.csv");
    assert_eq!(curves.len(), 6 * 30);
    let first = &study.selection.candidates[0].params;
    let trials = study.records.iter().map(|record| &record.trial);
    let trials = trials.filter(|trial| trial.stage == Stage::Search && trial.params == *first);
    let scores = trials.map(|trial| {
        let mut lines = study.epochs.iter();
        let line = lines.find(|line| line.trial == trial.id && line.epoch == 7);
        line.unwrap().validation[NSE].unwrap()
    });
    let scores: Vec<f64> = scores.collect();
    let keys = [("hidden_size", "64"), ("dropout", "0.2"), ("epoch", "7")];
    let found = row(&curves, &keys);
    let value: f64 = found["validation_nse"].parse().unwrap();
    assert!((value - scores.iter().sum::<f64>() / 3.0).abs() < 1e-12);
    assert_eq!((found["trials"].as_str(), scores.len()), ("3", 3));
    for (hidden_size, dropout, fate) in [
        ("64", "0.2", "selected"),
        ("64", "0.5", "trained to the end"),
        ("256", "0.2", "not all of its trials ended"),
        ("256", "0.5", "stopped"),
    ] {
        let keys = [("hidden_size", hidden_size), ("dropout", dropout)];
        assert_eq!(row(&curves, &keys)["fate"], fate);
    }
    let figure = fs::read_to_string(out.path().join("figures/search-curves.svg")).unwrap();
    for words in [
        "selected, 30 values",
        "stopped, 30 values",
        "Search, epoch by epoch",
    ] {
        assert!(figure.contains(words), "{words}");
    }
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(page.contains("6 of 6 configurations with scores are drawn"));
}

#[test]
fn without_a_validation_score_there_is_no_figure_and_the_table_is_empty() {
    let (mut study, out) = (Study::new(), tempfile::tempdir().unwrap());
    study.epochs.clear();
    report::write(&study.results(), out.path(), Output::All).unwrap();
    assert_eq!(rows(out.path(), "curves.csv").len(), 0);
    assert!(!out.path().join("figures/search-curves.svg").exists());
}
