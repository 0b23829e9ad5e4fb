//! Inputs with memory of `site_model.json`.

use std::collections::BTreeMap;

use efflux_data::{SiteRecord, Statistics};
use efflux_job::Expression;
use efflux_testing::{golden, series};
use serde_json::Value;

/// What the file's thirteen columns are.
const COLUMNS: [&str; 13] = [
    "(soil_temp_c - 12) / 8",
    "(day_length_h - 12) / 3",
    "(toa_radiation_w_m2 - 300) / 100",
    "clip((soil_moisture - site_mean(soil_moisture)) / max(site_sd(soil_moisture), 0.02), -3, 3)",
    "known(soil_moisture)",
    "season_cos",
    "season_sin",
    "abs(latitude) / 30 - 1.2",
    "(mean(soil_temp_c, 7) - soil_temp_c) / 3",
    "(mean(soil_temp_c, 30) - soil_temp_c) / 5",
    "(mean(soil_temp_c, 90) - soil_temp_c) / 8",
    "clip((mean(soil_moisture, 30) - site_mean(soil_moisture)) / max(site_sd(soil_moisture), 0.02), -3, 3)",
    "clip(anomaly(soil_moisture, 10) / max(site_sd(soil_moisture), 0.02), -3, 3)",
];

/// The last day that is kept, if not all are.
fn record(site: &Value, days: Option<usize>) -> SiteRecord {
    let cut = |mut values: Vec<f64>| {
        values.truncate(days.unwrap_or(values.len()));
        values
    };
    let names = [
        "soil_temp_c",
        "soil_moisture",
        "day_length_h",
        "toa_radiation_w_m2",
    ];
    let known = names.into_iter().filter(|name| site[name].is_array());
    let variables = known.map(|name| {
        let values = cut(series(&site[name]));
        let all = 0..values.len();
        (name.to_owned(), (values, all))
    });
    let fitted = site["training_days"].as_array().unwrap().iter();
    SiteRecord {
        latitude: site["lat"].as_f64().unwrap(),
        days_of_year: cut(series(&site["day_of_year"])),
        variables: variables.collect::<BTreeMap<_, _>>(),
        fitted: fitted
            .map(|day| usize::try_from(day.as_u64().unwrap()).unwrap())
            .collect(),
        statistics: Statistics::new(),
    }
}

#[test]
fn derived_inputs_are_the_reference_columns() {
    let Some(file) = golden("site_model.json") else {
        return;
    };
    let tolerance = file["tolerance"]["features"].as_f64().unwrap();
    let sites = file["sites"].as_array().unwrap().iter();
    for (site, expected) in sites.zip(file["features"].as_array().unwrap()) {
        let record = record(site, None);
        for (column, text) in COLUMNS.iter().enumerate() {
            let found = record.values(&Expression::parse(text).unwrap());
            for (day, (found, row)) in found.iter().zip(expected.as_array().unwrap()).enumerate() {
                let expected = row[column].as_f64().unwrap();
                assert!(
                    (found - expected).abs() <= tolerance,
                    "{text} on day {day}: {found}, expected {expected}"
                );
            }
        }
    }
}

#[test]
fn derived_inputs_know_nothing_of_later_days() {
    let Some(file) = golden("site_model.json") else {
        return;
    };
    let site = &file["sites"][0];
    let whole = record(site, None);
    let expressions = COLUMNS.map(|text| Expression::parse(text).unwrap());
    let mut cut = record(site, Some(50));
    // What is known of the site's days of training is known for good.
    cut.statistics = whole.statistics_of(&expressions);
    for expression in &expressions {
        assert_eq!(whole.values(expression)[..50], cut.values(expression)[..]);
    }
}
