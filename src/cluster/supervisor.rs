//! The supervisor of a rank: keeps a trainer in every slot, makes what they report durable, passes it on.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::memory;
use super::message::{Assignment, Order, Preparation, Ready, Report};
use super::seats::Seat;
use super::slots::Level;
use super::trainer::{Gone, Trainer};
use crate::error::{Error, Result};
use crate::job::DeviceChoice;
use crate::run::record::{Failure, FailureClass, Outcome, Place, Record};
use crate::run::{Beat, Entry, Journal, RunDir, host};

/// Heartbeats of all slots go up together, this often.
const BEAT: Duration = Duration::from_secs(1);
/// So many trainers in a row that end before they are ready are no accident.
const FALSE_STARTS: u32 = 3;
/// A longer time between two looks at the trainers means that this process was stopped: nobody could be heard in it.
const STALL: Duration = Duration::from_secs(5);
/// How long trainers may take to end when asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// The slots of one rank.
#[derive(Debug)]
pub struct Supervisor {
    slots: Vec<Slot>,
    queue: VecDeque<Assignment>,
    /// To be passed on with the next poll.
    outbox: Vec<Report>,
    /// What the kernel had killed for want of memory when it was last asked.
    kills: Option<u64>,
    prepared: Option<Prepared>,
    beaten: Instant,
    polled: Instant,
}

#[derive(Debug)]
struct Prepared {
    preparation: Preparation,
    journal: Journal,
}

#[derive(Debug, Default)]
struct Slot {
    seat: Seat,
    /// Given up, because the host has too little memory for so many.
    is_closed: bool,
    trainer: Option<Trainer>,
    is_ready: bool,
    /// When the trainer was started, ordered to do something, or last said anything.
    heard: Option<Instant>,
    /// Trainers in a row that ended before they were ready.
    false_starts: u32,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    assignment: Assignment,
    since: Instant,
    started: String,
    beat: Option<Beat>,
}

impl Supervisor {
    /// A supervisor of a slot for each of these seats.
    pub fn new(seats: Vec<Seat>) -> Self {
        let slot = |seat| Slot {
            seat,
            ..Slot::default()
        };
        Self {
            slots: seats.into_iter().map(slot).collect(),
            queue: VecDeque::new(),
            outbox: Vec::new(),
            kills: memory::kills(),
            prepared: None,
            beaten: Instant::now(),
            polled: Instant::now(),
        }
    }

    /// What it says when it joins, and when its number of slots has changed.
    pub fn ready(&self) -> Ready {
        let open = self.slots.iter().filter(|slot| !slot.is_closed).count();
        Ready {
            slots: u32::try_from(open).unwrap_or(u32::MAX),
            host: host(),
            level: Level::of_this_host(),
        }
    }

    /// Carries out an order. [`Order::Stop`] is for [`Supervisor::stop`].
    ///
    /// # Errors
    ///
    /// If the journal or a trainer cannot be made.
    pub fn order(&mut self, order: Order) -> Result<()> {
        match order {
            Order::Prepare(preparation) => {
                let journals = RunDir::new(&preparation.run).journals();
                let journal = Journal::create(&journals, &preparation.launch, preparation.rank)?;
                self.prepared = Some(Prepared {
                    preparation: *preparation,
                    journal,
                });
                (0..self.slots.len()).try_for_each(|slot| self.spawn(slot))
            }
            Order::Run(assignment) => {
                self.queue.push_back(assignment);
                self.fill()
            }
            Order::Close => {
                let waiting = self.queue.drain(..);
                self.outbox
                    .extend(waiting.map(|waiting| released(&waiting)));
                Ok(())
            }
            Order::Drain => {
                self.order(Order::Close)?;
                for slot in self.slots.iter_mut().filter(|slot| slot.running.is_some()) {
                    if let Some(trainer) = &mut slot.trainer {
                        trainer.send(&Order::Drain);
                    }
                }
                Ok(())
            }
            // Members are simulated by a trainer without a supervisor.
            Order::Stop | Order::Simulate(_) => Ok(()),
        }
    }

    /// Writes an entry of the coordinator's own into this rank's journal.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be made durable.
    pub fn journal(&mut self, entry: &Entry) -> Result<()> {
        self.prepared()?.journal.append(entry)
    }

    /// Waits at most this long for trainers, and returns what is to be passed on. Records in it are durable.
    ///
    /// # Errors
    ///
    /// If a record cannot be made durable, or a trainer ends before it was ready for a trial.
    pub fn poll(&mut self, timeout: Duration) -> Result<Vec<Report>> {
        // What waits to be passed on does not wait for trainers.
        let mut reports = std::mem::take(&mut self.outbox);
        self.wait(if reports.is_empty() {
            timeout
        } else {
            Duration::ZERO
        })?;
        for slot in 0..self.slots.len() {
            let Some(trainer) = &mut self.slots[slot].trainer else {
                continue;
            };
            match trainer.reports() {
                Ok(arrived) => {
                    if !arrived.is_empty() {
                        self.slots[slot].heard = Some(Instant::now());
                    }
                    for report in arrived {
                        self.take_in(slot, report, &mut reports)?;
                    }
                }
                Err(gone) => {
                    let class = self.class_of(&gone);
                    self.lost(slot, class, &gone, &mut reports)?;
                }
            }
        }
        self.end_silent(&mut reports)?;
        self.fill()?;
        if self.beaten.elapsed() >= BEAT {
            self.beaten = Instant::now();
            reports.push(Report::Progress(self.beats()));
        }
        Ok(reports)
    }

    /// Ends all trainers, in good order where they let it.
    pub fn stop(&mut self) {
        let deadline = Instant::now() + FAREWELL;
        for slot in &mut self.slots {
            let busy = slot.running.take().is_some() || !slot.is_ready;
            if let Some(trainer) = slot.trainer.take() {
                // One that loads the pack or is in the middle of a trial does not listen.
                trainer.stop(if busy { Instant::now() } else { deadline });
            }
        }
    }

    /// Kills trainers that should have said something long ago.
    fn end_silent(&mut self, out: &mut Vec<Report>) -> Result<()> {
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
            let is_awaited = slot.running.is_some() || !slot.is_ready;
            let is_silent = slot.heard.is_some_and(|heard| heard.elapsed() > limit);
            if let Some(trainer) = slot.trainer.as_mut().filter(|_| is_awaited && is_silent) {
                let how = trainer.end(&format!("it gave no sign of life for {limit:?}"));
                self.lost(index, FailureClass::Hung, &how, out)?;
            }
        }
        Ok(())
    }

    /// Whether any slot is in the middle of a trial.
    pub fn is_busy(&self) -> bool {
        self.slots.iter().any(|slot| slot.running.is_some())
    }

    /// The class of an end that was not from here. A kill is the kernel's for want of memory if the control group says
    /// so, or cannot say.
    fn class_of(&mut self, gone: &Gone) -> FailureClass {
        if !gone.by_kill {
            return FailureClass::Crashed;
        }
        let before = std::mem::replace(&mut self.kills, memory::kills());
        match (before, self.kills) {
            (Some(before), Some(now)) if before == now => FailureClass::Crashed,
            _ => FailureClass::MemoryHost,
        }
    }

    fn prepared(&mut self) -> Result<&mut Prepared> {
        self.prepared
            .as_mut()
            .ok_or_else(|| Error::Internal("a supervisor that was not prepared".into()))
    }

    fn wait(&self, timeout: Duration) -> Result<()> {
        let timeout = Timespec::try_from(timeout)
            .map_err(|_| Error::Internal("a timeout out of range".into()))?;
        let trainers = self.slots.iter().filter_map(|slot| slot.trainer.as_ref());
        let mut waited: Vec<PollFd<'_>> = trainers
            .map(|trainer| PollFd::from_borrowed_fd(trainer.as_fd(), PollFlags::IN))
            .collect();
        match poll(&mut waited, Some(&timeout)) {
            // A signal: whoever set its handler looks at its flag.
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(Error::Trainer(format!("cannot wait for trainers: {error}"))),
        }
    }

    fn spawn(&mut self, slot: usize) -> Result<()> {
        let mut preparation = self.prepared()?.preparation.clone();
        preparation.slot = u32::try_from(slot).unwrap_or(u32::MAX);
        preparation.seat = self.slots[slot].seat.clone();
        if preparation.seat.gpu.is_some() {
            // One that cannot use its GPU is to say why, and not to compute on processors.
            preparation.device = DeviceChoice::Cuda;
        }
        let log = self.log(&preparation);
        let trainer = Trainer::spawn(&preparation, &log)?;
        let slot = &mut self.slots[slot];
        slot.trainer = Some(trainer);
        slot.is_ready = false;
        slot.heard = Some(Instant::now());
        Ok(())
    }

    fn log(&self, preparation: &Preparation) -> PathBuf {
        let Preparation {
            launch, rank, slot, ..
        } = preparation;
        let name = format!("{launch}-{rank:04}-slot-{slot:02}.log");
        RunDir::new(&preparation.run).logs().join(name)
    }

    /// Gives waiting assignments to idle slots.
    fn fill(&mut self) -> Result<()> {
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

    fn take_in(&mut self, slot: usize, report: Report, out: &mut Vec<Report>) -> Result<()> {
        match report {
            Report::Seated(seen) => {
                if let Some(trainer) = &self.slots[slot].trainer {
                    trainer.check(&seen)?;
                }
                self.slots[slot].is_ready = true;
                self.slots[slot].false_starts = 0;
            }
            Report::Progress(beats) => {
                if let Some(running) = &mut self.slots[slot].running {
                    running.beat = beats.into_iter().next_back();
                }
            }
            Report::Ended(record) => {
                let running = self.slots[slot].running.take();
                self.pass_on(record, out)?;
                // The record is durable: nobody will go on from there. A file left behind costs space only.
                if let Some(path) = running.and_then(|running| running.assignment.checkpoint) {
                    let _ = std::fs::remove_file(path);
                }
            }
            Report::Released { .. } => {
                let running = self.slots[slot].running.take();
                out.extend(running.map(|running| released(&running.assignment)));
            }
            // Trainers take no notice of signals, and that one is gone is seen.
            Report::Ready(_) | Report::Simulated(_) | Report::Signalled(_) | Report::Lost => {}
            Report::Unable(reason) => return Err(Error::Trainer(reason)),
        }
        Ok(())
    }

    /// A trainer has ended. In the middle of a trial that costs this attempt; several in a row that never were ready are
    /// a reason to stop.
    fn lost(
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
        let Some(running) = lost.running.take() else {
            return Ok(());
        };
        let preparation = &self.prepared()?.preparation;
        let record = Record {
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
                message: format!("the trainer {how}"),
            }),
        };
        self.pass_on(Box::new(record), out)
    }

    /// Gives a slot up, unless it is the last: the host has too little memory for so many.
    fn close(&mut self, slot: usize, out: &mut Vec<Report>) {
        if self.ready().slots > 1 && !self.slots[slot].is_closed {
            self.slots[slot].is_closed = true;
            let ready = self.ready();
            tracing::warn!(slots = ready.slots, "too little memory: one slot fewer");
            out.push(Report::Ready(ready));
        }
    }

    /// Durable before visible.
    fn pass_on(&mut self, record: Box<Record>, out: &mut Vec<Report>) -> Result<()> {
        self.journal(&Entry::Trial(record.clone()))?;
        out.push(Report::Ended(record));
        Ok(())
    }

    fn beats(&self) -> Vec<Beat> {
        let running = self.slots.iter().filter_map(|slot| slot.running.as_ref());
        running.filter_map(|running| running.beat.clone()).collect()
    }
}

/// What is said of an assignment that goes back.
fn released(assignment: &Assignment) -> Report {
    Report::Released {
        trial: assignment.trial.id.clone(),
        attempt: assignment.attempt,
    }
}
