//! Trials under a stopping rule: which are dispatched, for how long, and which wait for the others.

use std::collections::HashSet;

use efflux_base::error::Result;
use efflux_job::{Metric, Trial, TrialId};
use efflux_protocol::ToRank;
use efflux_run::Rank;
use efflux_run::record::RungResult;
use efflux_run::stopping::{Next, Observed, Stopping};

use super::Coordinator;
use crate::scheduler::{Event, Planned};

/// The trials of a stage as its rule sees them.
#[derive(Debug)]
pub(super) struct Rungs {
    stopping: Stopping,
    /// Those that are still to be trained, and are neither dispatched nor about to be.
    waiting: HashSet<TrialId>,
}

impl Rungs {
    /// Of these trials some are left.
    pub(super) fn new(stopping: Stopping, left: &[Planned]) -> Self {
        Self {
            stopping,
            waiting: left.iter().map(|one| one.trial.id.clone()).collect(),
        }
    }

    /// Of these trials those that are to be trained now and are not yet.
    fn begin(&mut self, trials: impl IntoIterator<Item = Planned>) -> Vec<Planned> {
        let mut begun = Vec::new();
        for planned in trials {
            if let Next::Train(until) = self.stopping.next(&planned.trial.id)
                && self.waiting.remove(&planned.trial.id)
            {
                begun.push(Planned { until, ..planned });
            }
        }
        begun
    }

    /// What is to be told of each site at a rung.
    pub(super) fn metric_of_sites(&self) -> Option<Metric> {
        self.stopping.metric_of_sites()
    }

    /// Whether something goes on as soon as there is room.
    pub(super) fn has_more(&self) -> bool {
        self.stopping.has_more()
    }
}

impl Coordinator<'_> {
    /// Has the rule know what earlier launches found. Returns those of the trials that are to be trained now.
    pub(super) fn begin_rungs(
        &mut self,
        stopping: Option<Stopping>,
        left: Vec<Planned>,
    ) -> Vec<Planned> {
        let Some(mut stopping) = stopping else {
            self.rungs = None;
            return left;
        };
        // A failed trial that is tried again has the others wait for it.
        stopping.replay(&self.ledger, |brief| !brief.worth_another());
        let mut rungs = Rungs::new(stopping, &left);
        let begun = rungs.begin(left);
        self.rungs = Some(rungs);
        begun
    }

    /// Handles a trial's arrival at a rung.
    pub(super) fn handle_rung(&mut self, rank: Rank, result: RungResult) -> Result<()> {
        let (id, epoch) = (result.trial.clone(), result.epoch);
        if let Some(heartbeats) = self.heartbeats.get_mut(&rank) {
            heartbeats.retain(|heartbeat| heartbeat.trial != id);
        }
        self.ledger.add_rung(result);
        let at_rung = Event::AtRung {
            rank,
            id: id.clone(),
            epoch,
        };
        self.schedule(at_rung)?;
        self.judge(&id)
    }

    /// Has the rule know of what has become of a trial, and dispatches what it lets go on.
    pub(super) fn judge(&mut self, id: &TrialId) -> Result<()> {
        let Some(rungs) = &mut self.rungs else {
            return Ok(());
        };
        let is_open = self.scheduler.has(id);
        let brief = self.ledger.brief(id);
        let is_over = brief.is_some_and(|brief| brief.is_finished() || !is_open);
        if !is_over && !is_open {
            rungs.waiting.insert(id.clone());
        }
        let Observed { trials, decisions } = rungs.stopping.observe(&self.ledger, id, is_over);
        for decision in decisions {
            self.ledger.add_stop(decision.clone());
            self.transport
                .send(Rank::COORDINATOR, ToRank::Note(decision))?;
        }
        self.begin(trials)
    }

    /// Whether a result is waited for or there is anything to begin, which is dispatched as far as there is room.
    pub(super) fn has_work(&mut self) -> Result<bool> {
        while self.scheduler.has_room()
            && let Some(rungs) = &mut self.rungs
            && let Some(trials) = rungs.stopping.ask()
        {
            self.begin(trials)?;
        }
        Ok(!self.scheduler.is_idle())
    }

    /// Dispatches those of these trials that the rule lets go on.
    fn begin(&mut self, trials: Vec<Trial>) -> Result<()> {
        let planned: Vec<Planned> = trials
            .into_iter()
            .map(|trial| self.planned(trial))
            .collect();
        let Some(rungs) = &mut self.rungs else {
            return Ok(());
        };
        let begun = rungs.begin(planned);
        if begun.is_empty() {
            return Ok(());
        }
        self.schedule(Event::Added(begun))
    }
}
