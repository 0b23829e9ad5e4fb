//! Tests of significance and scores of ensembles against scipy, statsmodels, scoringrules and numpy: the numbers in
//! `tests/data/statistics`, made by the script beside them.

use efflux_analysis::baselines::{Day, Response};
use efflux_analysis::conformal::conformal_factor;
use efflux_analysis::distributions::{fisher_upper, normal_two_sided, student_two_sided};
use efflux_analysis::paired::signed_rank;
use efflux_analysis::significance::{benjamini_hochberg, variance};
use efflux_analysis::verification::crps;
use efflux_testing::series;
use serde_json::Value;

fn numbers() -> Value {
    serde_json::from_str(include_str!(
        "../../../../../tests/data/statistics/statistics.json"
    ))
    .unwrap()
}

fn list<'a>(numbers: &'a Value, of: &str) -> &'a [Value] {
    let list = numbers[of].as_array().unwrap();
    assert!(!list.is_empty(), "no {of}");
    list
}

fn assert_relative(got: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (got - expected).abs() <= tolerance * expected.abs().max(1e-300),
        "{what}: {got}, expected {expected}"
    );
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn tails_are_those_of_scipy() {
    let numbers = numbers();
    for case in list(&numbers, "student") {
        let got = student_two_sided(number(&case["t"]), number(&case["df"]));
        assert_relative(got, &case["p"], 1e-10, "student");
    }
    for case in list(&numbers, "fisher") {
        let got = fisher_upper(
            number(&case["f"]),
            number(&case["df"][0]),
            number(&case["df"][1]),
        );
        assert_relative(got, &case["p"], 1e-10, "fisher");
    }
    for case in list(&numbers, "normal") {
        assert_relative(
            normal_two_sided(number(&case["z"])),
            &case["p"],
            1e-10,
            "normal",
        );
    }
}

#[test]
fn the_signed_rank_test_is_that_of_scipy() {
    for case in list(&numbers(), "signed_rank") {
        let got = signed_rank(&series(&case["differences"])).unwrap();
        assert_relative(got.positive, &case["positive"], 1e-12, "rank sum");
        assert_relative(got.p, &case["p"], 1e-9, &format!("p of {}", got.n));
    }
}

#[test]
fn the_analysis_of_variance_is_that_of_scipy() {
    for case in list(&numbers(), "anova") {
        let groups: Vec<Vec<f64>> = case["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(series)
            .collect();
        let got = variance(&groups).unwrap();
        assert_relative(got.f, &case["f"], 1e-10, "F");
        assert_relative(got.p, &case["p"], 1e-9, "p of F");
    }
}

#[test]
fn the_correction_for_many_tests_is_that_of_statsmodels() {
    let numbers = numbers();
    let case = &numbers["benjamini_hochberg"];
    let p: Vec<Option<f64>> = series(&case["p"]).into_iter().map(Some).collect();
    let adjusted = benjamini_hochberg(&p);
    for (got, expected) in adjusted.iter().zip(case["adjusted"].as_array().unwrap()) {
        assert_relative(got.unwrap(), expected, 1e-12, "adjusted p");
    }
}

#[test]
fn both_forms_of_the_crps_are_those_of_scoringrules() {
    for case in list(&numbers(), "crps") {
        let got = crps(&series(&case["members"]), number(&case["observed"])).unwrap();
        assert_relative(got.ordinary, &case["ordinary"], 1e-10, "ordinary");
        assert_relative(got.fair.unwrap(), &case["fair"], 1e-10, "fair");
    }
}

#[test]
fn the_conformal_factor_is_the_order_statistic_of_numpy() {
    for case in list(&numbers(), "conformal") {
        let got = conformal_factor(&series(&case["scaled_errors"]), number(&case["level"]));
        assert_eq!(got.ok(), case["factor"].as_f64(), "{}", case["level"]);
    }
}

#[test]
fn the_temperature_response_is_that_of_scipys_curve_fit() {
    for case in list(&numbers(), "q10") {
        let days: Vec<Day> = series(&case["temperature"])
            .into_iter()
            .zip(series(&case["flux"]))
            .map(|(temperature, flux)| Day {
                of_year: 1,
                temperature,
                flux,
            })
            .collect();
        let got = Response::fit(&days).unwrap();
        assert_relative(got.q10(), &case["q10"], 1e-6, "Q10");
        assert_relative(got.at_zero, &case["at_zero"], 1e-6, "flux at 0 °C");
    }
}
