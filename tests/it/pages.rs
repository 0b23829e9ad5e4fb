//! The documentation as its readers find their way through it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use efflux_testing::{chromium, rows};

use crate::harness::{Ended, Study};
use crate::programs::EFFLUX;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages that are part of the repository, and not those of data or dependencies beside it.
fn pages() -> Vec<PathBuf> {
    let folders = [
        "",
        "benches",
        "configs",
        "data",
        "docs",
        "jobs",
        "packaging",
        "scripts",
        "slurm",
    ];
    let mut pages = Vec::new();
    for folder in folders {
        let Ok(entries) = fs::read_dir(repository().join(folder)) else {
            continue;
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    }
    assert!(pages.len() > 20, "{pages:?}");
    pages
}

/// What a page links to within the repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.contains(char::is_whitespace))
        .collect()
}

/// The names by which headings are linked to: lower case, blanks as hyphens, no punctuation.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            _ => letter.is_alphanumeric().then_some(letter),
        });
        kept.collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_between_pages_leads_to_a_file_and_to_a_heading_that_are_there() {
    let mut dead = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            let is_there = target.exists()
                && (anchor.is_empty()
                    || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor));
            if !is_there {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn every_page_of_the_documentation_is_in_its_index() {
    let docs = repository().join("docs");
    let index = fs::read_to_string(docs.join("README.md")).unwrap();
    let linked: BTreeSet<&str> = links(&index).into_iter().collect();
    for page in pages().iter().filter(|page| page.starts_with(&docs)) {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(name == "README.md" || linked.contains(name), "{name}");
    }
}

/// What the reference of commands begins with.
const COMMANDS: &str = "\
# Commands

What `efflux --help` and `efflux COMMAND --help` say. [The README](../README.md) has the usual order of commands.

This file is written by a test (`EFFLUX_WRITE_DOCS=1 cargo test --test it commands`) from what the program says.
";

/// What the program says of itself, on a terminal of the usual width and with no variable set that it reads.
fn help(of: &[&str]) -> String {
    let mut command = Command::new(EFFLUX);
    let own = std::env::vars_os().map(|(name, _)| name);
    for name in
        own.filter(|name| name.to_string_lossy().starts_with("EFFLUX_") || name == "COLUMNS")
    {
        command.env_remove(name);
    }
    let output = command.args(of).arg("--help").output().unwrap();
    assert!(output.status.success(), "{of:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// With `EFFLUX_WRITE_DOCS=1` the file is written instead.
#[test]
fn the_reference_of_commands_is_what_the_program_says() {
    let all = help(&[]);
    let listed = all.split("Commands:\n").nth(1).unwrap();
    let listed = listed.split("\n\n").next().unwrap();
    let names = listed.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty()).then_some(name)
    });
    let mut text = format!("{COMMANDS}\n```text\n{all}\n```\n");
    let mut commands = 0;
    for name in names {
        text += &format!("\n## efflux {name}\n\n```text\n{}\n```\n", help(&[name]));
        commands += 1;
    }
    assert!(commands > 20, "{all}");
    let path = repository().join("docs/cli.md");
    if std::env::var_os("EFFLUX_WRITE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == text,
        "docs/cli.md is not what the program says: EFFLUX_WRITE_DOCS=1 cargo test --test it commands writes it"
    );
}

#[test]
fn the_pictures_of_the_readme_and_the_tutorial_can_be_drawn_from_a_run() {
    if chromium("the pictures of the README").is_none() {
        return;
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let study = Study::new();
    study.sweep("run", "2").ok();
    folders.insert(0, Path::new(EFFLUX).parent().unwrap().to_owned());
    let path = std::env::join_paths(folders).unwrap();
    let sites = rows(&study.path("run/report"), "sites.csv");
    for of in [&[][..], &[&*sites[0]["site"]]] {
        let mut script = Command::new(repository().join("scripts/pictures"));
        script.args(["run", "pictures"]).args(of);
        script
            .current_dir(study.directory.path())
            .env("PATH", &path);
        Ended::from(script.output().unwrap()).ok();
    }
    for name in ["report.png", "terminal.png", "series.png"] {
        let shown = fs::read(repository().join("docs/pictures").join(name)).unwrap();
        for picture in [shown, fs::read(study.path("pictures").join(name)).unwrap()] {
            assert!(picture.starts_with(b"\x89PNG"), "{name}");
            assert!(
                (5_000..200_000).contains(&picture.len()),
                "{name}: {} bytes",
                picture.len()
            );
        }
    }
}
