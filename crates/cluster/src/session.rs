//! A session with a trainer, from its start to its end: the only thing that talks to trainers. Supervisors keep one in
//! every slot; `trial` and `predict` have one in the foreground.

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_job::TrialId;
use efflux_protocol::{
    Assignment, FromTrainer, Simulation, ToTrainer, TrainerPreparation, TrialEvent,
};
use efflux_run::Heartbeat;
use efflux_run::record::Record;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::trainer_process::{TrainerExit, TrainerProcess};

/// How long a trainer in the foreground may take to end when asked to.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long to wait for messages before looking again.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running trainer, which is killed when the session is dropped.
#[derive(Debug)]
pub struct TrainerSession {
    process: TrainerProcess,
    planned: TrainerPreparation,
    is_ready: bool,
    /// When it was started, was given a trial, or last sent a message.
    heard: Instant,
    /// It cannot go on, and what it did before has just been passed on.
    failed: Option<Error>,
}

/// Why a session cannot go on.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The trainer has ended. Another one may do better.
    Exited(TrainerExit),
    /// It reports an error that another one would report too, or it is not on the device that was planned.
    Failed(Error),
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Exited(exit) => Self::Trainer(format!("the trainer {exit}")),
            SessionError::Failed(error) => error,
        }
    }
}

/// What a trainer that is ready sends.
enum Answer {
    Trial(TrialEvent),
    Simulated(TrialId),
}

impl TrainerSession {
    /// Starts a trainer and has it prepare itself. Must be called from a thread that lives to the end: trainers die with
    /// the thread that spawned them.
    ///
    /// # Errors
    ///
    /// [`Error::Trainer`] if it cannot be started, [`Error::Io`] if its log cannot be written.
    pub fn start(preparation: TrainerPreparation, log: &Path) -> Result<Self> {
        let mut process = TrainerProcess::spawn(&preparation, log)?;
        process.send(&ToTrainer::Prepare(Box::new(preparation.clone())));
        Ok(Self {
            process,
            planned: preparation,
            is_ready: false,
            heard: Instant::now(),
            failed: None,
        })
    }

    /// Whether it has loaded the pack and is on the device that was planned.
    pub(super) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// What to wait on for messages.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }

    /// Gives it a trial.
    pub(super) fn assign(&mut self, assignment: &Assignment) {
        self.process.send(&ToTrainer::Train(assignment.clone()));
        self.heard = Instant::now();
    }

    /// Asks it to hand back what it trains.
    pub(super) fn drain(&mut self) {
        self.process.send(&ToTrainer::Drain);
    }

    /// What has become of its trials since the last call, without waiting.
    pub(super) fn trial_events(&mut self) -> Result<Vec<TrialEvent>, SessionError> {
        let mut events = Vec::new();
        for answer in self.answers()? {
            match answer {
                Answer::Trial(event) => events.push(event),
                Answer::Simulated(_) => return Err(self.unasked()),
            }
        }
        Ok(events)
    }

    /// How long it has been silent.
    pub(super) fn silence(&self) -> Duration {
        self.heard.elapsed()
    }

    /// Does not count a time in which nobody could have heard it.
    pub(super) fn excuse(&mut self, gap: Duration) {
        self.heard += gap;
    }

    /// Kills it for a reason.
    pub(super) fn kill(&mut self, reason: &str) -> TrainerExit {
        self.process.kill(reason)
    }

    /// Asks it to end, waits until the deadline, then kills it.
    pub(super) fn stop(self, deadline: Instant) {
        self.process.stop(deadline);
    }

    /// Trains one trial, to its record. `listen` hears how far it is.
    ///
    /// # Errors
    ///
    /// If the trainer ends, cannot go on, or is not on the device that was planned.
    pub fn train(
        mut self,
        assignment: &Assignment,
        listen: &mut dyn FnMut(&Heartbeat),
    ) -> Result<Record> {
        self.await_ready()?;
        let record = self.trained(assignment, listen)?;
        self.stop(Instant::now() + FAREWELL);
        Ok(record)
    }

    /// Trains trials one after the other, to their records.
    ///
    /// # Errors
    ///
    /// As [`TrainerSession::train`].
    pub fn train_each(mut self, assignments: &[Assignment]) -> Result<Vec<Record>> {
        self.await_ready()?;
        let records = assignments.iter().map(|one| self.trained(one, &mut |_| {}));
        let records = records.collect::<Result<_>>()?;
        self.stop(Instant::now() + FAREWELL);
        Ok(records)
    }

    fn trained(
        &mut self,
        assignment: &Assignment,
        listen: &mut dyn FnMut(&Heartbeat),
    ) -> Result<Record> {
        self.assign(assignment);
        loop {
            self.wait()?;
            for event in self.trial_events()? {
                match event {
                    TrialEvent::Progress(heartbeats) => heartbeats.iter().for_each(&mut *listen),
                    TrialEvent::Ended(record) => return Ok(*record),
                    TrialEvent::Released { .. } | TrialEvent::AtRung(_) => {
                        return Err(self.unasked().into());
                    }
                }
            }
        }
    }

    /// Simulates the pack with these members, one after the other. `listen` hears the number of each, from 1.
    ///
    /// # Errors
    ///
    /// If the trainer ends, cannot go on, or is not on the device that was planned.
    pub fn simulate(
        mut self,
        simulations: &[Simulation],
        listen: &mut dyn FnMut(usize),
    ) -> Result<()> {
        self.await_ready()?;
        for (number, simulation) in (1..).zip(simulations) {
            listen(number);
            self.process.send(&ToTrainer::Simulate(simulation.clone()));
            let mut is_done = false;
            while !is_done {
                self.wait()?;
                for answer in self.answers()? {
                    is_done = match answer {
                        Answer::Simulated(trial) => trial == simulation.trial.id,
                        Answer::Trial(_) => return Err(self.unasked().into()),
                    };
                }
            }
        }
        self.stop(Instant::now() + FAREWELL);
        Ok(())
    }

    fn await_ready(&mut self) -> Result<()> {
        while !self.is_ready {
            self.wait()?;
            self.trial_events()?;
        }
        Ok(())
    }

    fn wait(&self) -> Result<()> {
        wait([self.as_fd()], PATIENCE)
    }

    /// What a trainer that is ready has sent. Before that it reports its device, which must be the planned one.
    fn answers(&mut self) -> Result<Vec<Answer>, SessionError> {
        if let Some(error) = self.failed.take() {
            return Err(SessionError::Failed(error));
        }
        let messages = self.process.received().map_err(SessionError::Exited)?;
        if !messages.is_empty() {
            self.heard = Instant::now();
        }
        let mut answers = Vec::new();
        for message in messages {
            match message {
                FromTrainer::Ready(report) => {
                    let checked = report.check(&self.planned);
                    checked.map_err(SessionError::Failed)?;
                    self.is_ready = true;
                }
                FromTrainer::Trial(event) => answers.push(Answer::Trial(event)),
                FromTrainer::Simulated(trial) => answers.push(Answer::Simulated(trial)),
                FromTrainer::Failed(report) => {
                    self.failed = Some(report.into_error("trainer"));
                    break;
                }
            }
        }
        match self.failed.take_if(|_| answers.is_empty()) {
            Some(error) => Err(SessionError::Failed(error)),
            None => Ok(answers),
        }
    }

    /// It does not keep to the protocol, and is not to be trusted.
    fn unasked(&mut self) -> SessionError {
        SessionError::Exited(self.kill("it answered what nobody had asked"))
    }
}

/// Waits at most this long for a message from any of these trainers.
///
/// # Errors
///
/// [`Error::Trainer`] if the kernel refuses.
pub(super) fn wait<'a>(
    trainers: impl IntoIterator<Item = BorrowedFd<'a>>,
    timeout: Duration,
) -> Result<()> {
    let timeout = Timespec::try_from(timeout)
        .map_err(|_| Error::Internal("a timeout out of range".into()))?;
    let mut waited: Vec<PollFd<'_>> = trainers
        .into_iter()
        .map(|trainer| PollFd::from_borrowed_fd(trainer, PollFlags::IN))
        .collect();
    match poll(&mut waited, Some(&timeout)) {
        // A signal: whoever set its handler looks at its flag.
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(Error::Trainer(format!("cannot wait for trainers: {error}"))),
    }
}
