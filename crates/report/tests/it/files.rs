//! What is written is what the sections list: linked in the page, and each column in the documentation.

use std::fs;
use std::path::{Path, PathBuf};

use efflux_report as report;
use efflux_report::Output;

use crate::study::Study;

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn every_table_and_figure_that_is_written_is_linked_in_the_page() {
    let mut bare = Study::new();
    bare.members.clear();
    bare.attributes.clear();
    bare.temperature = None;
    for study in [Study::new(), bare] {
        let out = tempfile::tempdir().unwrap();
        report::write(&study.results(), out.path(), Output::All).unwrap();
        let page = fs::read_to_string(out.path().join("index.html")).unwrap();
        for (folder, least) in [("tables", 32), ("figures", 8)] {
            let begins = format!("href=\"{folder}/");
            let links = page.split(&begins).skip(1);
            let mut linked: Vec<&str> = links.map(|rest| rest.split('"').next().unwrap()).collect();
            linked.sort_unstable();
            let written = names(&out.path().join(folder));
            assert_eq!(linked, written);
            assert!(written.len() >= least, "{written:?}");
        }
    }
}

#[test]
fn every_section_with_a_heading_is_in_the_navigation() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::Page).unwrap();
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    let navigation = page.split("<nav").nth(1).unwrap();
    let navigation = navigation.split("</nav>").next().unwrap();
    let sections = page.split("<section id=\"").skip(1);
    let sections = sections.map(|rest| rest.split('"').next().unwrap());
    for id in sections.filter(|id| *id != "answer") {
        assert!(navigation.contains(&format!("href=\"#{id}\"")), "{id}");
    }
}

/// With `EFFLUX_WRITE_DOCS=1` the file is written instead.
#[test]
fn the_documentation_of_columns_is_that_of_the_tables() {
    let study = Study::new();
    let text = report::columns(&study.results()).unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/columns.md");
    if std::env::var_os("EFFLUX_WRITE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&path, &text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "docs/columns.md is not what the tables declare: EFFLUX_WRITE_DOCS=1 cargo test -p efflux-report columns writes it"
    );

    let out = tempfile::tempdir().unwrap();
    report::write(&study.results(), out.path(), Output::Tables).unwrap();
    let mut documented = 0;
    for part in text.split("\n## ").skip(1) {
        let (file, rest) = part.split_once('\n').unwrap();
        let rows = rest.lines().filter_map(|line| line.strip_prefix("| `"));
        let columns = rows.map(|row| row.split('`').next().unwrap().to_owned());
        let columns: Vec<String> = columns.collect();
        let mut reader = csv::Reader::from_path(out.path().join("tables").join(file)).unwrap();
        let header = reader.headers().unwrap();
        assert!(header.iter().eq(columns.iter()), "{file}: {header:?}");
        documented += 1;
    }
    assert_eq!(documented, names(&out.path().join("tables")).len());
}
