//! What `efflux inspect` says of packs.

use std::collections::BTreeSet;

use efflux::data::{INTERPOLATED, inspect};
use serde_json::Value;

use super::release::example;
use super::small_pack;
use crate::harness::Study;

/// A pack of a small release, and what is said of it.
fn inspected(arguments: &[&str]) -> (Study, String) {
    let study = Study {
        directory: example(),
    };
    study.run(&["pack", "--cosore", ".", "-o", "a.h5"]).ok();
    let shown = study.run(&[&["inspect", "a.h5"], arguments].concat()).ok();
    (study, shown.stdout)
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&inspected(&[&["--json"], arguments].concat()).1).unwrap()
}

/// The names in the first column of a table under a heading of configs/README.md.
fn documented(heading: &str) -> BTreeSet<String> {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/configs/README.md")).unwrap();
    let (_, section) = text.split_once(heading).unwrap();
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with("| --- "));
    let rows = rows.skip(1).take_while(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let cell = row.split('|').nth(1).unwrap();
        let names: Vec<String> = cell
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        names
    })
    .collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_key_of_the_json_is_documented() {
    let shown = json(&[]);
    assert_eq!(
        keys(&shown),
        documented("## What `efflux inspect --json` says")
    );
    assert_eq!(keys(&shown["records"][0]), documented("### A record"));
    assert_eq!(keys(&shown["dynamic"][0]), documented("### A variable"));
    assert_eq!(keys(&shown["static"][0]), documented("### A variable"));
    assert_eq!(keys(&shown["findings"][0]), documented("### A finding"));
    assert_eq!(keys(&shown["places"][0]), documented("### A place"));
}

#[test]
fn the_split_the_ranges_and_the_coverage_are_those_worked_out_by_hand() {
    let shown = json(&[]);
    // Two observed days at each of two sites: the first trains.
    let wet = &shown["records"][0];
    assert_eq!(
        (&wet["id"], &wet["igbp"]),
        (&"WET".into(), &"Wetland".into())
    );
    assert_eq!(wet["first"], "2010-07-01");
    assert_eq!(wet["first_test_day"], "2010-07-03");
    assert_eq!(
        (&wet["training_days"], &wet["test_days"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        wet["years"]["2010"],
        serde_json::json!({"days": 365, "observed": 2})
    );
    assert_eq!(
        wet["years"]["2020"],
        serde_json::json!({"days": 60, "observed": 0})
    );
    let training = &shown["scaling"]["training"];
    assert_eq!(training[0], 1.5);
    assert!((training[1].as_f64().unwrap() - 10.0 / 3.0).abs() < 1e-6);
    assert_eq!(shown["scaling"]["test"], serde_json::json!([1.5, 3.0]));
    assert_eq!(shown["account"]["data_sets"].as_array().unwrap().len(), 5);
    // Both sites have the same coordinates, but not the same days.
    assert_eq!(shown["places"][0]["test_days_trained_on"], 0);
    assert_eq!(shown["findings"][0]["kind"], "test-filter");

    let shown = json(&["--train-fraction", "0.4"]);
    assert_eq!(shown["records"][0]["first_test_day"], "2010-07-01");
    assert_eq!(shown["scaling"]["training"], Value::Null);
}

#[test]
fn a_share_of_training_days_is_some_but_not_all() {
    let study = Study {
        directory: tempfile::tempdir().unwrap(),
    };
    for share in ["0", "1", "-0.5", "NaN", "80 %"] {
        let arguments = ["inspect", "a.h5", &format!("--train-fraction={share}")];
        study
            .run(&arguments)
            .refused(2, &["expected a number between 0 and 1"]);
    }
}

#[test]
fn the_longest_filled_run_is_told_with_its_site_and_day() {
    let mut pack = small_pack(3, 1);
    let variables = pack.dynamic.len();
    pack.filled.fill(0);
    let mut fill = |site: usize, days: std::ops::Range<usize>| {
        for day in days {
            pack.filled[(site * 365 + day) * variables] = INTERPOLATED;
        }
    };
    fill(0, 10..14);
    fill(1, 100..140);
    fill(2, 360..365);
    let inspection = inspect(&pack, 0.8).unwrap();
    let run = inspection.dynamic[0].longest_interpolated.as_ref().unwrap();
    assert_eq!(
        (run.days, &*run.site, &*run.first),
        (40, &*pack.sites[1].id, "2003-04-11")
    );
    assert_eq!(inspection.dynamic[0].longest_held, None);
    assert_eq!(inspection.dynamic[1].longest_interpolated, None);
    let share = inspection.dynamic[0].filled;
    assert!((share - 49.0 / (3.0 * 365.0)).abs() < 1e-12, "{share}");
}

#[test]
fn no_line_is_wider_than_100_columns_and_every_site_has_one() {
    let release = inspected(&[]).1;
    let mut pack = small_pack(4, 3);
    pack.sites[0].id = "a_site_with_a_name_that_is_longer_than_any_column".into();
    pack.sites[1].publication = "10.1000/a and 10.1000/b, ".repeat(20);
    pack.dynamic[0].name = "a_variable_with_a_name_that_is_longer_than_any_column".into();
    // Dates of a century do not fit as one character a year.
    let mut long = small_pack(1, 100).sealed();
    long.sources = vec!["a source of many words ".repeat(20)];
    for text in [
        release,
        inspect(&pack, 0.8).unwrap().to_string(),
        inspect(&long, 0.8).unwrap().to_string(),
    ] {
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
    let text = inspect(&pack, 0.8).unwrap().to_string();
    for site in &pack.sites[1..] {
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("  {} ", site.id)));
        assert!(row.is_some_and(|row| row.contains("20")), "{text}");
    }
    assert!(text.contains("a_site_with_a_name_that_is_lo…"), "{text}");
}
