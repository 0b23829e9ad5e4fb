//! What pooled processes promise besides the reference numbers.

use std::borrow::Cow;
use std::f64::consts::TAU;

use efflux_process::{Day, Effects, Pooled, Site, SiteNumbers};

const DAYS: usize = 400;

/// Numbers in [-1, 1) that look like chance.
fn noise(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    })
}

/// A year and a bit, warm in the middle.
fn days(seed: u64) -> Vec<Day> {
    let of = |(day, noise): (usize, f64)| {
        let phase = TAU * day as f64 / 365.25;
        Day {
            t: -phase.cos() + 0.3 * noise,
            c: phase.cos(),
            sn: phase.sin(),
            ..Day::default()
        }
    };
    (0..DAYS).zip(noise(seed)).map(of).collect()
}

fn target(days: &[Day], training: &[usize], seed: u64, sd: f64) -> Vec<f64> {
    let of = |(&day, noise): (&usize, f64)| 1.0 + 0.4 * days[day].t + 1.7 * sd * noise;
    training.iter().zip(noise(100 + seed)).map(of).collect()
}

#[test]
fn a_noisy_site_is_told_from_a_quiet_one() {
    let records: Vec<Vec<Day>> = (1..=4).map(days).collect();
    let training: Vec<usize> = (0..300).collect();
    let sites: Vec<Site> = records
        .iter()
        .zip(1..)
        .map(|(days, seed)| Site {
            days,
            training: Cow::Borrowed(&training),
            target: Cow::Owned(target(
                days,
                &training,
                seed,
                if seed == 4 { 0.4 } else { 0.05 },
            )),
        })
        .collect();
    let numbers = SiteNumbers::fit(&Effects::default(), &sites).unwrap();
    let noise: Vec<f64> = numbers.iter().map(|site| site.log_noise).collect();
    assert!(noise[3] > 0.5, "{noise:?}");
    assert!(noise[..3].iter().all(|noise| *noise < -0.2), "{noise:?}");
    // The objective is lowest there: any step away makes it worse.
    let thinned: Vec<Site> = sites
        .iter()
        .map(|site| Site {
            days: site.days,
            training: site.training.iter().step_by(6).copied().collect(),
            target: site.target.iter().step_by(6).copied().collect(),
        })
        .collect();
    let objective = |numbers: &[SiteNumbers]| {
        let process = Effects::default();
        let seen = Pooled::fit(&process, &thinned, numbers).unwrap();
        seen.negative_log_likelihood() + SiteNumbers::penalty(numbers)
    };
    let lowest = objective(&numbers);
    for site in 0..numbers.len() {
        for (amplitude, noise) in [(0.1, 0.0), (-0.1, 0.0), (0.0, 0.1), (0.0, -0.1)] {
            let mut moved = numbers.clone();
            moved[site].log_amplitude += amplitude;
            moved[site].log_noise += noise;
            assert!(
                objective(&moved) > lowest,
                "site {site}: {amplitude} {noise}"
            );
        }
    }
}

#[test]
fn a_site_without_a_day_is_what_the_sites_have_in_common_and_a_few_days_make_it_its_own() {
    let records: Vec<Vec<Day>> = (1..=3).map(days).collect();
    let training: Vec<usize> = (0..DAYS).step_by(2).collect();
    let site = |days, training: &[usize], target| Site {
        days,
        training: Cow::Owned(training.to_vec()),
        target: Cow::Owned(target),
    };
    let of = |(days, seed): (&'static [Day], u64)| {
        site(days, &training, target(days, &training, seed, 0.05))
    };
    let records: &'static [Vec<Day>] = Vec::leak(records);
    let seen: Vec<Site> = records[..2]
        .iter()
        .map(|days| &days[..])
        .zip(1..)
        .map(of)
        .collect();
    let process = Effects::default();
    let pooled = Pooled::fit(&process, &seen, &[SiteNumbers::default(); 2]).unwrap();
    let posterior = |training: &[usize]| {
        let target = training
            .iter()
            .map(|&day| 2.0 + 0.4 * records[2][day].t)
            .collect();
        let new = site(&records[2], training, target);
        pooled
            .posterior(&new, SiteNumbers::default(), true)
            .unwrap()
    };
    let unseen = posterior(&[]);
    assert_eq!(unseen.mean, unseen.global);
    let visited = posterior(&[20, 110, 200, 290, 380]);
    let error = |mean: &[f64]| {
        let errors = mean
            .iter()
            .zip(&records[2])
            .map(|(mean, day)| mean - 2.0 - 0.4 * day.t);
        (errors.map(|error| error * error).sum::<f64>() / DAYS as f64).sqrt()
    };
    assert!(error(&unseen.mean) > 0.5, "{}", error(&unseen.mean));
    assert!(error(&visited.mean) < 0.2, "{}", error(&visited.mean));
    let narrower = unseen.variance.iter().zip(&visited.variance);
    assert!(narrower.clone().all(|(before, after)| after < before));
    assert!(visited.variance.iter().all(|variance| *variance > 0.0));
}

#[test]
fn a_covariance_that_is_none_is_an_error() {
    let mut days = days(1);
    days[3].t = f64::NAN;
    let site = Site {
        days: &days,
        training: Cow::Owned(vec![1, 3]),
        target: Cow::Owned(vec![1.0, 1.0]),
    };
    let error = Pooled::fit(&Effects::default(), &[site], &[SiteNumbers::default()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the covariance of 2 days is not positive definite"
    );
}
