//! `efflux export`: a run's search and its predictions for other programs.

use std::path::Path;

use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};
use efflux_data::DailyPredictions;
use efflux_report::{Exported, daily_csv};
use efflux_run::stopping::stopped;
use efflux_run::{Ledger, RunDir, read_epochs};

use crate::cli::ExportArgs;
use crate::console::say;

/// Writes what is asked for.
pub(crate) fn export(args: &ExportArgs) -> Result<Exit> {
    if let Some(path) = &args.daily {
        daily(&args.run, path)?;
    }
    if args.csv.is_some() || args.optuna.is_some() {
        trials(args)?;
    }
    Ok(Exit::Complete)
}

/// The predictions of a run, or those that were made with it elsewhere.
fn daily(directory: &Path, path: &Path) -> Result<()> {
    let of_run = RunDir::new(directory).predictions();
    let elsewhere = directory.join("predictions.nc");
    let Some(file) = [of_run, elsewhere].into_iter().find(|file| file.is_file()) else {
        let reason = "has no predictions: expected ensemble/predictions.nc (`efflux evaluate` writes it once a member has finished) or predictions.nc (`efflux predict`)";
        return Err(Error::file(directory, reason));
    };
    let daily = DailyPredictions::read(&file)?;
    durable::write(path, daily_csv(&daily)?)?;
    let sites = daily.predictions.sites.len();
    say!("{}: {sites} sites of {}", path.display(), file.display());
    Ok(())
}

/// The search trials that have ended.
fn trials(args: &ExportArgs) -> Result<()> {
    let run = RunDir::new(&args.run);
    let Some(manifest) = run.manifest()? else {
        let reason = "no sweep has been started in this directory";
        return Err(Error::file(run.root(), reason));
    };
    let job = run.latest_job()?;
    let search = job.search_trials(&manifest.contract)?;
    let ledger = Ledger::read(&run.journals())?;
    let epochs = read_epochs(&run)?;
    let records = ledger.records(&run.journals())?;
    let stopped = stopped(&job, &search, &ledger);
    let exported = Exported::of(&job, &search, &stopped, &records, &epochs);
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
    Ok(())
}
