//! What the program is linked with (see efflux-link) and the commit it is built from.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What the program is made of, that a commit may not have yet.
const SOURCES: [&str; 8] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "src",
    "crates",
    "configs",
    "jobs",
    "slurm",
];

fn main() {
    efflux_link::hdf5();
    efflux_link::mpi();
    // Here and in no other package: a commit makes this one alone be compiled again.
    println!("cargo:rerun-if-env-changed=EFFLUX_COMMIT");
    let version = env!("CARGO_PKG_VERSION");
    let version = match commit() {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    println!("cargo:rustc-env=EFFLUX_VERSION={version}");
}

/// The commit: what `EFFLUX_COMMIT` says, which may be nothing, else the repository's, else that of the tarball.
fn commit() -> Option<String> {
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
    }
    if let Ok(named) = std::env::var("EFFLUX_COMMIT") {
        return Some(named.trim().to_owned()).filter(|named| !named.is_empty());
    }
    if Path::new(".git").exists() {
        return of_repository();
    }
    println!("cargo:rerun-if-changed=COMMIT");
    let named = fs::read_to_string("COMMIT").ok()?;
    let named = named.trim();
    let is_hash = named.len() >= 12 && named.chars().all(|c| c.is_ascii_hexdigit());
    is_hash.then(|| named[..12].to_owned())
}

fn of_repository() -> Option<String> {
    // What a commit or a checkout changes. Not everybody keeps the log of HEAD; the index changes more often.
    let paths = ["logs/HEAD", "index"].map(|name| git(&["rev-parse", "--git-path", name]));
    let mut paths = paths.into_iter().flatten();
    if let Some(path) = paths.find(|path| Path::new(path).exists()) {
        println!("cargo:rerun-if-changed={path}");
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let mut changes = vec!["status", "--porcelain", "--untracked-files=no", "--"];
    changes.extend(SOURCES);
    let changed = !git(&changes)?.is_empty();
    Some(commit + if changed { ", changed" } else { "" })
}

/// What git prints; `None` where there is no git, or it refuses.
fn git(arguments: &[&str]) -> Option<String> {
    // Looking is not to write: a `git status` may write the index, which would look like a change to cargo.
    let mut command = Command::new("git");
    command.arg("--no-optional-locks").args(arguments);
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
