//! Trials that wait to be dispatched, in their order. Each is found by its id without looking through the others.

use std::collections::{BTreeMap, HashMap};

use efflux_job::TrialId;

use super::budget::Pending;

#[derive(Debug, Default)]
pub(super) struct Line {
    /// By their place: ascending, with gaps, and below zero for those that came to the front.
    pending: BTreeMap<i64, Pending>,
    places: HashMap<TrialId, i64>,
}

impl Line {
    pub(super) fn push_front(&mut self, pending: Pending) {
        let first = self.pending.first_key_value();
        self.insert(first.map_or(0, |(place, _)| place - 1), pending);
    }

    pub(super) fn push_back(&mut self, pending: Pending) {
        let last = self.pending.last_key_value();
        self.insert(last.map_or(0, |(place, _)| place + 1), pending);
    }

    fn insert(&mut self, place: i64, pending: Pending) {
        self.places.insert(pending.trial.id.clone(), place);
        self.pending.insert(place, pending);
    }

    pub(super) fn pop_front(&mut self) -> Option<Pending> {
        let (_, first) = self.pending.pop_first()?;
        self.places.remove(&first.trial.id);
        Some(first)
    }

    pub(super) fn get(&self, id: &TrialId) -> Option<&Pending> {
        self.pending.get(self.places.get(id)?)
    }

    pub(super) fn remove(&mut self, id: &TrialId) -> Option<Pending> {
        let place = self.places.remove(id)?;
        self.pending.remove(&place)
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}
