//! Reports of what is not soil CO₂ efflux.

use std::fs;

use efflux_data::Target;
use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{files, rows};

use super::study::Study;

fn study_of(name: &str, long_name: &str, unit: &str) -> Study {
    let mut study = Study::new();
    study.target = Target::new(name, long_name, unit).unwrap();
    study
}

#[test]
fn every_word_axis_and_column_is_of_the_target_and_nothing_speaks_of_carbon_dioxide() {
    let study = study_of("CH4 flux", "methane flux", "nmol m-2 s-1");
    let out = tempfile::tempdir().unwrap();
    report::write(&study.results(), out.path(), Output::All).unwrap();
    for (path, content) in files(out.path()) {
        let text = String::from_utf8(content).unwrap();
        for word in [
            "CO2",
            "CO₂",
            "µmol",
            "umol",
            "soil efflux",
            "g C m",
            "g_C_m",
        ] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    for words in [
        "Daily methane flux · report of a sweep",
        "errors in nmol m⁻² s⁻¹",
        "Intervals for the CH₄ flux of a day",
        "CH₄ flux against temperature at sites of each class",
        "Q10 of observed CH₄ flux",
        "spread of the members (nmol m⁻² s⁻¹)",
        "summer–winter difference (nmol m⁻² s⁻¹)",
        "aria-label=\"Observed and simulated CH₄ flux\"",
        "No annual sums",
        "Its numbers are not set beside this run’s, which are of methane flux.",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let figures = out.path().join("figures");
    let drawn = fs::read_to_string(figures.join("series-good.svg")).unwrap();
    assert!(drawn.contains("Observed and simulated methane flux at"));
    assert!(drawn.contains("nmol m⁻² s⁻¹"));
    let tables = rows(out.path(), "sites.csv");
    assert!(tables[0].contains_key("test_rmse_nmol_m-2_s-1"));
    let scores = rows(out.path(), "summary.csv");
    assert!(scores.iter().any(|row| row["score"] == "rmse_nmol_m-2_s-1"));
    for left_out in ["paper.csv", "paper_settings.csv", "annual_sums.csv"] {
        assert!(
            !out.path().join("tables").join(left_out).exists(),
            "{left_out}"
        );
    }
}

#[test]
fn words_of_a_target_are_no_markup_and_a_ratio_has_no_unit_in_columns() {
    let study = study_of("<i>x</i>", "\"a\" & <script>b()</script>", "1");
    let out = tempfile::tempdir().unwrap();
    report::write(&study.results(), out.path(), Output::All).unwrap();
    for (path, content) in files(out.path()) {
        let text = String::from_utf8(content).unwrap();
        for markup in ["<script>b()", "<i>x"] {
            assert!(!text.contains(markup), "{markup} in {}", path.display());
        }
    }
    assert!(rows(out.path(), "sites.csv")[0].contains_key("test_rmse"));
}
