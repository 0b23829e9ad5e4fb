//! What the report says of the axes of the grid, of failures and of cost.

use std::fs;

use efflux_report as report;
use efflux_report::Output;
use efflux_run::Candidate;
use efflux_testing::{row, rows};

use super::study::{Study, configuration};

#[test]
fn an_axis_is_told_by_the_configurations_that_all_of_its_values_share() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let axes = rows(out.path(), "axes.csv");
    // Three sizes and two dropouts; the window has one value, so it is no axis.
    assert_eq!(axes.len(), 5);
    // A seed of size 256 at dropout 0.2 failed: sizes are compared at dropout 0.5 alone.
    let mean = |hidden: u32, dropout: f64| {
        let of = |one: &&Candidate| one.params == configuration(hidden, dropout);
        let found = study.selection.candidates.iter().find(of);
        found.unwrap().mean.unwrap()
    };
    for size in [64, 128, 256] {
        let found = row(
            &axes,
            &[("axis", "hidden_size"), ("value", &size.to_string())],
        );
        assert_eq!(found["combinations"], "1");
        let value: f64 = found["mean"].parse().unwrap();
        assert!((value - mean(size, 0.5)).abs() < 1e-12);
    }
    let found = row(&axes, &[("axis", "dropout"), ("value", "0.2")]);
    assert_eq!(found["combinations"], "2");
    let value: f64 = found["mean"].parse().unwrap();
    assert!((value - f64::midpoint(mean(64, 0.2), mean(128, 0.2))).abs() < 1e-12);
    assert!(found["sd_between_seeds"].parse::<f64>().unwrap() > 0.0);
    for share in rows(out.path(), "axes_shares.csv") {
        assert!(
            share["not_defined"].contains("no score of some trial"),
            "{share:?}"
        );
    }
    assert!(out.path().join("figures/axes.svg").is_file());
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(page.contains("Best configurations"));
    assert!(page.contains("Failures by class"));
}

#[test]
fn shares_of_a_whole_grid_add_up() {
    let (mut study, out) = (Study::new(), tempfile::tempdir().unwrap());
    for candidate in &mut study.selection.candidates {
        let known = |(seed, score): &(u64, Option<f64>)| (*seed, Some(score.unwrap_or(0.2)));
        candidate.scores = candidate.scores.iter().map(known).collect();
    }
    report::write(&study.results(), out.path(), Output::Tables).unwrap();
    let shares = rows(out.path(), "axes_shares.csv");
    let sources: Vec<&str> = shares.iter().map(|row| row["source"].as_str()).collect();
    assert_eq!(
        sources,
        ["hidden_size", "dropout", "axes-together", "seeds"]
    );
    let values = shares
        .iter()
        .map(|row| row["share_of_variation"].parse::<f64>().unwrap());
    assert!((values.sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn failures_are_counted_by_class_and_costs_by_configuration() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::Tables).unwrap();
    let failures = rows(out.path(), "failures.csv");
    assert_eq!(failures.len(), 1);
    let only = &failures[0];
    let counts = [
        "failure_class",
        "search_trials",
        "members",
        "configurations",
    ];
    assert_eq!(
        counts.map(|column| only[column].as_str()),
        ["diverged", "1", "0", "1"]
    );

    let costs = rows(out.path(), "costs.csv");
    assert_eq!(costs.len(), 6);
    let with_a_failure = row(&costs, &[("hidden_size", "256"), ("dropout", "0.2")]);
    assert_eq!(
        [&with_a_failure["finished"], &with_a_failure["failed"]],
        ["2", "1"]
    );
    assert_eq!(with_a_failure["median_duration_s"], "61.5");
    let speed: f64 = with_a_failure["median_updates_per_s"].parse().unwrap();
    assert!((speed - 1200.0 / 61.5).abs() < 1e-9);
}
