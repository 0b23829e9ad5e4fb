//! Which slot takes which trial.

use std::time::Instant;

use efflux_base::error::Result;
use efflux_job::TrialId;
use efflux_protocol::{Assignment, Company, Order, Seat};
use efflux_run::Beat;

use super::Supervisor;
use crate::trainer::Trainer;

#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) seat: Seat,
    /// Given up, because the host has too little memory for so many.
    pub(super) is_closed: bool,
    pub(super) trainer: Option<Trainer>,
    pub(super) is_ready: bool,
    /// When the trainer was started, ordered to do something, or last said anything.
    pub(super) heard: Option<Instant>,
    /// Trainers in a row that ended before they were ready.
    pub(super) false_starts: u32,
    /// What its trainer has in its lanes.
    pub(super) running: Vec<Running>,
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) assignment: Assignment,
    pub(super) since: Instant,
    pub(super) started: String,
    pub(super) beat: Option<Beat>,
}

impl Slot {
    /// Whether it is idle, or what it trains lets this be trained beside it.
    fn is_for(&self, assignment: &Assignment) -> bool {
        self.running.iter().all(|running| {
            let (there, here) = (&running.assignment, assignment);
            let in_lanes = [there, here].map(|one| one.company == Company::Lanes);
            in_lanes == [true, true] && there.trial.is_like(&here.trial)
        })
    }

    /// What is known of a trial here, which has ended or comes back.
    pub(super) fn take(&mut self, trial: &TrialId) -> Option<Running> {
        let is_it = |running: &Running| running.assignment.trial.id == *trial;
        let at = self.running.iter().position(is_it)?;
        Some(self.running.remove(at))
    }
}

impl Supervisor {
    /// Gives waiting assignments to slots with a free lane.
    pub(super) fn fill(&mut self) -> Result<()> {
        // What each slot has, and will have when its trainer is ready.
        let mut taken: Vec<usize> = self.slots.iter().map(|slot| slot.running.len()).collect();
        let mut place = 0;
        while let Some(next) = self.queue.get(place) {
            let alone = next.company == Company::Nobody;
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
                self.clear_beside(slot);
            }
            if self.slots[slot].trainer.is_none() {
                self.spawn(slot)?;
            }
            let target = &mut self.slots[slot];
            if !target.is_ready {
                if alone {
                    break;
                }
                place += 1;
            } else if let (Some(trainer), Some(assignment)) =
                (&mut target.trainer, self.queue.remove(place))
            {
                trainer.send(&Order::Run(assignment.clone()));
                target.heard = Some(Instant::now());
                target.running.push(Running {
                    assignment,
                    since: Instant::now(),
                    started: jiff::Timestamp::now().to_string(),
                    beat: None,
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
                    && self.has_room(slot, assignment.company)
            })
            .min_by_key(|&(slot, there)| (!there.is_ready, taken[slot]))
            .map(|(slot, _)| slot)
    }

    /// Whether what runs on the device of this slot lets another trial begin there.
    fn has_room(&self, slot: usize, company: Company) -> bool {
        let mut running = self.beside(slot).flat_map(|other| &other.running);
        if company == Company::Nobody {
            running.next().is_none()
        } else {
            running.all(|running| running.assignment.company != Company::Nobody)
        }
    }

    /// The other slots on the device of this one.
    fn beside(&self, slot: usize) -> impl Iterator<Item = &Slot> {
        let gpu = &self.slots[slot].seat.gpu;
        let others = self.slots.iter().enumerate();
        others.filter_map(move |(other, there)| {
            (other != slot && there.seat.gpu == *gpu).then_some(there)
        })
    }

    /// Ends the idle trainers on the device of this slot: they hold memory. They are started again when there is need.
    fn clear_beside(&mut self, slot: usize) {
        let gpu = self.slots[slot].seat.gpu.clone();
        for (other, there) in self.slots.iter_mut().enumerate() {
            if other != slot && there.seat.gpu == gpu && there.trainer.take().is_some() {
                there.is_ready = false;
            }
        }
    }
}
