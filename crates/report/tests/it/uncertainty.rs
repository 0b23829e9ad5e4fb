//! How sure the made-up ensemble says it is.

use efflux_job::Fit;
use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{row, rows};

use super::study::Study;

#[test]
fn calibrated_intervals_hold_more_days_at_higher_levels_and_raw_ones_need_members() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let table = rows(out.path(), "intervals.csv");
    let coverage = |level: &str, kind: &str| {
        let row = row(&table, &[("level", level), ("kind", kind)]);
        row["coverage"].parse::<f64>().ok()
    };
    let calibrated: Vec<f64> = ["0.5", "0.8", "0.9", "0.95"]
        .map(|level| coverage(level, "calibrated").unwrap())
        .to_vec();
    assert!(calibrated.is_sorted(), "{calibrated:?}");
    // Ten members resolve 80 % and no more.
    assert!(coverage("0.8", "raw").is_some());
    let too_few = row(&table, &[("level", "0.9"), ("kind", "raw")]);
    assert!(too_few["not_defined"].contains("10 values, 20 needed"));
}

#[test]
fn members_that_saw_the_validation_days_cannot_be_calibrated_on_them() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    let results = report::Results {
        fit: Fit::TrainValidation,
        ..study.results()
    };
    report::write(&results, out.path(), Output::All).unwrap();
    for row in rows(out.path(), "intervals.csv") {
        if row["kind"] == "calibrated" {
            assert!(row["not_defined"].contains("not fitted on"), "{row:?}");
        }
    }
}

#[test]
fn every_test_day_has_one_rank_and_every_size_of_ensemble_a_skill() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let sum = |table: &str, column: &str| -> usize {
        let rows = rows(out.path(), table);
        rows.iter()
            .map(|row| row[column].parse::<usize>().unwrap())
            .sum()
    };
    let days = sum("uncertainty.csv", "test_days");
    let shared = rows(out.path(), "ranks.csv");
    let shared = shared
        .iter()
        .map(|row| row["test_days"].parse::<f64>().unwrap());
    assert!((shared.sum::<f64>() - days as f64).abs() < 1e-6);
    assert_eq!(sum("spread_error.csv", "test_days"), days);
    let sizes = rows(out.path(), "ensemble_size.csv");
    assert_eq!(sizes.len(), study.members.len());
    let summary = rows(out.path(), "summary.csv");
    let all = [
        ("series", "ensemble-mean"),
        ("part", "test"),
        ("score", "nse"),
    ];
    let number = |text: &str| text.parse::<f64>().unwrap();
    let (whole, median) = (
        number(&sizes[sizes.len() - 1]["median_test_nse"]),
        number(&row(&summary, &all)["median"]),
    );
    assert!((whole - median).abs() < 1e-9, "{whole} {median}");
}

#[test]
fn annual_sums_are_those_of_whole_years_in_grams_of_carbon() {
    let (mut study, out) = (Study::new(), tempfile::tempdir().unwrap());
    for (place, member) in study.members.iter_mut().enumerate() {
        member.flux.fill(if place % 2 == 0 { 1.0 } else { 3.0 });
    }
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let years = rows(out.path(), "annual_sums.csv");
    // 2,400 days from 2003-01-01 are six years and some days; 2004 and 2008 have a day more.
    let of = |year: &str| {
        let row = row(&years, &[("year", year), ("site", &study.sites[0].id)]);
        row["mean_g_C_m-2_yr-1"].parse::<f64>().unwrap()
    };
    let a_day = 2.0 * 86_400.0 * 12.011e-6;
    assert!((of("2003") - 365.0 * a_day).abs() < 1e-6);
    assert!((of("2004") - 366.0 * a_day).abs() < 1e-6);
    assert!(years.iter().all(|row| row["year"] != "2009"));
}

#[test]
fn intervals_from_forecasts_are_judged_by_level_and_by_how_far_ahead_days_are() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    let mut sd = study.observed.clone();
    for site in 0..study.sites.len() {
        sd.site_mut(site).fill(0.2);
    }
    let forecast = report::ForecastSpread {
        sd,
        errors: vec![(1..=100).map(|rank| f64::from(rank) / 50.0).collect(); 3],
        of_ensemble: true,
    };
    let results = report::Results {
        forecast: Some(&forecast),
        ..study.results()
    };
    report::write(&results, out.path(), Output::All).unwrap();
    let number = |text: &str| text.parse::<f64>().unwrap();
    let table = rows(out.path(), "intervals.csv");
    let of = |level: &str, column: &str| {
        let row = row(&table, &[("level", level), ("kind", "forecast")]);
        number(&row[column])
    };
    let levels = ["0.5", "0.8", "0.9", "0.95"];
    // Sums of weights reach a level a rank later now and then, in binary.
    assert!((of("0.9", "factor_all_sites") - 1.8).abs() < 0.03);
    for column in ["coverage", "median_width_umol_m-2_s-1"] {
        let by_level = levels.map(|level| of(level, column));
        assert!(
            by_level.is_sorted() && by_level[0] < by_level[3],
            "{by_level:?}"
        );
    }
    let by_lead = rows(out.path(), "intervals_by_lead.csv");
    for level in levels {
        let rows = by_lead.iter().filter(|row| row["level"] == level);
        let days = rows.filter(|row| !row["days"].is_empty());
        let days: f64 = days.map(|row| number(&row["days"])).sum();
        assert_eq!(days, of(level, "days"));
    }
    let sites = rows(out.path(), "uncertainty.csv");
    let scored = sites
        .iter()
        .filter(|row| !row["crps_forecast_umol_m-2_s-1"].is_empty());
    assert!(scored.count() > 1);
    let page = std::fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(page.contains("Intervals from forecasts, by how far ahead the day is"));

    let without = tempfile::tempdir().unwrap();
    report::write(&study.results(), without.path(), Output::Tables).unwrap();
    let table = rows(without.path(), "intervals.csv");
    assert!(table.iter().all(|row| row["kind"] != "forecast"));
}
