//! The supervisor of a rank: keeps a trainer in every slot, makes what they report durable, passes it on.

mod dealing;
mod ends;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_job::DeviceChoice;
use efflux_numerics::Level;
use efflux_protocol::{Assignment, Order, Preparation, Ready, Report, Seat};
use efflux_run::record::Record;
use efflux_run::{Beat, Entry, Journal, RunDir, host};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::memory;
use super::trainer::Trainer;
use dealing::{Running, Slot};

/// Heartbeats of all slots go up together, this often.
const BEAT: Duration = Duration::from_secs(1);
/// How long trainers may take to end when asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// The slots of one rank.
#[derive(Debug)]
pub struct Supervisor {
    slots: Vec<Slot>,
    /// Trials that each slot trains at a time.
    lanes: u32,
    queue: VecDeque<Assignment>,
    /// To be passed on with the next poll.
    outbox: Vec<Report>,
    /// What the kernel had killed for want of memory when it was last asked.
    kills: Option<u64>,
    /// When it was last seen to have done so.
    killed: Option<Instant>,
    prepared: Option<Prepared>,
    beaten: Instant,
    polled: Instant,
}

#[derive(Debug)]
struct Prepared {
    preparation: Preparation,
    journal: Journal,
}

impl Supervisor {
    /// A supervisor of a slot for each of these seats, with so many lanes in each.
    pub fn new(seats: Vec<Seat>, lanes: u32) -> Self {
        let slot = |seat| Slot {
            seat,
            ..Slot::default()
        };
        Self {
            slots: seats.into_iter().map(slot).collect(),
            lanes,
            queue: VecDeque::new(),
            outbox: Vec::new(),
            kills: memory::kills(),
            killed: None,
            prepared: None,
            beaten: Instant::now(),
            polled: Instant::now(),
        }
    }

    /// What it says when it joins, and when its number of slots has changed.
    pub fn ready(&self) -> Ready {
        Ready {
            slots: self.open_slots().saturating_mul(self.lanes),
            host: host(),
            level: Level::of_this_host(),
        }
    }

    /// Slots that have not been given up.
    fn open_slots(&self) -> u32 {
        let open = self.slots.iter().filter(|slot| !slot.is_closed).count();
        u32::try_from(open).unwrap_or(u32::MAX)
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
                for slot in self
                    .slots
                    .iter_mut()
                    .filter(|slot| !slot.running.is_empty())
                {
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
            let busy = !slot.running.is_empty() || !slot.is_ready;
            slot.running.clear();
            if let Some(trainer) = slot.trainer.take() {
                // One that loads the pack or is in the middle of a trial does not listen.
                trainer.stop(if busy { Instant::now() } else { deadline });
            }
        }
    }

    /// Whether any slot is in the middle of a trial.
    pub fn is_busy(&self) -> bool {
        self.slots.iter().any(|slot| !slot.running.is_empty())
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
        preparation.lanes = self.lanes;
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
                for beat in beats {
                    let running = &mut self.slots[slot].running;
                    let is_it = |running: &&mut Running| running.assignment.trial.id == beat.trial;
                    if let Some(running) = running.iter_mut().find(is_it) {
                        running.beat = Some(beat);
                    }
                }
            }
            Report::Ended(record) => {
                let running = self.slots[slot].take(&record.trial.id);
                self.pass_on(record, out)?;
                // The record is durable: nobody will go on from there. A file left behind costs space only.
                if let Some(path) = running.and_then(|running| running.assignment.checkpoint) {
                    let _ = std::fs::remove_file(path);
                }
            }
            Report::Released { trial, .. } => {
                let running = self.slots[slot].take(&trial);
                out.extend(running.map(|running| released(&running.assignment)));
            }
            // Trainers take no notice of signals, and that one is gone is seen.
            Report::Ready(_) | Report::Simulated(_) | Report::Signalled(_) | Report::Lost => {}
            Report::Unable(reason) => return Err(Error::Trainer(reason)),
        }
        Ok(())
    }

    /// Durable before visible.
    fn pass_on(&mut self, record: Box<Record>, out: &mut Vec<Report>) -> Result<()> {
        self.journal(&Entry::Trial(record.clone()))?;
        out.push(Report::Ended(record));
        Ok(())
    }

    fn beats(&self) -> Vec<Beat> {
        let running = self.slots.iter().flat_map(|slot| &slot.running);
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
