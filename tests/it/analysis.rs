//! The formulas against the golden numbers in `tests/data/reference`, or in the directory that `EFFLUX_REFERENCE_DIR`
//! names: other series made by the same generators.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};

use efflux::analysis::classes::Reading;
use efflux::analysis::metrics::{Pairs, Scores};
use serde_json::Value;

/// The golden files of this project. A directory with none of them is a mistake.
const KNOWN: [&str; 6] = [
    "metrics.json",
    "spikes_extremes.json",
    "characteristics.json",
    "splits_windows.json",
    "preprocess.json",
    "lstm_parity.json",
];

/// A golden file; none if the directory that the user gave leaves it out, which is said.
fn reference(file: &str) -> Option<Value> {
    let given = std::env::var_os("EFFLUX_REFERENCE_DIR").map(PathBuf::from);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference");
    let directory = given.as_ref().unwrap_or(&own);
    assert!(
        KNOWN.iter().any(|known| directory.join(known).is_file()),
        "EFFLUX_REFERENCE_DIR: {} holds none of {KNOWN:?}",
        directory.display()
    );
    let path = directory.join(file);
    if given.is_some() && !path.is_file() {
        println!("left out: {} is not there", path.display());
        return None;
    }
    let text = std::fs::read_to_string(&path).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

fn cases<'a>(file: &'a Value, list: &str) -> &'a [Value] {
    let cases = file[list].as_array().unwrap();
    assert!(!cases.is_empty(), "no {list}");
    cases
}

/// A series with null for missing as one with NaN.
fn series(values: &Value) -> Vec<f64> {
    let values = values.as_array().unwrap().iter();
    values
        .map(|value| value.as_f64().unwrap_or(f64::NAN))
        .collect()
}

fn pairs(observed: &Value, simulated: &Value) -> Pairs {
    series(observed)
        .into_iter()
        .zip(series(simulated))
        .collect()
}

/// Null must be undefined, a number must be met within the tolerance.
fn assert_close(got: Option<f64>, expected: &Value, tolerance: f64, what: &str) {
    match (got, expected.as_f64()) {
        (None, None) => assert!(expected.is_null(), "{what}: {expected} is no number"),
        (Some(got), Some(expected)) => assert!(
            (got - expected).abs() <= tolerance,
            "{what}: {got}, expected {expected} ± {tolerance}"
        ),
        _ => panic!("{what}: {got:?}, expected {expected}"),
    }
}

fn score(scores: &Scores, name: &str) -> Option<f64> {
    match name {
        "nse" => scores.nse.ok(),
        "kge" => scores.kge.ok().map(|kge| kge.value),
        "pearson_r" => scores.r.ok(),
        "rmse" => scores.rmse.ok(),
        "mse" => scores.mse.ok(),
        "mae" => scores.mae.ok(),
        "bias" => scores.bias.ok(),
        _ => panic!("no score is called {name}"),
    }
}

#[test]
fn every_score_of_the_reference_pairs_is_met() {
    let Some(file) = reference("metrics.json") else {
        return;
    };
    for case in cases(&file, "cases") {
        let name = case["name"].as_str().unwrap();
        let scores = pairs(&case["obs"], &case["sim"]).scores();
        assert_eq!(scores.n as u64, case["expected"]["n"], "{name}");
        for (metric, expected) in case["expected"].as_object().unwrap() {
            if metric != "n" {
                let tolerance = case["tol"][metric].as_f64().unwrap_or(0.0);
                let what = format!("{name} {metric}");
                assert_close(score(&scores, metric), expected, tolerance, &what);
            }
        }
        if let Ok(kge) = scores.kge {
            for (got, term) in [(kge.r, "r"), (kge.alpha, "alpha"), (kge.beta, "beta")] {
                let expected = &case["kge_terms"][term];
                let tolerance = 1e-9 * expected.as_f64().unwrap().abs().max(1.0);
                assert_close(Some(got), expected, tolerance, &format!("{name} {term}"));
            }
        }
    }
}

#[test]
fn every_reference_site_falls_into_its_class_in_every_reading() {
    let Some(file) = reference("characteristics.json") else {
        return;
    };
    for case in cases(&file, "classes") {
        let (nse, kge) = (case["nse"].as_f64(), case["kge"].as_f64());
        for reading in Reading::ALL {
            let class = nse.zip(kge).map(|(nse, kge)| {
                reading
                    .class(nse, kge)
                    .map_or("unclassified".to_owned(), |class| class.to_string())
            });
            let expected = &case[reading.to_string()];
            assert_eq!(class.as_deref(), expected.as_str(), "{reading} of {case}");
        }
    }
}
