//! docs/tutorial.md, pasted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use efflux_testing::repository;

use crate::harness::{Ended, clean};
use crate::programs::{EFFLUX, trainer};

/// The commands of a page, in order, and the lines that it shows as what they print. `…` stands for what differs from one time
/// to the next.
fn console(page: &str) -> (Vec<&str>, Vec<&str>) {
    let blocks = page.split("```console\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    let (mut commands, mut shown) = (Vec::new(), Vec::new());
    for line in lines.filter(|line| !line.trim().is_empty()) {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push(command),
            None => shown.push(line),
        }
    }
    (commands, shown)
}

/// Whether a line has all parts of another, in order.
fn is_like(line: &str, shown: &str) -> bool {
    let mut rest = line;
    shown
        .split('…')
        .all(|part| match rest.split_once(part.trim()) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
}

/// In an empty folder, with an empty home, the program in PATH and what comes with it in its place.
fn pasted(commands: &[&str], folder: &Path) -> Ended {
    trainer();
    let before = std::env::var_os("PATH").unwrap_or_default();
    let own = Path::new(EFFLUX).parent().unwrap().to_owned();
    let folders: Vec<PathBuf> = std::iter::once(own)
        .chain(std::env::split_paths(&before))
        .collect();
    let mut shell = Command::new("bash");
    clean(&mut shell);
    let script = format!("set -euo pipefail\nexec 2>&1\n{}\n", commands.join("\n"));
    shell
        .args(["-c", &script])
        .current_dir(folder)
        .env("HOME", folder)
        .env("EFFLUX_HOME", repository())
        .env("PATH", std::env::join_paths(folders).unwrap());
    shell.output().unwrap().into()
}

#[test]
fn every_command_of_the_tutorial_works_when_pasted_and_prints_what_the_page_shows() {
    let page = fs::read_to_string(repository().join("docs/tutorial.md")).unwrap();
    let (commands, shown) = console(&page);
    assert!(commands.len() > 10 && shown.len() > 20, "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    let said = pasted(&commands, folder.path()).ok().stdout;
    let missing = shown
        .iter()
        .filter(|shown| !said.lines().any(|line| is_like(line, shown)));
    let missing: Vec<&&str> = missing.collect();
    assert!(missing.is_empty(), "{missing:#?}\n{said}");
}
