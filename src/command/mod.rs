//! One file a command: what `efflux SOMETHING` does, joined from the library's halves.

mod calibration;
pub(crate) mod compare;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod import;
mod loads;
pub(crate) mod manual;
pub(crate) mod plan;
pub(crate) mod predict;
pub(crate) mod repair;
mod slurm;
mod stages;
pub(crate) mod status;
pub(crate) mod stop;
mod study;
pub(crate) mod submit;
pub(crate) mod sweep;
mod timing;
pub(crate) mod trial;

use std::path::Path;

use clap::CommandFactory;
use efflux_base::error::{Error, Exit, Result};

use crate::cli::{Cli, CompletionsArgs};
use crate::console;

/// `efflux completions`
pub(crate) fn completions(args: &CompletionsArgs) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "efflux", &mut script);
    console::print(String::from_utf8_lossy(&script));
    Ok(Exit::Complete)
}

/// Tells what was noticed while a file or folder was made, and refuses to write it where warnings are not accepted.
fn tell(notes: &[String], warnings: &[String], strict: bool, output: &Path) -> Result<()> {
    for note in notes {
        tracing::info!("{note}");
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if strict && !warnings.is_empty() {
        let count = warnings.len();
        let reason = format!("not written: --strict, and {count} warnings, shown above");
        return Err(Error::file(output, reason));
    }
    Ok(())
}

/// A score as people read it.
fn said(score: Option<f64>) -> String {
    score.map_or("not defined".to_owned(), |score| format!("{score:.3}"))
}
