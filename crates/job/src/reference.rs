//! `docs/job.md`: every key of a job file, read off the types of its sections. Names, values, defaults and ranges are what
//! the program itself goes by; what keys mean is said by the comments of their fields.

mod declared;
mod shape;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use efflux_analysis::measures::Measure;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::shape::Shape;
use crate::file::Raw;
use crate::grid::OWN;
use crate::section::{Key, Section, fields, table};
use crate::training::keys::TrainingKeys;
use crate::{
    Analysis, Baselines, EnsembleMembers, Evaluation, Final, Inputs, Job, Metric, Params, Search,
    Seeds, Selection, Split, Stop, Transform, WeightRule,
};

const BEGINS: &str = "\
# Job files, key by key

A job file is TOML, and every key but `pack` may be left out. A key that does not exist, a value that cannot be, keys that
contradict each other: all of it is refused before anything starts, with file and line. [jobs/README.md](../jobs/README.md) has
examples, and says how folds, axes, derived inputs and stopping rules work.

An *axis* may be a list, or with `[search]` a range, under [`[grid]`](#grid). A default of *none* is a key that is not set; a list
writes that as `\"none\"`.

This file is written by a test (`EFFLUX_WRITE_DOCS=1 cargo test -p efflux-job reference`) from what the program declares.
";

/// A row of a table.
struct Row {
    key: String,
    values: String,
    default: String,
    is_axis: bool,
    meaning: String,
}

/// A section of a job file.
struct Described {
    name: &'static str,
    about: String,
    rows: Vec<Row>,
}

impl Described {
    /// The section that this type reads.
    fn of<T>(name: &'static str, type_name: &str) -> Self
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let mut comments = declared::of_type(type_name);
        if let Some(inner) = type_name.strip_suffix("Keys") {
            // Files have some of its values under keys of their own, and the rest as it is.
            let own = declared::of_type(inner);
            for (field, comment) in comments
                .iter_mut()
                .filter(|(_, comment)| comment.is_empty())
            {
                let found = own.iter().find(|(other, _)| other == field);
                found.map(|(_, text)| text).unwrap().clone_into(comment);
            }
        }
        let defaults = table(&T::default());
        let keys = fields::<T>();
        assert_eq!(comments.len(), keys.len(), "{type_name}");
        let in_jobs = |key: &str| !(name == "split" && key == Key::fold().name());
        let rows = keys.iter().zip(comments).filter(|(key, _)| in_jobs(key));
        let rows = rows.map(|(&key, (_, meaning))| {
            let default = default_of(name, key).or_else(|| defaults.get(key).cloned());
            let shape = shape::of::<T>(key);
            let mut values = values(&shape, name, key);
            if let Some(range) = range(&shape, name, key, default.as_ref()) {
                values = format!("{values}; {range}");
            }
            let axis = Key::called(&format!("{name}.{key}"));
            Row {
                key: key.to_owned(),
                values,
                default: default.as_ref().map_or("none".to_owned(), written),
                is_axis: axis.is_some_and(|axis| axis.fixed().is_none()),
                meaning,
            }
        });
        let about = declared::about(type_name.strip_suffix("Keys").unwrap_or(type_name));
        Self {
            name,
            about,
            rows: rows.collect(),
        }
    }

    /// `[grid]`, which has keys of its own beside those of other sections.
    fn grid() -> Self {
        let rows = OWN.map(|key| Row {
            key: key.to_owned(),
            values: "list of tables".to_owned(),
            default: "none".to_owned(),
            is_axis: false,
            meaning: declared::of_text(key),
        });
        let about = "`[grid]`: what the search varies. Every axis may be a key here, by its name or with its section before it \
            (`loss`, `training.loss`), with a list of values; every combination of the lists is a configuration, laid over the \
            job. With `search.method` `\"random\"` or `\"sobol\"` it may be a range as well: \
            `{ min = 1e-4, max = 0.1, log = true }`.";
        Self {
            name: "grid",
            about: about.to_owned(),
            rows: rows.into(),
        }
    }
}

/// Every section, in the order of the page.
fn sections() -> Vec<Described> {
    vec![
        Described::of::<Inputs>("inputs", "Inputs"),
        Described::of::<Split>("split", "Split"),
        Described::of::<Transform>("transform", "Transform"),
        Described::of::<Params>("model", "Params"),
        Described::of::<TrainingKeys>("training", "TrainingKeys"),
        Described::of::<Evaluation>("evaluation", "Evaluation"),
        Described::grid(),
        Described::of::<Search>("search", "Search"),
        Described::of::<Seeds>("seeds", "Seeds"),
        Described::of::<Selection>("selection", "Selection"),
        Described::of::<Stop>("stop", "Stop"),
        Described::of::<Final>("final", "Final"),
        Described::of::<EnsembleMembers>("ensemble", "EnsembleMembers"),
        Described::of::<Baselines>("baselines", "Baselines"),
        Described::of::<Analysis>("analysis", "Analysis"),
    ]
}

/// The default of a key that is not set unless its section needs it.
fn default_of(section: &str, key: &str) -> Option<Value> {
    let stop = Stop::default();
    Some(match (section, key) {
        ("stop", "least") => stop.least().into(),
        ("stop", "eta") => stop.eta().into(),
        ("stop", "keep") => stop.keep().into(),
        ("stop", "every") => stop.every().into(),
        ("stop", "finished") => stop.finished().into(),
        ("stop", "alpha") => stop.alpha().into(),
        _ => return None,
    })
}

/// A value as a job file has it.
fn written(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        value => format!("`{}`", value.to_string().replace(',', ", ")),
    }
}

/// What a key may be, in words.
fn values(shape: &Shape, section: &str, key: &str) -> String {
    match shape {
        Shape::Text if (section, key) == ("selection", "metric") => {
            let metrics = Measure::selectable().filter_map(Metric::median_of);
            let metrics: Vec<String> = metrics.map(|one| format!("`\"{}\"`", one.key())).collect();
            metrics.join(", ")
        }
        Shape::Unknown if (section, key) == ("ensemble", "weights") => {
            let rules = one_of("WeightRule", &WeightRule::ALL.map(WeightRule::name));
            format!("{rules}<br>list of numbers")
        }
        Shape::Unknown => panic!("{section}.{key} has values of no known kind"),
        Shape::Truth => "`true` or `false`".to_owned(),
        Shape::Whole => "whole number".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Table => "table of lists of texts".to_owned(),
        Shape::OneOf(type_name, names) => {
            one_of(type_name.strip_suffix("Key").unwrap_or(type_name), names)
        }
        Shape::List(of, length) => {
            let several = match **of {
                Shape::OneOf(..) => return format!("list of<br>{}", values(of, section, key)),
                _ => format!("{}s", values(of, section, key)),
            };
            length.map_or(format!("list of {several}"), |length| {
                format!("list of {length} {several}")
            })
        }
    }
}

/// The variants of a type, by their names in files.
fn one_of(type_name: &str, names: &[&str]) -> String {
    let comments = declared::of_type(type_name);
    assert_eq!(comments.len(), names.len(), "{type_name}");
    let described = names.iter().zip(comments);
    let described = described.map(|(name, (_, comment))| format!("`\"{name}\"`: {comment}"));
    described.collect::<Vec<_>>().join("<br>")
}

/// What the program says is possible when it refuses a value that cannot be, if it refuses one.
fn range(shape: &Shape, section: &str, key: &str, default: Option<&Value>) -> Option<String> {
    let tried = match shape {
        Shape::Whole => "0".to_owned(),
        Shape::Number => "-1.0".to_owned(),
        Shape::Truth => (default != Some(&Value::Bool(true))).to_string(),
        _ => return None,
    };
    let text = format!("pack = \"a.h5\"\n[{section}]\n{key} = {tried}\n");
    let refused = Job::parse(Path::new("x.toml"), text).err()?.to_string();
    let (_, expected) = refused.split_once("expected ")?;
    for (unless, only) in [
        ("no such key unless ", "only if "),
        ("no such key without ", "only with "),
    ] {
        if let Some(rest) = expected.strip_prefix(unless) {
            return Some(format!("{only}{rest}"));
        }
    }
    Some(expected.to_owned())
}

/// The page.
fn page() -> String {
    let mut text = BEGINS.to_owned();
    let [(_, pack), ..] = &declared::of_type("Raw")[..] else {
        panic!("a job file has keys");
    };
    write!(text, "\n## `pack`\n\n{pack} It has no default.\n").unwrap();
    for Described { name, about, rows } in sections() {
        let about = about.strip_prefix(&format!("`[{name}]`")).unwrap();
        let about = about.trim_start_matches([':', '.', ' ']);
        write!(text, "\n## `[{name}]`\n").unwrap();
        let mut letters = about.chars();
        if let Some(first) = letters.next() {
            write!(text, "\n{}{}\n", first.to_uppercase(), letters.as_str()).unwrap();
        }
        text.push_str(
            "\n| key | what it is | values | default | axis |\n| --- | --- | --- | --- | --- |\n",
        );
        for row in rows {
            let Row {
                key,
                values,
                default,
                is_axis,
                meaning,
            } = row;
            let axis = if is_axis { "yes" } else { "" };
            writeln!(
                text,
                "| `{key}` | {meaning} | {values} | {default} | {axis} |"
            )
            .unwrap();
        }
    }
    text
}

/// With `EFFLUX_WRITE_DOCS=1` the file is written instead.
#[test]
fn the_reference_of_job_files_is_what_their_sections_declare() {
    let text = page();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/job.md");
    if std::env::var_os("EFFLUX_WRITE_DOCS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "docs/job.md is not what the sections declare: EFFLUX_WRITE_DOCS=1 cargo test -p efflux-job reference writes it"
    );
}

#[test]
fn every_section_and_every_key_is_in_the_reference_with_what_it_means() {
    let described = sections();
    let mut names: Vec<&str> = described.iter().map(|section| section.name).collect();
    let mut all: Vec<&str> = fields::<Raw>().to_vec();
    all.retain(|name| *name != "pack");
    names.sort_unstable();
    all.sort_unstable();
    assert_eq!(names, all);
    for section in &described {
        for row in &section.rows {
            let key = format!("{}.{}", section.name, row.key);
            assert!(
                row.meaning.ends_with(['.', ')']),
                "{key}: {:?}",
                row.meaning
            );
            let is_plain = !row.meaning.contains("[`") && !row.meaning.contains('|');
            assert!(is_plain, "{key}: {}", row.meaning);
        }
    }
}

#[test]
fn the_axes_of_the_reference_are_those_that_a_grid_takes() {
    for section in sections() {
        let is_overlaid = Section::ALL.iter().any(|one| one.name() == section.name);
        for row in section.rows {
            // A list without a value is refused for that, once the key has been taken.
            let text = format!(
                "pack = \"a.h5\"\n[grid]\n{}.{} = []\n",
                section.name, row.key
            );
            let refused = Job::parse(Path::new("x.toml"), text)
                .unwrap_err()
                .to_string();
            let is_taken = refused.contains("expected at least one value");
            assert_eq!(
                row.is_axis,
                is_taken && is_overlaid,
                "{}: {refused}",
                row.key
            );
        }
    }
}
