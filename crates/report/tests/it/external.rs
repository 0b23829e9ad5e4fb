//! Predictions of another program as a baseline.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use efflux_data::Pack;
use efflux_ingest::{SynthOptions, synthesize};
use efflux_job::Job;
use efflux_numerics::SiteByDay;
use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{row, rows};
use proptest::prelude::*;

use super::study::Study;

/// Two sites of a year.
static PACK: LazyLock<Pack> = LazyLock::new(|| {
    let options = SynthOptions {
        sites: 2,
        years: Some(1),
        ..SynthOptions::default()
    };
    synthesize(&options).unwrap()
});

/// What is made of a file of this text, or why it is refused.
fn read(text: &str) -> Result<SiteByDay<f32>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("preds.csv");
    fs::write(&path, text).unwrap();
    let job = format!(
        "pack = \"a.h5\"\n[baselines]\nexternal = \"{}\"\n",
        path.display()
    );
    let job = Job::parse(Path::new("x.toml"), job).unwrap();
    let found = report::external(&job, &PACK);
    found.map(Option::unwrap).map_err(|error| error.to_string())
}

#[test]
fn values_are_found_by_site_and_date_in_any_order_of_rows_and_columns() {
    let pack = &*PACK;
    let [first, second] = [0, 1].map(|site| pack.sites[site].id.clone());
    let day = |index| pack.calendar.date(index);
    let text = format!(
        "value, date,site_id,note\n1.5,{},{second},x\n-0.25,{},{first},\n",
        day(3),
        day(300)
    );
    let flux = read(&text).unwrap();
    assert_eq!((flux[(1, 3)], flux[(0, 300)]), (1.5, -0.25));
    assert_eq!(flux.iter().filter(|value| !value.is_nan()).count(), 2);
}

#[test]
fn what_cannot_be_used_is_refused_with_its_line() {
    let pack = &*PACK;
    let (id, day) = (&pack.sites[0].id, pack.calendar.date(0));
    let cases = [
        (
            "site,date,value\n".to_owned(),
            "preds.csv:1: has the columns `site, date, value`",
        ),
        (
            format!("site_id,date,value\n{id},{day},1\nnowhere,{day},1\n"),
            "preds.csv:3: site_id is `nowhere`",
        ),
        (
            format!("site_id,date,value\n{id},1.1.2019,1\n"),
            "preds.csv:2: date is `1.1.2019`",
        ),
        (
            format!("site_id,date,value\n{id},1850-01-01,1\n"),
            "preds.csv:2: date is 1850-01-01, expected a day of the pack",
        ),
        (
            format!("site_id,date,value\n{id},{day},NaN\n"),
            "preds.csv:2: value is `NaN`",
        ),
        (
            format!("site_id,date,value\n{id},{day},1\n{id},{day},2\n"),
            "preds.csv:3: `",
        ),
        (format!("site_id,date,value\n{id},{day}\n"), "preds.csv:2: "),
        ("site_id,date,value\n".to_owned(), "has no row"),
    ];
    for (text, expected) in cases {
        let message = read(&text).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
}

proptest! {
    #[test]
    fn no_text_brings_the_reader_down(text in "(site_id,date,value\n)?([a-z0-9\",.\\-]{0,12}\n){0,5}") {
        let _ = read(&text);
    }
}

#[test]
fn predictions_of_another_program_are_scored_beside_the_baselines() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    let results = report::Results {
        external: Some(&study.observed),
        ..study.results()
    };
    report::write(&results, out.path(), Output::All).unwrap();
    let table = rows(out.path(), "baselines.csv");
    let row = row(&table, &[("series", "external")]);
    assert_eq!(row["median_test_nse"], "1");
    assert_eq!(row["sites_ensemble_better"], "0");
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    let lead = page.split("<p class=\"lead\">").nth(1).unwrap();
    let first = "Site by site the ensemble is worse than the strongest baseline, what another program predicts";
    assert!(lead.starts_with(first), "{}", &lead[..200]);
}
