//! The journal: what has ended, durable before anybody hears of it.
//!
//! A line is `{"crc":"…","entry":…}` with the CRC-32 of the entry's bytes. A file belongs to one launch and rank, is
//! created exclusively and never reopened for appending, so that no two writers ever meet in one file. A last line
//! without its end is what a crash leaves and is dropped; any other damage is an error with its offset.

mod blocks;

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::str;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::brief::{Brief, Origins, Told};
use super::ids::Rank;
use super::layout::sorted_files;
use super::record::{Record, RungResult, StopDecision};
use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_job::TrialId;
use efflux_numerics::hex;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// A trial ended.
    Trial(Box<Record>),
    /// A trial has arrived at a rung. Only sweeps with a stopping rule write it.
    Rung(RungResult),
    /// A stopping rule whose decisions depend on when trials arrive gave a configuration up.
    Stop(StopDecision),
    /// A configuration was selected. Version 0.1.0 wrote it and nothing ever read it: the selection follows from the records
    /// ([`select`](super::select)), and a second account of it could only disagree.
    #[serde(skip_serializing)]
    Selection(IgnoredAny),
}

/// One line of a journal as the ledger has it: with the record in brief. Other lines are as in [`Entry`].
#[derive(Debug)]
pub(super) enum BriefEntry {
    Trial(TrialId, Brief),
    Rung(RungResult),
    Stop(StopDecision),
    Selection,
}

/// [`Entry`] as a [`BriefEntry`] is made of.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ToldEntry<'a> {
    #[serde(borrow)]
    Trial(Told<'a>),
    Rung(RungResult),
    Stop(StopDecision),
    Selection(IgnoredAny),
}

/// What stands before, between and after the checksum and the entry of a line.
const FRAME: [&str; 3] = [r#"{"crc":""#, r#"","entry":"#, "}"];

/// Journal files that may lie side by side; more are put into one.
const FILES: usize = 64;

/// Bytes of a journal that are read and decoded at a time.
const BLOCK: u64 = 4 << 20;

/// The journal file that this process writes.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Journal {
    /// Creates the journal of one launch and rank.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it exists already or cannot be created.
    pub fn create(directory: &Path, launch: &str, rank: Rank) -> Result<Self> {
        let path = path_of(directory, launch, rank);
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(Error::io("create the journal", &path))?;
        durable::sync_directory(directory)?;
        Ok(Self {
            path,
            file,
            length: 0,
        })
    }

    /// Appends an entry and waits until it is on the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]: the run must not go on without it. What was half written is taken back.
    pub fn append(&mut self, entry: &Entry) -> Result<()> {
        let mut line = encode(entry)?;
        line.push('\n');
        let written = self
            .file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Best effort: a torn last line would be dropped by the reader as well.
            let _ = self.file.set_len(self.length);
            return Err(Error::io("append to the journal", &self.path)(error));
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

fn encode(entry: &Entry) -> Result<String> {
    let internal = |error| Error::Internal(format!("journal entry: {error}"));
    let text = serde_json::to_string(entry).map_err(internal)?;
    let [begin, middle, end] = FRAME;
    Ok(format!(
        "{begin}{}{middle}{text}{end}",
        checksum(text.as_bytes())
    ))
}

fn checksum(entry: &[u8]) -> String {
    hex(&crc32fast::hash(entry).to_be_bytes())
}

/// Every entry of every journal of a run directory, in the order of launches.
///
/// # Errors
///
/// [`Error::Journal`] with the offset of the damage, [`Error::Io`] if a file cannot be read.
pub fn read_journals(directory: &Path) -> Result<Vec<Entry>> {
    read_into(directory, Vec::new)
}

/// As [`read_journals`], into what takes entries.
pub(super) fn read_into<T: Extend<Entry>>(directory: &Path, empty: impl Fn() -> T) -> Result<T> {
    let decoded = |path: &Path, lines: Lines<'_>| lines.map(|line| decode(path, line)).collect();
    read_by(directory, empty, decoded)
}

/// As [`read_into`], with records in brief.
pub(super) fn read_briefs<T: Extend<BriefEntry>>(
    directory: &Path,
    empty: impl Fn() -> T,
) -> Result<T> {
    let decoded = |path: &Path, lines: Lines<'_>| {
        let mut origins = Origins::default();
        lines
            .map(|line| decode_brief(path, line, &mut origins))
            .collect()
    };
    read_by(directory, empty, decoded)
}

fn read_by<E: Send, T: Extend<E>>(
    directory: &Path,
    empty: impl Fn() -> T,
    decode: impl Fn(&Path, Lines<'_>) -> Result<Vec<E>> + Sync,
) -> Result<T> {
    'journals: loop {
        let mut entries = empty();
        for path in sorted_files(directory, "jsonl")? {
            let file = match File::open(&path) {
                // A sweep that is just starting has merged it away: what it held is in another file now.
                Err(error) if error.kind() == ErrorKind::NotFound => continue 'journals,
                opened => opened.map_err(Error::io("read the journal", &path))?,
            };
            blocks::read(&path, file, &decode, |block| entries.extend(block))?;
        }
        return Ok(entries);
    }
}

/// The entries of one launch and rank: what a rank that is gone had no time to tell.
///
/// # Errors
///
/// As [`read_journals`].
pub fn read_journal(directory: &Path, launch: &str, rank: Rank) -> Result<Vec<Entry>> {
    let path = path_of(directory, launch, rank);
    let text = fs::read(&path).map_err(Error::io("read the journal", &path))?;
    let lines = Lines::of(&text, 0);
    lines.map(|line| decode(&path, line)).collect()
}

fn path_of(directory: &Path, launch: &str, rank: Rank) -> PathBuf {
    directory.join(format!("{launch}-{rank:04}.jsonl"))
}

/// A line and where it begins.
struct Located<'a> {
    offset: usize,
    bytes: &'a [u8],
}

/// The lines of a part of a journal that have their end.
struct Lines<'a> {
    rest: &'a [u8],
    /// Where in the journal that begins.
    offset: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a [u8], offset: usize) -> Self {
        Self { rest: text, offset }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Located<'a>;

    fn next(&mut self) -> Option<Located<'a>> {
        // The fastest search for a byte that the standard library has.
        let length = (&mut &*self.rest).skip_until(b'\n').ok()?;
        let (line, rest) = self.rest.split_at(length);
        let line = Located {
            offset: self.offset,
            bytes: line.strip_suffix(b"\n")?,
        };
        self.offset += length;
        self.rest = rest;
        Some(line)
    }
}

fn no_line(bytes: &[u8]) -> String {
    let zeros = bytes.iter().filter(|&&byte| byte == 0).count();
    match zeros {
        0 => "this is no line of a journal".to_owned(),
        count => format!("{count} zero bytes, as a disk leaves them that lost power"),
    }
}

/// The lines of a journal that are sound, and where the first one that is not begins, with what is wrong with it.
pub(super) fn sound_lines(path: &Path, text: &[u8]) -> (Vec<u8>, Option<Error>) {
    let (mut sound, mut damage) = (Vec::new(), None);
    for line in Lines::of(text, 0) {
        let bytes = line.bytes;
        match decode(path, line) {
            Ok(_) => {
                sound.extend_from_slice(bytes);
                sound.push(b'\n');
            }
            Err(error) => damage = damage.or(Some(error)),
        }
    }
    (sound, damage)
}

fn decode(path: &Path, line: Located<'_>) -> Result<Entry> {
    entry(path, line)
}

fn decode_brief(path: &Path, line: Located<'_>, origins: &mut Origins) -> Result<BriefEntry> {
    Ok(match entry(path, line)? {
        ToldEntry::Trial(told) => {
            let (id, brief) = told.brief(origins);
            BriefEntry::Trial(id, brief)
        }
        ToldEntry::Rung(result) => BriefEntry::Rung(result),
        ToldEntry::Stop(decision) => BriefEntry::Stop(decision),
        ToldEntry::Selection(_) => BriefEntry::Selection,
    })
}

/// The entry of a line, if its checksum is right.
fn entry<'a, E: Deserialize<'a>>(path: &Path, line: Located<'a>) -> Result<E> {
    let damaged = |reason: String| Error::Journal {
        path: path.to_owned(),
        offset: line.offset as u64,
        reason,
    };
    let [begin, middle, end] = FRAME.map(str::as_bytes);
    let (crc, text) = line
        .bytes
        .strip_prefix(begin)
        .and_then(|rest| rest.split_at_checked(8))
        .and_then(|(crc, rest)| Some((crc, rest.strip_prefix(middle)?.strip_suffix(end)?)))
        .ok_or_else(|| damaged(no_line(line.bytes)))?;
    let found = checksum(text);
    if found.as_bytes() != crc {
        let expected = String::from_utf8_lossy(crc);
        return Err(damaged(format!("checksum {found}, expected {expected}")));
    }
    // Faster than to check string by string.
    let text = str::from_utf8(text).map_err(|error| damaged(error.to_string()))?;
    serde_json::from_str(text).map_err(|error| damaged(error.to_string()))
}

/// Puts the journals of earlier launches into one file where they have become many. Must be called under the run
/// directory's lock, before this launch creates its own.
///
/// # Errors
///
/// As [`read_journals`]; nothing is lost then: old files go only once the merged one is durable.
pub fn merge_journals(directory: &Path, launch: &str) -> Result<()> {
    let files = sorted_files(directory, "jsonl")?;
    if files.len() < FILES {
        return Ok(());
    }
    let mut seen = HashSet::new();
    let mut merged = Vec::new();
    for path in &files {
        let text = fs::read(path).map_err(Error::io("read the journal", path))?;
        for line in Lines::of(&text, 0) {
            // A crash between the rename and the removals below leaves lines twice.
            if seen.insert(line.bytes.to_vec()) {
                merged.extend_from_slice(line.bytes);
                merged.push(b'\n');
            }
            decode(path, line)?;
        }
    }
    // `0` sorts before the launches that follow, which begin with the year.
    let target = directory.join(format!("0-merged-{launch}.jsonl"));
    durable::write(&target, merged)?;
    for path in files.iter().filter(|path| **path != target) {
        fs::remove_file(path).map_err(Error::io("remove the merged journal", path))?;
    }
    durable::sync_directory(directory)
}

#[cfg(test)]
mod tests;
