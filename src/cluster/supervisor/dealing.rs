//! Which slot takes which trial.

use std::time::Instant;

use super::Supervisor;
use crate::cluster::message::{Assignment, Order};
use crate::cluster::seats::Seat;
use crate::cluster::trainer::Trainer;
use crate::error::Result;
use crate::run::Beat;

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
    pub(super) running: Option<Running>,
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) assignment: Assignment,
    pub(super) since: Instant,
    pub(super) started: String,
    pub(super) beat: Option<Beat>,
}

impl Supervisor {
    /// Gives waiting assignments to idle slots.
    pub(super) fn fill(&mut self) -> Result<()> {
        for slot in 0..self.slots.len() {
            let Some(next) = self.queue.front() else {
                break;
            };
            let (is_idle, alone) = (self.slots[slot].running.is_none(), next.alone);
            if !is_idle || self.slots[slot].is_closed || !self.has_room(slot, alone) {
                continue;
            }
            if alone {
                self.clear_beside(slot);
            }
            if self.slots[slot].trainer.is_none() {
                self.spawn(slot)?;
            }
            let target = &mut self.slots[slot];
            if target.is_ready
                && let (Some(trainer), Some(assignment)) =
                    (&mut target.trainer, self.queue.pop_front())
            {
                trainer.send(&Order::Run(assignment.clone()));
                target.heard = Some(Instant::now());
                target.running = Some(Running {
                    assignment,
                    since: Instant::now(),
                    started: jiff::Timestamp::now().to_string(),
                    beat: None,
                });
            }
        }
        Ok(())
    }

    /// Whether what runs on the device of this slot lets another trial begin there.
    fn has_room(&self, slot: usize, alone: bool) -> bool {
        let mut running = self.beside(slot).filter_map(|other| other.running.as_ref());
        if alone {
            running.next().is_none()
        } else {
            running.all(|running| !running.assignment.alone)
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
