//! The paper's figures: every panel is there, and what it draws is what the tables say.

mod classes;
mod places;
mod scatter;

use std::fs;
use std::path::Path;

use efflux_report as report;
use efflux_report::Output;
use efflux_testing::rows;

use super::study::Study;

/// A report of the made-up study.
fn drawn() -> (Study, tempfile::TempDir) {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    (study, out)
}

fn figure(report: &Path, name: &str) -> String {
    let path = report.join("figures").join(name).with_extension("svg");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The shapes of a panel.
fn panel<'a>(figure: &'a str, letter: &str) -> &'a str {
    let begins = format!("<g data-panel=\"{letter}\">");
    let rest = figure
        .split(&begins)
        .nth(1)
        .unwrap_or_else(|| panic!("no panel {letter}"));
    rest.split("</g>").next().unwrap()
}

/// The letters of a figure's panels, in order.
fn letters(figure: &str) -> Vec<&str> {
    let panels = figure.split("<g data-panel=\"").skip(1);
    panels.map(|rest| rest.split('"').next().unwrap()).collect()
}

/// What is written in a panel.
fn texts(panel: &str) -> Vec<String> {
    let texts = panel.split("<text ").skip(1);
    let inner = texts.map(|rest| {
        let inner = rest.split_once('>').unwrap().1;
        inner.split("</text>").next().unwrap()
    });
    let plain = inner.map(|text| text.replace("&lt;", "<").replace("&amp;", "&"));
    plain.collect()
}

/// How many shapes of a class there are.
fn shapes(panel: &str, class: &str) -> usize {
    panel.matches(&format!("class=\"{class}\"")).count()
}

/// A number as figures write it.
fn written(value: &str, decimals: usize) -> String {
    let value: f64 = value.parse().unwrap();
    format!("{value:.decimals$}").replace('-', "−")
}

#[test]
fn every_figure_is_a_file_with_a_title_and_a_description() {
    let (_, out) = drawn();
    let expected = [
        // Figures 1, 3, 4, 5, 6, 7, 8 and 9 of the paper.
        "sites",
        "climate",
        "budyko",
        "record",
        "rhythm",
        "correlogram",
        "series-classes",
        "temperature-response",
        "q10",
        "skill-days",
        "map",
        "skill-climate-space",
        "extremes",
        "skill-climate",
        "skill-rhythm",
    ];
    for name in expected {
        let svg = figure(out.path(), name);
        for element in ["title", "desc"] {
            let inner = svg
                .split(&format!("<{element} id="))
                .nth(1)
                .and_then(|rest| rest.split_once('>'))
                .and_then(|(_, rest)| rest.split_once('<'));
            assert!(
                inner.is_some_and(|(text, _)| text.len() > 8),
                "{element} of {name}"
            );
        }
        assert!(svg.contains("role=\"img\" aria-labelledby="), "{name}");
    }
}

#[test]
fn what_a_pack_does_not_have_is_said_to_be_not_defined_where_its_figure_would_be() {
    let (mut study, out) = (Study::new(), tempfile::tempdir().unwrap());
    study.attributes.clear();
    study.temperature = None;
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    for figure in ["1c", "1d", "7b", "8", "5"] {
        let reason = format!("(Figure {figure}): <span class=\"none\">not defined: ");
        assert!(page.contains(&reason), "Figure {figure}");
    }
    for name in [
        "climate",
        "budyko",
        "skill-climate-space",
        "skill-climate",
        "temperature-response",
    ] {
        let path = out.path().join("figures").join(name).with_extension("svg");
        assert!(!path.exists(), "{name}");
    }
    for table in ["climate_bins.csv", "climate_tests.csv"] {
        assert!(rows(out.path(), table).is_empty());
    }
}
