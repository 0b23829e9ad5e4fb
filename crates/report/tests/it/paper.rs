//! The paper beside the made-up study.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use efflux_data::{Account, Entry, Rows};
use efflux_ingest::Products;
use efflux_job::Job;
use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{repository, row, rows};

use super::study::{SITES, Study};

type Row = HashMap<String, String>;

fn written(study: &Study) -> tempfile::TempDir {
    let out = tempfile::tempdir().unwrap();
    report::write(&study.results(), out.path(), Output::All).unwrap();
    out
}

fn number(out: &Path, id: &str) -> Row {
    let numbers = rows(out, "paper.csv");
    row(&numbers, &[("id", id)]).clone()
}

fn setting(out: &Path, what: &str) -> Row {
    let settings = rows(out, "paper_settings.csv");
    row(&settings, &[("what", what)]).clone()
}

#[test]
fn every_number_of_the_paper_is_beside_one_of_the_run_or_a_reason() {
    let mut without_members = Study::new();
    without_members.members.clear();
    let mut bare = Study::new();
    bare.attributes.clear();
    for study in [Study::new(), without_members, bare] {
        let out = written(&study);
        let numbers = rows(out.path(), "paper.csv");
        assert!(numbers.len() > 100, "{}", numbers.len());
        for number in &numbers {
            let is_compared = !number["this_run"].is_empty();
            let reason = &number["not_comparable"];
            assert_eq!(reason.is_empty(), is_compared, "{number:?}");
            assert!(
                is_compared || reason.starts_with("not comparable: "),
                "{number:?}"
            );
            assert!(number["paper"].parse::<f64>().unwrap().is_finite());
        }
    }
}

#[test]
fn the_numbers_of_the_run_are_those_of_its_other_tables() {
    let study = Study::new();
    let out = written(&study);
    let same = |id: &str, table: &str, keys: &[(&str, &str)], column: &str, sign: f64| {
        let table = rows(out.path(), table);
        let expected: f64 = row(&table, keys)[column].parse().unwrap();
        let found: f64 = number(out.path(), id)["this_run"].parse().unwrap();
        assert!(
            (found - sign * expected).abs() < 1e-12,
            "{id}: {found} {expected}"
        );
    };
    for (part, key) in [("train", "train"), ("test", "test")] {
        for (score, name) in [("nse", "nse"), ("kge", "kge"), ("pearson_r", "r")] {
            let keys = [
                ("series", "ensemble-mean"),
                ("part", part),
                ("score", score),
            ];
            for statistic in ["median", "mean"] {
                let id = format!("{name}-{key}-{statistic}");
                same(&id, "summary.csv", &keys, statistic, 1.0);
            }
        }
    }
    for class in ["good", "fair", "poor"] {
        let keys = [("reading", "text")];
        same(&format!("{class}-text"), "classes.csv", &keys, class, 1.0);
    }
    for (id, property, score, over, sign) in [
        ("n-kge-r", "observed days", "kge", "sites", 1.0),
        (
            "n-nse-r",
            "observed days",
            "nse",
            "sites-without-outliers",
            1.0,
        ),
        (
            "seasonality-r",
            "seasonality (raw, lag 182)",
            "pearson_r",
            "sites",
            -1.0,
        ),
    ] {
        let keys = [
            ("property", property),
            ("test_score", score),
            ("over", over),
        ];
        same(id, "correlations.csv", &keys, "r", sign);
    }
    let keys = [("classes", "text"), ("test", "student")];
    same("season-t", "season_tests.csv", &keys, "t", 1.0);
    let keys = [("by", "class (text)"), ("group", "poor")];
    same("poor-nse", "groups.csv", &keys, "median_test_nse", 1.0);
    same(
        "poor-r-mean",
        "groups.csv",
        &keys,
        "mean_test_pearson_r",
        1.0,
    );
}

#[test]
fn what_differs_from_the_paper_is_said() {
    let study = Study::new();
    let out = written(&study);
    let inputs = setting(out.path(), "daily inputs");
    assert_eq!(inputs["same"], "differs");
    assert!(
        inputs["this_run"].contains("none of these; further 2: soil_temperature, precipitation"),
        "{inputs:?}"
    );
    assert!(inputs["paper"].starts_with("11: lst_day_k"), "{inputs:?}");
    let sites = setting(out.path(), "sites");
    assert_eq!(
        sites["this_run"],
        format!("{SITES} sites, 0 of them data sets of COSORE by their ids")
    );
    let judged = setting(out.path(), "what is judged");
    assert!(
        judged["this_run"].starts_with("the mean of 10 networks"),
        "{judged:?}"
    );
    assert!(number(out.path(), "seed")["not_comparable"].contains("mean of 10 networks"));
    let measured = number(out.path(), "data-observations");
    assert!(
        measured["not_comparable"].contains("daily means"),
        "{measured:?}"
    );
}

#[test]
fn a_pack_of_a_release_and_synthetic_predictors_are_known_as_such() {
    let mut study = Study::new();
    study.sites[0].id = "d20190409_ANJILELI".to_owned();
    let entry = Entry {
        rows: Rows {
            read: 20,
            without_flux: 3,
            outside_calendar: 2,
            below: 1,
            above: 1,
            kept: 13,
            ..Rows::default()
        },
        ..Entry::default()
    };
    let account = Account {
        options: serde_json::json!({"filter": "all"}),
        data_sets: vec![entry],
        limits: Vec::new(),
    };
    let sources = ["COSORE", "ndvi: synthetic, made by `efflux synth`"].map(str::to_owned);
    let results = report::Results {
        account: Some(&account),
        sources: &sources,
        ..study.results()
    };
    let out = tempfile::tempdir().unwrap();
    report::write(&results, out.path(), Output::All).unwrap();
    // On days of the calendar, with a flux.
    assert_eq!(number(out.path(), "data-observations")["this_run"], "15");
    assert_eq!(setting(out.path(), "fluxes")["same"], "same");
    let products = setting(out.path(), "where inputs come from");
    assert_eq!(products["same"], "differs");
    assert!(products["this_run"].contains("synthetic"), "{products:?}");
    assert!(setting(out.path(), "sites")["this_run"].contains("1 of them"));
}

#[test]
fn the_papers_jobs_name_variables_that_its_products_and_sites_give() {
    let products = Products::paper().unwrap();
    let place = efflux_data::Site::place_attributes();
    let mut known: BTreeSet<&str> = products.iter().map(|of| of.name.as_str()).collect();
    known.extend(place.iter().map(|of| of.name.as_str()));
    let inputs = ["paper", "paper-grid"].map(|name| {
        let job = Job::read(&repository().join(format!("jobs/{name}.toml"))).unwrap();
        job.settings.inputs
    });
    assert_eq!(inputs[0], inputs[1]);
    let named = [&inputs[0].dynamic, &inputs[0].statics].map(|of| of.clone().unwrap());
    for name in named.iter().flatten() {
        assert!(known.contains(name.as_str()), "{name}");
    }
}
