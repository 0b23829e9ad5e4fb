//! Days on which inputs were not measured do not look measured.

use std::fs;

use efflux_data::HELD;
use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{row, rows};

use super::study::{FILLED, SITES, Study, UNOBSERVED};

#[test]
fn scores_that_rest_on_filled_inputs_say_so_in_tables_page_and_figures() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let id = &study.sites[FILLED].id;
    let sites = rows(out.path(), "sites.csv");
    let site = row(&sites, &[("site", id)]);
    let days = &site["test_days"];
    assert_eq!(&site["test_days_input_interpolated"], days);
    assert_eq!(site["test_days_input_held"], "0");
    let inputs = rows(out.path(), "inputs_filled.csv");
    let input = row(&inputs, &[("site", id), ("input", "soil_temperature")]);
    assert_eq!(
        (&input["test_days"], &input["test_interpolated"]),
        (days, days)
    );
    assert_eq!(
        (input["days"].as_str(), input["held"].as_str()),
        ("2400", "365")
    );

    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(page.contains(&format!(
        "all {days} test days have filled soil_temperature"
    )));
    let caveat =
        format!("soil_temperature was measured on no test day at 1 site: {id} ({days} days).");
    assert!(page.contains(&caveat), "{caveat}");
    let held: usize = sites
        .iter()
        .map(|row| row["test_days_input_held"].parse::<usize>().unwrap())
        .sum();
    assert!(held > 0);
    let caveat = format!("On {held} test days an input repeats its nearest measured value");
    assert!(page.contains(&caveat), "{caveat}");
    let figures = fs::read_dir(out.path().join("figures")).unwrap();
    let marked = figures.filter(|figure| {
        let figure = fs::read_to_string(figure.as_ref().unwrap().path()).unwrap();
        figure.contains("class=\"held\"") && figure.contains("an input held")
    });
    assert!(marked.count() > 0, "no series is marked");
}

#[test]
fn nothing_is_said_where_all_inputs_were_measured() {
    let (mut study, out) = (Study::new(), tempfile::tempdir().unwrap());
    study.filled.inputs.clear();
    study.filled.least_known.fill(0);
    report::write(&study.results(), out.path(), Output::All).unwrap();
    assert!(rows(out.path(), "inputs_filled.csv").is_empty());
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    for said in [
        "measured on no test day",
        "repeats its nearest",
        "have filled",
    ] {
        assert!(!page.contains(said), "{said}");
    }
    let years = rows(out.path(), "annual_sums.csv");
    assert!(years.iter().all(|year| year["not_defined"].is_empty()));
}

/// The last 365 of 2,400 days from 2003-01-01 are held: more than a month of 2008, nothing of 2007.
#[test]
fn a_year_that_nobody_observed_and_whose_inputs_are_held_has_no_annual_sum() {
    let (mut study, out) = (Study::new(), tempfile::tempdir().unwrap());
    let flags = study.filled.least_known.site(UNOBSERVED);
    assert_eq!(flags.iter().filter(|flag| **flag == HELD).count(), 365);
    study.observed.site_mut(0)[1096..].fill(f32::NAN);
    let results = study.results();
    report::write(&results, out.path(), Output::All).unwrap();
    let years = rows(out.path(), "annual_sums.csv");
    assert_eq!(years.len(), 6 * SITES);
    let mut without = 0;
    for year in &years {
        let held: usize = year["held_days"].parse().unwrap();
        let observed: usize = year["observed_days"].parse().unwrap();
        let is_known = observed > 0 || held <= 31;
        assert_eq!(year["mean_g_C_m-2_yr-1"].is_empty(), !is_known, "{year:?}");
        if !is_known {
            without += 1;
            let reason = "no observed day while inputs are held";
            assert!(year["not_defined"].contains(reason), "{year:?}");
        }
    }
    assert!(without > 0);
}
