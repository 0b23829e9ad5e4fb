//! Who holds which trial, whose result is waited for, and who has the least to do. With ten thousand ranks none of that can
//! be looked for at each event: it is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use efflux_job::TrialId;
use efflux_run::Rank;

use super::budget::Pending;

#[derive(Debug, Default)]
pub(super) struct RankState {
    pub(super) slots: usize,
    /// Nothing is dispatched to it.
    pub(super) is_silent: bool,
    held: BTreeMap<TrialId, Pending>,
}

impl RankState {
    /// Thousandths of its slots that have a trial; none if it is not to be given any.
    fn load(&self) -> Option<usize> {
        let is_open = !self.is_silent && self.slots > 0;
        is_open.then(|| self.held.len() * 1000 / self.slots)
    }

    fn idle(&self) -> usize {
        match self.is_silent {
            true => 0,
            false => self.slots.saturating_sub(self.held.len()),
        }
    }
}

/// A trial that a rank held.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) dispatched: Pending,
    /// Whether its result was waited for: it has none yet, and was not dispatched to others since.
    pub(super) is_awaited: bool,
}

/// The ranks of a launch.
#[derive(Debug, Default)]
pub(super) struct Ranks {
    states: BTreeMap<Rank, RankState>,
    /// The rank whose result of a trial is waited for.
    awaited: HashMap<TrialId, Rank>,
    /// What is held without being waited for.
    stale: BTreeSet<(TrialId, Rank)>,
    /// Ranks that may be given trials, by their load.
    by_load: BTreeSet<(usize, Rank)>,
    slots: usize,
    idle: usize,
}

impl Ranks {
    /// Slots of all ranks.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Slots without a trial, but for those of silent ranks.
    pub(super) fn idle_slots(&self) -> usize {
        self.idle
    }

    /// Whether a result is waited for.
    pub(super) fn awaits_any(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Whether a result of this trial is waited for.
    pub(super) fn awaits(&self, id: &TrialId) -> bool {
        self.awaited.contains_key(id)
    }

    /// The rank with the lowest load of those that have less than so many trials for each slot.
    pub(super) fn idlest_below(&self, trials_of_slot: usize) -> Option<Rank> {
        let (load, rank) = self.by_load.first()?;
        (*load < trials_of_slot * 1000).then_some(*rank)
    }

    /// Adds a rank that is not known yet, and changes it.
    pub(super) fn join(&mut self, rank: Rank, change: impl FnOnce(&mut RankState)) {
        self.states.entry(rank).or_default();
        self.change(rank, change);
    }

    /// Changes a rank, and what is kept of it with it; nothing if it is gone.
    pub(super) fn change<T>(
        &mut self,
        rank: Rank,
        change: impl FnOnce(&mut RankState) -> T,
    ) -> Option<T> {
        let state = self.states.get_mut(&rank)?;
        if let Some(load) = state.load() {
            self.by_load.remove(&(load, rank));
        }
        self.slots -= state.slots;
        self.idle -= state.idle();
        let result = change(state);
        self.slots += state.slots;
        self.idle += state.idle();
        if let Some(load) = state.load() {
            self.by_load.insert((load, rank));
        }
        Some(result)
    }

    /// Has a rank hold a trial, whose result is waited for from it and from nobody else.
    pub(super) fn hold(&mut self, rank: Rank, pending: Pending) {
        let id = pending.trial.id.clone();
        self.change(rank, |state| state.held.insert(id.clone(), pending));
        self.unawait(&id);
        self.stale.remove(&(id.clone(), rank));
        self.awaited.insert(id, rank);
    }

    /// The result of a trial is not waited for any more.
    pub(super) fn unawait(&mut self, id: &TrialId) {
        if let Some((id, rank)) = self.awaited.remove_entry(id) {
            self.stale.insert((id, rank));
        }
    }

    /// What was dispatched of a trial whose result is waited for.
    pub(super) fn awaited(&self, id: &TrialId) -> Option<&Pending> {
        self.states.get(self.awaited.get(id)?)?.held.get(id)
    }

    /// A rank that is heard of and holds this trial: the one whose result is waited for, if there is one.
    pub(super) fn holder(&self, id: &TrialId) -> Option<Rank> {
        let awaited = self.awaited.get(id).copied();
        let heard = |rank: &Rank| {
            let state = self.states.get(rank);
            state.is_some_and(|state| !state.is_silent)
        };
        let stale = self.stale.range((id.clone(), Rank(0))..);
        let mut stale = stale.take_while(|(of, _)| of == id).map(|(_, rank)| *rank);
        awaited.or_else(|| stale.find(heard))
    }

    /// A rank is done with a trial.
    pub(super) fn take(&mut self, rank: Rank, id: &TrialId) -> Option<Held> {
        let dispatched = self.change(rank, |state| state.held.remove(id))??;
        let is_awaited = self.awaited.get(id) == Some(&rank);
        if is_awaited {
            self.awaited.remove(id);
        } else {
            self.stale.remove(&(id.clone(), rank));
        }
        Some(Held {
            dispatched,
            is_awaited,
        })
    }

    /// The trials that a rank holds, in the order of their ids.
    pub(super) fn held_by(&self, rank: Rank) -> Vec<TrialId> {
        let state = self.states.get(&rank);
        state.map_or_else(Vec::new, |state| state.held.keys().cloned().collect())
    }

    /// Those of them whose results are waited for from it.
    pub(super) fn awaited_from(&self, rank: Rank) -> Vec<Pending> {
        let held = self.states.get(&rank).into_iter().flat_map(|one| &one.held);
        let awaited = held.filter(|(id, _)| self.awaited.get(id) == Some(&rank));
        awaited.map(|(_, pending)| pending.clone()).collect()
    }

    /// Removes a rank with all that it held.
    pub(super) fn remove(&mut self, rank: Rank) -> Vec<Held> {
        let held = self.held_by(rank);
        let held: Vec<Held> = held.iter().filter_map(|id| self.take(rank, id)).collect();
        // It has no part in loads and counts then.
        self.change(rank, |state| *state = RankState::default());
        self.states.remove(&rank);
        held
    }
}
