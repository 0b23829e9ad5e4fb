//! Which rank holds which trial, and what becomes of it when the rank is silent, heard of again or gone.

use std::collections::{HashMap, VecDeque};

use efflux_job::TrialId;
use efflux_run::Rank;

use super::Scheduler;
use super::budget::Pending;

#[derive(Debug, Default)]
pub(super) struct RankState {
    pub(super) slots: usize,
    pub(super) is_silent: bool,
    pub(super) held: HashMap<TrialId, Held>,
}

#[derive(Debug)]
pub(super) struct Held {
    pub(super) dispatched: Pending,
    /// Its result here is not waited for: it has one, or it was dispatched to others.
    pub(super) is_stale: bool,
}

impl Held {
    pub(super) fn of(dispatched: Pending) -> Self {
        Self {
            dispatched,
            is_stale: false,
        }
    }

    /// Waits for it again, in place of a new attempt with this number.
    pub(super) fn awaited_as(&mut self, next: Pending) {
        *self = Self::of(next);
    }
}

impl Scheduler {
    /// A trial has a result from a rank that was not waited for: another one is not waited for either. After so many epochs,
    /// if it has not ended: more of them are still waited for.
    pub(super) fn settle(&mut self, id: &TrialId, epoch: Option<u32>) {
        let is_settled = |pending: &Pending| pending.trial.id == *id && pending.ends_by(epoch);
        self.pending.retain(|pending| !is_settled(pending));
        let ranks = self.ranks.values_mut();
        for held in ranks.filter_map(|rank| rank.held.get_mut(id)) {
            held.is_stale |= is_settled(&held.dispatched);
        }
    }

    /// A trial has come to a rung. What was asked of its rank meanwhile may be more.
    pub(super) fn at_rung(&mut self, rank: Rank, id: &TrialId, epoch: u32) {
        if let Some(held) = self.take(rank, id)
            && !held.dispatched.ends_by(Some(epoch))
        {
            self.give_back(held);
        }
        self.settle(id, Some(epoch));
    }

    pub(super) fn take(&mut self, rank: Rank, id: &TrialId) -> Option<Held> {
        self.ranks.get_mut(&rank)?.held.remove(id)
    }

    /// What a rank held is to be trained by another, at no cost to the trial.
    pub(super) fn give_back(&mut self, held: Held) {
        if !held.is_stale {
            let attempt = held.dispatched.attempt.next();
            let next = Pending {
                attempt,
                ..held.dispatched
            };
            self.await_again(next, VecDeque::push_front);
        }
    }

    /// A trial waits for a rank, unless one that was silent is still at it.
    pub(super) fn await_again(
        &mut self,
        next: Pending,
        line_up: fn(&mut VecDeque<Pending>, Pending),
    ) {
        let mut ranks = self.ranks.values_mut().filter(|rank| !rank.is_silent);
        match ranks.find_map(|rank| rank.held.get_mut(&next.trial.id)) {
            Some(other) => other.awaited_as(next),
            None => line_up(&mut self.pending, next),
        }
    }

    pub(super) fn silent(&mut self, rank: Rank) {
        let Some(silent) = self.ranks.get_mut(&rank) else {
            return;
        };
        silent.is_silent = true;
        let mut dispatched = Vec::new();
        for held in silent.held.values_mut().filter(|held| !held.is_stale) {
            held.is_stale = true;
            dispatched.push(held.dispatched.clone());
        }
        for pending in dispatched {
            self.give_back(Held::of(pending));
        }
    }

    pub(super) fn heard(&mut self, rank: Rank) {
        let Some(heard) = self.ranks.get_mut(&rank) else {
            return;
        };
        heard.is_silent = false;
        self.pending.retain(|pending| {
            let held = heard.held.get_mut(&pending.trial.id);
            held.map(|held| held.awaited_as(pending.clone())).is_none()
        });
    }
}
