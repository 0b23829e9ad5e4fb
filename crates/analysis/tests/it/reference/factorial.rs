//! The analysis of variance against `places.json`.

use efflux_analysis::Defined;
use efflux_analysis::factorial::{Scored, Source, analysis};
use efflux_testing::{golden, index};
use serde_json::Value;

/// Null must be undefined, a number must be met: sums of squares and shares to the first tolerance, F and p to the second's
/// share of them.
fn assert_source(got: &Source, expected: &Value, tolerance: &Value, what: &str) {
    assert_eq!(got.df as u64, expected["df"], "{what} df");
    let absolute = tolerance["anova_ss_and_eta_absolute"].as_f64().unwrap();
    for (got, key, relative) in [
        (got.squares, "ss", None),
        (got.share, "eta2", None),
        (got.partial_share, "partial_eta2", None),
        (got.f, "f", tolerance["anova_f_relative"].as_f64()),
        (got.p, "p", tolerance["p_relative"].as_f64()),
    ] {
        let (what, expected) = (format!("{what} {key}"), expected[key].as_f64());
        assert_near(
            got,
            expected,
            |of| relative.map_or(absolute, |part| part * of),
            &what,
        );
    }
}

fn assert_near(got: Defined, expected: Option<f64>, within: impl Fn(f64) -> f64, what: &str) {
    match (got, expected) {
        (Err(_), None) => {}
        (Ok(got), Some(expected)) => assert!(
            (got - expected).abs() <= within(expected),
            "{what}: {got}, expected {expected}"
        ),
        _ => panic!("{what}: {got:?}, expected {expected:?}"),
    }
}

#[test]
fn every_reference_analysis_of_variance_is_met_with_its_holes() {
    let Some(file) = golden("places.json") else {
        return;
    };
    let cases = file["analysis_of_variance"].as_array().unwrap();
    assert!(!cases.is_empty(), "no analysis_of_variance");
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let axes: Vec<&str> = case["axes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|axis| axis.as_str().unwrap())
            .collect();
        let trial = |trial: &Value| -> Scored {
            let values = trial.as_array().unwrap();
            let levels = values[..axes.len()].iter().map(index);
            (
                levels.collect(),
                values[axes.len()].as_f64().unwrap_or(f64::NAN),
            )
        };
        let trials: Vec<Scored> = case["trials"]
            .as_array()
            .unwrap()
            .iter()
            .map(trial)
            .collect();
        let order = index(&case["order"]);
        let got = analysis(&trials, axes.len(), order);
        assert_eq!(got.trials as u64, case["n"], "{name} n");
        assert_eq!(got.cells as u64, case["cells"], "{name} cells");
        assert_eq!(got.is_balanced, case["balanced"], "{name} balanced");
        assert_eq!(got.error_df as u64, case["df_error"], "{name} df_error");
        let absolute = file["tolerance"]["anova_ss_and_eta_absolute"]
            .as_f64()
            .unwrap();
        assert_near(Ok(got.total), case["ss_total"].as_f64(), |_| absolute, name);
        assert_near(Ok(got.error), case["ss_error"].as_f64(), |_| absolute, name);
        let terms = case["terms"].as_array().unwrap();
        assert_eq!(got.sources.len(), terms.len(), "{name} terms");
        for (got, expected) in got.sources.iter().zip(terms) {
            let term: Vec<&str> = got.axes.iter().map(|&axis| axes[axis]).collect();
            assert_eq!(term.join(":"), expected["term"], "{name}");
            assert_source(
                got,
                expected,
                &file["tolerance"],
                &format!("{name} {}", term.join(":")),
            );
        }
        assert_source(
            &got.rest,
            &case["rest"],
            &file["tolerance"],
            &format!("{name} rest"),
        );
    }
}
