//! What pooled processes promise besides the reference numbers.

use std::f64::consts::TAU;

use efflux_process::{Climate, Day, Effects, Pooled, Seen, Site, SiteNumbers, Stretch};

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

/// A site of these days with these targets on some of them.
fn site(days: &[Day], training: &[usize], target: &[f64]) -> Site<'static> {
    let seen = training.iter().zip(target).map(|(&day, &target)| Seen {
        number: i32::try_from(day).unwrap(),
        inputs: days[day],
        target,
    });
    Site {
        seen: seen.collect(),
        climate: Climate::of(days),
    }
}

#[test]
fn a_noisy_site_is_told_from_a_quiet_one() {
    let records: Vec<Vec<Day>> = (1..=4).map(days).collect();
    let training: Vec<usize> = (0..300).collect();
    let sites: Vec<Site> = records
        .iter()
        .zip(1..)
        .map(|(days, seed)| {
            let sd = if seed == 4 { 0.4 } else { 0.05 };
            site(days, &training, &target(days, &training, seed, sd))
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
            seen: site.seen.iter().step_by(6).copied().collect(),
            climate: site.climate,
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
    let of = |(days, seed): (&Vec<Day>, u64)| {
        site(days, &training, &target(days, &training, seed, 0.05))
    };
    let seen: Vec<Site> = records[..2].iter().zip(1..).map(of).collect();
    let process = Effects::default();
    let pooled = Pooled::fit(&process, &seen, &[SiteNumbers::default(); 2]).unwrap();
    let posterior = |training: &[usize]| {
        let target = training.iter().map(|&day| 2.0 + 0.4 * records[2][day].t);
        let new = site(&records[2], training, &target.collect::<Vec<f64>>());
        let on = Stretch {
            first: 0,
            days: &records[2],
        };
        let posterior = pooled.posterior(&new, SiteNumbers::default(), on, true);
        posterior.unwrap()
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
fn days_long_after_a_record_are_what_its_inputs_say_and_no_origin_of_days_matters() {
    let record = days(1);
    let training: Vec<usize> = (0..DAYS).collect();
    let process = Effects::default();
    let seen = site(&record, &training, &target(&record, &training, 1, 0.05));
    let pooled = Pooled::fit(
        &process,
        std::slice::from_ref(&seen),
        &[SiteNumbers::default()],
    )
    .unwrap();
    let at = |site: &Site, first| {
        let days = &record[100..110];
        let on = Stretch { first, days };
        let posterior = pooled.posterior(site, SiteNumbers::default(), on, true);
        posterior.unwrap()
    };
    let (within, later) = (at(&seen, 100), at(&seen, 100_000));
    let pairs = within.variance.iter().zip(&later.variance);
    assert!(pairs.clone().all(|(now, then)| now < then));
    let mut moved = seen.clone();
    for day in moved.seen.to_mut() {
        day.number += 7_000;
    }
    assert_eq!(at(&moved, 7_100), within);
}

#[test]
fn a_covariance_that_is_none_is_an_error() {
    let mut days = days(1);
    days[3].t = f64::NAN;
    let site = site(&days, &[1, 3], &[1.0, 1.0]);
    let error = Pooled::fit(&Effects::default(), &[site], &[SiteNumbers::default()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the covariance of 2 days is not positive definite"
    );
}
