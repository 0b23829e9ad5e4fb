//! `efflux status`: how far a sweep is.

use efflux_base::error::{Error, Exit, Result};
use efflux_run::{RunDir, Status};

use crate::cli::StatusArgs;
use crate::console::{print, say};

/// Prints counts, running trials, best score and expected end.
pub(crate) fn status(args: &StatusArgs) -> Result<Exit> {
    let status = Status::of(&RunDir::new(&args.run))?;
    if args.json {
        let text = serde_json::to_string_pretty(&status)
            .map_err(|error| Error::Internal(format!("status: {error}")))?;
        say!("{text}");
    } else {
        print(&status);
    }
    Ok(if args.exit_code {
        status.exit()
    } else {
        Exit::Complete
    })
}
