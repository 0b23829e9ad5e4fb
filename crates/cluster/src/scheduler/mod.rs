//! Which rank trains which trial: a state machine without clock, files or messages, so that every order of events can be
//! tested.

mod budget;
mod lease;
mod line;
mod ranks;
#[cfg(test)]
mod tests;

use efflux_job::{Trial, TrialId};
use efflux_protocol::Isolation;
use efflux_run::record::FailureClass;
use efflux_run::{Attempt, Rank};

use budget::Pending;
use line::Line;
use ranks::Ranks;

/// Something that has happened, as the coordinator knows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A rank is ready with so many slots, or has another number of them than before.
    Joined {
        /// The rank.
        rank: Rank,
        /// Trials it can train at a time.
        slots: u32,
    },
    /// There is more to train.
    Added(Vec<Planned>),
    /// A rank's attempt at a trial has ended.
    Ended {
        /// The rank.
        rank: Rank,
        /// The trial.
        id: TrialId,
        /// How it failed; nothing if it was trained to the end.
        failed: Option<FailureClass>,
    },
    /// A rank has trained a trial for so many epochs, which is what it was dispatched for.
    AtRung {
        /// The rank.
        rank: Rank,
        /// The trial.
        id: TrialId,
        /// The epochs.
        epoch: u32,
    },
    /// A rank has handed a trial back.
    Released {
        /// The rank.
        rank: Rank,
        /// The trial.
        id: TrialId,
    },
    /// A rank was not heard of for too long. It may only be slow.
    Silent(Rank),
    /// A silent rank was heard of again.
    Heard(Rank),
    /// These ranks are gone. What they had time to do is told next, and then that they are lost.
    Going(Vec<Rank>),
    /// A rank is gone for good.
    Lost(Rank),
    /// Nothing more is to be dispatched.
    Closed,
}

/// A trial that is to be trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The trial.
    pub trial: Trial,
    /// The attempts made so far.
    pub attempts: Attempt,
    /// Epochs after which it is to be handed back; none: it is trained to its end.
    pub until: Option<u32>,
    /// It was at a rung already: it goes on before others begin.
    pub goes_on: bool,
}

/// Something the coordinator has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Dispatch a trial to a rank.
    Dispatch {
        /// The rank.
        rank: Rank,
        /// The trial.
        trial: Trial,
        /// Counts how often it was dispatched, from 1.
        attempt: Attempt,
        /// What it may share with other trials.
        isolation: Isolation,
        /// Epochs after which it is to be handed back.
        until: Option<u32>,
    },
}

/// Trials and ranks.
///
/// A rank gets as many trials as it has slots, and as long as there are more trials than slots one more for each slot,
/// to have at hand when a slot falls idle: slots never wait for a message to travel.
///
/// An attempt that fails is made again as often as its class of failure allows; what a rank hands back or takes with it
/// is not held against a trial. The trials of a silent rank are given to others. Should it be heard of again, it keeps
/// those that nobody has begun, and whoever ends first with one of the others settles it.
#[derive(Debug)]
pub struct Scheduler {
    /// Further attempts at a trial whose trainer crashed or hung, in one launch.
    retries: u32,
    line: Line,
    ranks: Ranks,
    is_closed: bool,
}

impl Scheduler {
    /// A scheduler that has a crashed trial tried again so many times.
    pub fn new(retries: u32) -> Self {
        Self {
            retries,
            line: Line::default(),
            ranks: Ranks::default(),
            is_closed: false,
        }
    }

    /// Handles an event, and returns what to do about it.
    pub fn on(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::Joined { rank, slots } => {
                let slots = slots as usize;
                self.ranks.join(rank, |state| state.slots = slots);
            }
            Event::Added(trials) => self.add(trials),
            Event::Ended { rank, id, failed } => self.ended(rank, &id, failed),
            Event::AtRung { rank, id, epoch } => self.at_rung(rank, &id, epoch),
            Event::Released { rank, id } => {
                if let Some(held) = self.ranks.take(rank, &id) {
                    self.give_back(held);
                }
            }
            Event::Silent(rank) => self.silent(rank),
            Event::Heard(rank) => self.heard(rank),
            Event::Going(ranks) => {
                for rank in ranks {
                    self.ranks.change(rank, |state| state.is_silent = true);
                }
            }
            Event::Lost(rank) => {
                let held = self.ranks.remove(rank).into_iter();
                held.for_each(|held| self.give_back(held));
            }
            Event::Closed => self.is_closed = true,
        }
        if self.is_closed {
            return Vec::new();
        }
        self.dispatch()
    }

    /// Whether no trial runs whose result is waited for and, unless closed, none waits to be dispatched.
    pub fn is_idle(&self) -> bool {
        (self.line.is_empty() || self.is_closed) && !self.ranks.awaits_any()
    }

    /// Whether a trial waits to be dispatched.
    pub fn is_waiting(&self) -> bool {
        !self.line.is_empty()
    }

    /// Whether there is a slot for another trial than those that wait, or nothing at all to do.
    pub fn has_room(&self) -> bool {
        !self.is_closed && (self.line.len() < self.ranks.idle_slots() || self.is_idle())
    }

    /// Whether a trial waits to be dispatched or its result is waited for.
    pub fn has(&self, id: &TrialId) -> bool {
        self.ranks.awaits(id) || self.line.get(id).is_some()
    }

    fn add(&mut self, trials: Vec<Planned>) {
        let (on, new): (Vec<Planned>, Vec<Planned>) =
            trials.into_iter().partition(|planned| planned.goes_on);
        // The last that comes to the front is the first.
        for planned in on.into_iter().rev() {
            self.await_again(Pending::of(planned), Line::push_front);
        }
        for planned in new {
            self.await_again(Pending::of(planned), Line::push_back);
        }
    }

    fn ended(&mut self, rank: Rank, id: &TrialId, failed: Option<FailureClass>) {
        let held = self.ranks.take(rank, id);
        match (held.filter(|held| held.is_awaited), failed) {
            (Some(_), None) => {}
            (Some(held), Some(class)) => {
                if let Some(next) = held.dispatched.after(class, self.retries) {
                    self.await_again(next, Line::push_back);
                }
            }
            (None, None) => self.settle(id, None),
            // It was dispatched to others, whose result counts.
            (None, Some(_)) => {}
        }
    }

    fn dispatch(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        // First a trial for every idle slot, rank by rank in turn; then one to have at hand.
        for ahead in [1, 2] {
            if ahead == 2 && self.line.len() <= self.ranks.slots() {
                break;
            }
            while let Some(rank) = self.ranks.idlest_below(ahead) {
                let Some(next) = self.line.pop_front() else {
                    return actions;
                };
                actions.push(Action::Dispatch {
                    rank,
                    trial: next.trial.clone(),
                    attempt: next.attempt,
                    isolation: next.isolation,
                    until: next.until,
                });
                self.ranks.hold(rank, next);
            }
        }
        actions
    }
}
