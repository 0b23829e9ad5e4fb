//! Whether what is kept of the members is whole, before anything is built on it.

use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use efflux_data::{Scales, SeenSites, SitePrior, read_member, sealed};
use efflux_job::Trial;
use efflux_run::{Ledger, RunDir};

/// What is kept of a member and cannot be used.
#[derive(Debug)]
pub struct DamagedMember {
    /// The folder of its attempt.
    pub folder: PathBuf,
    /// The file in it, and what is wrong with it.
    pub error: Error,
}

/// Those of these trials of which a file is damaged.
pub fn damaged_members(run: &RunDir, ledger: &Ledger, trials: &[Trial]) -> Vec<DamagedMember> {
    let finished = trials
        .iter()
        .filter(|trial| ledger.scores(&trial.id).is_some());
    let kept = finished.filter_map(|trial| run.kept(&trial.id));
    let damaged = kept.filter_map(|folder| {
        let error = check(&folder).err()?;
        Some(DamagedMember { folder, error })
    });
    damaged.collect()
}

fn check(folder: &Path) -> Result<()> {
    sealed::check(&folder.join(RunDir::WEIGHTS))?;
    let scaling = folder.join(RunDir::SCALING);
    // Without them they are taken from the run's pack.
    if scaling.exists() {
        Scales::read(&scaling)?;
    }
    let residuals = folder.join(RunDir::RESIDUALS);
    if residuals.exists() {
        SeenSites::read(&residuals)?;
    }
    let site_prior = folder.join(RunDir::SITE_PRIOR);
    if site_prior.exists() {
        SitePrior::read(&site_prior)?;
    }
    read_member(&folder.join(RunDir::SIMULATION)).map(drop)
}
