//! Prepares itself for a launch, then does what it is told, until it is told to stop.

use std::io;
use std::path::Path;
use std::time::Duration;

use efflux_base::error::{Error, Result};
use efflux_data::{Pack, SCRATCH, Tensors};
use efflux_job::{Trial, View};
use efflux_model::backend;
use efflux_model::device::{self, Device};
use efflux_protocol::{
    Assignment, DeviceReport, ErrorReport, FromTrainer, LaunchSpec, TrainerPreparation, processors,
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
                let launch = &trainer.preparation.launch;
                let (contract, settings) = (&launch.contract, &launch.settings);
                let (pack, device) = (&trainer.pack, trainer.device);
                let simulated = simulation::run(&order, pack, contract, settings, device);
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

/// How a trial reads the pack.
fn view(launch: &LaunchSpec, trial: &Trial) -> Result<View> {
    let wrong = |reason| Error::Trainer(format!("{}: {reason}", trial.id));
    let settings = launch.settings.with(&trial.params);
    let settings = settings.map_err(|refused| wrong(refused.to_string()))?;
    launch.contract.view(&settings, trial.fit).map_err(wrong)
}

/// What stays between trials.
struct PreparedTrainer {
    preparation: TrainerPreparation,
    pack: Pack,
    device: Device,
    report: DeviceReport,
    epochs: EpochLog,
    /// Of the trial before.
    tensors: Option<(View, Tensors)>,
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
            threads: device::set_threads(launch.settings.training.threads),
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
        // Trials may fit on different days, and see different inputs.
        let known = self.tensors.take();
        let viewed = view(launch, &first.trial).and_then(|view| match known {
            Some(known) if known.0 == view => Ok(known),
            _ => {
                let tensors = Tensors::build(&self.pack, &view)?;
                Ok((view, tensors))
            }
        });
        let viewed = match viewed {
            Ok(viewed) => viewed,
            Err(error) => {
                pipes.report(&failed(&error))?;
                return Ok(None);
            }
        };
        let (view, tensors) = self.tensors.insert(viewed);
        let context = TrialContext {
            pack: &self.pack,
            view,
            tensors,
            contract: &launch.contract,
            settings: &launch.settings,
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
