//! What `efflux inspect` says of packs.

use std::collections::BTreeSet;

use efflux_testing::release::example;
use serde_json::Value;

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
