//! What a run directory held when each of its launches began: `launches/<launch>.json`. A launch that gives up without having
//! brought anything is an accident; two in a row are a reason to stop, or a batch script would start a third for ever. One that
//! was killed says nothing of the next: it had no time.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use serde::{Deserialize, Serialize};

use super::layout::{RunDir, sorted_files};

/// So many launches in a row that gave up without progress are enough.
const FRUITLESS: usize = 2;

/// What grows with every launch that brings anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// Entries of the journals.
    entries: usize,
    /// Checkpoints of running trials, and when the latest was written, in nanoseconds since 1970.
    checkpoints: (usize, u128),
    /// Whether the launch ended by itself with trials left: nobody killed it.
    #[serde(default)]
    gave_up: bool,
}

/// Notes that a launch begins with so many entries in the journals, and `left` trials to train.
///
/// # Errors
///
/// [`Error::Fruitless`] if the last two launches that gave up brought neither a record nor a checkpoint, [`Error::Io`] if the
/// directory cannot be read or written.
pub fn note_launch(run: &RunDir, launch: &str, entries: usize, left: usize) -> Result<()> {
    let mark = Mark {
        entries,
        checkpoints: checkpoints(run)?,
        gave_up: false,
    };
    let mut before = Vec::new();
    for path in sorted_files(&run.launches(), "json")? {
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        // One that cannot be read was no such launch.
        if let Ok(known) = serde_json::from_str::<Mark>(&text)
            && known.gave_up
        {
            before.push((name.into_owned(), known));
        }
    }
    let latest = &before[before.len().saturating_sub(FRUITLESS)..];
    let is_same = |(_, known): &(String, Mark)| {
        (known.entries, known.checkpoints) == (mark.entries, mark.checkpoints)
    };
    if left > 0 && latest.len() == FRUITLESS && latest.iter().all(is_same) {
        let names = latest.iter().map(|(name, _)| name.clone());
        return Err(Error::Fruitless {
            run: run.root().to_owned(),
            launches: names.collect::<Vec<_>>().join(" and "),
        });
    }
    write(run, launch, &mark)
}

/// Notes that a launch has ended by itself with trials left.
///
/// # Errors
///
/// [`Error::Io`] if its file cannot be read or written.
pub fn note_giving_up(run: &RunDir, launch: &str) -> Result<()> {
    let path = file(run, launch);
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let mark: Mark =
        serde_json::from_str(&text).map_err(|error| Error::file(&path, error.to_string()))?;
    let gave_up = true;
    write(run, launch, &Mark { gave_up, ..mark })
}

fn write(run: &RunDir, launch: &str, mark: &Mark) -> Result<()> {
    let text = serde_json::to_string(mark)
        .map_err(|error| Error::Internal(format!("launch file: {error}")))?;
    durable::write(&file(run, launch), text)
}

fn file(run: &RunDir, launch: &str) -> PathBuf {
    run.launches().join(format!("{launch}.json"))
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

    /// A launch that gives up.
    fn give_up(run: &RunDir, launch: &str, entries: usize, left: usize) {
        note_launch(run, launch, entries, left).unwrap();
        note_giving_up(run, launch).unwrap();
    }

    #[test]
    fn a_third_launch_is_refused_when_two_gave_up_and_brought_nothing() {
        let (_directory, run) = run();
        give_up(&run, "a", 0, 9);
        give_up(&run, "b", 0, 9);
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
        give_up(&run, "a", 0, 9);
        give_up(&run, "b", 0, 9);
        give_up(&run, "c", 1, 8);
        give_up(&run, "d", 1, 8);
        let checkpoint = run.checkpoint(&efflux_job::TrialId::named("x"));
        durable::write(&checkpoint, "half").unwrap();
        note_launch(&run, "e", 1, 8).unwrap();
        for launch in ["f", "g", "h", "i"] {
            give_up(&run, launch, 9, 0);
        }
    }

    #[test]
    fn launches_that_were_killed_had_no_time_and_do_not_count() {
        let (_directory, run) = run();
        give_up(&run, "a", 0, 9);
        for launch in ["b", "c", "d"] {
            note_launch(&run, launch, 0, 9).unwrap();
        }
        give_up(&run, "e", 0, 9);
        let refusal = note_launch(&run, "f", 0, 9).unwrap_err().to_string();
        assert!(refusal.contains("a and e"), "{refusal}");
    }
}
