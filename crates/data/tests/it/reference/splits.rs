//! The golden numbers of `splits_windows.json`; its `rules` say what each means.

use efflux_data::{Calendar, Scale, SiteParts, iterations_per_epoch, share, windows_with_target};
use efflux_ingest::fill_gaps;
use efflux_job::{Split, Transformation};
use efflux_testing::{golden, series};
use serde_json::Value;

fn cases(section: &str) -> Vec<Value> {
    golden("splits_windows.json").map_or(Vec::new(), |file| {
        let cases = file[section].as_array().unwrap().clone();
        assert!(!cases.is_empty());
        cases
    })
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn close(found: f64, expected: f64, relative: f64) -> bool {
    found.is_nan() && expected.is_nan()
        || (found - expected).abs() <= relative * expected.abs().max(1.0)
}

/// The paper's split.
const PAPER: Split = Split {
    train: 0.8,
    validation: 0.0,
};

#[test]
fn split_counts_are_the_golden_ones() {
    for case in cases("split_counts") {
        let observed = count(&case["n_observed"]);
        let train = share(0.8, observed);
        assert_eq!(train, count(&case["n_train"]), "{case}");
        assert_eq!(observed - train, count(&case["n_test"]), "{case}");
    }
}

#[test]
fn split_boundaries_are_the_golden_ones() {
    for case in cases("split_sites") {
        let calendar = Calendar {
            start: case["start_date"].as_str().unwrap().parse().unwrap(),
            days: count(&case["n_days"]),
        };
        let mut observed = vec![f32::NAN; calendar.days];
        for range in case["observed_ranges_inclusive"].as_array().unwrap() {
            observed[count(&range[0])..=count(&range[1])].fill(1.0);
        }
        let parts = SiteParts::of(&observed, &PAPER);
        let days = |part: &std::ops::Range<usize>| {
            observed[part.clone()]
                .iter()
                .filter(|day| !day.is_nan())
                .count()
        };
        assert_eq!(days(&parts.train), count(&case["n_train"]), "{case}");
        assert_eq!(days(&parts.test), count(&case["n_test"]), "{case}");
        let index = |key: &str| {
            case[key]
                .as_u64()
                .map(|index| usize::try_from(index).unwrap())
        };
        let last_train = parts
            .train
            .end
            .checked_sub(1)
            .filter(|_| !parts.train.is_empty());
        assert_eq!(last_train, index("last_train_index"), "{case}");
        let first_test = Some(parts.test.start).filter(|_| !parts.test.is_empty());
        assert_eq!(first_test, index("first_test_index"), "{case}");
        let date = |day: Option<usize>| day.map(|day| calendar.date(day).to_string());
        assert_eq!(
            date(last_train).as_deref(),
            case["last_train_date"].as_str(),
            "{case}"
        );
        assert_eq!(
            date(first_test).as_deref(),
            case["first_test_date"].as_str(),
            "{case}"
        );
    }
}

#[test]
fn scaling_and_its_inverse_are_the_golden_ones() {
    for case in cases("scaling") {
        let sites: Vec<Vec<f64>> = case["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(series)
            .collect();
        let scale = Scale::fit(Transformation::Asinh, sites.iter().flatten().copied());
        assert_eq!(scale.is_none(), case["min_star"].is_null(), "{case}");
        let Some(scale) = scale else { continue };
        assert!(
            close(scale.min, case["min_star"].as_f64().unwrap(), 1e-12),
            "{case}"
        );
        assert!(
            close(scale.max, case["max_star"].as_f64().unwrap(), 1e-12),
            "{case}"
        );
        for (values, expected) in sites.iter().zip(case["scaled"].as_array().unwrap()) {
            for (value, expected) in values.iter().zip(series(expected)) {
                let found = scale.apply(*value);
                assert!(
                    close(found, expected, 1e-12),
                    "{found} for {expected}: {case}"
                );
            }
        }
        for (scaled, expected) in series(&case["inverse_of"])
            .iter()
            .zip(series(&case["inverse"]))
        {
            let found = scale.inverse(*scaled);
            let relative = (found - expected).abs() <= 1e-9 * expected.abs() || found == expected;
            assert!(
                relative || close(found, expected, 1e-12),
                "{found} for {expected}: {case}"
            );
        }
    }
}

#[test]
fn gap_filling_is_the_golden_one() {
    for case in cases("gap_fill") {
        let mut values = series(&case["values"]);
        fill_gaps(&mut values);
        for (found, expected) in values.iter().zip(series(&case["filled"])) {
            assert!(
                close(*found, expected, 1e-12),
                "{found} for {expected}: {case}"
            );
        }
    }
}

#[test]
fn iterations_per_epoch_are_the_golden_ones() {
    for case in cases("iterations") {
        let of = |key: &str| count(&case[key]);
        let found = iterations_per_epoch(
            of("n_sites"),
            of("n_days"),
            of("batch"),
            of("rho"),
            of("warmup"),
        );
        let expected = case["n_iter_per_epoch"].as_u64();
        assert_eq!(found.map(u64::from), expected, "{case}");
    }
}

#[test]
fn shares_of_windows_with_a_target_are_the_golden_ones() {
    for case in cases("window_hit_share") {
        let of = |key: &str| count(&case[key]);
        let targets = of("observed_from")..of("observed_to_exclusive");
        let hits = windows_with_target(targets, of("n_days"), of("rho"));
        assert_eq!(hits, of("starts_with_a_target"), "{case}");
        assert_eq!(of("n_days") - of("rho"), of("possible_starts"), "{case}");
    }
}
