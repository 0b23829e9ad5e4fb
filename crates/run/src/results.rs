//! Which files are the results of a run, and that they are whole: `results.sha256`, written last. `sha256sum -c` reads it.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_numerics::hex;
use sha2::{Digest, Sha256};

use super::layout::RunDir;
use super::ledger::Ledger;

/// Begins the line that says which records the results were made of. `sha256sum` passes it over.
const RECORDS: &str = "# records ";

/// Says that report and predictions are those of these records, with a checksum of each file.
///
/// # Errors
///
/// [`Error::Io`] if a file cannot be read or written.
pub fn seal_results(run: &RunDir, ledger: &Ledger) -> Result<()> {
    write(run, &ledger.digest())
}

/// As [`seal_results`], after a part of the files has been written again: of which records they are stays as it was, and where
/// that was not said, nothing is.
///
/// # Errors
///
/// As [`seal_results`].
pub fn reseal_results(run: &RunDir) -> Result<()> {
    match sealed_records(run)? {
        Some(records) => write(run, &records),
        None => Ok(()),
    }
}

/// Says that there are no results yet, unless it has been said whether there are.
///
/// # Errors
///
/// As [`seal_results`].
pub fn expect_results(run: &RunDir) -> Result<()> {
    match sealed_records(run)? {
        Some(_) => Ok(()),
        None => durable::write(&run.results(), format!("{RECORDS}none\n")),
    }
}

/// Whether report and, where members have finished, predictions are there, and are of these records. Where nothing is said of
/// that, version 0.1.0 was at work: it is believed.
///
/// # Errors
///
/// [`Error::Io`] if the list cannot be read.
pub fn has_results(run: &RunDir, ledger: &Ledger, has_members: bool) -> Result<bool> {
    has_results_of(run, || ledger.digest(), has_members)
}

/// As [`has_results`], of a ledger with this digest.
pub(super) fn has_results_of(
    run: &RunDir,
    digest: impl FnOnce() -> String,
    has_members: bool,
) -> Result<bool> {
    let Some(records) = sealed_records(run)? else {
        return Ok(true);
    };
    let is_there = run.page().is_file() && (!has_members || run.predictions().is_file());
    Ok(is_there && records == digest())
}

fn sealed_records(run: &RunDir) -> Result<Option<String>> {
    let path = run.results();
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(Error::io("read", &path))?,
    };
    let first = text.lines().next().unwrap_or_default();
    Ok(Some(first.trim_start_matches(RECORDS).to_owned()))
}

fn write(run: &RunDir, records: &str) -> Result<()> {
    let mut files = Vec::new();
    for folder in [
        run.predictions().parent().unwrap_or(run.root()),
        &run.report(),
    ] {
        list(folder, &mut files)?;
    }
    files.sort();
    let mut text = format!("{RECORDS}{records}\n");
    for path in files {
        let sum = checksum(&path).map_err(Error::io("read", &path))?;
        let name = path.strip_prefix(run.root()).unwrap_or(&path);
        text.push_str(&format!("{sum}  {}\n", name.display()));
    }
    durable::write(&run.results(), text)
}

/// Adds the files of a folder and of those in it, but for temporary ones.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(Error::io("list", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(Error::io("list", folder))?;
        let kind = entry.file_type().map_err(Error::io("list", folder))?;
        if kind.is_dir() {
            list(&entry.path(), files)?;
        } else if kind.is_file() && !durable::is_temporary(&entry.file_name()) {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn checksum(path: &Path) -> io::Result<String> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex(&hash.finalize())),
            length => hash.update(&piece[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_there_once_they_are_whole_and_of_the_records_that_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let ledger = Ledger::default();
        let there = |has_members| has_results(&run, &ledger, has_members).unwrap();
        assert!(there(false), "as version 0.1.0 left it");
        expect_results(&run).unwrap();
        durable::write(&run.page(), "page").unwrap();
        assert!(!there(false));
        durable::write(&run.predictions(), "predictions").unwrap();
        seal_results(&run, &ledger).unwrap();
        expect_results(&run).unwrap();
        assert!(there(true));
        let list = fs::read_to_string(run.results()).unwrap();
        let sum = hex(&Sha256::digest("page"));
        assert_eq!(list.lines().count(), 3);
        assert!(
            list.contains(&format!("{sum}  report/index.html")),
            "{list}"
        );
        durable::write(&run.results(), format!("{RECORDS}others\n")).unwrap();
        assert!(!there(true), "the report of other records");
        reseal_results(&run).unwrap();
        assert!(!there(true), "a part does not make it that of these");
    }
}
