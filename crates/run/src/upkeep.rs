//! What of a run directory is removed at the start of a sweep, and what must not be in it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_job::TrialId;

use super::layout::RunDir;

impl RunDir {
    /// Removes the checkpoints of trials that have ended. Under the lock only.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the directory cannot be read.
    pub fn clear_checkpoints(&self, has_ended: impl Fn(&TrialId) -> bool) -> Result<()> {
        let directory = self.checkpoints();
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            other => other.map_err(Error::io("list", &directory))?,
        };
        for entry in entries {
            let path = entry.map_err(Error::io("list", &directory))?.path();
            let trial = path
                .file_stem()
                .map(|stem| TrialId::named(&stem.to_string_lossy()));
            if trial.is_some_and(|trial| has_ended(&trial)) {
                fs::remove_file(&path).map_err(Error::io("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Refuses links where efflux has its own folders: what is written through them would lie anywhere. The run directory
    /// itself may be one.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] naming the link.
    pub fn refuse_links(&self) -> Result<()> {
        let report = self.report();
        let folders = [
            self.journals(),
            self.jobs(),
            self.logs(),
            self.epochs(),
            self.launches(),
            self.checkpoints(),
            self.root().join("trials"),
            self.root().join("ensemble"),
            report.join("tables"),
            report.join("figures"),
            report,
        ];
        match folders.into_iter().find(|folder| folder.is_symlink()) {
            Some(link) => Err(Error::file(
                link,
                "is a link, expected a folder: what efflux writes must stay in the run directory (move what it leads to \
                 here, or make the whole run directory a link)",
            )),
            None => Ok(()),
        }
    }

    /// Removes what killed writers left behind. Under the lock only.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if a folder cannot be listed or a file not removed.
    pub fn clear_temporary(&self) -> Result<()> {
        clear_temporary(self.root())
    }
}

fn clear_temporary(directory: &Path) -> Result<()> {
    let entries = fs::read_dir(directory).map_err(Error::io("list", directory))?;
    for entry in entries {
        let entry = entry.map_err(Error::io("list", directory))?;
        let kind = entry.file_type().map_err(Error::io("list", directory))?;
        let path = entry.path();
        match (kind.is_dir(), durable::is_temporary(&entry.file_name())) {
            (true, true) => fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?,
            (true, false) => clear_temporary(&path)?,
            (false, true) => durable::remove(&path)?,
            (false, false) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Attempt;
    use crate::layout::sorted_files;

    #[test]
    fn what_a_killed_writer_left_is_removed_wherever_it_is_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        run.create().unwrap();
        let attempt = run.attempt(&TrialId::named("x"), Attempt(1));
        let kept = [run.jobs().join("a.toml"), attempt.join(RunDir::SIMULATION)];
        for file in &kept {
            durable::write(file, "kept").unwrap();
        }
        for left in [run.root(), &attempt, &run.journals()] {
            fs::write(left.join(".live.json.Xa12.tmp"), "half").unwrap();
        }
        run.clear_temporary().unwrap();
        assert!(kept.iter().all(|file| file.is_file()));
        for place in [run.root(), &attempt, &run.journals()] {
            assert!(!place.join(".live.json.Xa12.tmp").exists());
        }
    }

    #[test]
    fn links_where_folders_belong_and_other_things_than_files_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (root, elsewhere) = (folder.path().join("run"), folder.path().join("elsewhere"));
        let run = RunDir::new(&root);
        run.create().unwrap();
        let entry = run.journals().join("a.jsonl");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &entry).unwrap();
        let error = sorted_files(&run.journals(), "jsonl")
            .unwrap_err()
            .to_string();
        assert!(error.contains("a.jsonl: is no file"), "{error}");
        fs::remove_file(&entry).unwrap();
        let mode = rustix::fs::Mode::RUSR;
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &entry, fifo, mode, 0).unwrap();
        let error = sorted_files(&run.journals(), "jsonl")
            .unwrap_err()
            .to_string();
        assert!(error.contains("a.jsonl: is no file"), "{error}");
        fs::create_dir(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, run.report()).unwrap();
        let error = run.refuse_links().unwrap_err().to_string();
        assert!(error.contains("report: is a link"), "{error}");
    }
}
