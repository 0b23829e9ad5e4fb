//! A way out of damage: what is sound is kept, what is damaged is set aside.

use std::fs;
use std::path::{Path, PathBuf};

use efflux_base::durable;
use efflux_base::error::{Error, Result};

use super::journal::sound_lines;
use super::layout::sorted_files;

/// A journal that was damaged.
#[derive(Debug)]
pub struct Damage {
    /// What was wrong with it first.
    pub error: Error,
    /// Where it is kept as it was.
    pub kept: PathBuf,
}

/// Takes the damaged lines out of the journals of a run directory. Trials whose records are lost by that are trained again.
/// Under the lock only.
///
/// # Errors
///
/// [`Error::Io`] if a journal cannot be read or written; nothing is lost then.
pub fn repair_journals(directory: &Path) -> Result<Vec<Damage>> {
    let mut damages = Vec::new();
    for path in sorted_files(directory, "jsonl")? {
        let text = fs::read(&path).map_err(Error::io("read the journal", &path))?;
        let (sound, damage) = sound_lines(&path, &text);
        if let Some(error) = damage {
            let kept = free_name(&path);
            durable::write(&kept, &text)?;
            durable::write(&path, sound)?;
            damages.push(Damage { error, kept });
        }
    }
    Ok(damages)
}

/// The name of a file with `.damaged` behind it, and a number if that is taken.
fn free_name(path: &Path) -> PathBuf {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(".damaged");
        if number > 0 {
            name.push(number.to_string());
        }
        PathBuf::from(name)
    };
    let mut names = (0..).map(named);
    names
        .find(|name| fs::symlink_metadata(name).is_err())
        .unwrap_or_else(|| named(0))
}
