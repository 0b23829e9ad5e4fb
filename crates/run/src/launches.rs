//! What a run directory held when each of its launches began: `launches/<launch>.json`. A launch that brings nothing is
//! an accident; two in a row are a reason to stop, or a batch script would start a third for ever.

use std::fs;
use std::io::ErrorKind;
use std::time::UNIX_EPOCH;

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use serde::{Deserialize, Serialize};

use super::layout::{RunDir, sorted_files};

/// So many launches in a row without progress are enough.
const FRUITLESS: usize = 2;

/// What grows with every launch that brings anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// Entries of the journals.
    entries: usize,
    /// Checkpoints of running trials, and when the latest was written, in nanoseconds since 1970.
    checkpoints: (usize, u128),
}

/// Notes that a launch begins with so many entries in the journals, and `left` trials to train.
///
/// # Errors
///
/// [`Error::Fruitless`] if the last two launches brought neither a record nor a checkpoint, [`Error::Io`] if the
/// directory cannot be read or written.
pub fn note_launch(run: &RunDir, launch: &str, entries: usize, left: usize) -> Result<()> {
    let mark = Mark {
        entries,
        checkpoints: checkpoints(run)?,
    };
    let mut before = Vec::new();
    for path in sorted_files(&run.launches(), "json")? {
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        // One that cannot be read was no such launch.
        before.push((name.into_owned(), serde_json::from_str::<Mark>(&text).ok()));
    }
    let latest = &before[before.len().saturating_sub(FRUITLESS)..];
    let is_same = |(_, known): &(String, Option<Mark>)| known.as_ref() == Some(&mark);
    if left > 0 && latest.len() == FRUITLESS && latest.iter().all(is_same) {
        let names = latest.iter().map(|(name, _)| name.clone());
        return Err(Error::Fruitless {
            run: run.root().to_owned(),
            launches: names.collect::<Vec<_>>().join(" and "),
        });
    }
    let text = serde_json::to_string(&mark)
        .map_err(|error| Error::Internal(format!("launch file: {error}")))?;
    durable::write(&run.launches().join(format!("{launch}.json")), text)
}

fn checkpoints(run: &RunDir) -> Result<(usize, u128)> {
    let directory = run.checkpoints();
    let files = match fs::read_dir(&directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((0, 0)),
        other => other.map_err(Error::io("list", &directory))?,
    };
    let mut found = (0, 0);
    for file in files {
        let written = file.and_then(|file| file.metadata()?.modified());
        let written = written.map_err(Error::io("list", &directory))?;
        let since = written.duration_since(UNIX_EPOCH).unwrap_or_default();
        found = (found.0 + 1, found.1.max(since.as_nanos()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> (tempfile::TempDir, RunDir) {
        let directory = tempfile::tempdir().unwrap();
        let run = RunDir::new(directory.path());
        run.create().unwrap();
        (directory, run)
    }

    #[test]
    fn a_third_launch_is_refused_when_two_brought_nothing() {
        let (_directory, run) = run();
        note_launch(&run, "a", 0, 9).unwrap();
        note_launch(&run, "b", 0, 9).unwrap();
        let refusal = note_launch(&run, "c", 0, 9).unwrap_err().to_string();
        for part in ["a and b", "logs", "launches"] {
            assert!(refusal.contains(part), "{refusal}");
        }
        // The way out that the message names.
        fs::remove_dir_all(run.launches()).unwrap();
        note_launch(&run, "c", 0, 9).unwrap();
    }

    #[test]
    fn a_record_or_a_checkpoint_is_progress_and_a_finished_run_needs_none() {
        let (_directory, run) = run();
        note_launch(&run, "a", 0, 9).unwrap();
        note_launch(&run, "b", 0, 9).unwrap();
        note_launch(&run, "c", 1, 8).unwrap();
        note_launch(&run, "d", 1, 8).unwrap();
        let checkpoint = run.checkpoint(&efflux_job::TrialId::named("x"));
        durable::write(&checkpoint, "half").unwrap();
        note_launch(&run, "e", 1, 8).unwrap();
        for launch in ["f", "g", "h", "i"] {
            note_launch(&run, launch, 9, 0).unwrap();
        }
    }
}
