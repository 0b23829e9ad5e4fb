//! What a run says of sites, against the truth that a test made: the level of seen sites, its intervals, and where it is not to be
//! asked.

use std::f64::consts::TAU;
use std::fs;

use efflux_analysis::significance::rank_correlation;
use efflux_analysis::statistics::{mean, median};
use efflux_data::{Calendar, OBSERVED, Pack, Parts, Site, Target, Variable, read_predictions};
use efflux_job::{Part, Split};
use efflux_numerics::random::Stream;
use efflux_numerics::{SiteByDay, single};
use efflux_testing::{row, rows};

use crate::harness::Study;

/// A small network whose head sites share.
const JOB: &str = r#"
pack = "seen.h5"

[inputs]
static = ["mean_annual_temperature"]

[model]
hidden_size = 16
dropout = 0.0
forget_bias = 3.0

[training]
window_days = 30
warm_up_days = 30
epochs = 5
epoch_updates = 60
sampler = "root"
batch_windows = 32
optimizer = "adamw"
learning_rate = 0.01
schedule = "warm-up-cosine"
clip_norm = 1.0

[seeds]
search = [0]
final = [0, 1, 2, 3]
"#;

/// The mean annual temperatures of sites that are trained with, °C.
const TRAINED: [f64; 2] = [5.0, 15.0];

/// Sites, and their flux without the noise of a chamber, `[S, D]`, µmol m⁻² s⁻¹.
struct Made {
    pack: Pack,
    truth: Vec<f64>,
}

/// The flux of a day at a site: its level, and how it answers to temperature, follow from the site's climate, and not in a
/// straight line.
fn flux(climate: f64, temperature: f64, moisture: f64) -> f64 {
    let level = 1.2 - 0.8 * ((climate - 10.0) / 9.0).powi(2);
    let response = 0.6 + 0.3 * ((climate - 10.0) / 4.0).sin();
    let dry = 12.0 * (moisture - 0.3).powi(2);
    (level + response * (temperature - climate) / 10.0 - dry).exp()
}

/// Sites with these mean annual temperatures and weather of their own, observed on two days of three.
fn made(name: &str, climates: &[f64], seed: u64) -> Made {
    let mut stream = Stream::of_state(seed);
    let mut normal = || {
        let radius = (-2.0 * (1.0 - stream.unit()).ln()).sqrt();
        radius * (TAU * stream.unit()).cos()
    };
    let calendar = Calendar {
        days: 3 * 365,
        ..Calendar::default()
    };
    let (sites, days) = (climates.len(), calendar.days);
    let mut made = Made {
        truth: Vec::new(),
        pack: Pack {
            calendar,
            sites: Vec::new(),
            dynamic: vec![
                Variable::new("air_temp_c", "degC"),
                Variable::new("soil_moisture_m3_m3", "m3 m-3"),
            ],
            values: Vec::new(),
            filled: vec![OBSERVED; sites * days * 2],
            statics: vec![Variable::new("mean_annual_temperature", "degC")],
            static_values: climates.iter().map(|&climate| single(climate)).collect(),
            target: Target::default(),
            flux: SiteByDay::filled(sites, days, f32::NAN),
            count: SiteByDay::filled(sites, days, 0),
            origin: None,
            sources: vec!["made by a test".to_owned()],
            licences: vec!["CC0-1.0".to_owned()],
            digest: String::new(),
        },
    };
    for (site, &climate) in climates.iter().enumerate() {
        made.pack.sites.push(Site {
            id: format!("{name}{site}"),
            name: String::new(),
            latitude: 40.0,
            longitude: site as f64,
            elevation: None,
            igbp: "Grassland".to_owned(),
            publication: String::new(),
        });
        let wet = 0.3 + 0.05 * normal();
        let (mut warm, mut rain) = (0.0, 0.0);
        for day in 0..days {
            let season = (TAU * (day as f64 - 110.0) / 365.25).sin();
            warm = 0.8 * warm + 1.5 * normal();
            rain = 0.9 * rain + 0.01 * normal();
            let temperature = climate + 9.0 * season + warm;
            let moisture = (wet - 0.05 * season + rain).clamp(0.02, 0.6);
            made.pack.values.extend([temperature, moisture].map(single));
            let truth = flux(climate, temperature, moisture);
            made.truth.push(truth);
            let noise = normal();
            if day % 3 != 0 {
                made.pack.flux[(site, day)] = single(truth * (0.15 * noise).exp());
                made.pack.count[(site, day)] = 48;
            }
        }
    }
    made.pack = made.pack.sealed();
    made
}

/// As many values from one end to the other.
fn between([low, high]: [f64; 2], count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(move |at| low + (high - low) * at as f64 / (count - 1) as f64)
}

#[test]
fn the_level_of_seen_sites_is_found_intervals_hold_and_the_index_rises_where_errors_do() {
    let seen = made("SEEN", &between(TRAINED, 30).collect::<Vec<_>>(), 1);
    let study = Study::new();
    seen.pack.write(&study.path("seen.h5")).unwrap();
    study.write("job.toml", JOB);
    study.sweep("run", "2").ok();

    // On the test days, which nothing was fitted on, and without the noise of the chamber.
    let days = seen.pack.calendar.days;
    let parts = Parts::of(&seen.pack.flux, &Split::default());
    let simulated = read_predictions(&study.path("run/ensemble/predictions.nc")).unwrap();
    let levels = |site: usize| {
        let judged: Vec<usize> = parts.days(site, Part::Test).collect();
        let level = |of: &dyn Fn(usize) -> f64| {
            mean(&judged.iter().map(|&day| of(day)).collect::<Vec<f64>>()).unwrap()
        };
        let truth = level(&|day| seen.truth[site * days + day]);
        (truth, level(&|day| simulated.mean[(site, day)].into()))
    };
    let levels: Vec<(f64, f64)> = (0..seen.pack.sites.len()).map(levels).collect();
    let wrong: Vec<f64> = levels
        .iter()
        .map(|(truth, found)| (found / truth - 1.0).abs())
        .collect();
    let typical = median(&wrong).unwrap();
    assert!(typical < 0.05, "{wrong:?}");
    let found = rank_correlation(&levels).unwrap();
    println!("levels: {typical} off, {found:?}");
    assert!(found.r > 0.7, "{found:?}");

    // Of what a chamber sees, with its noise.
    let intervals = rows(&study.path("run/report"), "intervals.csv");
    for (level, range) in [("0.5", 0.42..0.58), ("0.9", 0.84..0.95)] {
        let found = row(&intervals, &[("level", level), ("kind", "calibrated")]);
        let coverage: f64 = found["coverage"].parse().unwrap();
        println!("{level}: {coverage} of {} days", found["days"]);
        assert!(range.contains(&coverage), "{level}: {found:?}");
    }

    // From the middle of the training to far beyond both of its ends.
    let new: Vec<f64> = between([-12.0, 32.0], 40).collect();
    let new = made("NEW", &new, 2);
    new.pack.write(&study.path("new.h5")).unwrap();
    study
        .run(&["predict", "run", "--pack", "new.h5", "-o", "new"])
        .ok();
    let simulated = read_predictions(&study.path("new/predictions.nc")).unwrap();
    let file = hdf5::File::open(study.path("new/predictions.nc")).unwrap();
    let index: Vec<f64> = file
        .dataset("dissimilarity_index")
        .unwrap()
        .read_raw()
        .unwrap();
    let pairs = index.iter().enumerate().map(|(site, &index)| {
        let said = simulated.mean.site(site).iter();
        let errors = said.zip(&new.truth[site * days..]);
        let squares =
            errors.map(|(found, truth)| (f64::from(*found).asinh() - truth.asinh()).powi(2));
        (index, mean(&squares.collect::<Vec<f64>>()).unwrap().sqrt())
    });
    let pairs: Vec<(f64, f64)> = pairs.collect();
    let found = rank_correlation(&pairs).unwrap();
    println!("index and error: {found:?}");
    assert!(found.r > 0.7 && found.p < 0.01, "{found:?}: {pairs:?}");
}

/// The same network with weights of each site, and what is expected of those of new sites.
fn site_job(prior: &str) -> String {
    let head = format!("[model]\nhead = \"site\"\nskip = true\nsite_prior = \"{prior}\"\n");
    let folds = "[split]\nkind = \"sites\"\nfolds = 5\n\n[seeds]";
    JOB.replace("[model]\n", &head)
        .replace("[seeds]", folds)
        .replace("final = [0, 1, 2, 3]", "final = [0]")
}

/// The root of the mean square error of each site of a file of predictions, in asinh units; the typical one.
fn typical_error(study: &Study, file: &str, made: &Made) -> f64 {
    let simulated = read_predictions(&study.path(file)).unwrap();
    let days = made.pack.calendar.days;
    let error = |site: usize| {
        let errors = simulated
            .mean
            .site(site)
            .iter()
            .zip(&made.truth[site * days..]);
        let squares =
            errors.map(|(found, truth)| (f64::from(*found).asinh() - truth.asinh()).powi(2));
        mean(&squares.collect::<Vec<f64>>()).unwrap().sqrt()
    };
    median(&(0..made.pack.sites.len()).map(error).collect::<Vec<f64>>()).unwrap()
}

#[test]
fn weights_of_new_sites_that_follow_from_their_climate_bring_predictions_nearer_to_the_truth() {
    let climates = [-2.0, 10.0];
    let seen = made("SEEN", &between(climates, 30).collect::<Vec<_>>(), 1);
    let mut new = made("NEW", &between(climates, 20).collect::<Vec<_>>(), 2);
    let study = Study::new();
    seen.pack.write(&study.path("seen.h5")).unwrap();
    new.pack.write(&study.path("new.h5")).unwrap();
    // Ten days of the first are all that is known for `adapt`.
    let days = new.pack.calendar.days;
    let places = (0..20).flat_map(|site| (0..days).map(move |day| (site, day)));
    let observed = places.filter(|&place| !new.pack.flux[place].is_nan());
    for place in observed.skip(10).collect::<Vec<_>>() {
        new.pack.flux[place] = f32::NAN;
        new.pack.count[place] = 0;
    }
    new.pack = new.pack.sealed();
    new.pack.write(&study.path("few.h5")).unwrap();

    let mut found = Vec::new();
    for prior in ["zero", "attributes"] {
        study.write("job.toml", site_job(prior));
        study.sweep(prior, "2").ok();
        let models = rows(&study.path(prior).join("report"), "unseen.csv");
        let scores = row(&models, &[("model", "unseen-site")]);
        let score = |name: &str| scores[name].parse::<f64>().unwrap();
        for command in ["predict", "adapt"] {
            let pack = if command == "predict" {
                "new.h5"
            } else {
                "few.h5"
            };
            let out = format!("{prior}-{command}");
            study
                .run(&[command, prior, "--pack", pack, "-o", &out])
                .ok();
        }
        let again = format!("{prior}-again");
        study
            .run(&["predict", prior, "--pack", "seen.h5", "-o", &again])
            .ok();
        let error = typical_error(&study, &format!("{prior}-predict/predictions.nc"), &new);
        let scores = (score("median_test_nse"), score("median_test_kge"), error);
        println!("{prior}: median NSE and KGE in folds, error at new sites {scores:?}");
        found.push(scores);
    }
    assert!(
        found[1].0 > found[0].0 && found[1].1 > found[0].1,
        "{found:?}"
    );
    assert!(found[1].2 < 0.8 * found[0].2, "{found:?}");
    let logs = study.logs("attributes");
    assert!(logs.contains("weights of new sites follow from attributes, as those of 30 sites do"));
    assert!(!study.logs("zero").contains("weights of new sites"));

    // Sites that a training had are what they were, in every file, and the pack of the run comes out as it was.
    let bits = |file: &str| {
        let mean = read_predictions(&study.path(file)).unwrap().mean;
        mean.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
    };
    let of_run = bits("attributes/ensemble/predictions.nc");
    assert_eq!(of_run, bits("zero/ensemble/predictions.nc"));
    assert_eq!(of_run, bits("attributes-again/predictions.nc"));
    // A few days of a site move it from what was expected of it, and no other.
    let [expected, adapted] =
        ["predict", "adapt"].map(|of| bits(&format!("attributes-{of}/predictions.nc")));
    assert_ne!(expected[..days], adapted[..days]);
    assert_eq!(expected[days..], adapted[days..]);

    for trial in fs::read_dir(study.path("attributes/trials")).unwrap() {
        let kept = trial
            .unwrap()
            .path()
            .join("attempt-1/site-prior.safetensors");
        fs::remove_file(kept).unwrap();
    }
    study
        .run(&["predict", "attributes", "--pack", "new.h5", "-o", "gone"])
        .refused(
            4,
            &["site-prior.safetensors", "is missing", "the same sweep"],
        );
}
