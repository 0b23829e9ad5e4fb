//! The two ends of every failure: the message a person reads and the exit code a script branches on.
//!
//! A trial that fails is not in here: that is a result (`Outcome` in `efflux-run`), kept in the journal and shown
//! in the report. Messages are lower-case fragments that read after `error: `: place, what was found, what was
//! expected, what to do.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A reason to stop the whole command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is wrong in a way clap cannot see.
    #[error("{0}")]
    Usage(String),

    /// The job file is wrong.
    #[error("{}: {reason}", path.display())]
    Job {
        /// The job file.
        path: PathBuf,
        /// Key, value found, values possible.
        reason: String,
    },

    /// The run directory holds the results of another contract.
    #[error(
        "{}: this run directory belongs to another contract: `{key}` was {before} and is now {now} \
         (use another one, such as --run-dir {}-2, or put the old value back; `efflux status {}` shows what is in this one)",
        run.display(), run.display(), run.display()
    )]
    Contract {
        /// The run directory.
        run: PathBuf,
        /// Dotted name of the first key that differs.
        key: String,
        /// Its value in the run directory.
        before: String,
        /// Its value in the job.
        now: String,
    },

    /// A data file holds something it must not.
    #[error("{}{place}: {reason}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// Where in it: `:12` for a line, ` (/target/flux)` for a dataset, or nothing.
        place: String,
        /// Found, expected, what to do.
        reason: String,
    },

    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, as in "cannot {action}".
        action: &'static str,
        /// The reason given.
        #[source]
        source: io::Error,
    },

    /// A journal is damaged elsewhere than in its last line.
    #[error(
        "{}: damaged at byte {offset}: {reason} (`efflux repair RUN` keeps what is sound; the same sweep trains again what \
         is lost)",
        path.display()
    )]
    Journal {
        /// The journal file.
        path: PathBuf,
        /// Where the damaged line begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },

    /// Another process works in this run directory.
    #[error("{}: locked by {holder}", run.display())]
    Locked {
        /// The run directory.
        run: PathBuf,
        /// Host, process and age of the lock, and what to do.
        holder: String,
    },

    /// Two launches in a row gave up and brought nothing.
    #[error(
        "{}: launches {launches} gave up and brought neither a record nor a checkpoint, so another would not either: see their \
         files in logs/ (to go on all the same, remove the folder launches/)",
        run.display()
    )]
    Fruitless {
        /// The run directory.
        run: PathBuf,
        /// Their names.
        launches: String,
    },

    /// The MPI launch is not what the launcher promised, or a message was lost.
    #[error("MPI: {0}")]
    Mpi(String),

    /// A trainer could not be started or speaks another protocol.
    #[error("trainer: {0}")]
    Trainer(String),

    /// The device that was asked for is not there.
    #[error("device: {0}")]
    Device(String),

    /// An error of another process, which keeps its exit code there.
    #[error("{place}: {message}")]
    Elsewhere {
        /// Which process: `rank 3`, `trainer`.
        place: String,
        /// The exit code of the error there.
        exit: Exit,
        /// The error's text there.
        message: String,
    },

    /// A defect of this program.
    #[error("{0} (this is a defect of efflux: please report it)")]
    Internal(String),
}

/// The result of everything that can stop a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Exit codes. They are an interface: the scripts in `slurm/` branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Exit {
    /// Complete.
    Complete = 0,
    /// A defect of this program.
    Internal = 1,
    /// Command line or job file wrong (clap's own code).
    Usage = 2,
    /// Complete, but some trials failed; the report lists them.
    TrialsFailed = 3,
    /// Data, file system, device or MPI launch wrong.
    Environment = 4,
    /// Stopped by `efflux stop`: the same command continues, but nothing does so by itself.
    Stopped = 5,
    /// Unfinished: the same command continues (BSD `EX_TEMPFAIL`).
    Unfinished = 75,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Error {
    /// The code the command ends with. There is no catch-all arm, so that a new error cannot forget its code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Job { .. } | Self::Contract { .. } => Exit::Usage,
            Self::Data { .. }
            | Self::Io { .. }
            | Self::Journal { .. }
            | Self::Locked { .. }
            | Self::Fruitless { .. }
            | Self::Mpi(_)
            | Self::Trainer(_)
            | Self::Device(_) => Exit::Environment,
            Self::Elsewhere { exit, .. } => *exit,
            Self::Internal(_) => Exit::Internal,
        }
    }

    /// For `map_err`: an I/O error with its file and what was tried.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io {
            path,
            action,
            source,
        }
    }

    /// A fault in one line (counted from 1) of a text file.
    pub fn line(path: impl AsRef<Path>, line: u64, reason: impl Into<String>) -> Self {
        Self::Data {
            path: path.as_ref().to_owned(),
            place: format!(":{line}"),
            reason: reason.into(),
        }
    }

    /// A fault in one dataset or attribute of an HDF5 file.
    pub fn dataset(path: impl AsRef<Path>, dataset: &str, reason: impl Into<String>) -> Self {
        Self::Data {
            path: path.as_ref().to_owned(),
            place: format!(" ({dataset})"),
            reason: reason.into(),
        }
    }

    /// A fault of a file as a whole.
    pub fn file(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::Data {
            path: path.as_ref().to_owned(),
            place: String::new(),
            reason: reason.into(),
        }
    }
}
