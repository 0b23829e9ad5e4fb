//! `efflux demo`: a first sweep, on the data that come with the programs.

use std::path::Path;

use clap::Parser;
use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};
use efflux_cluster::{Slots, promised_size};

use crate::cli::{Cli, DemoArgs};
use crate::console::{Log, say};
use crate::shipped;

const SITES: &str = "data/cosore-daily";
const JOB: &str = "jobs/cosore-daily.toml";

/// Packs the sites and sweeps, each by the command that a user would type, and says it.
pub(crate) fn demo(args: &DemoArgs, log: &Log) -> Result<Exit> {
    if promised_size()?.is_some_and(|size| size > 1) {
        return Err(Error::Usage(
            "`efflux demo` is one process: start it without mpirun or srun; sweeps take several"
                .into(),
        ));
    }
    let home = shipped::folder_with(SITES).ok_or_else(|| {
        Error::Usage(format!(
            "{SITES} is not there: set EFFLUX_HOME to the folder that has it, the repository or PREFIX/share/efflux"
        ))
    })?;
    durable::create_directory(&args.directory)?;
    let (sites, job) = (text(&home.join(SITES))?, text(&home.join(JOB))?);
    let pack = text(&args.directory.join("cosore-daily.h5"))?;
    let run = text(&args.directory.join("run"))?;
    if !Path::new(&pack).exists() {
        let calendar = ["--from", "2003-01-01", "--to", "2020-02-29"];
        let command = [&["pack", "--sites", &sites, "-o", &pack], &calendar[..]].concat();
        start(&command, log)?;
    }
    let folder = ["--pack", &pack, "--run-dir", &run];
    let slots = match args.slots.slots {
        Slots::Auto => "auto".to_owned(),
        Slots::Number(count) => count.to_string(),
    };
    let command = [&["sweep", &job, "--slots", &slots], &folder[..]].concat();
    let exit = start(&command, log)?;
    if exit == Exit::Complete {
        say!("The report: {run}/report/index.html");
    }
    Ok(exit)
}

/// Does what a command line says, after saying it.
fn start(arguments: &[&str], log: &Log) -> Result<Exit> {
    say!("$ efflux {}", arguments.join(" "));
    let cli = Cli::try_parse_from([&["efflux"], arguments].concat());
    let cli = cli.map_err(|error| Error::Usage(error.to_string()))?;
    crate::carry_out(cli.command, log)
}

fn text(path: &Path) -> Result<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Error::file(path, "the name is not UTF-8".to_owned()))
}
