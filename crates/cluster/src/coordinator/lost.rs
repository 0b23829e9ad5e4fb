//! Ranks that are silent or gone, and records that those had no time to pass on.

use efflux_base::error::Result;
use efflux_run::record::{Outcome, Record};
use efflux_run::{Entry, Rank, read_journal};

use super::Coordinator;
use crate::scheduler::Event;

impl Coordinator<'_> {
    /// Finds ranks that are gone and dispatches their trials to others. Returns the records that were news.
    pub(super) fn handle_lost(&mut self) -> Result<Vec<Record>> {
        let mut news = Vec::new();
        let lost = self.transport.lost();
        if !lost.is_empty() {
            // What one of them had done makes room, and a node takes all of its ranks along: nothing for any of them.
            self.schedule(Event::Going(lost.clone()))?;
        }
        for rank in lost {
            tracing::error!(%rank, "lost: its trials are given to others");
            self.liveness.forget(rank);
            self.heartbeats.remove(&rank);
            for entry in self.not_passed_on(rank) {
                match entry {
                    Entry::Trial(record) => {
                        news.extend(self.handle_record(rank, record)?.map(|record| *record));
                    }
                    Entry::Rung(result) => self.handle_rung(rank, result)?,
                    Entry::Stop(_) | Entry::Selection(_) => {}
                }
            }
            self.schedule(Event::Lost(rank))?;
        }
        Ok(news)
    }

    /// Finds ranks that have exceeded the heartbeat timeout and dispatches their trials to others.
    pub(super) fn handle_silent(&mut self) -> Result<()> {
        for rank in self.liveness.silent(self.transport.now()) {
            let limit = self.launch.hang_seconds;
            tracing::warn!(
                %rank,
                "not heard of for {limit} s: its trials are given to others"
            );
            self.heartbeats.remove(&rank);
            self.schedule(Event::Silent(rank))?;
        }
        Ok(())
    }

    /// Finished trials and results at rungs in the journal of a lost rank that are not in the ledger.
    fn not_passed_on(&self, rank: Rank) -> Vec<Entry> {
        let journals = self.launch.run.journals();
        let entries = read_journal(&journals, &self.launch.name, rank).unwrap_or_else(|error| {
            // Nothing is lost: the next start reads it again.
            tracing::warn!("{error}");
            Vec::new()
        });
        let is_news = |entry: &Entry| match entry {
            Entry::Trial(record) => {
                matches!(record.outcome, Outcome::Finished(_))
                    && self.ledger.scores(&record.trial.id).is_none()
            }
            Entry::Rung(result) => {
                let known = self.ledger.rung_result(&result.trial, result.epoch);
                known.is_none_or(|known| known.epoch != result.epoch)
            }
            Entry::Stop(_) | Entry::Selection(_) => false,
        };
        entries.into_iter().filter(is_news).collect()
    }
}
