//! Trainers that end without having been asked to, and what that costs.

use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_protocol::FromRank;
use efflux_run::Slot;
use efflux_run::record::{Failure, FailureClass, Outcome, Record};

use super::Supervisor;
use super::dispatch::Running;
use crate::memory;
use crate::trainer_process::TrainerExit;

/// So many trainers in a row that end before they are ready are no accident.
const FALSE_STARTS: u32 = 3;
/// Exits that lie this close together may have one cause.
const AT_A_TIME: Duration = Duration::from_secs(1);
/// A longer time between two polls means that this process was stopped: no trainer could be heard in it.
const STALL: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Kills trainers that have exceeded the heartbeat timeout while there is something to hear from them.
    pub(super) fn kill_silent(&mut self, out: &mut Vec<FromRank>) -> Result<()> {
        let gap = std::mem::replace(&mut self.polled, Instant::now()).elapsed();
        let Some(prepared) = &self.prepared else {
            // Nothing has been started yet.
            return Ok(());
        };
        let timeout = Duration::from_secs(prepared.preparation.hang_seconds.into());
        for index in 0..self.slots.len() {
            let slot = &mut self.slots[index];
            let is_awaited = slot.is_busy() || !slot.is_ready();
            let Some(trainer) = &mut slot.trainer else {
                continue;
            };
            if gap > STALL {
                trainer.excuse(gap);
            }
            if is_awaited && trainer.silence() > timeout {
                let exit = trainer.kill(&format!("it gave no sign of life for {timeout:?}"));
                self.trainer_exited(index, FailureClass::Hung, &exit, out)?;
            }
        }
        Ok(())
    }

    /// The class of failure of a trainer that this supervisor has not killed. SIGKILL counts as the kernel's, for want of
    /// memory, if the control group has counted one since the last exit, or does not count.
    pub(super) fn class_of(&mut self, exit: &TrainerExit) -> FailureClass {
        if !exit.by_kill {
            return FailureClass::Crashed;
        }
        let before = std::mem::replace(&mut self.kills, memory::kills());
        let is_counted = match (before, self.kills) {
            (Some(before), Some(now)) => now != before,
            _ => true,
        };
        if is_counted {
            self.killed = Some(Instant::now());
        }
        // Of several exits at a time, the first one finds the count of all.
        match self.killed {
            Some(last) if last.elapsed() < AT_A_TIME => FailureClass::MemoryHost,
            _ => FailureClass::Crashed,
        }
    }

    /// Handles the exit of a trainer. In the middle of trials it costs their attempts; several in a row that were never
    /// ready are a reason to stop.
    pub(super) fn trainer_exited(
        &mut self,
        slot: usize,
        class: FailureClass,
        exit: &TrainerExit,
        out: &mut Vec<FromRank>,
    ) -> Result<()> {
        if class == FailureClass::MemoryHost {
            self.close(slot, out);
        }
        let state = &mut self.slots[slot];
        let was_ready = state.is_ready();
        state.trainer = None;
        if !was_ready && !state.is_closed {
            state.false_starts += 1;
            if state.false_starts == FALSE_STARTS {
                return Err(Error::Trainer(format!(
                    "{FALSE_STARTS} trainers in a row were not ready: the last {exit}"
                )));
            }
            tracing::warn!(slot, "a trainer {exit} before it was ready");
            return self.start_trainer(slot);
        }
        let all = std::mem::take(&mut state.running);
        let (class, how) = match (all.len(), class) {
            (2.., FailureClass::Crashed | FailureClass::Hung) => (
                FailureClass::Shared,
                format!("the trainer of {} trials {exit}", all.len()),
            ),
            _ => (class, format!("the trainer {exit}")),
        };
        for running in all {
            let record = self.record_of(slot, running, class, &how)?;
            self.pass_on(Box::new(record), out)?;
        }
        Ok(())
    }

    /// The record of an attempt whose trainer has ended.
    fn record_of(
        &mut self,
        slot: usize,
        running: Running,
        class: FailureClass,
        how: &str,
    ) -> Result<Record> {
        let placement = self.slots[slot].placement.clone();
        let preparation = &self.prepared()?.preparation;
        Ok(Record {
            trial: running.assignment.trial,
            attempt: running.assignment.attempt,
            place: preparation.for_slot(Slot::at(slot), &placement).place(),
            started: running.started,
            seconds: running.since.elapsed().as_secs_f64(),
            outcome: Outcome::Failed(Failure {
                class,
                message: how.to_owned(),
            }),
        })
    }

    /// Closes a slot, unless it is the last: the host has too little memory for so many.
    fn close(&mut self, slot: usize, out: &mut Vec<FromRank>) {
        if self.open_slots() > 1 && !self.slots[slot].is_closed {
            self.slots[slot].is_closed = true;
            let ready = self.ready();
            tracing::warn!(slots = ready.slots, "too little memory: one slot fewer");
            out.push(FromRank::Ready(ready));
        }
    }
}
