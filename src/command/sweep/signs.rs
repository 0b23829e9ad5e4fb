//! Signs of life in a log that nobody watches, such as a batch job's, while no trial ends: soon after the first trials
//! have begun, and then now and again.

use std::time::{Duration, Instant};

use efflux_cluster::Tally;

use crate::console;

/// So long nothing may be said.
const QUIET: Duration = Duration::from_secs(600);

/// When something was said of a stage last.
#[derive(Default)]
pub(super) struct Signs {
    latest: Option<Instant>,
}

impl Signs {
    /// A trial has ended, and the log says so.
    pub(super) fn said(&mut self) {
        self.latest = Some(Instant::now());
    }

    /// Time has passed; `line` is what a terminal would show.
    pub(super) fn tick(&mut self, tally: &Tally, line: &str) {
        let is_due = self.latest.is_none_or(|latest| latest.elapsed() >= QUIET);
        if let Some((done, all)) = tally.furthest
            && is_due
            && !console::is_terminal()
        {
            tracing::info!("{line} · the furthest has done {done:.1} of {all} epochs");
            self.said();
        }
    }
}
