//! Journals of gigabytes: read a block at a time, and decoded by all processors.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use efflux_base::error::{Error, Result};

use super::{BLOCK, Lines};

/// Hands the entries of a journal on, block by block in their order.
///
/// # Errors
///
/// The first damage in the file, or that it cannot be read.
pub(super) fn read<E: Send>(
    path: &Path,
    file: File,
    decode: &(impl Fn(&Path, Lines<'_>) -> Result<Vec<E>> + Sync),
    mut take: impl FnMut(Vec<E>),
) -> Result<()> {
    let unread = Error::io("read the journal", path);
    let length = file.metadata().map_err(unread)?.len();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let blocks = usize::try_from(length / BLOCK).unwrap_or(usize::MAX);
    let source = Mutex::new(Source::of(path, file));
    let next = &|text: &mut Vec<u8>| {
        let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
        source.next_into(text)
    };
    if blocks == 0 || processors == 1 {
        let mut text = Vec::new();
        while let Some(block) = next(&mut text)? {
            take(decode(path, Lines::of(&text, block.offset))?);
        }
        return Ok(());
    }
    thread::scope(|scope| {
        let decoders = processors.min(blocks);
        let (sender, decoded) = sync_channel(decoders);
        let started = (0..decoders).map(|_| {
            let sender = sender.clone();
            scope.spawn(move || {
                let mut text = Vec::new();
                while let Some(block) = next(&mut text).transpose() {
                    let (number, decoded) = match block {
                        Ok(Block { number, offset }) => {
                            (number, decode(path, Lines::of(&text, offset)))
                        }
                        Err(error) => (usize::MAX, Err(error)),
                    };
                    // A file that cannot be read is read no further; nobody listens any more once there was damage.
                    if sender.send((number, decoded)).is_err() || number == usize::MAX {
                        break;
                    }
                }
            })
        });
        let started: Vec<_> = started.collect();
        drop(sender);
        let (mut expected, mut early) = (0, BTreeMap::new());
        for (number, block) in decoded {
            early.insert(number, block);
            while let Some(block) = early.remove(&expected) {
                take(block?);
                expected += 1;
            }
        }
        for one in started {
            let panicked = |_| Error::Internal("reading a journal panicked".into());
            one.join().map_err(panicked)?;
        }
        // Only what could not be read is out of order.
        early.into_values().try_for_each(|block| block.map(drop))
    })
}

/// Lines of a file that follow on each other, each with its end.
struct Block {
    number: usize,
    /// Where in the file it begins.
    offset: usize,
}

/// A file that is read block by block.
struct Source<'a> {
    path: &'a Path,
    file: File,
    number: usize,
    offset: usize,
    /// The beginning of a line whose end is not read yet.
    begun: Vec<u8>,
}

impl<'a> Source<'a> {
    fn of(path: &'a Path, file: File) -> Self {
        Self {
            path,
            file,
            number: 0,
            offset: 0,
            begun: Vec::new(),
        }
    }

    /// Has a block take the place of a text; none at the end of the file.
    fn next_into(&mut self, text: &mut Vec<u8>) -> Result<Option<Block>> {
        text.clear();
        text.append(&mut self.begun);
        loop {
            let read = (&self.file).take(BLOCK).read_to_end(text);
            if read.map_err(Error::io("read the journal", self.path))? == 0 {
                // What is left has no end, or gets it before somebody asks again.
                self.begun.append(text);
                return Ok(None);
            }
            if let Some(end) = text.iter().rposition(|&byte| byte == b'\n') {
                self.begun.extend_from_slice(&text[end + 1..]);
                text.truncate(end + 1);
                let block = Block {
                    number: self.number,
                    offset: self.offset,
                };
                self.number += 1;
                self.offset += text.len();
                return Ok(Some(block));
            }
        }
    }
}
