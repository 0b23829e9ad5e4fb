//! What is kept of trained networks, and whether it is whole.

use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use efflux_data::{Member, Scales, SeenSites, SitePrior, read_member, sealed};
use efflux_job::Trial;
use efflux_run::{Attempt, Ledger, RunDir};

use super::inputs::Run;

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

/// The simulations of the members that have finished.
pub(super) fn gather(run: &Run<'_>, ledger: &Ledger, trials: &[Trial]) -> Result<Vec<Member>> {
    let flux = run.pack.flux.iter();
    let observed = flux.filter(|value| !value.is_nan()).count();
    let mut members = Vec::new();
    for trial in trials {
        if ledger.scores(&trial.id).is_none() {
            continue;
        }
        let path = run.directory.simulation(&trial.id).ok_or_else(|| {
            let reason =
                "the simulation of a finished member is gone (the same sweep makes it again)";
            Error::file(run.directory.attempt(&trial.id, Attempt::FIRST), reason)
        })?;
        let member = efflux_data::read_member(&path)?;
        let expected = run.pack.flux.len();
        if member.flux.len() != expected {
            let found = member.flux.len();
            let reason = format!("a simulation of {found} values, expected {expected}");
            return Err(Error::file(&path, reason));
        }
        if let Some(other) = &member.other_state
            && other.len() != observed
        {
            let found = other.len();
            let reason = format!("{found} values of the other state, expected {observed}");
            return Err(Error::file(&path, reason));
        }
        members.push(member);
    }
    Ok(members)
}
