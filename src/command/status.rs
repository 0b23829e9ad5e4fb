//! `efflux status`: how far a sweep is.

use std::io::{IsTerminal, stdout};
use std::time::Duration;

use efflux_base::error::{Error, Exit, Result};
use efflux_run::{RunDir, Status};

use crate::cli::StatusArgs;
use crate::console::{print, say};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);
/// Takes a terminal's cursor to its first line and clears what is below.
const CLEAR: &str = "\x1b[H\x1b[J";

/// Prints counts, running trials, the best configurations and the expected end; once, or until no sweep is at work.
pub(crate) fn status(args: &StatusArgs) -> Result<Exit> {
    let run = RunDir::new(&args.run);
    let status = loop {
        let status = Status::of(&run)?;
        if args.watch && stdout().is_terminal() {
            print(CLEAR);
        }
        if args.json {
            let text = serde_json::to_string_pretty(&status)
                .map_err(|error| Error::Internal(format!("status: {error}")))?;
            say!("{text}");
        } else {
            print(&status);
        }
        if !args.watch || !status.active {
            break status;
        }
        std::thread::sleep(EVERY);
    };
    Ok(if args.exit_code {
        status.exit()
    } else {
        Exit::Complete
    })
}
