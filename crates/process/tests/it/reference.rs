//! The Gaussian processes of `site_model.json`.

use efflux_process::{
    Climate, Day, Definition, Effects, Fourier, Plain, Pooled, Posterior, Residual, Seen, Site,
    SiteNumbers, Stretch,
};
use efflux_testing::golden;
use serde_json::{Value, json};

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

/// The days of each site of the file, and its training days.
fn sites(file: &Value) -> Vec<(Vec<Day>, Vec<usize>)> {
    let sites = file["sites"].as_array().unwrap().iter();
    let features = file["features"].as_array().unwrap();
    let of = |(site, features): (&Value, &Value)| {
        // The columns of the file between them are of the network alone.
        let day = |row: Vec<f64>| Day {
            t: row[0],
            s: row[3],
            c: row[5],
            sn: row[6],
            lat: row[7],
            t7: row[8],
            t30: row[9],
            s30: row[11],
            ds: row[12],
        };
        let training = site["training_days"].as_array().unwrap().iter();
        let training = training.map(|day| usize::try_from(day.as_u64().unwrap()).unwrap());
        (
            rows(features).into_iter().map(day).collect(),
            training.collect(),
        )
    };
    sites.zip(features).map(of).collect()
}

/// What was observed on some of these days.
fn seen(days: &[Day], training: &[usize], targets: &[f64]) -> Vec<Seen> {
    let pairs = training.iter().zip(targets);
    let of = pairs.map(|(&day, &target)| Seen {
        number: i32::try_from(day).unwrap(),
        inputs: days[day],
        target,
    });
    of.collect()
}

fn assert_close(file: &Value, what: &str, got: &[f64], expected: &Value) {
    let tolerance = number(&file["tolerance"]["gp"]);
    let expected = match expected {
        Value::Array(_) => numbers(expected),
        one => vec![number(one)],
    };
    assert_eq!(got.len(), expected.len(), "{what}");
    for (place, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert!(
            (got - expected).abs() <= tolerance,
            "{what}, {place}: {got}, expected {expected} ± {tolerance}"
        );
    }
}

#[test]
fn the_process_of_residuals_gives_the_reference_means_variances_and_likelihoods() {
    let Some(file) = golden("site_model.json") else {
        return;
    };
    let hyper = |name: &str| number(&file["residual_gp"]["hyper"][name]);
    let process = Residual {
        slow: hyper("slow"),
        slow_days: hyper("slow_days"),
        fast: hyper("fast"),
        fast_days: hyper("fast_days"),
        rbf: hyper("rbf"),
        rbf_lengths: [1.0, 1.5, 0.7, 0.7, f64::INFINITY, f64::INFINITY],
        noise: hyper("noise"),
    };
    let cases = file["residual_gp"]["sites"].as_array().unwrap();
    for ((days, training), case) in sites(&file).iter().zip(cases) {
        let residuals = numbers(&case["residual_on_training_days"]);
        let seen = seen(days, training, &residuals);
        let seen = process.condition(&seen).unwrap();
        let on = Stretch { first: 0, days };
        assert_close(&file, "mean", &seen.mean(on), &case["mean"]);
        let variance = &case["variance_without_noise"];
        assert_close(&file, "variance", &seen.variance(on), variance);
        let likelihood = seen.negative_log_likelihood();
        let expected = &case["negative_log_marginal_likelihood"];
        assert_close(&file, "likelihood", &[likelihood], expected);
    }
}

/// What a pooled process gives at every site of the file.
fn pooled(
    file: &Value,
    definition: &dyn Definition,
    own: &[SiteNumbers],
) -> (Vec<Posterior>, Vec<f64>, f64) {
    let days = sites(file);
    let targets = rows(&file["pooled_gp"]["z_on_training_days"]);
    let sites: Vec<Site> = days
        .iter()
        .zip(&targets)
        .map(|((days, training), target)| Site {
            seen: seen(days, training, target).into(),
            climate: Climate::of(days),
        })
        .collect();
    let seen = Pooled::fit(definition, &sites, own).unwrap();
    let of = |((site, &own), (days, _)): ((&Site, &SiteNumbers), &(Vec<Day>, _))| {
        seen.posterior(site, own, Stretch { first: 0, days }, true)
            .unwrap()
    };
    let posteriors = sites.iter().zip(own).zip(&days).map(of).collect();
    let likelihood = seen.negative_log_likelihood();
    (posteriors, seen.weights().to_vec(), likelihood)
}

#[test]
fn the_first_pooled_process_gives_the_reference_means_weights_and_likelihood() {
    let Some(file) = golden("site_model.json") else {
        return;
    };
    let case = &file["pooled_gp"];
    let hyper = |name: &str| number(&case["hyper"][name]);
    let process = Plain {
        linear: hyper("linear"),
        fourier: Fourier {
            size: hyper("fourier"),
            frequencies: rows(&case["W"]),
            phases: numbers(&case["b0"]),
        },
        fourier_lengths: ["l_t", "l_t30", "l_season", "l_moisture", "l_lat"].map(hyper),
        constant: hyper("constant"),
        temperature: hyper("k_t"),
        temperature_squared: hyper("k_t2"),
        season: hyper("k_season"),
        half_season: hyper("k_season2"),
        moisture: hyper("k_moisture"),
        temperature_by_season: hyper("k_t_season"),
        slow: ["slow", "slow_days"].map(hyper),
        fast: ["fast", "fast_days"].map(hyper),
        rbf: hyper("rbf"),
        noise: hyper("noise"),
    };
    let own = vec![SiteNumbers::default(); sites(&file).len()];
    let (posteriors, weights, likelihood) = pooled(&file, &process, &own);
    for (site, posterior) in posteriors.iter().enumerate() {
        assert_close(&file, "mean", &posterior.mean, &case["mean"][site]);
        assert_close(
            &file,
            "global",
            &posterior.global,
            &case["global_part"][site],
        );
    }
    assert_close(&file, "weights", &weights, &case["weights"]);
    let expected = &case["negative_log_marginal_likelihood"];
    assert_close(&file, "likelihood", &[likelihood], expected);
}

#[test]
fn the_second_pooled_process_gives_the_reference_means_variances_and_likelihoods() {
    let Some(file) = golden("site_model.json") else {
        return;
    };
    let case = &file["pooled_gp_2"];
    let mut named = case["hyper"].clone();
    named["frequencies"] = case["W"].clone();
    named["phases"] = case["b0"].clone();
    let process = Effects::from_json(&named.to_string()).unwrap();
    let own: Vec<SiteNumbers> = numbers(&case["log_amplitude"])
        .into_iter()
        .zip(numbers(&case["log_noise"]))
        .map(|(log_amplitude, log_noise)| SiteNumbers {
            log_amplitude,
            log_noise,
        })
        .collect();
    let expected = |case: &Value| case["negative_log_marginal_likelihood"].clone();
    let (posteriors, _, likelihood) = pooled(&file, &process, &own);
    for (site, posterior) in posteriors.iter().enumerate() {
        assert_close(&file, "mean", &posterior.mean, &case["mean"][site]);
        let variance = &case["variance_without_noise"][site];
        assert_close(&file, "variance", &posterior.variance, variance);
    }
    assert_close(&file, "likelihood", &[likelihood], &expected(case));
    let penalty = json!(SiteNumbers::penalty(&own));
    assert_close(&file, "penalty", &[number(&case["penalty"])], &penalty);

    let zeros = &case["with_zero_site_numbers"];
    let own = vec![SiteNumbers::default(); own.len()];
    let (posteriors, _, likelihood) = pooled(&file, &process, &own);
    for (site, posterior) in posteriors.iter().enumerate() {
        assert_close(&file, "mean", &posterior.mean, &zeros["mean"][site]);
    }
    assert_close(&file, "likelihood", &[likelihood], &expected(zeros));
}
