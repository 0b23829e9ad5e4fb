//! Which rank holds which trial, and what becomes of it when the rank is silent, heard of again or gone.

use std::collections::{HashMap, VecDeque};

use efflux_job::TrialId;

use super::Scheduler;
use super::budget::Pending;

#[derive(Debug, Default)]
pub(super) struct Rank {
    pub(super) slots: usize,
    pub(super) is_silent: bool,
    pub(super) held: HashMap<TrialId, Held>,
}

#[derive(Debug)]
pub(super) struct Held {
    pub(super) given: Pending,
    /// Nobody waits for it here: it is settled, or others were given it.
    pub(super) is_stale: bool,
}

impl Held {
    pub(super) fn of(given: Pending) -> Self {
        Self {
            given,
            is_stale: false,
        }
    }

    /// It is waited for again, instead of a new attempt with this number.
    pub(super) fn awaited_as(&mut self, next: Pending) {
        *self = Self::of(next);
    }
}

impl Scheduler {
    /// A rank that nobody waited for has a result: now nobody waits for another one.
    pub(super) fn settle(&mut self, id: &TrialId) {
        self.pending.retain(|pending| pending.trial.id != *id);
        let ranks = self.ranks.values_mut();
        for held in ranks.filter_map(|rank| rank.held.get_mut(id)) {
            held.is_stale = true;
        }
    }

    pub(super) fn take(&mut self, rank: u32, id: &TrialId) -> Option<Held> {
        self.ranks.get_mut(&rank)?.held.remove(id)
    }

    /// What a rank held is to be trained by another, at no cost to the trial.
    pub(super) fn give_back(&mut self, held: Held) {
        if !held.is_stale {
            let attempt = held.given.attempt + 1;
            let next = Pending {
                attempt,
                ..held.given
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

    pub(super) fn silent(&mut self, rank: u32) {
        let Some(silent) = self.ranks.get_mut(&rank) else {
            return;
        };
        silent.is_silent = true;
        let mut given = Vec::new();
        for held in silent.held.values_mut().filter(|held| !held.is_stale) {
            held.is_stale = true;
            given.push(held.given.clone());
        }
        for given in given {
            self.give_back(Held::of(given));
        }
    }

    pub(super) fn heard(&mut self, rank: u32) {
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
