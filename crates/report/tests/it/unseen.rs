//! Unseen sites beside unseen time.

use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{row, rows};

use super::study::{SITES, Study, WITHOUT_TEMPERATURE};

fn number(row: &std::collections::HashMap<String, String>, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column}: {row:?}"))
}

#[test]
fn unseen_sites_are_judged_on_the_same_days_and_compared_site_by_site() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let models = rows(out.path(), "unseen.csv");
    let of = |model: &str| row(&models, &[("model", model)]);
    let (unseen, seen) = (of("unseen-site"), of("unseen-time"));
    assert!(number(unseen, "median_test_nse") < number(seen, "median_test_nse"));
    assert!(number(seen, "median_nse_difference") < 0.0 && seen["sites_unseen_better"] == "0");
    assert_eq!(unseen["sites_compared"], "");
    assert_eq!(seen["sites_compared"], unseen["sites"]);
    for model in ["temperature-model", "land-cover-model"] {
        assert!(number(of(model), "median_test_nse") < 1.0, "{model}");
    }

    let sites = rows(out.path(), "unseen_sites.csv");
    let scores = rows(out.path(), "sites.csv");
    assert_eq!(sites.len(), SITES);
    for (place, site) in sites.iter().enumerate() {
        let fold = if place + 1 == SITES {
            ""
        } else {
            ["1", "2"][place % 2]
        };
        assert_eq!(site["fold"], fold);
        let known = row(&scores, &[("site", site["site"].as_str())]);
        if place + 1 == SITES {
            assert_eq!(
                (
                    site["unseen-site_nse"].as_str(),
                    site["unseen-time_nse"].as_str()
                ),
                ("", "")
            );
        } else {
            assert_eq!(site["unseen-time_nse"], known["test_nse"]);
        }
    }
    let page = std::fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(
        page.contains("<strong>9 of 12 members</strong> are there"),
        "fewer members show"
    );
}

#[test]
fn without_folds_nothing_is_said_of_unseen_sites() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    let results = report::Results {
        unseen: None,
        ..study.results()
    };
    report::write(&results, out.path(), Output::All).unwrap();
    assert!(!out.path().join("tables/unseen.csv").exists());
    let page = std::fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(!page.contains("Unseen sites"));
}

#[test]
fn each_site_has_its_distance_to_the_others_and_intervals_hold_at_sites_they_were_not_made_of() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let sites = rows(out.path(), "unseen_sites.csv");
    for (place, site) in sites.iter().enumerate() {
        let expected = match place {
            WITHOUT_TEMPERATURE => "unknown",
            place if place < 9 => "inside",
            _ => "outside",
        };
        assert_eq!(site["area_of_applicability"], expected, "{site:?}");
        assert_eq!(
            site["dissimilarity_index"].is_empty(),
            place == WITHOUT_TEMPERATURE
        );
    }
    let intervals = rows(out.path(), "unseen_intervals.csv");
    let factors: Vec<f64> = intervals[..3]
        .iter()
        .map(|row| number(row, "factor_asinh"))
        .collect();
    assert!(factors.is_sorted() && factors[0] > 0.0, "{factors:?}");
    assert!(number(&intervals[2], "coverage_by_other_sites") > 0.6);
    // Twelve sites have test days, which is too few for the widest.
    assert_eq!(intervals[3]["factor_asinh"], "");
    assert!(
        intervals[3]["not_defined"].contains("factor"),
        "{intervals:?}"
    );
    assert!(out.path().join("figures/unseen-distance.svg").exists());
}
