//! The names in a run directory, and the manifest that says which contract it belongs to.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_job::{Contract, Job, TrialId};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::ids::Attempt;

/// A directory that one contract's trials, members and reports live in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    root: PathBuf,
}

/// `manifest.json`: what the directory belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of the directory; another number is refused.
    pub format: u32,
    /// What every trial in it has in common.
    pub contract: Contract,
}

const FORMAT: u32 = 1;

impl RunDir {
    /// A run directory by its path, whether it exists or not.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Its path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Who is at work here.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// What is running, for `efflux status`.
    pub fn live_file(&self) -> PathBuf {
        self.root.join("live.json")
    }

    /// Is there while a sweep is asked to stop, by `efflux stop`.
    pub fn stop_file(&self) -> PathBuf {
        self.root.join("stop")
    }

    /// Whether the sweep that is at work here is asked to stop.
    pub fn is_asked_to_stop(&self) -> bool {
        self.stop_file().exists()
    }

    /// Takes back what an earlier sweep was asked.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file is there and cannot be removed.
    pub fn clear_stop(&self) -> Result<()> {
        match fs::remove_file(self.stop_file()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io("remove", self.stop_file())(error))
            }
            _ => Ok(()),
        }
    }

    /// One file a launch and rank.
    pub fn journals(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// The job files of the launches.
    pub fn jobs(&self) -> PathBuf {
        self.root.join("jobs")
    }

    /// Where an attempt at a trial keeps its weights and its simulation, if they are kept.
    pub fn attempt(&self, trial: &TrialId, attempt: Attempt) -> PathBuf {
        let attempt = format!("attempt-{attempt}");
        self.root.join("trials").join(trial.as_str()).join(attempt)
    }

    /// Where a running trial keeps what it takes to go on; removed once the trial has ended.
    pub fn checkpoint(&self, trial: &TrialId) -> PathBuf {
        self.checkpoints().join(format!("{trial}.safetensors"))
    }

    /// Checkpoints of running trials.
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    /// What there was when each launch began.
    pub fn launches(&self) -> PathBuf {
        self.root.join("launches")
    }

    /// The file that an attempt at a trial keeps its weights in.
    pub const WEIGHTS: &str = "weights.safetensors";
    /// The file that it keeps the scales of its inputs and its target in.
    pub const SCALING: &str = "scaling.json";
    /// The file that it keeps what its network leaves over in, if there is a process of that.
    pub const RESIDUALS: &str = "residuals.safetensors";
    /// The file that it keeps what is expected of the weights of new sites in, if that follows from attributes.
    pub const SITE_PRIOR: &str = "site-prior.safetensors";
    /// The file that it keeps its simulation in, the last of them to be written.
    pub const SIMULATION: &str = "simulation.safetensors";

    /// What is kept of a member: the directory of its highest attempt that is complete.
    pub fn kept(&self, trial: &TrialId) -> Option<PathBuf> {
        let attempts = fs::read_dir(self.root.join("trials").join(trial.as_str())).ok()?;
        let complete = attempts.filter_map(|attempt| {
            let path = attempt.ok()?.path();
            let number: u32 = path
                .file_name()?
                .to_str()?
                .strip_prefix("attempt-")?
                .parse()
                .ok()?;
            path.join(Self::SIMULATION)
                .exists()
                .then_some((number, path))
        });
        complete
            .max_by_key(|(number, _)| *number)
            .map(|(_, path)| path)
    }

    /// The simulation of a member.
    pub fn simulation(&self, trial: &TrialId) -> Option<PathBuf> {
        Some(self.kept(trial)?.join(Self::SIMULATION))
    }

    /// The members' simulations in one file.
    pub fn predictions(&self) -> PathBuf {
        self.root.join("ensemble/predictions.nc")
    }

    /// What the pooled process has seen, where it is a member.
    pub fn processes(&self) -> PathBuf {
        self.root.join("ensemble/processes.safetensors")
    }

    /// What else a mean of unlike members takes on another pack.
    pub fn mixture(&self) -> PathBuf {
        self.root.join("ensemble/mixture.json")
    }

    /// What the training's sites are to a model, so that others can be compared with them.
    pub fn applicability(&self) -> PathBuf {
        self.root.join("ensemble/applicability.json")
    }

    /// The simulations at sites by members that have not seen them.
    pub fn unseen_predictions(&self) -> PathBuf {
        self.root.join("ensemble/unseen.nc")
    }

    /// Which files are the results, with their checksums.
    pub fn results(&self) -> PathBuf {
        self.root.join("results.sha256")
    }

    /// The page that people open.
    pub fn page(&self) -> PathBuf {
        self.report().join("index.html")
    }

    /// What people read.
    pub fn report(&self) -> PathBuf {
        self.root.join("report")
    }

    /// How trainings went, a file a slot.
    pub fn epochs(&self) -> PathBuf {
        self.root.join("epochs")
    }

    /// A file per launch and rank, and one per trainer.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Creates the directory and those in it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file system refuses.
    pub fn create(&self) -> Result<()> {
        for directory in [self.journals(), self.jobs(), self.logs()] {
            durable::create_directory(&directory)?;
        }
        self.refuse_links()
    }

    /// Binds the directory to a contract, or checks that it is bound to this one. What version 0.1.0 had bound knows the
    /// variables of the pack from now on. Under the lock only.
    ///
    /// # Errors
    ///
    /// Those of [`RunDir::check`]; [`Error::Io`] if the manifest cannot be written.
    pub fn bind(&self, contract: &Contract) -> Result<()> {
        let known = self.check(contract)?;
        if known.as_ref() == Some(contract) {
            return Ok(());
        }
        let manifest = Manifest {
            format: FORMAT,
            contract: contract.clone(),
        };
        let text = serde_json::to_string_pretty(&manifest)
            .map_err(|error| Error::Internal(format!("manifest: {error}")))?;
        durable::write(&self.manifest_file(), text)
    }

    /// Checks that the directory is bound to this contract or to none. Returns what it is bound to.
    ///
    /// # Errors
    ///
    /// [`Error::Contract`] naming the first key that differs; [`Error::Data`] for a manifest that cannot be read.
    pub fn check(&self, contract: &Contract) -> Result<Option<Contract>> {
        let known = self.manifest()?.map(|manifest| manifest.contract);
        match known.as_ref().and_then(|known| known.difference(contract)) {
            None => Ok(known),
            Some((key, before, now)) => Err(Error::Contract {
                run: self.root.clone(),
                key,
                before,
                now,
            }),
        }
    }

    /// The manifest, or nothing where no sweep has been.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] if it is damaged or of another format, [`Error::Io`] if it cannot be read.
    pub fn manifest(&self) -> Result<Option<Manifest>> {
        let path = self.manifest_file();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(Error::io("read", &path))?,
        };
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| {
            let line = error.line() as u64;
            let found = if text.is_empty() { "is empty".to_owned() } else { error.to_string() };
            let way_out = "expected what this run directory belongs to (remove the file: the sweep of the same job, \
                the latest in jobs/, writes it again)";
            Error::line(&path, line.max(1), format!("{found}, {way_out}"))
        })?;
        if manifest.format != FORMAT {
            let reason = format!(
                "run directory of format {}, this efflux reads format {FORMAT} (go on with the efflux that wrote it, or \
                 sweep into another one, such as --run-dir {}-2)",
                manifest.format,
                self.root.display()
            );
            return Err(Error::file(&path, reason));
        }
        Ok(Some(manifest))
    }

    /// What the directory belongs to.
    pub fn manifest_file(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    /// Keeps the text of the job file a launch was started with.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be written.
    pub fn keep_job(&self, launch: &str, job: &Job) -> Result<()> {
        durable::write(&self.jobs().join(format!("{launch}.toml")), &job.text)
    }

    /// A name for a new launch that sorts behind those of all before and is this process's alone.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the directory cannot be read.
    pub fn next_launch(&self) -> Result<String> {
        let latest = self.latest_job_file()?;
        let latest = latest.and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
        let stamp = stamp_after(latest.as_deref(), Timestamp::now());
        Ok(format!("{stamp}-{}", std::process::id()))
    }

    /// The copy of the job file of the latest launch.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the directory cannot be read.
    pub fn latest_job_file(&self) -> Result<Option<PathBuf>> {
        Ok(sorted_files(&self.jobs(), "toml")?.pop())
    }

    /// The job of the latest launch. Its name is the run directory's.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where no sweep has been; [`Error::Job`] if the file has been changed by hand.
    pub fn latest_job(&self) -> Result<Job> {
        let path = self.latest_job_file()?.ok_or_else(|| {
            Error::file(&self.root, "no sweep has been started in this directory")
        })?;
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        if text.trim().is_empty() {
            let reason = "is empty, expected the job of the latest launch (remove the file: the one before it counts \
                then, and the next sweep keeps its own)";
            return Err(Error::file(&path, reason));
        }
        let mut job = Job::parse(&path, text)?;
        if let Some(name) = self.root.file_name() {
            job.name = name.to_string_lossy().into_owned();
        }
        Ok(job)
    }
}

/// The time as it begins the name of a launch. Where the clock has been set back it is a second after the latest launch:
/// what is sorted by name must come in the order it happened.
fn stamp_after(latest: Option<&str>, now: Timestamp) -> String {
    const STAMP: &str = "%Y%m%dT%H%M%S";
    let now = now.to_zoned(TimeZone::UTC).datetime();
    let latest = latest
        .and_then(|name| DateTime::strptime(STAMP, name.split('-').next()?).ok())
        .and_then(|latest| latest.checked_add(1.second()).ok());
    let after = latest.map_or(now, |latest| latest.max(now));
    after.strftime(STAMP).to_string()
}

/// The files of a directory with this ending, by name; none if there is no such directory.
pub(super) fn sorted_files(directory: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(Error::io("list", directory))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list", directory))?;
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if hidden || path.extension().is_none_or(|found| found != ending) {
            continue;
        }
        let kind = entry.file_type().map_err(Error::io("list", directory))?;
        if !(kind.is_file() || kind.is_symlink() && path.is_file()) {
            let reason = "is no file, expected one that a sweep has written: remove it";
            return Err(Error::file(path, reason));
        }
        files.push(path);
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launches_sort_in_the_order_they_happened_even_if_the_clock_was_set_back() {
        let ten: Timestamp = "2026-11-23T22:00:00Z".parse().unwrap();
        assert_eq!(stamp_after(None, ten), "20261123T220000");
        let before = Some("20261123T215959-77");
        assert_eq!(stamp_after(before, ten), "20261123T220000");
        let ahead = Some("20991231T235959-77");
        assert_eq!(stamp_after(ahead, ten), "21000101T000000");
        // Two within a second: process numbers do not sort by time.
        let same = Some("20261123T220000-99999");
        assert_eq!(stamp_after(same, ten), "20261123T220001");
        assert_eq!(stamp_after(Some("by hand"), ten), "20261123T220000");
    }
}
