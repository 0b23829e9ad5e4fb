//! What the ensemble has to beat: on the made-up study, and on the 56 real sites where they are.

use efflux_analysis::baselines::{Baseline, Day};
use efflux_analysis::metrics::Pairs;
use efflux_analysis::statistics::median;
use efflux_data::{Pack, Parts};
use efflux_ingest::{SiteOptions, pack_sites};
use efflux_job::{Part, Split};
use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{repository, row, rows};

use super::study::{SITES, Study, WITHOUT_TEMPERATURE};

#[test]
fn a_baseline_is_compared_at_the_sites_where_it_is_defined() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let table = rows(out.path(), "baselines.csv");
    // Two sites have no test NSE at all.
    for (series, sites) in [("climatology", SITES - 2), ("exponential", SITES - 3)] {
        let row = row(&table, &[("series", series)]);
        assert_eq!(row["sites"], sites.to_string(), "{row:?}");
        assert_eq!(row["sites_compared"], sites.to_string(), "{row:?}");
        let number = |column: &str| row[column].parse::<f64>().unwrap();
        assert!(number("interval_0.95_low") <= number("median_nse_difference"));
        assert!(number("median_nse_difference") <= number("interval_0.95_high"));
        assert!((0.0..=1.0).contains(&number("wilcoxon_p")));
    }
    assert_eq!(
        row(&table, &[("series", "harmonic")])["temperature"],
        "soil_temperature"
    );
    let scores = rows(out.path(), "scores.csv");
    let without = row(
        &scores,
        &[
            ("series", "exponential"),
            ("site", &study.sites[WITHOUT_TEMPERATURE].id),
        ],
    );
    assert!(
        without["not_defined"].contains("no temperature"),
        "{without:?}"
    );
}

#[test]
fn putting_the_level_right_helps_a_site_whose_level_is_missed() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let scores = rows(out.path(), "scores.csv");
    // The last site of the study is simulated far too high.
    let nse = |series: &str| {
        let site = study.sites[SITES - 1].id.as_str();
        let with = [("series", series), ("part", "test"), ("site", site)];
        row(&scores, &with)["nse"].parse::<f64>().unwrap()
    };
    assert!(nse("ensemble-mean-site-level") > nse("ensemble-mean") + 1.0);
}

/// Medians of the test NSE that an independent program found on the same sites and split.
#[test]
fn baselines_of_the_real_sites_are_as_good_as_found_elsewhere() {
    let folder = repository().join("data/cosore-daily");
    let pack = pack_sites(&folder, &SiteOptions::paper()).unwrap().pack;
    for (baseline, expected) in [
        (Baseline::TrainingMean, -0.284),
        (Baseline::Climatology, -0.067),
        (Baseline::Exponential, 0.126),
        (Baseline::LloydTaylor, 0.128),
        (Baseline::Harmonic, 0.174),
    ] {
        let found = median_nse(&pack, baseline);
        println!("{baseline:?}: median test NSE {found:.4}, elsewhere {expected}");
        assert!((found - expected).abs() < 6e-4, "{baseline:?}: {found}");
    }
}

fn median_nse(pack: &Pack, baseline: Baseline) -> f64 {
    let split = Split::by_time(0.8, 0.0);
    let variables = &mut pack.dynamic.iter();
    let soil = variables
        .position(|variable| variable.name == "soil_temp_c")
        .unwrap();
    let parts = Parts::of(&pack.flux, &split);
    let nse = |site: usize| {
        let temperature: Vec<f32> = pack.series(site, soil).collect();
        let day = |day: usize| Day {
            of_year: pack.calendar.date(day).day_of_year().unsigned_abs(),
            temperature: temperature[day].into(),
            flux: pack.flux_of(site)[day].into(),
        };
        let training: Vec<Day> = parts.days(site, Part::Train).map(day).collect();
        let fitted = baseline.fit(&training).ok()?;
        let test = parts.days(site, Part::Test).map(day);
        let pairs: Pairs = test
            .map(|day| (day.flux, fitted.flux(day.of_year, day.temperature)))
            .collect();
        pairs.nse().ok()
    };
    let values: Vec<f64> = (0..pack.sites.len()).filter_map(nse).collect();
    median(&values).unwrap()
}
