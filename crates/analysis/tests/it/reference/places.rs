//! What is said of places that no model has seen, and of ensembles, against `places.json`.

use efflux_analysis::Defined;
use efflux_analysis::applicability::{Applicability, land_cover_columns};
use efflux_analysis::conformal::{
    coverage_by_the_others, unseen_site_factor, unseen_site_factor_of_group,
};
use efflux_analysis::importance::Importance;
use efflux_analysis::metrics::Pairs;
use efflux_analysis::significance::benjamini_hochberg;
use efflux_analysis::statistics::mean;
use efflux_analysis::verification::{Rank, crps, histogram, rank_histogram};
use efflux_testing::{golden, index, series};
use serde_json::Value;

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    let list = of[key].as_array().unwrap();
    assert!(!list.is_empty(), "no {key}");
    list
}

fn table(values: &Value) -> Vec<Vec<f64>> {
    values.as_array().unwrap().iter().map(series).collect()
}

fn names(values: &Value) -> Vec<&str> {
    let values = values.as_array().unwrap().iter();
    values
        .map(|value| value.as_str().unwrap_or_default())
        .collect()
}

fn indices(values: &Value) -> Vec<usize> {
    let values = values.as_array().unwrap().iter();
    values.map(index).collect()
}

/// Null must be undefined, a number must be met within the tolerance, as must every number of a list.
fn assert_near(got: Defined, expected: &Value, tolerance: f64, what: &str) {
    match (got, expected.as_f64()) {
        (Err(_), None) => assert!(expected.is_null(), "{what}: {expected} is no number"),
        (Ok(got), Some(expected)) => {
            assert!(
                (got - expected).abs() <= tolerance,
                "{what}: {got}, expected {expected}"
            );
        }
        _ => panic!("{what}: {got:?}, expected {expected}"),
    }
}

fn assert_all_near(got: &[f64], expected: &Value, tolerance: f64, what: &str) {
    let expected = expected
        .as_array()
        .unwrap_or_else(|| panic!("{what}: {got:?}, expected none"));
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        assert_near(finite(Some(*got)), expected, tolerance, what);
    }
}

/// What golden numbers have null for is NaN in a series and none in an option.
fn finite(value: Option<f64>) -> Defined {
    value
        .filter(|value| value.is_finite())
        .ok_or(efflux_analysis::Undefined::Missing("value"))
}

fn or_nan(values: impl IntoIterator<Item = Option<f64>>) -> Vec<f64> {
    values
        .into_iter()
        .map(|value| value.unwrap_or(f64::NAN))
        .collect()
}

#[test]
fn every_reference_area_of_applicability_is_met() {
    let Some(file) = golden("places.json") else {
        return;
    };
    let tolerance = file["tolerance"]["applicability"].as_f64().unwrap();
    let mut cases = 0;
    for world in list(&file, "worlds") {
        let Some(of_world) = world["applicability"].as_object() else {
            continue;
        };
        for case in of_world["cases"].as_array().unwrap() {
            cases += 1;
            let what = format!("{} {}", world["name"], case["weights"]);
            let (mut sites, mut points) = (
                table(&of_world["features"]),
                table(&of_world["point_features"]),
            );
            let mut weights = series(&case["weights"]);
            if case["land_cover"] == true {
                let covers = names(&world["land_cover"]);
                let more = land_cover_columns(&covers, &covers);
                weights.resize(
                    weights.len() + more[0].len(),
                    case["land_cover_weight"].as_f64().unwrap(),
                );
                sites
                    .iter_mut()
                    .zip(more)
                    .for_each(|(site, more)| site.extend(more));
                let more = land_cover_columns(&covers, &names(&of_world["point_land_cover"]));
                points
                    .iter_mut()
                    .zip(more)
                    .for_each(|(point, more)| point.extend(more));
            }
            let folds = (!case["fold"].is_null()).then(|| indices(&case["fold"]));
            let got = Applicability::new(&sites, &weights, folds.as_deref());
            let Ok(got) = got else {
                assert!(case["mean_distance"].is_null(), "{what}: {got:?}");
                continue;
            };
            assert_eq!(got.features, indices(&case["used_features"]), "{what}");
            assert_all_near(&got.centre, &case["centre"], tolerance * 1e3, &what);
            assert_all_near(&got.scale, &case["scale"], tolerance * 1e3, &what);
            assert_near(
                Ok(got.mean_distance),
                &case["mean_distance"],
                tolerance,
                &what,
            );
            assert_all_near(
                &or_nan(got.training.clone()),
                &case["training_di"],
                tolerance,
                &what,
            );
            assert_near(
                got.limits.map(|limits| limits.q3),
                &case["q75"],
                tolerance,
                &what,
            );
            assert_near(
                got.limits.map(|limits| limits.high),
                &case["fence"],
                tolerance,
                &what,
            );
            assert_near(got.threshold, &case["threshold"], tolerance, &what);
            let points: Vec<_> = points.iter().map(|point| got.point(point)).collect();
            let di = points
                .iter()
                .map(|point| Some(point.as_ref()?.dissimilarity));
            assert_all_near(&or_nan(di), &case["di"], tolerance, &what);
            let inside: Value = points
                .iter()
                .map(|point| point.as_ref()?.is_inside.ok())
                .collect();
            assert_eq!(inside, case["inside"], "{what}");
            let local: Value = points
                .iter()
                .map(|point| point.as_ref()?.local_points.ok())
                .collect();
            assert_eq!(local, case["local_points"], "{what}");
            let local: Value = got.training_local_points().into_iter().collect();
            assert_eq!(local, case["training_local_points"], "{what}");
        }
    }
    assert!(cases > 0, "no area of applicability");
}

#[test]
fn every_reference_interval_at_an_unseen_site_is_met() {
    let Some(file) = golden("places.json") else {
        return;
    };
    for case in list(&file, "conformal") {
        let (scores, what) = (table(&case["scores"]), case["name"].as_str().unwrap());
        for at in list(case, "levels") {
            let level = at["level"].as_f64().unwrap();
            assert_near(unseen_site_factor(&scores, level), &at["factor"], 0.0, what);
            let coverage = coverage_by_the_others(&scores, level);
            assert_all_near(
                &or_nan(coverage.clone()),
                &at["coverage_of_each_site_by_the_others"],
                1e-12,
                what,
            );
            let known: Vec<f64> = coverage.into_iter().flatten().collect();
            assert_near(mean(&known), &at["coverage"], 1e-12, what);
            for of in at["groups"].as_array().into_iter().flatten() {
                let group = of["group"].as_str().unwrap();
                let got =
                    unseen_site_factor_of_group(&scores, &names(&case["group"]), group, level);
                assert_near(got.map(|(factor, _)| factor), &of["factor"], 0.0, what);
                let source = got.ok().map(|(_, own)| if own { "group" } else { "all" });
                assert_eq!(source, of["of"].as_str(), "{what} {group}");
            }
        }
        for new in list(case, "new") {
            let factor = unseen_site_factor(&scores, 0.9);
            let (prediction, scale) = (
                new["prediction"].as_f64().unwrap(),
                new["scale"].as_f64().unwrap(),
            );
            for (end, sign) in [(0, -1.0), (1, 1.0)] {
                let got = factor.map(|factor| prediction + sign * factor * scale);
                assert_near(got, &new["interval_90"][end], 1e-12, what);
            }
        }
    }
}

/// The scores of the full model and of each variant, by replication and site.
fn compared(case: &Value) -> (Vec<Vec<f64>>, Vec<Vec<Vec<f64>>>) {
    if case["base"].is_array() {
        let variants = list(case, "variants").iter();
        return (
            table(&case["base"]),
            variants.map(|of| table(&of["scores"])).collect(),
        );
    }
    let groups = list(case, "groups").iter();
    let variants: Vec<Vec<Vec<f64>>> = groups.map(|group| permuted(case, group)).collect();
    (vec![series(&case["base_nse"]); variants[0].len()], variants)
}

/// The NSE of each site for each permutation of a group of the features of a linear model.
fn permuted(case: &Value, group: &Value) -> Vec<Vec<f64>> {
    let (coefficients, observed) = (series(&case["coefficients"]), table(&case["observed"]));
    let daily: Vec<Vec<Vec<f64>>> = list(case, "daily").iter().map(table).collect();
    let (elevation, features) = (series(&case["elevation"]), indices(&group["features"]));
    let over_days = group["over"] == "days";
    let found = list(group, "permutations").iter().map(|permutation| {
        let nse = |site: usize| -> f64 {
            let pairs = observed[site].iter().enumerate().map(|(day, observed)| {
                let from = |feature: usize| match (features.contains(&feature), over_days) {
                    (false, _) => (site, day),
                    (true, true) => (site, index(&permutation[site][day])),
                    (true, false) => (index(&permutation[site]), day),
                };
                let value = |feature: usize| {
                    let (site, day) = from(feature);
                    daily[site][day]
                        .get(feature)
                        .copied()
                        .unwrap_or(elevation[site])
                };
                let terms = coefficients.iter().enumerate();
                let sum: f64 = terms.map(|(feature, of)| of * value(feature)).sum();
                (*observed, case["constant"].as_f64().unwrap() + sum)
            });
            pairs.collect::<Pairs>().nse().unwrap()
        };
        (0..observed.len()).map(nse).collect()
    });
    found.collect()
}

#[test]
fn every_reference_importance_is_met_site_by_site() {
    let Some(file) = golden("places.json") else {
        return;
    };
    let relative = file["tolerance"]["p_relative"].as_f64().unwrap();
    for case in list(&file, "importance") {
        let (base, variants) = compared(case);
        let found: Vec<Importance> = variants
            .iter()
            .map(|of| Importance::of(&base, of))
            .collect();
        let p: Vec<Option<f64>> = found.iter().map(|of| Some(of.test.ok()?.p)).collect();
        let adjusted = benjamini_hochberg(&p);
        let rows = list(case, "table");
        assert_eq!(rows.len(), found.len(), "{}", case["name"]);
        for ((row, got), adjusted) in rows.iter().zip(found).zip(adjusted) {
            let what = format!("{} {}", case["name"], row["group"]);
            assert_eq!(
                got.falls.iter().flatten().count() as u64,
                row["sites"],
                "{what}"
            );
            assert_near(got.median, &row["median"], 1e-12, &what);
            assert_near(got.mean, &row["mean"], 1e-12, &what);
            assert_near(got.share_worse, &row["share_worse"], 1e-12, &what);
            let pairs = got.test.map_or(0, |test| test.n);
            assert_eq!(
                pairs as u64,
                row["pairs"].as_u64().unwrap_or_default(),
                "{what}"
            );
            assert_near(
                got.test.map(|test| test.positive),
                &row["positive"],
                0.0,
                &what,
            );
            let p = |key: &str| relative * row[key].as_f64().unwrap_or_default();
            assert_near(got.test.map(|test| test.p), &row["p"], p("p"), &what);
            assert_near(
                got.test.map(|test| test.rank_biserial()),
                &row["rank_biserial"],
                1e-12,
                &what,
            );
            assert_near(
                finite(adjusted),
                &row["p_benjamini_hochberg"],
                p("p_benjamini_hochberg"),
                &what,
            );
        }
    }
}

#[test]
fn every_reference_ensemble_has_its_scores_and_ranks_also_where_days_are_tied() {
    let Some(file) = golden("places.json") else {
        return;
    };
    let tolerance = file["tolerance"]["ensemble"].as_f64().unwrap();
    for case in list(&file, "ensembles") {
        let what = case["name"].as_str().unwrap();
        let (members, observed, site) = (
            table(&case["members"]),
            series(&case["observed"]),
            indices(&case["site"]),
        );
        let sites = site.iter().max().unwrap() + 1;
        let (mut ordinary, mut fair, mut middle) = (Vec::new(), Vec::new(), Vec::new());
        let mut ranks = vec![Vec::new(); sites];
        for ((members, &observed), &site) in members.iter().zip(&observed).zip(&site) {
            let score = crps(members, observed).ok();
            ordinary.push(score.map(|score| score.ordinary));
            fair.push(score.and_then(|score| score.fair.ok()));
            let rank = observed.is_finite().then(|| Rank::of(members, observed));
            ranks[site].extend(rank);
            middle.push(rank.map(|rank| f64::midpoint(rank.transform().0, rank.transform().1)));
        }
        let means = |of: &[Option<f64>]| {
            let all: Vec<f64> = of.iter().copied().flatten().collect();
            let at = |place: usize| {
                let own = of.iter().zip(&site).filter(|(_, at)| **at == place);
                mean(&own.filter_map(|(score, _)| *score).collect::<Vec<_>>()).ok()
            };
            [
                mean(&all),
                mean(&(0..sites).filter_map(at).collect::<Vec<_>>()),
            ]
        };
        for (of, each, together) in [
            (&ordinary, "crps", "mean_crps"),
            (&fair, "crps_fair", "mean_crps_fair"),
        ] {
            assert_all_near(&or_nan(of.iter().copied()), &case[each], tolerance, what);
            for (got, key) in means(of).into_iter().zip(["days", "sites"]) {
                assert_near(got, &case[together][key], tolerance, what);
            }
        }
        assert_all_near(&or_nan(middle), &case["pit_middle"], tolerance, what);
        for (groups, key) in [(vec![ranks.concat()], "days"), (ranks, "sites")] {
            match rank_histogram(&groups) {
                Ok(got) => assert_all_near(&got, &case["rank_histogram"][key], tolerance, what),
                Err(_) => assert!(case["rank_histogram"][key].is_null(), "{what} {key}"),
            }
            let tenths = histogram(&groups, 10).unwrap();
            assert_all_near(&tenths, &case["pit_10_bins"][key], tolerance, what);
        }
    }
}

#[test]
fn tests_that_are_not_defined_are_no_part_of_the_correction_for_many() {
    let Some(file) = golden("places.json") else {
        return;
    };
    for case in list(&file, "benjamini_hochberg") {
        let p: Vec<Option<f64>> = case["p"]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::as_f64)
            .collect();
        let adjusted = or_nan(benjamini_hochberg(&p));
        assert_all_near(&adjusted, &case["adjusted"], 1e-12, "adjusted");
    }
}
