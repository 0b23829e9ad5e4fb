//! Prepares itself for a launch, then does what it is told, until it is told to stop.

use std::io;
use std::path::Path;
use std::time::Duration;

use efflux_base::error::{Error, Result};
use efflux_data::{Pack, SCRATCH, Tensors};
use efflux_job::Fit;
use efflux_model::backend;
use efflux_model::device::{self, Device};
use efflux_protocol::{
    Assignment, DeviceReport, ErrorReport, FromTrainer, TrainerPreparation, processors,
};
use efflux_run::{EpochLog, RunDir};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use crate::concurrent::ConcurrentTrials;
use crate::context::TrialContext;
use crate::pipes::{Order, Pipes};
use crate::simulation;

/// Serves the process with this id, which must be the parent of this one, on stdin and stdout.
///
/// # Errors
///
/// What makes it impossible to go on; the parent has been told, if it listens.
pub fn serve(parent: &str) -> Result<()> {
    efflux_protocol::survive_file_limits()?;
    efflux_protocol::ignore_shutdown_signals()?;
    let io = |error| Error::Trainer(format!("cannot set up: {error}"));
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| io(error.into()))?;
    // A parent that died before the line above sends no signal.
    let found = getppid().map(Pid::as_raw_nonzero);
    if found.map(|pid| pid.to_string()).as_deref() != Some(parent) {
        return Err(Error::Trainer("the supervisor is gone".into()));
    }
    let mut pipes = Pipes::claim().map_err(|error: io::Error| io(error))?;
    work(&mut pipes)
}

/// From the preparation to the last order.
pub(crate) fn work(pipes: &mut Pipes) -> Result<()> {
    let mut trainer = match pipes.next()? {
        Some(Order::Prepare(preparation)) => match PreparedTrainer::new(*preparation) {
            Ok(trainer) => trainer,
            Err(error) => {
                pipes.report(&failed(&error))?;
                return Err(error);
            }
        },
        None => return Ok(()),
        Some(order) => return Err(Error::Trainer(format!("was not prepared for {order:?}"))),
    };
    pipes.report(&FromTrainer::Ready(trainer.report.clone()))?;
    let mut left = None;
    loop {
        let order = match left.take() {
            Some(order) => Some(order),
            None => pipes.next()?,
        };
        match order {
            Some(Order::Train(assignment)) => left = trainer.train(assignment, pipes)?,
            Some(Order::Simulate(order)) => {
                let contract = &trainer.preparation.launch.contract;
                let simulated = simulation::run(&order, &trainer.pack, contract, trainer.device);
                pipes.report(&match simulated {
                    Ok(()) => FromTrainer::Simulated(order.trial.id),
                    Err(error) => failed(&error),
                })?;
            }
            Some(Order::Prepare(_)) => {
                return Err(Error::Trainer("cannot be prepared twice".into()));
            }
            None => return Ok(()),
        }
    }
}

fn failed(error: &Error) -> FromTrainer {
    FromTrainer::Failed(ErrorReport::from(error))
}

/// What stays between trials.
struct PreparedTrainer {
    preparation: TrainerPreparation,
    pack: Pack,
    device: Device,
    report: DeviceReport,
    epochs: EpochLog,
    /// Of the trial before.
    tensors: Option<(Fit, Tensors)>,
}

impl PreparedTrainer {
    fn new(preparation: TrainerPreparation) -> Result<Self> {
        preparation.placement.apply()?;
        let launch = &preparation.launch;
        let device = device::open(launch.device)?;
        let scratch = std::env::var_os(SCRATCH).filter(|folder| !folder.is_empty());
        let digest = &launch.contract.pack_digest;
        let pack = Pack::read_staged(&launch.pack, digest, scratch.as_ref().map(Path::new))?;
        let (rank, slot) = (preparation.rank, preparation.slot);
        let epochs = EpochLog::open(&RunDir::new(&launch.run), &launch.name, rank, slot)?;
        let report = DeviceReport {
            gpus: device::gpus(device)?,
            cpus: processors(),
            level: backend::level_name(),
            threads: device::set_threads(launch.contract.training.threads),
        };
        Ok(Self {
            preparation,
            pack,
            device,
            report,
            epochs,
            tensors: None,
        })
    }

    /// Trains this trial and those that come to be trained beside it, to records or until they are to be handed back.
    /// Returns an order that is still to be carried out. Only what makes further trials impossible is an error.
    fn train(&mut self, first: Assignment, pipes: &mut Pipes) -> Result<Option<Order>> {
        let launch = &self.preparation.launch;
        let fit = first.trial.fit;
        // Search trials and members may fit on different days.
        let tensors = match self.tensors.take() {
            Some((known, tensors)) if known == fit => tensors,
            _ => match Tensors::build(&self.pack, &launch.contract, fit) {
                Ok(tensors) => tensors,
                Err(error) => {
                    pipes.report(&failed(&error))?;
                    return Ok(None);
                }
            },
        };
        let tensors = &self.tensors.insert((fit, tensors)).1;
        let context = TrialContext {
            pack: &self.pack,
            tensors,
            contract: &launch.contract,
            device: self.device,
            interval: Duration::from_secs(launch.checkpoint_seconds.into()),
        };
        let planned = self.preparation.placement.gpu.as_ref();
        let gpu = planned.or(self.report.gpus.first()).cloned();
        let place = self.preparation.place();
        let trials = ConcurrentTrials::new(context, &first, launch.lanes, place, gpu);
        trials.train(first, &mut self.epochs, pipes)
    }
}
