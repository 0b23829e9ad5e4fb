//! `efflux compare`: runs side by side.

use efflux_base::durable;
use efflux_base::error::{Exit, Result};
use efflux_report as report;
use efflux_run::RunDir;

use crate::cli::CompareArgs;
use crate::console::say;

/// Prints how runs score where all of them are judged, and writes the tables that are asked for.
pub(crate) fn compare(args: &CompareArgs) -> Result<Exit> {
    let runs: Vec<RunDir> = args.runs.iter().map(RunDir::new).collect();
    let compared = report::compare(&runs)?;
    if let Some(path) = &args.csv {
        durable::write(path, compared.csv()?)?;
    }
    if let Some(path) = &args.sites_csv {
        durable::write(path, compared.sites_csv()?)?;
    }
    if args.json {
        say!("{:#}", compared.json());
    } else {
        say!("{compared}");
    }
    Ok(Exit::Complete)
}
