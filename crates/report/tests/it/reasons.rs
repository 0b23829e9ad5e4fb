//! Why the report thinks that sites are at the ends.

use std::collections::HashMap;
use std::fs;

use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{row, rows};

use super::study::{SITES, Study};

#[test]
fn the_ends_of_each_score_are_told_with_reasons_or_that_none_was_found() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let reasons = rows(out.path(), "reasons.csv");
    let sites = rows(out.path(), "sites.csv");
    let mut by_score: Vec<(f64, &str)> = sites
        .iter()
        .filter_map(|row| Some((row["test_nse"].parse().ok()?, row["site"].as_str())))
        .collect();
    by_score.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Twelve sites have a score: a third of them from either end.
    for (end, order) in [
        ("worst", by_score.iter().take(4).collect::<Vec<_>>()),
        ("best", by_score.iter().rev().take(4).collect()),
    ] {
        for (rank, (score, site)) in (1..).zip(order) {
            let rank = rank.to_string();
            let with = [("score", "nse"), ("end", end), ("rank", rank.as_str())];
            let found = row(&reasons, &with);
            assert_eq!(found["site"], *site);
            assert_eq!(found["test_score"].parse::<f64>().unwrap(), *score);
        }
    }
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(page.contains("Worst sites by test NSE"));

    // The last site is simulated far too high, on days that are unlike those of the training.
    let hopeless = study.sites[SITES - 1].id.as_str();
    let of = |reason: &str| {
        let with = [("score", "nse"), ("site", hopeless), ("reason", reason)];
        row(&reasons, &with).clone()
    };
    assert!(of("bias-share-of-mse")["value"].parse::<f64>().unwrap() > 0.9);
    assert_eq!(of("inputs-outside-training-share")["value"], "0.25");

    // Whatever is given keeps to its rule.
    let number = |row: &HashMap<String, String>, column: &str| row[column].parse::<f64>().unwrap();
    let given: Vec<_> = reasons
        .iter()
        .filter(|row| row["reason"] != "none-found")
        .collect();
    assert!(!given.is_empty());
    for row in given {
        let [value, bound, quarter] =
            ["value", "bound", "quarter_of_sites"].map(|column| number(row, column));
        let is_beyond = |limit: f64| match row["end_of_rule"].as_str() {
            "at-most" => value <= limit,
            _ => value >= limit,
        };
        assert!(is_beyond(bound) && is_beyond(quarter), "{row:?}");
    }
}
