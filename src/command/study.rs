//! A job together with its pack: what every command that looks at trials starts from.

use std::path::Path;

use efflux::data::{self, Pack};
use efflux::error::Result;
use efflux::job::{Contract, Job, Trial};
use efflux::run::RunDir;

use crate::cli::JobArgs;

/// A job, the pack it names and the contract between them.
pub(crate) struct Study {
    pub(crate) job: Job,
    pub(crate) pack: Pack,
    pub(crate) contract: Contract,
    pub(crate) run: RunDir,
}

impl Study {
    /// Reads and checks everything that can be wrong before a trial starts.
    pub(crate) fn open(args: &JobArgs) -> Result<Self> {
        let mut job = Job::read(&args.job)?;
        if let Some(pack) = &args.pack {
            job.pack = pack.clone();
        }
        let run = match &args.run_dir {
            Some(directory) => RunDir::new(directory),
            None => RunDir::new(Path::new("runs").join(&job.name)),
        };
        Self::of(job, run)
    }

    /// Joins a job with its pack.
    pub(crate) fn of(job: Job, run: RunDir) -> Result<Self> {
        let pack = Pack::read(&job.pack)?;
        let (dynamic, statics) = data::choose(&pack, &job.inputs, &job.path)?;
        let contract = job.contract(&pack.digest, dynamic, statics, pack.calendar.days)?;
        Ok(Self {
            job,
            pack,
            contract,
            run,
        })
    }

    /// The trials of the search.
    pub(crate) fn search(&self) -> Vec<Trial> {
        self.job.search_trials(&self.contract)
    }
}
