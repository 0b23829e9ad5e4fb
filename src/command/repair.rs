//! `efflux repair`: a way out of damage. What is sound stays, what is damaged is set aside and trained again.

use std::fs;
use std::path::Path;

use efflux_base::error::{Error, Exit, Result};
use efflux_report::damaged_members;
use efflux_run::{Ledger, Lock, RunDir, repair_journals, select};

use crate::cli::RepairArgs;
use crate::console::say;

/// Sets aside what is damaged in a run directory, and says what that was.
pub(crate) fn repair(args: &RepairArgs) -> Result<Exit> {
    let run = RunDir::new(&args.run);
    if !run.journals().is_dir() {
        let reason = "no sweep has been started in this directory";
        return Err(Error::file(run.root(), reason));
    }
    let _lock = Lock::acquire(&run, "repair")?;
    let mut found = 0;
    let mut set_aside = |path: &Path, error: &Error| -> Result<()> {
        found += 1;
        let mut kept = path.as_os_str().to_owned();
        kept.push(".damaged");
        fs::rename(path, &kept).map_err(Error::io("set aside", path))?;
        say!("{error}\n  set aside as {}", Path::new(&kept).display());
        Ok(())
    };
    if let Err(error) = run.manifest() {
        set_aside(&run.manifest_file(), &error)?;
    }
    while let Err(error) = run.latest_job() {
        match run.latest_job_file()? {
            Some(path) => set_aside(&path, &error)?,
            None => break,
        }
    }
    let damages = repair_journals(&run.journals())?;
    let ledger = Ledger::read(&run.journals())?;
    if let (Some(manifest), Ok(job)) = (run.manifest()?, run.latest_job()) {
        let search = job.search_trials(&manifest.contract)?;
        if let Some(winner) = select(&job, &search, &ledger).winner {
            let mut last = job.final_trials(&manifest.contract, &winner.params)?;
            last.extend(job.forecast_trials(&manifest.contract, &winner.params)?);
            for member in damaged_members(&run, &ledger, &last) {
                set_aside(&member.folder, &member.error)?;
            }
        }
    }
    for damage in &damages {
        let kept = damage.kept.display();
        say!(
            "{}\n  its sound lines are kept, all of it is in {kept}",
            damage.error
        );
    }
    match found + damages.len() {
        0 => say!("{}: nothing is damaged", run.root().display()),
        count => say!("{count} damaged: the same sweep command goes on"),
    }
    Ok(Exit::Complete)
}
