//! The formulas of `analysis` against `metrics.json`, `spikes_extremes.json` and `characteristics.json`.

use efflux_analysis::bands::{Band, Limits, spikes, z_scores};
use efflux_analysis::classes::Reading;
use efflux_analysis::measures::Measure;
use efflux_analysis::metrics::Pairs;
use efflux_analysis::rhythm::{CYCLICALITY, SEASONALITY, SMOOTHNESS, autocorrelation, seasons};
use efflux_analysis::significance::{correlation, student, welch};
use efflux_analysis::statistics::Fences;
use efflux_testing::{golden, series};
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Value;

fn cases<'a>(file: &'a Value, list: &str) -> &'a [Value] {
    let cases = file[list].as_array().unwrap();
    assert!(!cases.is_empty(), "no {list}");
    cases
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

fn score(pairs: &Pairs, name: &str) -> Option<f64> {
    if name == "mse" {
        return pairs.mse().ok();
    }
    let measure = Measure::all().find(|measure| measure.column == name);
    let measure = measure.unwrap_or_else(|| panic!("no score is called {name}"));
    pairs.scores()[measure].ok()
}

#[test]
fn every_score_of_the_reference_pairs_is_met() {
    let Some(file) = golden("metrics.json") else {
        return;
    };
    for case in cases(&file, "cases") {
        let name = case["name"].as_str().unwrap();
        let pairs = pairs(&case["obs"], &case["sim"]);
        assert_eq!(pairs.len() as u64, case["expected"]["n"], "{name}");
        for (metric, expected) in case["expected"].as_object().unwrap() {
            if metric != "n" {
                let tolerance = case["tol"][metric].as_f64().unwrap_or(0.0);
                let what = format!("{name} {metric}");
                assert_close(score(&pairs, metric), expected, tolerance, &what);
            }
        }
        if let Ok(kge) = pairs.kge() {
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
    let Some(file) = golden("characteristics.json") else {
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

/// The tolerance of the files that state one for all cases.
fn assert_near(got: Option<f64>, expected: &Value, what: &str) {
    let tolerance = 1e-9 * expected.as_f64().unwrap_or(0.0).abs().max(1.0);
    assert_close(got, expected, tolerance, what);
}

fn indices(flags: impl IntoIterator<Item = bool>) -> Value {
    let places = flags.into_iter().enumerate().filter(|(_, flag)| *flag);
    places.map(|(place, _)| place).collect()
}

#[test]
fn every_reference_spike_is_found_and_no_other() {
    let Some(file) = golden("spikes_extremes.json") else {
        return;
    };
    let (window, threshold) = (30, 3.0);
    for case in cases(&file, "spikes") {
        let (name, values) = (&case["name"], series(&case["values"]));
        let z = z_scores(&values, window, 11);
        assert_eq!(
            z.iter().flatten().count() as u64,
            case["n_z_defined"],
            "{name}"
        );
        let found = spikes(&values, window, threshold);
        assert_eq!(
            indices(found.iter().copied()),
            case["flagged_index"],
            "{name}"
        );
        let flagged = z.iter().zip(found).filter(|(_, spike)| *spike);
        for ((z, _), expected) in flagged.zip(case["flagged_z"].as_array().unwrap()) {
            assert_near(*z, expected, &format!("{name} z"));
        }
    }
}

#[test]
fn every_reference_band_holds_its_days_with_their_scores() {
    let Some(file) = golden("spikes_extremes.json") else {
        return;
    };
    for case in cases(&file, "bands") {
        let name = &case["name"];
        let (observed, simulated) = (series(&case["obs"]), series(&case["sim"]));
        let valid: Vec<bool> = observed
            .iter()
            .zip(&simulated)
            .map(|(a, b)| (a + b).is_finite())
            .collect();
        let used: Vec<f64> = observed
            .iter()
            .zip(&valid)
            .filter(|(_, valid)| **valid)
            .map(|(value, _)| *value)
            .collect();
        let limits = Limits::new(&used, [0.05, 0.95]).ok();
        assert_near(
            limits.map(|limits| limits.low),
            &case["q05"],
            &format!("{name} q05"),
        );
        assert_near(
            limits.map(|limits| limits.high),
            &case["q95"],
            &format!("{name} q95"),
        );
        for (band, key) in [
            (Band::Bottom, "bottom5"),
            (Band::Middle, "middle90"),
            (Band::Top, "top5"),
        ] {
            let expected = &case["bands"][key];
            let inside = |day: usize| {
                valid[day] && limits.is_some_and(|limits| limits.band(observed[day]) == band)
            };
            assert_eq!(
                indices((0..valid.len()).map(inside)),
                expected["index"],
                "{name} {key}"
            );
            let days = (0..valid.len()).filter(|&day| inside(day));
            let pairs: Pairs = days.map(|day| (observed[day], simulated[day])).collect();
            for metric in ["nse", "kge", "rmse", "bias"] {
                assert_near(
                    score(&pairs, metric),
                    &expected[metric],
                    &format!("{name} {key} {metric}"),
                );
            }
        }
    }
}

#[test]
fn every_reference_rhythm_and_season_is_met() {
    let Some(file) = golden("characteristics.json") else {
        return;
    };
    for case in cases(&file, "series") {
        let (name, values) = (&case["name"], series(&case["values"]));
        for (lag, key) in [
            (SMOOTHNESS, "smoothness"),
            (SEASONALITY, "seasonality"),
            (CYCLICALITY, "cyclicality"),
        ] {
            let (got, expected) = (autocorrelation(&values, lag), &case[key]);
            assert_eq!(got.pairs as u64, expected["n_pairs"], "{name} {key}");
            assert_eq!(got.usable(), expected["usable"], "{name} {key}");
            assert_near(got.r.ok(), &expected["r"], &format!("{name} {key}"));
        }
        let start: Date = case["start_date"].as_str().unwrap().parse().unwrap();
        let months = (0_i64..).map(|day| {
            start
                .checked_add(day.days())
                .unwrap()
                .month()
                .unsigned_abs()
        });
        let got = seasons(months.zip(values), case["latitude"].as_f64().unwrap());
        let expected = &case["summer_winter"];
        assert_eq!(got.summer_days as u64, expected["n_summer"], "{name}");
        assert_eq!(got.winter_days as u64, expected["n_winter"], "{name}");
        for (got, key) in [
            (got.summer, "mean_summer"),
            (got.winter, "mean_winter"),
            (got.difference, "abs_difference"),
        ] {
            assert_near(got.ok(), &expected[key], &format!("{name} {key}"));
        }
    }
}

#[test]
fn every_reference_outlier_lies_beyond_the_fences() {
    let Some(file) = golden("characteristics.json") else {
        return;
    };
    for case in cases(&file, "iqr") {
        let (name, values) = (&case["name"], series(&case["values"]));
        let present: Vec<f64> = values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        let fences = Fences::new(&present).ok();
        for (got, key) in [
            (fences.map(|fences| fences.q1), "q1"),
            (fences.map(|fences| fences.q3), "q3"),
            (fences.map(|fences| fences.low), "lower"),
            (fences.map(|fences| fences.high), "upper"),
        ] {
            assert_near(got, &case[key], &format!("{name} {key}"));
        }
        let kept = values
            .iter()
            .map(|&value| value.is_finite() && fences.is_some_and(|fences| fences.hold(value)));
        assert_eq!(indices(kept), case["kept_index"], "{name}");
    }
}

/// A p value within a relative 1e-7, or within `absolute` where the rules say so.
fn assert_p(got: Option<f64>, expected: &Value, absolute: f64, what: &str) {
    let size = expected.as_f64().unwrap_or(0.0);
    assert_close(got, expected, 1e-7 * size + absolute, what);
}

#[test]
fn every_reference_correlation_and_its_p_value_are_met() {
    let Some(file) = golden("characteristics.json") else {
        return;
    };
    for case in cases(&file, "correlation") {
        let name = case["name"].as_str().unwrap();
        let pairs = pairs(&case["x"], &case["y"]);
        assert_eq!(pairs.len() as u64, case["n"], "{name}");
        let got = correlation(&pairs).ok();
        assert_near(got.map(|got| got.r), &case["r"], &format!("{name} r"));
        let absolute = if name == "exact_line" { 1e-12 } else { 1e-300 };
        assert_p(
            got.map(|got| got.p),
            &case["p"],
            absolute,
            &format!("{name} p"),
        );
    }
}

#[test]
fn every_reference_t_test_is_met_in_both_forms() {
    let Some(file) = golden("characteristics.json") else {
        return;
    };
    for case in cases(&file, "t_test") {
        let (name, a, b) = (&case["name"], series(&case["a"]), series(&case["b"]));
        for (form, got) in [("student", student(&a, &b)), ("welch", welch(&a, &b))] {
            let (expected, got) = (&case[form], got.ok());
            assert_near(
                got.map(|got| got.t),
                &expected["t"],
                &format!("{name} {form} t"),
            );
            assert_near(
                got.map(|got| got.df),
                &expected["df"],
                &format!("{name} {form} df"),
            );
            assert_p(
                got.map(|got| got.p),
                &expected["p"],
                1e-300,
                &format!("{name} {form} p"),
            );
        }
    }
}
