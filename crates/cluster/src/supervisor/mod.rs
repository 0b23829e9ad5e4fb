//! The supervisor of a rank: keeps a trainer in every slot, makes their records durable, passes their messages on.

mod dispatch;
mod exits;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_numerics::Level;
use efflux_protocol::{Assignment, FromRank, RankPreparation, Ready, ToRank, TrialEvent};
use efflux_run::record::Record;
use efflux_run::{Entry, Heartbeat, Journal, RunDir, Slot, host, machine};

use super::memory;
use super::session::{self, SessionError, TrainerSession};
use super::slots::PlacedSlots;
use dispatch::{Running, SlotState};

/// Heartbeats of all slots go to the coordinator together, this often.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long trainers may take to end when asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// The slots of one rank.
#[derive(Debug)]
pub struct Supervisor {
    slots: Vec<SlotState>,
    /// The GPUs that they could be placed on.
    gpus: Vec<String>,
    /// Trials that each slot trains at a time.
    lanes: u32,
    queue: VecDeque<Assignment>,
    /// To be passed on with the next poll.
    outbox: Vec<FromRank>,
    /// Kills for want of memory that the kernel had counted when last asked.
    kills: Option<u64>,
    /// When the kernel was last found to have killed a trainer.
    killed: Option<Instant>,
    prepared: Option<Prepared>,
    /// When heartbeats were last passed on.
    beaten: Instant,
    polled: Instant,
}

#[derive(Debug)]
struct Prepared {
    preparation: RankPreparation,
    journal: Journal,
}

impl Supervisor {
    /// A supervisor of a slot for each placement, with so many lanes in each. The first thing it has to say is that it is
    /// ready.
    pub fn new(placed: PlacedSlots, lanes: u32) -> Self {
        let slot = |placement| SlotState {
            placement,
            ..SlotState::default()
        };
        let mut supervisor = Self {
            slots: placed.placements.into_iter().map(slot).collect(),
            gpus: placed.gpus,
            lanes,
            queue: VecDeque::new(),
            outbox: Vec::new(),
            kills: memory::kills(),
            killed: None,
            prepared: None,
            beaten: Instant::now(),
            polled: Instant::now(),
        };
        supervisor.outbox = vec![FromRank::Ready(supervisor.ready())];
        supervisor
    }

    fn ready(&self) -> Ready {
        Ready {
            slots: self.open_slots().saturating_mul(self.lanes),
            host: host(),
            machine: machine(),
            placements: self
                .slots
                .iter()
                .map(|slot| slot.placement.clone())
                .collect(),
            gpus: self.gpus.clone(),
            level: Level::of_this_host(),
        }
    }

    /// Slots that have not been closed.
    fn open_slots(&self) -> u32 {
        let open = self.slots.iter().filter(|slot| !slot.is_closed).count();
        u32::try_from(open).unwrap_or(u32::MAX)
    }

    /// Does what the coordinator says.
    ///
    /// # Errors
    ///
    /// If the journal or a trainer cannot be made.
    pub fn handle(&mut self, message: ToRank) -> Result<()> {
        match message {
            ToRank::Prepare(preparation) => {
                let RankPreparation { launch, rank, .. } = &*preparation;
                let journals = RunDir::new(&launch.run).journals();
                let journal = Journal::create(&journals, &launch.name, *rank)?;
                self.prepared = Some(Prepared {
                    preparation: *preparation,
                    journal,
                });
                (0..self.slots.len()).try_for_each(|slot| self.start_trainer(slot))
            }
            ToRank::Train(assignment) => {
                self.queue.push_back(assignment);
                self.fill()
            }
            ToRank::Note(decision) => self.prepared()?.journal.append(&Entry::Stop(decision)),
            ToRank::BeginNoMore => {
                self.hand_back_queue();
                Ok(())
            }
            ToRank::Drain => {
                self.hand_back_queue();
                let busy = self.slots.iter_mut().filter(|slot| slot.is_busy());
                busy.filter_map(|slot| slot.trainer.as_mut())
                    .for_each(TrainerSession::drain);
                Ok(())
            }
            ToRank::Stop => {
                self.stop();
                Ok(())
            }
        }
    }

    fn hand_back_queue(&mut self) {
        let waiting = self.queue.drain(..);
        self.outbox
            .extend(waiting.map(|waiting| FromRank::Trial(waiting.released())));
    }

    /// Waits at most this long for trainers, and returns what is to be passed on. Records in it are durable.
    ///
    /// # Errors
    ///
    /// If a record cannot be made durable, or a trainer reports that it cannot go on.
    pub fn poll(&mut self, timeout: Duration) -> Result<Vec<FromRank>> {
        // What waits to be passed on does not wait for trainers.
        let mut out = std::mem::take(&mut self.outbox);
        let trainers = self.slots.iter().filter_map(|slot| slot.trainer.as_ref());
        session::wait(
            trainers.map(TrainerSession::as_fd),
            if out.is_empty() {
                timeout
            } else {
                Duration::ZERO
            },
        )?;
        for slot in 0..self.slots.len() {
            let Some(trainer) = &mut self.slots[slot].trainer else {
                continue;
            };
            match trainer.trial_events() {
                Ok(events) => {
                    if trainer.is_ready() {
                        self.slots[slot].false_starts = 0;
                    }
                    for event in events {
                        self.handle_event(slot, event, &mut out)?;
                    }
                }
                Err(SessionError::Exited(exit)) => {
                    let class = self.class_of(&exit);
                    self.trainer_exited(slot, class, &exit, &mut out)?;
                }
                Err(SessionError::Failed(error)) => return Err(error),
            }
        }
        self.kill_silent(&mut out)?;
        self.fill()?;
        if self.prepared.is_some() && self.beaten.elapsed() >= HEARTBEAT {
            self.beaten = Instant::now();
            out.push(FromRank::Trial(TrialEvent::Progress(self.heartbeats())));
        }
        Ok(out)
    }

    /// Ends all trainers, in good order where they let it.
    pub fn stop(&mut self) {
        let deadline = Instant::now() + FAREWELL;
        for slot in &mut self.slots {
            let is_busy = slot.is_busy() || !slot.is_ready();
            slot.running.clear();
            if let Some(trainer) = slot.trainer.take() {
                // One that loads the pack or is in the middle of a trial does not listen.
                trainer.stop(if is_busy { Instant::now() } else { deadline });
            }
        }
    }

    /// Whether any slot is in the middle of a trial.
    pub fn is_busy(&self) -> bool {
        self.slots.iter().any(SlotState::is_busy)
    }

    fn prepared(&mut self) -> Result<&mut Prepared> {
        self.prepared
            .as_mut()
            .ok_or_else(|| Error::Internal("a supervisor that was not prepared".into()))
    }

    fn start_trainer(&mut self, slot: usize) -> Result<()> {
        let (lanes, placement) = (self.lanes, self.slots[slot].placement.clone());
        let rank = &self.prepared()?.preparation;
        let mut preparation = rank.for_slot(Slot::at(slot), &placement);
        preparation.launch.lanes = lanes;
        let log = preparation.log();
        self.slots[slot].trainer = Some(TrainerSession::start(preparation, &log)?);
        self.slots[slot].has_trained = false;
        Ok(())
    }

    fn handle_event(
        &mut self,
        slot: usize,
        event: TrialEvent,
        out: &mut Vec<FromRank>,
    ) -> Result<()> {
        match event {
            TrialEvent::Progress(heartbeats) => {
                for heartbeat in heartbeats {
                    let running = &mut self.slots[slot].running;
                    let is_it =
                        |running: &&mut Running| running.assignment.trial.id == heartbeat.trial;
                    if let Some(running) = running.iter_mut().find(is_it) {
                        running.heartbeat = Some(heartbeat);
                    }
                }
            }
            TrialEvent::Ended(record) => {
                let running = self.slots[slot].take(&record.trial.id);
                self.pass_on(record, out)?;
                // The record is durable: nobody will go on from there. A file left behind costs space only.
                if let Some(path) = running.and_then(|running| running.assignment.checkpoint) {
                    let _ = std::fs::remove_file(path);
                }
            }
            TrialEvent::AtRung(result) => {
                self.slots[slot].take(&result.trial);
                // Durable before visible.
                let entry = Entry::Rung(result.clone());
                self.prepared()?.journal.append(&entry)?;
                out.push(FromRank::Trial(TrialEvent::AtRung(result)));
            }
            TrialEvent::Released { trial, .. } => {
                let running = self.slots[slot].take(&trial);
                out.extend(running.map(|running| FromRank::Trial(running.assignment.released())));
            }
        }
        Ok(())
    }

    /// Durable before visible.
    fn pass_on(&mut self, record: Box<Record>, out: &mut Vec<FromRank>) -> Result<()> {
        let entry = Entry::Trial(record.clone());
        self.prepared()?.journal.append(&entry)?;
        out.push(FromRank::Trial(TrialEvent::Ended(record)));
        Ok(())
    }

    fn heartbeats(&self) -> Vec<Heartbeat> {
        let running = self.slots.iter().flat_map(|slot| &slot.running);
        running
            .filter_map(|running| running.heartbeat.clone())
            .collect()
    }
}
