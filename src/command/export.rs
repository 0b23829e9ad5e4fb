//! `efflux export`: a run's search for other programs.

use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};
use efflux_report::Exported;
use efflux_run::{Ledger, RunDir, read_epochs};

use crate::cli::ExportArgs;
use crate::console::say;

/// Writes the search trials of a run that have ended.
pub(crate) fn export(args: &ExportArgs) -> Result<Exit> {
    let run = RunDir::new(&args.run);
    let Some(manifest) = run.manifest()? else {
        let reason = "no sweep has been started in this directory";
        return Err(Error::file(run.root(), reason));
    };
    let job = run.latest_job()?;
    let search = job.search_trials(&manifest.contract)?;
    let ledger = Ledger::read(&run.journals())?;
    let epochs = read_epochs(&run)?;
    let exported = Exported::of(&job, &search, &ledger, &epochs);
    let count = exported.count();
    if let Some(path) = &args.csv {
        durable::write(path, exported.csv()?)?;
        say!("{}: {count} trials", path.display());
    }
    if let Some(path) = &args.optuna {
        let name = run.root().file_name().unwrap_or(run.root().as_os_str());
        let name = name.to_string_lossy();
        durable::write(path, exported.optuna(&name)?)?;
        say!("{}: study {name}, {count} trials", path.display());
    }
    Ok(Exit::Complete)
}
