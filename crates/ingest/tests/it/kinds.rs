//! More inputs of each kind: the files of `tests/data/cases/kinds` describe folders of sites, which are written out here, and
//! say what is right.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use efflux_base::error::Exit;
use jiff::civil::{Date, date};
use serde::Deserialize;

use super::cases::{lacking, pack};

/// The cases of a kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    case: Vec<Case>,
}

/// A folder of sites, the options of `efflux pack`, and what becomes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    options: String,
    /// `packed` or `refused`.
    outcome: String,
    /// What must be in the message, the warnings or the description of the pack; behind `not `, what must not.
    told: Vec<String>,
    /// Files as they are, those of predictors under `p/`.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Daily files that are made up.
    #[serde(default)]
    series: BTreeMap<String, Series>,
}

/// A made-up daily file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    #[serde(default = "first_day")]
    from: Date,
    days: usize,
    /// Behind `date`.
    #[serde(default = "flux_alone")]
    columns: Vec<String>,
    /// Columns that count the rows.
    #[serde(default)]
    count: Vec<String>,
    /// Cells that are otherwise: column, rows from 0 as `3` or `3-9`, text.
    #[serde(default)]
    set: Vec<(String, String, String)>,
}

fn first_day() -> Date {
    date(2010, 1, 1)
}

fn flux_alone() -> Vec<String> {
    vec!["co2_flux_umol_m2_s".to_owned()]
}

impl Series {
    /// Smooth values with a little of everything, other ones in every column.
    fn cell(&self, place: usize, row: usize) -> String {
        let name = &self.columns[place];
        let covers = |rows: &str| {
            let (first, last) = rows.split_once('-').unwrap_or((rows, rows));
            (first.parse().unwrap()..=last.parse().unwrap()).contains(&row)
        };
        let set = self.set.iter().rev();
        let set = set.clone().find(|(of, rows, _)| of == name && covers(rows));
        if let Some((_, _, text)) = set {
            return text.clone();
        }
        if self.count.contains(name) {
            return (row + 1).to_string();
        }
        let phase = row as f64 / 9.0 + place as f64;
        format!("{:.4}", 3.0 + 2.0 * phase.sin() + 0.3 * (7.3 * phase).cos())
    }

    fn text(&self) -> String {
        let mut text = format!("date,{}\n", self.columns.join(","));
        let mut day = self.from;
        for row in 0..self.days {
            let cells = (0..self.columns.len()).map(|place| self.cell(place, row));
            text += &format!("{day},{}\n", cells.collect::<Vec<_>>().join(","));
            day = day.tomorrow().unwrap();
        }
        text
    }
}

impl Case {
    fn write(&self, folder: &Path) {
        fs::create_dir(folder.join("p")).unwrap();
        let mut files = self.files.clone();
        let made_up = self.series.iter();
        files.extend(made_up.map(|(site, series)| (format!("{site}.csv"), series.text())));
        let sites = files.keys().filter_map(|name| name.strip_suffix(".csv"));
        let sites = sites.filter(|name| !name.contains('/')).enumerate();
        let list = sites.map(|(place, id)| format!("{id},{},8.5,GRA\n", 47 + 2 * place));
        let list = format!("site,lat,lon,igbp\n{}", list.collect::<String>());
        files.entry("sites.csv".to_owned()).or_insert(list);
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
    }

    fn command(&self) -> String {
        let has_predictors = self.files.keys().any(|name| name.starts_with("p/"));
        let predictors = if has_predictors { "--predictors p" } else { "" };
        format!("--sites . {predictors} {}", self.options)
    }
}

#[test]
fn every_case_of_every_kind_ends_as_it_is_right() {
    let kinds = efflux_testing::repository().join("tests/data/cases/kinds");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(kinds).unwrap() {
        let path = entry.unwrap().path();
        let kind: Kind = toml::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(kind.case.len() >= 10, "{}", path.display());
        for case in &kind.case {
            let folder = tempfile::tempdir().unwrap();
            case.write(folder.path());
            let (how, text) = match pack(folder.path(), &case.command()) {
                Ok(outcome) => ("packed", outcome.text()),
                Err(error) => {
                    assert_eq!(error.exit(), Exit::Environment, "{}: {error}", case.name);
                    ("refused", error.to_string())
                }
            };
            let told: Vec<&str> = case.told.iter().map(String::as_str).collect();
            let lacking = lacking(&text, &told);
            if how != case.outcome || !lacking.is_empty() {
                let file = path.file_name().unwrap().to_string_lossy().into_owned();
                wrong.push(format!(
                    "{file}: {}: {how}, lacking {lacking:?}: {text}",
                    case.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
