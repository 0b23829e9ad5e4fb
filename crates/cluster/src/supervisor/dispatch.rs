//! Which slot a trial is dispatched to.

use std::time::Instant;

use efflux_base::error::Result;
use efflux_job::TrialId;
use efflux_protocol::{Assignment, Isolation, Placement};
use efflux_run::Heartbeat;

use super::Supervisor;
use crate::session::TrainerSession;

/// A slot and what is in it.
#[derive(Debug, Default)]
pub(super) struct SlotState {
    pub(super) placement: Placement,
    /// It is not used any more: the host has too little memory for so many.
    pub(super) is_closed: bool,
    pub(super) trainer: Option<TrainerSession>,
    /// Whether its trainer has been given a trial.
    pub(super) has_trained: bool,
    /// Trainers in a row that ended before they were ready.
    pub(super) false_starts: u32,
    /// What its trainer has in its lanes.
    pub(super) running: Vec<Running>,
}

/// A trial that a trainer was given.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) assignment: Assignment,
    pub(super) since: Instant,
    pub(super) started: String,
    pub(super) heartbeat: Option<Heartbeat>,
}

impl SlotState {
    /// Whether it has a trainer that is ready for trials.
    pub(super) fn is_ready(&self) -> bool {
        self.trainer.as_ref().is_some_and(TrainerSession::is_ready)
    }

    /// Whether its trainer is in the middle of a trial.
    pub(super) fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether it is idle, or trains trials that can share their lanes with this one.
    fn is_for(&self, assignment: &Assignment) -> bool {
        self.running.iter().all(|running| {
            let (there, here) = (&running.assignment, assignment);
            let in_lanes = [there, here].map(|one| one.isolation == Isolation::SharedLanes);
            in_lanes == [true, true] && there.trial.is_like(&here.trial)
        })
    }

    /// Removes a trial that has ended or was handed back.
    pub(super) fn take(&mut self, trial: &TrialId) -> Option<Running> {
        let is_it = |running: &Running| running.assignment.trial.id == *trial;
        let at = self.running.iter().position(is_it)?;
        Some(self.running.remove(at))
    }
}

impl Supervisor {
    /// Dispatches waiting trials to slots with a free lane.
    pub(super) fn fill(&mut self) -> Result<()> {
        // What each slot has, and will have when its trainer is ready.
        let mut taken: Vec<usize> = self.slots.iter().map(|slot| slot.running.len()).collect();
        let mut place = 0;
        while let Some(next) = self.queue.get(place) {
            let alone = next.isolation == Isolation::OwnDevice;
            let Some(slot) = self.slot_for(next, &taken) else {
                // What needs a device for itself is not to wait for ever while others pass by.
                if alone {
                    break;
                }
                place += 1;
                continue;
            };
            taken[slot] += 1;
            if alone {
                self.clear_device_of(slot);
            }
            if self.slots[slot].trainer.is_none() {
                self.start_trainer(slot)?;
            }
            let target = &mut self.slots[slot];
            if !target.is_ready() {
                if alone {
                    break;
                }
                place += 1;
            } else if let (Some(trainer), Some(assignment)) =
                (&mut target.trainer, self.queue.remove(place))
            {
                trainer.assign(&assignment);
                target.has_trained = true;
                target.running.push(Running {
                    assignment,
                    since: Instant::now(),
                    started: jiff::Timestamp::now().to_string(),
                    heartbeat: None,
                });
            }
        }
        Ok(())
    }

    /// The slot that this assignment may begin in: of those, one whose trainer is ready, and that has the least to do.
    fn slot_for(&self, assignment: &Assignment, taken: &[usize]) -> Option<usize> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|&(slot, there)| {
                !there.is_closed
                    && taken[slot] < self.lanes as usize
                    && there.is_for(assignment)
                    && self.has_room(slot, assignment.isolation)
            })
            .min_by_key(|&(slot, there)| (!there.is_ready(), taken[slot]))
            .map(|(slot, _)| slot)
    }

    /// Whether what runs on the device of this slot lets another trial begin there.
    fn has_room(&self, slot: usize, isolation: Isolation) -> bool {
        let mut running = self.beside(slot).flat_map(|other| &other.running);
        if isolation == Isolation::OwnDevice {
            running.next().is_none()
        } else {
            running.all(|running| running.assignment.isolation != Isolation::OwnDevice)
        }
    }

    /// The other slots on the device of this one.
    fn beside(&self, slot: usize) -> impl Iterator<Item = &SlotState> {
        let gpu = &self.slots[slot].placement.gpu;
        let others = self.slots.iter().enumerate();
        others.filter_map(move |(other, there)| {
            (other != slot && there.placement.gpu == *gpu).then_some(there)
        })
    }

    /// Ends the idle trainers on the device of this slot, and its own unless that has done nothing yet: what they have
    /// freed need not have gone back to the system. They are started again when there is need.
    fn clear_device_of(&mut self, slot: usize) {
        let gpu = self.slots[slot].placement.gpu.clone();
        for (other, there) in self.slots.iter_mut().enumerate() {
            if there.placement.gpu == gpu && (other != slot || there.has_trained) {
                there.trainer = None;
            }
        }
    }
}
