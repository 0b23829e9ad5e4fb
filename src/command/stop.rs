//! `efflux stop`: has a running sweep leave in good order.

use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};
use efflux_run::{RunDir, Status};

use crate::cli::StopArgs;
use crate::console::say;

/// Asks the sweep that is at work in a run directory to stop, by a file there.
pub(crate) fn stop(args: &StopArgs) -> Result<Exit> {
    let run = RunDir::new(&args.run);
    let status = Status::of(&run)?;
    if !status.active {
        let reason = if status.complete {
            "the sweep is complete, there is nothing to stop"
        } else {
            "no sweep is at work here. One that waits in a queue is cancelled with scancel"
        };
        return Err(Error::file(run.root(), reason));
    }
    durable::write(&run.stop_file(), "")?;
    say!(
        "{}: the sweep is asked to stop: {} running trials write checkpoints, nothing is begun, and no job is queued again. \
         The same sweep command continues it",
        run.root().display(),
        status.running.len()
    );
    Ok(Exit::Complete)
}
