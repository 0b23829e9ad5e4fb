//! The command lines of what looks into a run directory.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// The run directory
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// End with 0 if complete, 3 if complete with failed trials, 75 if unfinished
    #[arg(long)]
    pub(crate) exit_code: bool,

    /// Show it again every two seconds, until no sweep is at work
    #[arg(long, conflicts_with = "json")]
    pub(crate) watch: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The run directory
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,

    /// The trial's id, as `efflux status`, the log and the tables have it, or enough of its beginning
    #[arg(value_name = "TRIAL")]
    pub(crate) trial: String,
}

#[derive(Args, Debug)]
pub(crate) struct CompareArgs {
    /// The run directories; each is compared with the first
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    pub(crate) runs: Vec<PathBuf>,

    /// As JSON, with the scores at every site
    #[arg(long)]
    pub(crate) json: bool,

    /// Write a table here: a row for every score of every run
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,

    /// Write a table here: a row for every site and run
    #[arg(long, value_name = "FILE")]
    pub(crate) sites_csv: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true, args = ["csv", "optuna", "daily"])]
pub(crate) struct ExportArgs {
    /// The run directory; with --daily alone also what `efflux predict` wrote
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,

    /// Write a table here: a row for every site and day with its part, flux and calibrated intervals
    #[arg(long, value_name = "FILE")]
    pub(crate) daily: Option<PathBuf>,

    /// Write a table here: a row for every search trial that has ended or was stopped
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,

    /// Write a journal here that Optuna's JournalFileBackend opens
    #[arg(long, value_name = "FILE")]
    pub(crate) optuna: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct StopArgs {
    /// The run directory
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct RepairArgs {
    /// The run directory
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The run directory
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,

    /// The pack [default: the one the run's job names]
    #[arg(long, value_name = "PACK")]
    pub(crate) pack: Option<PathBuf>,
}
