//! What goes along with skill in the made-up study.

use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{row, rows};

use super::study::{SITES, Study, WITHOUT_TEMPERATURE};

#[test]
fn every_site_is_in_one_group_of_each_division() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::Tables).unwrap();
    let groups = rows(out.path(), "groups.csv");
    for (by, sites) in [
        ("land cover", SITES),
        ("latitude", SITES),
        ("observed days", SITES),
        ("seen at the same place in training", SITES),
        // Two sites have no class.
        ("class (text)", SITES - 2),
    ] {
        let counts = groups.iter().filter(|row| row["by"] == by);
        let counts = counts.map(|row| row["sites"].parse::<usize>().unwrap());
        assert_eq!(counts.sum::<usize>(), sites, "{by}");
    }
}

#[test]
fn summers_and_winters_are_compared_in_both_readings_of_the_classes() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::Tables).unwrap();
    let (tests, traits) = (
        rows(out.path(), "season_tests.csv"),
        rows(out.path(), "traits.csv"),
    );
    let sites = rows(out.path(), "sites.csv");
    for (reading, column) in [
        ("text", "class_text"),
        ("caption_cascade", "class_caption_cascade"),
    ] {
        let good: Vec<f64> = sites
            .iter()
            .filter(|site| site[column] == "good")
            .map(|site| &row(&traits, &[("site", &site["site"])])["summer_winter_difference_umol_m-2_s-1"])
            .map(|difference| difference.parse().unwrap())
            .collect();
        for test in ["welch", "student"] {
            let found = row(&tests, &[("classes", reading), ("test", test)]);
            assert_eq!(found["good_sites"], good.len().to_string());
            let mean = found["good_mean_difference_umol_m-2_s-1"]
                .parse::<f64>()
                .unwrap();
            let expected = good.iter().sum::<f64>() / good.len() as f64;
            assert!((mean - expected).abs() < 1e-12, "{mean} {expected}");
        }
    }
}

#[test]
fn p_values_are_raised_for_the_number_of_tests() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::Tables).unwrap();
    let table = rows(out.path(), "correlations.csv");
    let mut told = 0;
    for row in table.iter().filter(|row| !row["p"].is_empty()) {
        let number = |column: &str| row[column].parse::<f64>().unwrap();
        assert!(number("p") <= number("p_benjamini_hochberg"), "{row:?}");
        told += 1;
    }
    assert!(told > 20, "{told} correlations are defined");
    let elevation = [
        ("property", "elevation (m)"),
        ("test_score", "nse"),
        ("over", "sites"),
    ];
    assert_eq!(row(&table, &elevation)["n"], (SITES - 2).to_string());
}

#[test]
fn test_days_that_a_neighbour_was_fitted_on_are_counted() {
    let (mut study, out) = (Study::new(), tempfile::tempdir().unwrap());
    let days = study.observed.len() / SITES;
    let (tested, trained) = (3, 4);
    study.sites[trained].latitude = study.sites[tested].latitude + 0.001;
    study.sites[trained].longitude = study.sites[tested].longitude;
    study.sites[trained].parts = efflux_data::SiteParts {
        train: 0..days,
        validation: 0..0,
        test: 0..0,
    };
    let both = study.sites[tested].parts.test.clone().filter(|day| {
        let observed = |site: usize| study.observed[site * days + day].is_finite();
        observed(tested) && observed(trained)
    });
    let both = both.count();
    assert!(both > 0);
    report::write(&study.results(), out.path(), Output::Tables).unwrap();
    let traits = rows(out.path(), "traits.csv");
    let of = |site: usize| &row(&traits, &[("site", &study.sites[site].id)])["test_days_seen_there_in_training"];
    assert_eq!(of(tested), &both.to_string());
    assert_eq!(of(1), "0");
}

#[test]
fn a_response_to_temperature_takes_a_temperature() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::Tables).unwrap();
    let traits = rows(out.path(), "traits.csv");
    let without = row(&traits, &[("site", &study.sites[WITHOUT_TEMPERATURE].id)]);
    assert!(without["not_defined"].contains("q10_observed: no temperature"));
    let with = row(&traits, &[("site", &study.sites[0].id)]);
    // The made-up flux grows with the season, and so does its temperature.
    assert!(with["q10_observed"].parse::<f64>().unwrap() > 1.0);
}
