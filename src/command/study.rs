//! A job together with its pack: what every command that looks at trials starts from.

use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_cluster::common_level;
use efflux_data as data;
use efflux_data::{Pack, Parts};
use efflux_job::{Configuration, Contract, Job, Part, SearchTrials, Trial, VALIDATION_DAYS};
use efflux_numerics::{Level, SiteByDay};
use efflux_protocol::LaunchSpec;
use efflux_report as report;
use efflux_run::{Ledger, RunDir, host, select};

use crate::cli::{ComputeArgs, JobArgs};

/// A job, the pack it names and the contract between them.
pub(crate) struct Study {
    pub(crate) job: Job,
    pub(crate) pack: Pack,
    pub(crate) contract: Contract,
    /// What another program predicts, if the job names a file of that.
    pub(crate) external: Option<SiteByDay<f32>>,
    pub(crate) run: RunDir,
}

impl Study {
    /// Reads and checks everything that can be wrong before a trial starts.
    pub(crate) fn open(args: &JobArgs) -> Result<Self> {
        let mut job = Job::read(&args.job)?;
        if let Some(pack) = &args.pack {
            job.pack = pack.clone();
        }
        Self::of(job, RunDir::new(args.run_dir()))
    }

    /// Joins a job with its pack.
    pub(crate) fn of(job: Job, run: RunDir) -> Result<Self> {
        if !job.pack.exists() {
            let reason = "no such pack: `--pack FILE` says where it is, `efflux pack` makes one";
            return Err(Error::file(&job.pack, reason));
        }
        let pack = Pack::read(&job.pack)?;
        if pack.flux.iter().all(|flux| flux.is_nan()) {
            let reason = format!(
                "nothing to train on: none of its {} sites has an observed flux (`efflux predict` simulates them with the \
                 members of a run on other sites)",
                pack.sites.len()
            );
            return Err(Error::file(&job.pack, reason));
        }
        let mut contract =
            job.contract(&pack.digest, data::variables(&pack), pack.calendar.days)?;
        let folds = pack.folds(&job.settings.split);
        contract.folds = folds.map_err(|reason| Error::Job {
            path: job.path.clone(),
            reason,
        })?;
        Ok(Self {
            external: report::external(&job, &pack)?,
            job,
            pack,
            contract,
            run,
        })
    }

    /// Whether there is anything to select by, and to choose epochs by if the job does: a site with enough days in the
    /// part that is looked at.
    pub(crate) fn check_selection(&self) -> Result<()> {
        let on = self.job.selection.on.part();
        let chooses_epochs = self
            .job
            .any(|settings| settings.training.needs_validation());
        if chooses_epochs && on != Part::Validation {
            self.check_days(
                Part::Validation,
                "`training.keep` or `training.patience` needs",
            )?;
        }
        self.check_days(on, "`selection.on` names")
    }

    /// Whether weights that are to be fitted will have forecasts to be fitted on: what trials of the search simulate, once they
    /// have ended, is kept, or else they were trained before it was to be.
    pub(crate) fn check_forecasts(&self, search: &SearchTrials) -> Result<()> {
        if !self.job.ensemble.is_fitted() || self.run.manifest()?.is_none() {
            return Ok(());
        }
        let ledger = Ledger::read(&self.run.journals())?;
        let trials = match select(&self.job, search, &ledger).winner {
            Some(winner) => self.job.forecast_trials(&self.contract, &winner.params)?,
            None => search.to_vec(),
        };
        let is_without = |trial: &&Trial| {
            ledger.scores(&trial.id).is_some() && self.run.simulation(&trial.id).is_none()
        };
        let Some(trial) = trials.iter().find(is_without) else {
            return Ok(());
        };
        Err(Error::Job {
            path: self.job.path.clone(),
            reason: format!(
                "`ensemble.weights` has \"fitted\", expected another rule or a list of weights in {}: trial {} of its search \
                 ended without keeping what it simulated, and it is not trained again (a new --run-dir begins from the start)",
                self.run.root().display(),
                trial.id
            ),
        })
    }

    fn check_days(&self, on: Part, why: &str) -> Result<()> {
        let least = if on == Part::Validation {
            VALIDATION_DAYS
        } else {
            2
        };
        let parts = Parts::of(&self.pack.flux, &self.contract.split);
        let days = |site: usize| {
            let flux = self.pack.flux_of(site);
            let days = parts.days(site, on);
            days.filter(|&day| !flux[day].is_nan()).count()
        };
        let most = (0..self.pack.sites.len()).map(days).max().unwrap_or(0);
        if most >= least {
            return Ok(());
        }
        Err(Error::Job {
            path: self.job.path.clone(),
            reason: format!(
                "nothing to select by: no site has {least} observed days in the part that {why}, the most \
                 is {most} (give `split.validation` more, or select on \"test\")"
            ),
        })
    }

    /// What a trainer in the foreground is told of a trial of the study that it trains.
    ///
    /// # Errors
    ///
    /// If this host has not the level.
    pub(crate) fn launch(
        &self,
        name: String,
        run: &Path,
        compute: &ComputeArgs,
        checkpoint_seconds: u32,
    ) -> Result<LaunchSpec> {
        Ok(LaunchSpec {
            name,
            run: run.to_owned(),
            pack: self.job.pack.clone(),
            contract: self.contract.clone(),
            settings: self.job.settings.clone(),
            device: compute.device,
            level: common_level(compute.level, [(&*host(), Level::of_this_host())])?,
            checkpoint_seconds,
            lanes: 1,
        })
    }

    /// The place of a configuration in the grid, if it is still one of the job's.
    pub(crate) fn place_of(&self, configuration: &Configuration) -> Option<usize> {
        let mut configurations = self.job.grid.configurations().iter();
        configurations.position(|one| one == configuration)
    }

    /// The trials of the search.
    pub(crate) fn search(&self) -> Result<SearchTrials> {
        self.job.search_trials(&self.contract)
    }
}
