//! Mix and intervals of `site_model.json`.

use efflux_analysis::mixture::{interval_factor, mix};
use efflux_testing::{golden, series};
use serde_json::Value;

fn rows(values: &Value) -> Vec<Vec<f64>> {
    values.as_array().unwrap().iter().map(series).collect()
}

#[test]
fn models_are_mixed_as_in_the_reference() {
    let Some(file) = golden("site_model.json") else {
        return;
    };
    let tolerance = file["tolerance"]["mix"].as_f64().unwrap();
    let case = &file["mix"];
    // The file's predictions are in asinh units.
    let (predictions, weights) = (rows(&case["predictions"]), series(&case["weights"]));
    for (day, expected) in series(&case["flux"]).into_iter().enumerate() {
        let members = predictions.iter().zip(&weights);
        let found = mix(members.map(|(series, &weight)| (weight, series[day].sinh()))).unwrap();
        assert!(
            (found - expected).abs() <= tolerance,
            "day {day}: {found}, expected {expected}"
        );
    }
}

#[test]
fn intervals_are_as_wide_as_in_the_reference() {
    let Some(file) = golden("site_model.json") else {
        return;
    };
    let sites = rows(&file["interval"]["scores"]);
    for (name, expected) in file["interval"].as_object().unwrap() {
        if let Some(level) = name.strip_prefix("level_") {
            let found = interval_factor(&sites, level.parse().unwrap());
            assert_eq!(found, Ok(expected.as_f64().unwrap()), "{name}");
        }
    }
}
