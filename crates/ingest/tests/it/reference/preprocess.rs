//! The golden numbers of `preprocess.json`, which a release of COSORE has to give; its `rules` say what each means.

use std::collections::BTreeMap;
use std::path::Path;

use efflux_analysis::rhythm::autocorrelation;
use efflux_data::{Entry, LeftOut, Rows, share};
use efflux_ingest::{CosoreOptions, DailySite, Release, inspect, read_cosore};
use efflux_testing::{golden, left_out};
use serde_json::Value;

use crate::checks::seen_at_equal_hundredths;

/// The release, where it is, and what it has to give.
fn release() -> Option<(Release, Value)> {
    let golden = golden("preprocess.json")?;
    let Some(folder) = std::env::var_os("EFFLUX_COSORE_DIR").filter(|named| !named.is_empty())
    else {
        left_out(
            "reference::preprocess",
            "EFFLUX_COSORE_DIR names no release of COSORE",
        );
        return None;
    };
    // The golden numbers count a data set that its owners have not released.
    let options = CosoreOptions {
        embargoed: true,
        ..CosoreOptions::default()
    };
    let release = read_cosore(Path::new(&folder), &options).unwrap();
    let repeated = |name: &str| {
        let mut all = release.account.data_sets.iter();
        all.find(|of| of.id.ends_with(name)).unwrap().repeated
    };
    assert_eq!(repeated("_ANJILELI"), 359);
    assert_eq!(repeated("_SCOTT_WKG"), 7173);
    let released = read_cosore(Path::new(&folder), &CosoreOptions::default()).unwrap();
    let embargoed = &released.account.left_out()[&LeftOut::Embargoed];
    assert_eq!(embargoed, &["d20200228_RENCHON"]);
    assert_eq!(released.sites.len() + 1, release.sites.len());
    Some((release, golden))
}

#[track_caller]
fn same(found: u64, expected: &Value, what: &str) {
    assert_eq!(Some(found), expected.as_u64(), "{what}");
}

#[track_caller]
fn close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    let error = (found - expected).abs();
    assert!(
        error <= 1e-9 * expected.abs(),
        "{what}: {found}, not {expected}"
    );
}

/// Days with a value: date, mean and measurements.
fn observed<'a>(
    release: &'a Release,
    of: &'a DailySite,
) -> impl Iterator<Item = (String, f64, u32)> + 'a {
    let days = of.daily.flux.iter().zip(&of.daily.count).enumerate();
    days.filter(|(_, (_, count))| **count > 0)
        .map(|(day, (flux, count))| (release.calendar.date(day).to_string(), *flux, *count))
}

#[test]
fn the_release_gives_the_golden_daily_values() {
    let Some((release, golden)) = release() else {
        return;
    };
    totals(&release, &golden);
    classes(&release, &golden);
    let expected = golden["sites"].as_object().unwrap();
    assert!(!expected.is_empty());
    for (id, expected) in expected {
        let of = release.sites.iter().find(|of| of.site.id == *id).unwrap();
        let mut entries = release.account.data_sets.iter();
        let entry = entries.find(|entry| entry.id == *id).unwrap();
        site(&release, of, entry, expected);
    }
    let pack = release.into_pack();
    let seen = inspect(&pack, 0.8, 1.0).unwrap().seen_at_same_place;
    let seen: Vec<(f64, usize)> = seen.iter().map(|seen| (seen.km, seen.test_days)).collect();
    assert_eq!(seen, [(0.15, 330), (1.0, 417)]);
    assert_eq!(seen_at_equal_hundredths(pack), 290);
}

fn totals(release: &Release, golden: &Value) {
    let (rows, days) = (release.account.rows(), release.account.days());
    let totals = &golden["totals"];
    let all = release.account.data_sets.len() as u64;
    same(all, &totals["n_datasets"], "data sets");
    same(release.sites.len() as u64, &totals["n_sites"], "sites");
    let in_period = rows.below + rows.above + rows.kept;
    same(in_period, &totals["n_co2_rows_in_period"], "rows");
    same(rows.kept, &totals["n_kept"], "kept rows");
    same(days.kept, &totals["n_daily"], "days");

    let left_out = release.account.left_out();
    let found: BTreeMap<&str, _> = left_out
        .iter()
        .flat_map(|(reason, names)| names.iter().map(move |name| (*name, reason)))
        .collect();
    let expected = golden["excluded"].as_object().unwrap();
    assert!(
        found
            .keys()
            .copied()
            .eq(expected.keys().map(String::as_str))
    );

    let daily = || {
        let sites = release.sites.iter();
        sites.flat_map(|of| observed(release, of).map(|(_, flux, _)| flux))
    };
    let (low, high) = range(daily());
    let global = &golden["global_daily"];
    close(low, &global["min"], "least daily value");
    close(high, &global["max"], "greatest daily value");
    close(low.asinh(), &global["arcsinh_min"], "least asinh");
    close(high.asinh(), &global["arcsinh_max"], "greatest asinh");
}

fn classes(release: &Release, golden: &Value) {
    let expected = golden["igbp_percentiles"].as_object().unwrap();
    assert_eq!(release.account.limits.len(), expected.len());
    for limits in &release.account.limits {
        let (igbp, expected) = (&limits.igbp, &expected[&limits.igbp]);
        let sites = release.sites.iter().filter(|of| of.site.igbp == *igbp);
        let ids: Vec<&String> = sites.map(|of| &of.site.id).collect();
        let mut rows = Rows::default();
        let entries = release.account.data_sets.iter();
        entries
            .filter(|entry| ids.contains(&&entry.id))
            .for_each(|entry| rows += entry.rows);
        same(ids.len() as u64, &expected["n_sites"], igbp);
        same(limits.values, &expected["n_values"], igbp);
        same(rows.below, &expected["n_below"], igbp);
        same(rows.above, &expected["n_above"], igbp);
        same(rows.kept, &expected["n_kept"], igbp);
        close(limits.low, &expected["p01"], igbp);
        close(limits.high, &expected["p99"], igbp);
    }
}

fn site(release: &Release, of: &DailySite, entry: &Entry, expected: &Value) {
    let id = &of.site.id;
    let (rows, days) = (entry.rows, entry.days);
    assert_eq!(of.site.igbp, expected["igbp"]);
    assert_eq!(entry.time_zone, expected["tzone"]);
    same(rows.read, &expected["n_rows"], id);
    same(rows.read - rows.without_flux, &expected["n_co2_rows"], id);
    same(
        rows.outside_calendar,
        &expected["n_co2_rows_outside_period"],
        id,
    );
    same(rows.kept, &expected["n_kept"], id);
    same(rows.below, &expected["n_below_p01"], id);
    same(rows.above, &expected["n_above_p99"], id);
    same(days.read, &expected["n_days_before_filter"], id);
    same(days.kept, &expected["n_daily"], id);

    let daily: Vec<(String, f64, u32)> = observed(release, of).collect();
    let fluxes: Vec<f64> = daily.iter().map(|(_, flux, _)| *flux).collect();
    assert_eq!(daily[0].0, expected["first_day"]);
    assert_eq!(daily[daily.len() - 1].0, expected["last_day"]);
    let [first, last] = ["first_daily", "last_daily"].map(|key| expected[key].as_array().unwrap());
    let ends = daily.iter().take(first.len()).zip(first);
    for ((date, flux, count), expected) in
        ends.chain(daily[daily.len() - last.len()..].iter().zip(last))
    {
        assert_eq!(*date, expected[0], "{id}");
        close(*flux, &expected[1], id);
        same(u64::from(*count), &expected[2], id);
    }

    let n = fluxes.len() as f64;
    let mean = fluxes.iter().sum::<f64>() / n;
    let squares: f64 = fluxes.iter().map(|flux| (flux - mean).powi(2)).sum();
    let (low, high) = range(fluxes.iter().copied());
    close(mean, &expected["mean"], id);
    close((squares / n).sqrt(), &expected["std_population"], id);
    close((squares / (n - 1.0)).sqrt(), &expected["std_sample"], id);
    close(low, &expected["min"], id);
    close(high, &expected["max"], id);
    let asinh = fluxes.iter().map(|flux| flux.asinh());
    close(asinh.sum::<f64>() / n, &expected["arcsinh_mean"], id);
    close(low.asinh(), &expected["arcsinh_min"], id);
    close(high.asinh(), &expected["arcsinh_max"], id);

    for expected in expected["autocorrelation"].as_object().unwrap().values() {
        let lag = usize::try_from(expected["lag_days"].as_u64().unwrap()).unwrap();
        let found = autocorrelation(&of.daily.flux, lag);
        same(found.pairs as u64, &expected["n_pairs"], id);
        match (found.r, &expected["r"]) {
            (Err(_), Value::Null) => {}
            (Ok(r), expected) => close(r, expected, id),
            (found, expected) => panic!("{id}, lag {lag}: {found:?}, not {expected}"),
        }
    }

    let training = share(0.8, daily.len());
    same(training as u64, &expected["n_train"], id);
    same((daily.len() - training) as u64, &expected["n_test"], id);
    assert_eq!(daily[training - 1].0, expected["last_train_day"]);
    assert_eq!(daily[training].0, expected["first_test_day"]);
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}
