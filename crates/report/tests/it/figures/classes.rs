//! The paper’s Figures 3, 4 and 5: single sites.

use super::super::study::WITHOUT_TEMPERATURE;
use super::super::{row, rows};
use super::{drawn, figure, letters, panel, shapes, texts, written};
use efflux_analysis::measures::Measure;

#[test]
fn figure_3_shows_two_records_and_their_correlograms_with_the_three_lags() {
    let (_, out) = drawn();
    let rhythm = figure(out.path(), "rhythm");
    assert_eq!(letters(&rhythm), ["a", "b", "c", "d"]);
    let lags = rows(out.path(), "correlograms.csv");
    let traits = rows(out.path(), "traits.csv");
    let mut order = Vec::new();
    for (letter, role) in [("c", "strongest"), ("d", "weakest")] {
        let here: Vec<_> = lags.iter().filter(|row| row["rhythm"] == role).collect();
        assert_eq!(here.len(), 365);
        let site = row(&traits, &[("site", &here[0]["site"])]);
        for (lag, column) in [
            (1, "smoothness_lag_1"),
            (182, "seasonality_raw_lag_182"),
            (365, "cyclicality_lag_365"),
        ] {
            assert_eq!(
                here[lag - 1]["observed"],
                site[column],
                "lag {lag} of the {role}"
            );
        }
        let expected = format!(
            "observed: smoothness {}, seasonality {}, cyclicality {}",
            written(&site["smoothness_lag_1"], 2),
            written(&site["seasonality_raw_lag_182"], 2),
            written(&site["cyclicality_lag_365"], 2)
        );
        let panel = panel(&rhythm, letter);
        assert!(texts(panel).contains(&expected), "{expected}");
        assert_eq!(
            shapes(panel, "train"),
            3,
            "a line at each of the three lags"
        );
        assert_eq!((shapes(panel, "fit"), shapes(panel, "simulated")), (1, 1));
        let number = |column: &str| site[column].parse::<f64>().unwrap();
        order.push(
            number("smoothness_lag_1") - number("seasonality_raw_lag_182")
                + number("cyclicality_lag_365"),
        );
    }
    assert!(order[0] > order[1]);
    for letter in ["a", "b"] {
        let panel = panel(&rhythm, letter);
        assert_eq!(
            (shapes(panel, "observed"), shapes(panel, "simulated")),
            (1, 1)
        );
    }
}

#[test]
fn figures_4_and_5_show_the_same_sites_of_each_class_with_scores_and_responses() {
    let (study, out) = drawn();
    let series = figure(out.path(), "series-classes");
    let responses = figure(out.path(), "temperature-response");
    assert_eq!(letters(&series), letters(&responses));
    let (sites, traits) = (
        rows(out.path(), "sites.csv"),
        rows(out.path(), "traits.csv"),
    );
    let mut shown = Vec::new();
    for letter in letters(&series) {
        let (drawn, fitted) = (panel(&series, letter), panel(&responses, letter));
        let said = texts(drawn);
        if said[1] == "no such site" {
            continue;
        }
        let place = study
            .sites
            .iter()
            .position(|site| {
                // The one name that is longer than a panel is wide.
                let is_cut = |name: &str| name.starts_with("Höglwald");
                site.name == said[1] || (is_cut(&site.name) && is_cut(&said[1]))
            })
            .unwrap();
        let id = &study.sites[place].id;
        let site = row(&sites, &[("site", id)]);
        assert!(
            letter.starts_with(&site["class_text"]),
            "{letter}: {site:?}"
        );
        let scores = Measure::headline().map(|measure| {
            let value = &site[&format!("test_{}", measure.column)];
            format!("{} {}", measure.label, written(value, 2))
        });
        let scores = format!("test {}", scores.collect::<Vec<String>>().join(", "));
        assert!(said.contains(&scores), "{scores} in {said:?}");
        assert_eq!(texts(fitted)[1], said[1]);
        assert!(texts(fitted).contains(&scores));
        // The bar below: the whole calendar and the record in it.
        let record = study.observed.site(place);
        let first = record.iter().position(|flux| flux.is_finite()).unwrap();
        let last = record.iter().rposition(|flux| flux.is_finite()).unwrap();
        let widths: Vec<f64> = ["calendar", "record"]
            .map(|class| {
                let bar = drawn.split(&format!("class=\"{class}\"")).nth(1).unwrap();
                let width = bar.split("width=\"").nth(1).unwrap();
                width.split('"').next().unwrap().parse().unwrap()
            })
            .into();
        let share = (last + 1 - first) as f64 / record.len() as f64;
        assert!(
            (widths[1] / widths[0] - share).abs() < 0.002,
            "{widths:?} {share}"
        );

        let response = row(&traits, &[("site", id)]);
        if place == WITHOUT_TEMPERATURE {
            let said = texts(fitted);
            let place = said.iter().position(|text| text == "Q10 not defined:");
            assert_eq!(
                said[place.unwrap() + 1],
                "no temperature on an observed day"
            );
            continue;
        }
        let q10 = format!(
            "Q10 observed {}, simulated {}",
            written(&response["q10_observed"], 2),
            written(&response["q10_simulated"], 2)
        );
        assert!(texts(fitted).contains(&q10), "{q10} in {:?}", texts(fitted));
        let inks = [
            "background",
            "simulated-days",
            "observed",
            "fit",
            "simulated-fit",
        ];
        assert_eq!(inks.map(|ink| shapes(fitted, ink)), [1; 5]);
        shown.push(place);
    }
    assert!(shown.len() > 5, "{shown:?}");
}
