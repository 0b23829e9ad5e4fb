//! Evaluation and report: what rank 0 does once the members are trained, and `efflux evaluate` and `efflux report` at any
//! time, each its part alone.

use efflux_base::error::{Exit, Result};
use efflux_report as report;
use efflux_report::{Output, Run};
use efflux_run::{Ledger, RunDir};

use super::study::Study;
use crate::cli::RunArgs;
use crate::console::say;

/// `efflux evaluate RUN`: predictions and tables.
pub(crate) fn evaluate(args: &RunArgs) -> Result<Exit> {
    again(args, Output::Tables)
}

/// `efflux report RUN`: figures and the page.
pub(crate) fn report(args: &RunArgs) -> Result<Exit> {
    again(args, Output::Page)
}

fn again(args: &RunArgs, output: Output) -> Result<Exit> {
    let run = RunDir::new(&args.run);
    let mut job = run.latest_job()?;
    if let Some(pack) = &args.pack {
        job.pack = pack.clone();
    }
    let study = Study::of(job, run)?;
    study.run.check(&study.contract)?;
    let ledger = Ledger::read(&study.run.journals())?;
    write(&study, &ledger, output)
}

/// Evaluates and reports, or does a part of it, and prints the headline.
pub(crate) fn write(study: &Study, ledger: &Ledger, output: Output) -> Result<Exit> {
    let run = Run {
        job: &study.job,
        contract: &study.contract,
        pack: &study.pack,
        external: study.external.as_ref(),
        directory: &study.run,
    };
    let evaluated = report::evaluate(&run, ledger, output)?;
    say!("{}", evaluated.summary);
    let is_selected = evaluated.summary.selected.is_some();
    Ok(match (evaluated.is_complete, is_selected) {
        (false, _) => Exit::Unfinished,
        (true, true) if !evaluated.has_failed => Exit::Complete,
        (true, _) => Exit::TrialsFailed,
    })
}
