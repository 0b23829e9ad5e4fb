//! Inputs that once gave wrong numbers without a word, or were refused without a way: what
//! `tests/data/cases/sites/expected.csv` says of each is what becomes of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use efflux_base::error::{Exit, Result};
use efflux_ingest::{Missing, Products, SiteOptions, check, pack_sites, read_predictors};

/// What is told of a case, and the calendar and names of the daily variables of the pack.
pub(super) struct Outcome {
    told: Vec<String>,
    pack: String,
}

impl Outcome {
    pub(super) fn text(&self) -> String {
        format!("{}\n{}", self.pack, self.told.join("\n"))
    }
}

fn cases() -> PathBuf {
    efflux_testing::repository().join("tests/data/cases/sites")
}

/// What `efflux pack` does in a folder with these options.
pub(super) fn pack(folder: &Path, command: &str) -> Result<Outcome> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let value = |option: &str| {
        let at = words.iter().position(|word| *word == option)?;
        words.get(at + 1).copied()
    };
    let list = |option| {
        value(option).map_or(Vec::new(), |words| {
            words.split(',').map(str::to_owned).collect()
        })
    };
    let numbers: Vec<f64> = list("--measured")
        .iter()
        .map(|word| word.parse().unwrap())
        .collect();
    let within_km = value("--same-place").map_or(1.0, |km| km.parse().unwrap());
    let options = SiteOptions {
        from: value("--from").map(|date| date.parse().unwrap()),
        to: value("--to").map(|date| date.parse().unwrap()),
        missing: Missing::new(&list("--missing"), &numbers),
        keep_columns: list("--keep-columns"),
    };
    let packed = pack_sites(&folder.join(value("--sites").unwrap()), &options)?;
    let (mut pack, mut told) = (packed.pack, packed.warnings);
    let products = Products::paper().unwrap();
    if let Some(tables) = value("--predictors") {
        let tables = folder.join(tables);
        let found = read_predictors(
            &tables,
            &products,
            &pack.sites,
            pack.calendar,
            &options.missing,
        )?;
        pack = found.join(&pack)?;
        told.extend(found.warnings);
    }
    told.extend(
        check(&pack, &products, 0.8, within_km)
            .into_iter()
            .map(|finding| finding.message),
    );
    let names: Vec<&str> = pack
        .dynamic
        .iter()
        .map(|variable| variable.name.as_str())
        .collect();
    let days = pack.count.iter().filter(|count| **count > 0).count();
    let classes: BTreeSet<&str> = pack.sites.iter().map(|site| site.igbp.as_str()).collect();
    let classes: Vec<&str> = classes.into_iter().collect();
    Ok(Outcome {
        told,
        pack: format!(
            "{}; {days} observed; {}; {}",
            pack.calendar,
            names.join(" "),
            classes.join(", ")
        ),
    })
}

/// Which of these are not in a text, or behind `not ` are.
pub(super) fn lacking<'a>(text: &str, told: &[&'a str]) -> Vec<&'a str> {
    let holds = |part: &&&str| match part.strip_prefix("not ") {
        Some(part) => !text.contains(part),
        None => text.contains(**part),
    };
    told.iter().filter(|part| !holds(part)).copied().collect()
}

#[test]
fn every_case_ends_as_it_is_right() {
    let mut list = csv::Reader::from_path(cases().join("expected.csv")).unwrap();
    let mut listed = BTreeSet::new();
    let mut wrong = Vec::new();
    for row in list.deserialize() {
        let (case, options, outcome, told): (String, String, String, String) = row.unwrap();
        let folder = cases().join(&case);
        let command = fs::read_to_string(folder.join("cmd")).unwrap();
        let ended = pack(&folder, &format!("{command} {options}"));
        let (how, text) = match &ended {
            Ok(outcome) => ("packed", outcome.text()),
            Err(error) => {
                assert_eq!(error.exit(), Exit::Environment, "{case}: {error}");
                ("refused", error.to_string())
            }
        };
        let told: Vec<&str> = told.split(" | ").collect();
        let lacking = lacking(&text, &told);
        if how != outcome || !lacking.is_empty() {
            wrong.push(format!(
                "{case} {options}: {how}, lacking {lacking:?}: {text}"
            ));
        }
        listed.insert(case);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let found = fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap());
    let found = found.filter(|entry| entry.path().is_dir());
    let found: BTreeSet<String> = found
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(found, listed, "expected.csv lists every case");
}
