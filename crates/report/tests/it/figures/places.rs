//! The paper’s Figures 1 and 7: all sites, on maps and in climates, and how well they are simulated there.

use super::super::study::{SITES, WITHOUT_CLIMATE};
use super::super::{row, rows};
use super::{drawn, figure, letters, panel, shapes, texts};

#[test]
fn figure_1_shows_sites_counts_climate_water_and_coverage_as_the_tables_have_them() {
    let (study, out) = drawn();
    let sites = figure(out.path(), "sites");
    let marks: usize = (0..8)
        .map(|place| shapes(panel(&sites, "a"), &format!("cover-{place}")))
        .sum();
    assert_eq!((marks, shapes(panel(&sites, "a"), "land")), (SITES, 1));
    let groups = rows(out.path(), "groups.csv");
    let counts = texts(panel(&sites, "b"));
    let covers: Vec<_> = groups
        .iter()
        .filter(|row| row["by"] == "land cover")
        .collect();
    assert_eq!(covers.len(), 3);
    for cover in covers {
        let place = counts
            .iter()
            .position(|text| *text == cover["group"])
            .unwrap();
        assert_eq!(counts[place + 1], cover["sites"]);
    }

    let climate = figure(out.path(), "climate");
    let with_climate: usize = (0..8)
        .map(|place| shapes(panel(&climate, "c"), &format!("cover-{place}")))
        .sum();
    assert_eq!(with_climate, SITES - 1, "one site has no temperature");
    assert!(study.attributes[1].values[WITHOUT_CLIMATE].is_nan());

    let budyko = figure(out.path(), "budyko");
    assert_eq!(letters(&budyko), ["d", "d, humid"]);
    let points = |letter: &str| -> usize {
        let classes = (0..8).map(|place| format!("cover-{place}"));
        classes
            .map(|class| shapes(panel(&budyko, letter), &class))
            .sum()
    };
    let water_limited = row(
        &groups,
        &[("group", "water-limited (PET above precipitation)")],
    );
    let water_limited: usize = water_limited["sites"].parse().unwrap();
    assert!(water_limited > 0);
    assert_eq!(
        (points("d"), points("d, humid")),
        (SITES, SITES - water_limited)
    );
    // Three curves of β and Budyko's own, in both panels.
    for letter in ["d", "d, humid"] {
        let panel = panel(&budyko, letter);
        assert_eq!((shapes(panel, "baseline"), shapes(panel, "fit")), (3, 1));
    }

    let record = figure(out.path(), "record");
    let years = rows(out.path(), "record.csv");
    let written = texts(panel(&record, "years"));
    for year in years.iter().filter(|year| year["sites"] != "0") {
        assert!(written.contains(&year["sites"]), "{year:?}");
    }
    let observed: usize = years
        .iter()
        .map(|year| year["observed_days"].parse::<usize>().unwrap())
        .sum();
    let all = study.observed.iter().filter(|flux| flux.is_finite());
    assert_eq!(observed, all.count());
    // A line for each site: train and validation in one ink, the test part in another.
    let lines = panel(&record, "sites");
    assert_eq!((shapes(lines, "record"), shapes(lines, "judged")), (1, 1));
}

#[test]
fn figure_7_draws_map_pie_steps_spikes_and_bands_as_the_tables_have_them() {
    let (_, out) = drawn();
    let map = figure(out.path(), "map");
    let classes = rows(out.path(), "classes.csv");
    let classes = row(&classes, &[("reading", "text")]);
    let slices = texts(panel(&map, "pie"));
    let places = panel(&map, "map");
    for class in ["good", "fair", "poor"] {
        if classes[class] != "0" {
            assert!(
                slices.contains(&format!("{} {class}", classes[class])),
                "{slices:?}"
            );
        }
        assert_eq!(shapes(places, class).to_string(), classes[class]);
    }
    assert_eq!(
        shapes(places, "zone"),
        2,
        "30° to 60° on both sides of the equator"
    );

    let space = figure(out.path(), "skill-climate-space");
    assert_eq!(letters(&space), ["b", "b, temperature", "b, precipitation"]);
    let bins = rows(out.path(), "climate_bins.csv");
    for (letter, property, sites) in [
        (
            "b, temperature",
            "mean_annual_temperature (degC)",
            SITES - 1,
        ),
        (
            "b, precipitation",
            "mean_annual_precipitation (mm yr-1)",
            SITES,
        ),
    ] {
        let here: Vec<_> = bins
            .iter()
            .filter(|row| row["property"] == property)
            .collect();
        let panel = panel(&space, letter);
        assert_eq!(shapes(panel, "good"), here.len());
        let counts: usize = here
            .iter()
            .map(|row| row["sites"].parse::<usize>().unwrap())
            .sum();
        assert_eq!(counts, sites);
        let written = texts(panel);
        for bin in here {
            assert!(written.contains(&bin["sites"]));
            let share =
                100.0 * bin["good"].parse::<f64>().unwrap() / bin["sites"].parse::<f64>().unwrap();
            assert!((share - bin["good_percent"].parse::<f64>().unwrap()).abs() < 1e-9);
        }
    }
    let tests = rows(out.path(), "climate_tests.csv");
    assert_eq!(
        tests.len(),
        6,
        "NSE, KGE and the share of good sites, of both"
    );

    let figure = figure(out.path(), "extremes");
    let scores = rows(out.path(), "extremes.csv");
    for (letter, groups) in [
        ("c", vec![("spikes", "spikes"), ("no-spikes", "other days")]),
        (
            "d",
            vec![("bottom", "bottom"), ("middle", "middle"), ("top", "top")],
        ),
    ] {
        let panel = panel(&figure, letter);
        let written = texts(panel);
        for (group, name) in groups {
            let said = ["nse", "kge"].map(|column| {
                let mut values: Vec<f64> = scores
                    .iter()
                    .filter(|row| row["group"] == group)
                    .filter_map(|row| row[column].parse().ok())
                    .collect();
                values.sort_by(f64::total_cmp);
                let middle = values.len() / 2;
                let median = if values.len() % 2 == 1 {
                    values[middle]
                } else {
                    f64::midpoint(values[middle - 1], values[middle])
                };
                let median = super::written(&median.to_string(), 2);
                format!("{} {median} ({})", column.to_uppercase(), values.len())
            });
            let expected = format!("{name}: median {}", said.join(", "));
            assert!(written.contains(&expected), "{expected} in {written:?}");
        }
        assert!(shapes(panel, "box") > 1 && shapes(panel, "other-box") > 1);
    }
}
