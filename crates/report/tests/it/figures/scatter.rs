//! The paper’s Figures 6, 8 and 9: scores against properties.

use std::collections::HashMap;

use efflux_analysis::classes::BAD_BELOW;
use efflux_analysis::measures::Measure;

use super::super::study::SITES;
use super::super::{row, rows};
use super::{drawn, figure, letters, panel, shapes, texts, written};

/// What a panel says of a correlation in the table.
fn said(table: &[HashMap<String, String>], property: &str, score: &str, over: &str) -> String {
    let with = [
        ("property", property),
        ("test_score", score),
        ("over", over),
    ];
    let found = row(table, &with);
    let p: f64 = found["p"].parse().unwrap();
    let p = if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {p:.3}")
    };
    format!("r = {}, {p}, n = {}", written(&found["r"], 2), found["n"])
}

/// That a panel draws every site that both have, by class, and says the correlations of the table.
fn is_scatter(panel: &str, table: &[HashMap<String, String>], property: &str, score: &str) {
    let written = texts(panel);
    for (over, begins) in [
        ("sites", "all sites: "),
        ("sites-without-outliers", "without outliers: "),
    ] {
        let expected = format!("{begins}{}", said(table, property, score, over));
        assert!(written.contains(&expected), "{expected} in {written:?}");
    }
    let with = [
        ("property", property),
        ("test_score", score),
        ("over", "sites"),
    ];
    let points: usize = ["good", "fair", "poor"]
        .map(|class| shapes(panel, class))
        .iter()
        .sum();
    assert_eq!(
        points.to_string(),
        row(table, &with)["n"],
        "{property}, {score}"
    );
    let kept = said(table, property, score, "sites-without-outliers");
    let p = row(
        table,
        &[
            ("property", property),
            ("test_score", score),
            ("over", "sites-without-outliers"),
        ],
    );
    let is_significant = p["p"].parse::<f64>().unwrap() < 0.05;
    assert_eq!(shapes(panel, "fit") == 1, is_significant, "{kept}");
}

#[test]
fn figures_6_8_and_9_draw_each_score_against_each_property_with_the_correlations_of_the_table() {
    let (_, out) = drawn();
    let table = rows(out.path(), "correlations.csv");
    let days = figure(out.path(), "skill-days");
    let measures: Vec<Measure> = Measure::headline().collect();
    assert_eq!(letters(&days).len(), measures.len() + 1);
    for (letter, &measure) in ('a'..).zip(&measures) {
        let panel = panel(&days, &letter.to_string());
        is_scatter(panel, &table, "observed days", measure.column);
        let has_bad = BAD_BELOW.iter().any(|(one, _)| *one == measure);
        assert_eq!(
            (shapes(panel, "train"), shapes(panel, "baseline")),
            (1, usize::from(has_bad)),
            "the line of 500 days and that of a bad score in {letter}"
        );
    }
    let inset = panel(&days, "a, inset");
    let with = [
        ("property", "observed days"),
        ("test_score", "nse"),
        ("over", "sites-without-outliers"),
    ];
    let kept: usize = ["good", "fair", "poor"]
        .map(|class| shapes(inset, class))
        .iter()
        .sum();
    assert_eq!(kept.to_string(), row(&table, &with)["n"]);
    assert!(kept < SITES - 2, "the hopeless site is an outlier");

    let climate = figure(out.path(), "skill-climate");
    let rhythm = figure(out.path(), "skill-rhythm");
    let of_climate = [
        "mean_annual_temperature (degC)",
        "mean_annual_precipitation (mm yr-1)",
        "mean pet (mm d-1)",
        "aridity (PET / precipitation)",
        "soil_organic_carbon (g kg-1)",
    ];
    let of_rhythm = [
        "smoothness (lag 1)",
        "seasonality (raw, lag 182)",
        "cyclicality (lag 365)",
    ];
    for (figure, properties) in [(&climate, &of_climate[..]), (&rhythm, &of_rhythm[..])] {
        let both = properties
            .iter()
            .flat_map(|property| measures.iter().map(move |measure| (property, measure)));
        for (letter, (property, measure)) in letters(figure).into_iter().zip(both) {
            is_scatter(panel(figure, letter), &table, property, measure.column);
        }
        let panels = properties.len() * measures.len();
        assert_eq!(letters(figure).len(), panels);
    }
}
