//! Who is gone or silent, and what they had no time to tell.

use std::time::Instant;

use efflux_base::error::Result;
use efflux_protocol::Report;
use efflux_run::record::Outcome;
use efflux_run::{Entry, read_journal};

use super::Coordinator;
use crate::scheduler::Event;

impl Coordinator<'_> {
    /// Looks who is gone and who has been silent for too long. What a rank that is gone had no time to tell comes back.
    pub(super) fn call_the_roll(&mut self) -> Result<Vec<(u32, Report)>> {
        let mut untold = Vec::new();
        let lost = self.world.as_mut().map(|world| world.lost());
        for rank in lost.unwrap_or_default() {
            tracing::error!(rank, "lost: its trials are given to others");
            self.roll.strike(rank);
            self.beats.remove(&rank);
            untold.extend(self.untold(rank).into_iter().map(|report| (rank, report)));
        }
        for rank in self.roll.silent(Instant::now()) {
            let limit = self.launch.hang_seconds;
            tracing::warn!(
                rank,
                "not heard of for {limit} s: its trials are given to others"
            );
            self.beats.remove(&rank);
            let actions = self.scheduler.on(Event::Silent(rank));
            self.carry_out(actions)?;
        }
        Ok(untold)
    }

    /// Finished trials in the journal of a lost rank that nobody has heard of, and then its loss.
    fn untold(&self, rank: u32) -> Vec<Report> {
        let journals = self.launch.run.journals();
        let entries = read_journal(&journals, &self.launch.name, rank).unwrap_or_else(|error| {
            // Nothing is lost: the next start reads it again.
            tracing::warn!("{error}");
            Vec::new()
        });
        let finished = entries.into_iter().filter_map(|entry| match entry {
            Entry::Trial(record) if matches!(record.outcome, Outcome::Finished(_)) => Some(record),
            _ => None,
        });
        finished
            .filter(|record| self.ledger.summary(&record.trial.id).is_none())
            .map(Report::Ended)
            .chain([Report::Lost])
            .collect()
    }
}
