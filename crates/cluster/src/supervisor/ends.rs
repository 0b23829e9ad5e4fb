//! How trainers end without having been asked to, and what that costs.

use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_protocol::Report;
use efflux_run::host;
use efflux_run::record::{Failure, FailureClass, Outcome, Place, Record};

use super::Supervisor;
use super::dealing::Running;
use crate::memory;
use crate::trainer::Gone;

/// So many trainers in a row that end before they are ready are no accident.
const FALSE_STARTS: u32 = 3;
/// Ends that lie this close together may have one cause.
const AT_A_TIME: Duration = Duration::from_secs(1);
/// A longer time between two looks at the trainers means that this process was stopped: nobody could be heard in it.
const STALL: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Kills trainers that should have said something long ago.
    pub(super) fn end_silent(&mut self, out: &mut Vec<Report>) -> Result<()> {
        let gap = std::mem::replace(&mut self.polled, Instant::now()).elapsed();
        let Some(prepared) = &self.prepared else {
            // Nothing has been started yet.
            return Ok(());
        };
        let limit = Duration::from_secs(prepared.preparation.hang_seconds.into());
        for index in 0..self.slots.len() {
            let slot = &mut self.slots[index];
            if gap > STALL {
                slot.heard = slot.heard.map(|heard| heard + gap);
            }
            let is_awaited = !slot.running.is_empty() || !slot.is_ready;
            let is_silent = slot.heard.is_some_and(|heard| heard.elapsed() > limit);
            if let Some(trainer) = slot.trainer.as_mut().filter(|_| is_awaited && is_silent) {
                let how = trainer.end(&format!("it gave no sign of life for {limit:?}"));
                self.lost(index, FailureClass::Hung, &how, out)?;
            }
        }
        Ok(())
    }

    /// The class of an end that was not from here. A kill is the kernel's for want of memory if the control group says
    /// so, or cannot say.
    pub(super) fn class_of(&mut self, gone: &Gone) -> FailureClass {
        if !gone.by_kill {
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
        // Of several at a time the count tells with the first.
        match self.killed {
            Some(last) if last.elapsed() < AT_A_TIME => FailureClass::MemoryHost,
            _ => FailureClass::Crashed,
        }
    }

    /// A trainer has ended. In the middle of a trial that costs this attempt; several in a row that never were ready are
    /// a reason to stop.
    pub(super) fn lost(
        &mut self,
        slot: usize,
        class: FailureClass,
        how: &Gone,
        out: &mut Vec<Report>,
    ) -> Result<()> {
        if class == FailureClass::MemoryHost {
            self.close(slot, out);
        }
        let lost = &mut self.slots[slot];
        lost.trainer = None;
        if !lost.is_ready && !lost.is_closed {
            lost.false_starts += 1;
            if lost.false_starts == FALSE_STARTS {
                return Err(Error::Trainer(format!(
                    "{FALSE_STARTS} trainers in a row were not ready: the last {how}"
                )));
            }
            tracing::warn!(slot, "a trainer {how} before it was ready");
            return self.spawn(slot);
        }
        let all = std::mem::take(&mut lost.running);
        let (class, how) = match (all.len(), class) {
            (2.., FailureClass::Crashed | FailureClass::Hung) => (
                FailureClass::Shared,
                format!("the trainer of {} trials {how}", all.len()),
            ),
            _ => (class, format!("the trainer {how}")),
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
        let preparation = &self.prepared()?.preparation;
        Ok(Record {
            trial: running.assignment.trial,
            attempt: running.assignment.attempt,
            place: Place {
                launch: preparation.launch.clone(),
                rank: preparation.rank,
                slot: u32::try_from(slot).unwrap_or(u32::MAX),
                host: host(),
                device: String::new(),
            },
            started: running.started,
            seconds: running.since.elapsed().as_secs_f64(),
            outcome: Outcome::Failed(Failure {
                class,
                message: how.to_owned(),
            }),
        })
    }

    /// Gives a slot up, unless it is the last: the host has too little memory for so many.
    fn close(&mut self, slot: usize, out: &mut Vec<Report>) {
        if self.open_slots() > 1 && !self.slots[slot].is_closed {
            self.slots[slot].is_closed = true;
            let ready = self.ready();
            tracing::warn!(slots = ready.slots, "too little memory: one slot fewer");
            out.push(Report::Ready(ready));
        }
    }
}
