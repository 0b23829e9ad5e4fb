//! What becomes of a trial when the rank that holds it ends it, hands it back, is silent, heard of again or gone.

use efflux_job::TrialId;
use efflux_run::Rank;

use super::Scheduler;
use super::budget::Pending;
use super::line::Line;
use super::ranks::Held;

impl Scheduler {
    /// A trial has a result from a rank that was not waited for: another one is not waited for either. After so many epochs,
    /// if it has not ended: more of them are still waited for.
    pub(super) fn settle(&mut self, id: &TrialId, epoch: Option<u32>) {
        let is_settled = |pending: &Pending| pending.ends_by(epoch);
        if self.line.get(id).is_some_and(is_settled) {
            self.line.remove(id);
        }
        if self.ranks.awaited(id).is_some_and(is_settled) {
            self.ranks.unawait(id);
        }
    }

    /// A trial has come to a rung. What was asked of its rank meanwhile may be more.
    pub(super) fn at_rung(&mut self, rank: Rank, id: &TrialId, epoch: u32) {
        if let Some(held) = self.ranks.take(rank, id)
            && !held.dispatched.ends_by(Some(epoch))
        {
            self.give_back(held);
        }
        self.settle(id, Some(epoch));
    }

    /// What a rank held is to be trained by another, at no cost to the trial.
    pub(super) fn give_back(&mut self, held: Held) {
        if held.is_awaited {
            let attempt = held.dispatched.attempt.next();
            let next = Pending {
                attempt,
                ..held.dispatched
            };
            self.await_again(next, Line::push_front);
        }
    }

    /// A trial waits for a rank, unless one that was silent is still at it.
    pub(super) fn await_again(&mut self, next: Pending, line_up: fn(&mut Line, Pending)) {
        match self.ranks.holder(&next.trial.id) {
            Some(rank) => self.ranks.hold(rank, next),
            None => line_up(&mut self.line, next),
        }
    }

    pub(super) fn silent(&mut self, rank: Rank) {
        self.ranks.change(rank, |state| state.is_silent = true);
        for dispatched in self.ranks.awaited_from(rank) {
            self.ranks.unawait(&dispatched.trial.id);
            self.give_back(Held {
                dispatched,
                is_awaited: true,
            });
        }
    }

    pub(super) fn heard(&mut self, rank: Rank) {
        self.ranks.change(rank, |state| state.is_silent = false);
        for id in self.ranks.held_by(rank) {
            if let Some(pending) = self.line.remove(&id) {
                self.ranks.hold(rank, pending);
            }
        }
    }
}
