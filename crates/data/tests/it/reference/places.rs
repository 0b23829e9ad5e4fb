//! Folds of sites against `places.json`; its `rules` say what each number means.

use efflux_data::distance_km;
use efflux_data::folds::{
    Folds, Sites, by_distance, nearest_other_sites, nearest_sites, separation,
};
use efflux_numerics::random::Stream;
use efflux_testing::{golden, index};
use serde_json::{Value, json};

/// One of the made-up worlds.
struct World<'a> {
    name: &'a str,
    points: Vec<[f64; 2]>,
    targets: Vec<[f64; 2]>,
    covers: Vec<&'a str>,
    sites: Sites,
    golden: &'a Value,
}

impl<'a> World<'a> {
    fn of(golden: &'a Value) -> Self {
        let numbers = |key: &str| efflux_testing::series(&golden[key]);
        let points = numbers("latitude").into_iter().zip(numbers("longitude"));
        let points: Vec<[f64; 2]> = points.map(|(north, east)| [north, east]).collect();
        let covers = golden["land_cover"].as_array().unwrap().iter();
        Self {
            name: golden["name"].as_str().unwrap(),
            targets: pairs(&golden["prediction_points"]),
            covers: covers
                .map(|cover| cover.as_str().unwrap_or_default())
                .collect(),
            sites: Sites::new(points.clone(), golden["keep_together_km"].as_f64().unwrap()),
            points,
            golden,
        }
    }

    fn cases(&self, kind: &str) -> impl Iterator<Item = &'a Value> {
        self.golden["folds"][kind].as_array().into_iter().flatten()
    }

    fn separation(&self, folds: Option<&Folds>) -> Option<f64> {
        folds.map(|folds| separation(&self.points, folds, &self.targets))
    }
}

fn pairs(values: &Value) -> Vec<[f64; 2]> {
    let pairs = values
        .as_array()
        .unwrap()
        .iter()
        .map(efflux_testing::series);
    pairs.map(|pair| [pair[0], pair[1]]).collect()
}

fn worlds(file: &Value) -> Vec<World<'_>> {
    let worlds = file["worlds"].as_array().unwrap();
    assert!(!worlds.is_empty(), "no worlds");
    worlds.iter().map(World::of).collect()
}

fn assert_close(got: Option<f64>, expected: &Value, what: &str) {
    match (got, expected.as_f64()) {
        (None, None) => {}
        (Some(got), Some(expected)) => assert!(
            (got - expected).abs() <= 1e-12 * expected.abs(),
            "{what}: {got}, expected {expected}"
        ),
        _ => panic!("{what}: {got:?}, expected {expected}"),
    }
}

#[test]
fn every_reference_distance_and_every_shuffle_is_met() {
    let Some(file) = golden("places.json") else {
        return;
    };
    for case in file["distances"].as_array().unwrap() {
        let case = efflux_testing::series(case);
        let (got, expected) = (distance_km([case[0], case[1]], [case[2], case[3]]), case[4]);
        let tolerance = if expected > 19_900.0 { 1e-3 } else { 1e-6 };
        assert!(
            (got - expected).abs() <= tolerance,
            "{got}, expected {expected}"
        );
    }
    for case in file["random_numbers"].as_array().unwrap() {
        let seed = case["seed"].as_u64().unwrap();
        let mut stream = Stream::of_state(seed);
        for expected in case["first_numbers"].as_array().unwrap() {
            let number = expected
                .as_str()
                .map_or_else(|| expected.to_string(), str::to_owned);
            assert_eq!(stream.bits().to_string(), number, "{seed}");
        }
    }
}

#[test]
fn every_reference_place_and_its_neighbours_are_met() {
    let Some(file) = golden("places.json") else {
        return;
    };
    for world in worlds(&file) {
        let (name, golden) = (world.name, world.golden);
        assert_eq!(json!(world.sites.places()), golden["places"], "{name}");
        let covers = world.sites.class_of_places(&world.covers);
        assert_eq!(json!(covers), golden["land_cover_of_place"], "{name}");
        let others = nearest_other_sites(&world.points);
        let points = nearest_sites(&world.points, &world.targets);
        assert_eq!(json!(others), golden["nearest_other_site_mm"], "{name}");
        assert_eq!(json!(points), golden["nearest_site_of_points_mm"], "{name}");
        let alone = (0..world.points.len()).collect();
        assert_close(
            world.separation(Some(&alone)),
            &golden["w_of_leave_one_out_km"],
            name,
        );
    }
}

#[test]
fn every_reference_fold_is_drawn() {
    let Some(file) = golden("places.json") else {
        return;
    };
    for world in worlds(&file) {
        for case in world.cases("random") {
            let (folds, seed) = (index(&case["folds"]), case["seed"].as_u64().unwrap());
            let got = world.sites.at_random(folds, seed).ok();
            assert_eq!(json!(got), case["fold"], "{} {folds} {seed}", world.name);
            assert_close(world.separation(got.as_ref()), &case["w_km"], world.name);
        }
        for case in world.cases("stratified") {
            let (folds, seed) = (index(&case["folds"]), case["seed"].as_u64().unwrap());
            let got = world.sites.stratified(&world.covers, folds, seed).ok();
            assert_eq!(json!(got), case["fold"], "{} {folds} {seed}", world.name);
        }
        let got = world.sites.one_by_one().ok();
        assert_eq!(json!(got), world.golden["folds"]["site"], "{}", world.name);
        let by_cover = world.sites.by_class(&world.covers).ok().map(|folds| {
            let fold = |of: efflux_data::folds::HeldOut| {
                let trains = |site: &usize| !of.test.contains(site) && !of.left_out.contains(site);
                let train: Vec<usize> = (0..world.points.len()).filter(trains).collect();
                json!({"land_cover": of.name, "test": of.test, "left_out": of.left_out, "train": train})
            };
            folds.into_iter().map(fold).collect::<Vec<Value>>()
        });
        assert_eq!(
            json!(by_cover),
            world.golden["folds"]["land_cover"],
            "{}",
            world.name
        );
    }
}

#[test]
fn every_reference_fold_by_distance_is_the_closest_of_its_candidates() {
    let Some(file) = golden("places.json") else {
        return;
    };
    for world in worlds(&file) {
        for case in world.cases("distance") {
            let what = format!("{} {} {}", world.name, case["folds"], case["most"]);
            let most = case["most"].as_f64().unwrap();
            let got = by_distance(&world.sites, &world.targets, index(&case["folds"]), most);
            let Ok(got) = got else {
                assert!(
                    case["candidates"].is_null() && case["fold"].is_null(),
                    "{what}"
                );
                continue;
            };
            for (got, expected) in got
                .tree
                .iter()
                .zip(world.golden["folds"]["tree"].as_array().unwrap())
            {
                assert_eq!(
                    (got.0, got.1),
                    (index(&expected[0]), index(&expected[1])),
                    "{what}"
                );
                assert_close(Some(got.2), &expected[2], &what);
            }
            let candidates = case["candidates"].as_array().unwrap();
            assert_eq!(got.candidates.len(), candidates.len(), "{what}");
            for (got, expected) in got.candidates.iter().zip(candidates) {
                assert_eq!(got.clusters, index(&expected["q"]), "{what}");
                assert_eq!(got.largest_fold, index(&expected["largest_fold"]), "{what}");
                assert_close(got.separation, &expected["w_km"], &what);
            }
            let (clusters, folds) = got.best.unzip();
            assert_eq!(json!(clusters), case["q"], "{what}");
            assert_eq!(json!(folds), case["fold"], "{what}");
            assert_close(world.separation(folds.as_ref()), &case["w_km"], &what);
        }
    }
}
