//! `efflux-trainer`: the child that trains. Takes orders on stdin, reports on stdout, speaks to people on stderr.
//!
//! Started by a supervisor, one a slot, and lives for many trials. What it does to itself costs one attempt at one
//! trial: the supervisor starts another.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use efflux::cluster::{
    Assignment, Level, Order, Preparation, Ready, Report, read_frame, write_frame,
};
use efflux::data::{Member, Pack, Tensors, write_member};
use efflux::error::{Error, Exit, Result};
use efflux::job::{Contract, Fit, Part, State, Trial, VALIDATION_DAYS};
use efflux::model::checkpoint::{self, Checkpoint};
use efflux::model::device::{self, Device};
use efflux::model::{
    EpochReport, Flow, PIECE, Progress, Trained, Trainer, TrialError, medians, physical, predict,
    predict_by_window,
};
use efflux::run::record::{Failure, FailureClass, Outcome, Place, Record, Summary};
use efflux::run::{Beat, EpochLine, EpochLog, RunDir, host};

/// Time between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--versions"] => {
            println!("{}", device::versions());
            Exit::Complete.into()
        }
        ["--parent", parent] => match serve(parent) {
            Ok(()) => Exit::Complete.into(),
            Err(error) => {
                eprintln!("error: {error}");
                error.exit().into()
            }
        },
        _ => {
            eprintln!("efflux-trainer is started by efflux: see `efflux sweep --help`");
            Exit::Usage.into()
        }
    }
}

/// The protocol's two ends.
struct Pipes {
    orders: BufReader<File>,
    reports: File,
}

impl Pipes {
    /// Takes the descriptors away from everybody else: libraries print to stdout, and that goes to stderr from now on.
    fn claim() -> io::Result<Self> {
        let orders = rustix::io::dup(rustix::stdio::stdin())?;
        let reports = rustix::io::dup(rustix::stdio::stdout())?;
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
        Ok(Self {
            orders: BufReader::new(File::from(orders)),
            reports: File::from(reports),
        })
    }

    fn report(&mut self, report: &Report) -> Result<()> {
        write_frame(&mut self.reports, report)
            .map_err(|error| Error::Trainer(format!("cannot report: {error}")))
    }

    fn order(&mut self) -> Result<Option<Order>> {
        read_frame(&mut self.orders)
            .map_err(|error| Error::Trainer(format!("cannot take orders: {error}")))
    }
}

fn serve(parent: &str) -> Result<()> {
    efflux::cluster::survive_file_limits()?;
    // A scheduler signals every process of a job. The supervisor decides what becomes of its trainers.
    efflux::cluster::interrupts()?;
    let io = |error| Error::Trainer(format!("cannot set up: {error}"));
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| io(error.into()))?;
    // A parent that died before the line above sends no signal.
    if getppid()
        .map(Pid::as_raw_nonzero)
        .map(|pid| pid.to_string())
        .as_deref()
        != Some(parent)
    {
        return Err(Error::Trainer("the supervisor is gone".into()));
    }
    let mut pipes = Pipes::claim().map_err(io)?;
    let mut workshop = match pipes.order()? {
        Some(Order::Prepare(preparation)) => match Workshop::prepare(*preparation) {
            Ok(workshop) => workshop,
            Err(error) => {
                pipes.report(&Report::Unable(error.to_string()))?;
                return Err(error);
            }
        },
        Some(Order::Stop) | None => return Ok(()),
        Some(order) => return Err(Error::Trainer(format!("was not prepared for {order:?}"))),
    };
    pipes.report(&Report::Ready(Ready {
        slots: 1,
        host: host(),
        level: Level::of_this_host(),
    }))?;
    loop {
        match pipes.order()? {
            Some(Order::Run(assignment)) => {
                let record = workshop.run(assignment, &mut pipes)?;
                pipes.report(&Report::Ended(Box::new(record)))?;
            }
            Some(Order::Prepare(_)) => {
                return Err(Error::Trainer("cannot be prepared twice".into()));
            }
            Some(Order::Stop) | None => return Ok(()),
        }
    }
}

/// What stays between trials.
struct Workshop {
    preparation: Preparation,
    pack: Pack,
    device: Device,
    epochs: EpochLog,
    tensors: Option<(Fit, Tensors)>,
}

impl Workshop {
    fn prepare(preparation: Preparation) -> Result<Self> {
        let device = device::open(preparation.device)?;
        let pack = Pack::read(&preparation.pack)?;
        let tensors = Tensors::build(&pack, &preparation.contract, Fit::Train)?;
        let Preparation {
            run,
            launch,
            rank,
            slot,
            ..
        } = &preparation;
        let epochs = EpochLog::open(&RunDir::new(run), launch, *rank, *slot)?;
        Ok(Self {
            preparation,
            pack,
            device,
            epochs,
            tensors: Some((Fit::Train, tensors)),
        })
    }

    /// Trains to a record. Only what makes further trials impossible is an error.
    fn run(&mut self, assignment: Assignment, pipes: &mut Pipes) -> Result<Record> {
        let started = jiff::Timestamp::now().to_string();
        let began = Instant::now();
        let Preparation { contract, .. } = &self.preparation;
        let mut place = Place {
            launch: self.preparation.launch.clone(),
            rank: self.preparation.rank,
            slot: self.preparation.slot,
            host: host(),
            device: device::describe(self.device, contract.training.threads),
        };
        // Search trials and members may fit on different days.
        let fit = assignment.trial.fit;
        let tensors = match self.tensors.take() {
            Some((known, tensors)) if known == fit => tensors,
            _ => Tensors::build(&self.pack, contract, fit)?,
        };
        let tensors = &self.tensors.insert((fit, tensors)).1;
        let attempt = Attempt {
            assignment: &assignment,
            tensors,
            contract,
            device: self.device,
            interval: Duration::from_secs(self.preparation.checkpoint_seconds.into()),
        };
        let outcome = attempt
            .begin()
            .map_err(failure)
            .and_then(|(trainer, elsewhere)| {
                if let Some(there) = elsewhere {
                    place.device = format!("{}, begun on {there}", place.device);
                }
                attempt.train(trainer, &mut self.epochs, pipes)
            })
            .and_then(|trained| attempt.judge(&trained, pipes));
        Ok(Record {
            started,
            seconds: began.elapsed().as_secs_f64(),
            outcome: outcome.unwrap_or_else(Outcome::Failed),
            trial: assignment.trial,
            attempt: assignment.attempt,
            place,
        })
    }
}

/// One attempt at a trial.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    assignment: &'a Assignment,
    tensors: &'a Tensors,
    contract: &'a Contract,
    device: Device,
    /// Time between two checkpoints.
    interval: Duration,
}

impl<'a> Attempt<'a> {
    /// The trial where an interrupted attempt left it, with the device that it was begun on if that is another one; else
    /// from its beginning.
    fn begin(self) -> Result<(Trainer<'a>, Option<String>), TrialError> {
        let (trial, training) = (&self.assignment.trial, &self.contract.training);
        let new = || {
            Trainer::new(
                self.tensors,
                &trial.params,
                training,
                trial.seed,
                self.device,
            )
        };
        let left = self.assignment.checkpoint.as_ref();
        let Some(path) = left.filter(|path| path.exists()) else {
            return Ok((new()?, None));
        };
        let resumed = Checkpoint::load(trial.id.as_str(), path)
            .map_err(|error| error.to_string())
            .and_then(|checkpoint| {
                let restored = new().and_then(|trainer| trainer.restore(&checkpoint));
                Ok((restored.map_err(|error| error.to_string())?, checkpoint))
            });
        match resumed {
            Ok((trainer, checkpoint)) => {
                let (epoch, iteration) = (checkpoint.epoch(), checkpoint.iteration());
                eprintln!(
                    "{}: goes on after epoch {epoch}, iteration {iteration}",
                    trial.id
                );
                let here = device::describe(self.device, training.threads);
                Ok((
                    trainer,
                    Some(checkpoint.device).filter(|there| *there != here),
                ))
            }
            Err(reason) => {
                eprintln!("{}: starts over: {reason}", trial.id);
                Ok((new()?, None))
            }
        }
    }

    /// Trains to the end, with a sign of life and a checkpoint from time to time.
    fn train(
        self,
        trainer: Trainer,
        epochs: &mut EpochLog,
        pipes: &mut Pipes,
    ) -> Result<Trained, Failure> {
        let trial = &self.assignment.trial;
        let (mut beaten, mut kept) = (Instant::now(), Instant::now());
        let mut not_kept = None;
        let trained = trainer.run(&mut |progress| {
            if let Some(epoch) = &progress.finished {
                epochs.append(&line(self.assignment, epoch));
            }
            if beaten.elapsed() >= BEAT {
                beaten = Instant::now();
                let beat = Report::Progress(vec![beat(trial, progress)]);
                if pipes.report(&beat).is_err() {
                    // Nobody listens any more.
                    return Flow::Stop;
                }
            }
            if let Some(path) = &self.assignment.checkpoint
                && kept.elapsed() >= self.interval
            {
                kept = Instant::now();
                if let Err(error) = progress.checkpoint().save(trial.id.as_str(), path) {
                    not_kept = Some(error.to_string());
                    return Flow::Stop;
                }
            }
            Flow::Continue
        });
        trained.map_err(|error| match not_kept {
            Some(message) => not_written(message),
            None => failure(error),
        })
    }

    /// Runs the trained model over the calendar, keeps what is to be kept, and sums up.
    fn judge(self, trained: &Trained, pipes: &mut Pipes) -> Result<Outcome, Failure> {
        let flux = self.simulate(trained, pipes).map_err(failure)?;
        if let Some(directory) = &self.assignment.keep {
            keep(directory, self.assignment, trained, self.tensors, &flux)?;
        }
        let medians = |part, least| medians(self.tensors, &flux, part, least);
        let kept = trained.epoch.saturating_sub(1) as usize;
        Ok(Outcome::Finished(Summary {
            updates: trained.updates,
            epoch: trained.epoch,
            loss: trained.losses.get(kept).copied().unwrap_or(f64::NAN),
            window_share: trained.window_share,
            train: medians(Part::Train, 0),
            validation: medians(Part::Validation, VALIDATION_DAYS),
            test: medians(Part::Test, 0),
        }))
    }

    /// The whole calendar at all sites, µmol m⁻² s⁻¹, shape `[S, D]`.
    fn simulate(self, trained: &Trained, pipes: &mut Pipes) -> Result<Vec<f32>, TrialError> {
        let scaled = match self.contract.evaluation.state {
            State::Carried => predict(&trained.model, self.tensors, PIECE)?,
            State::Window => {
                let warm_up = self.contract.training.warm_up_days;
                let trial = &self.assignment.trial;
                let days = (trial.params.window_days + warm_up) as usize;
                let mut beaten = Instant::now();
                predict_by_window(&trained.model, self.tensors, days, &mut || {
                    if beaten.elapsed() >= BEAT {
                        beaten = Instant::now();
                        // Whether anybody listens shows when the record is reported.
                        let _ = pipes.report(&Report::Progress(vec![done(trial, trained)]));
                    }
                })?
            }
        };
        Ok(physical(self.tensors, &scaled))
    }
}

/// How far it is.
fn beat(trial: &Trial, progress: &Progress<'_>) -> Beat {
    let part = f64::from(progress.iteration) / f64::from(progress.iterations.max(1));
    Beat {
        trial: trial.id.clone(),
        epochs_done: f64::from(progress.epoch) + part,
        epochs: progress.epochs,
        loss: progress.loss,
    }
}

/// All epochs are done.
fn done(trial: &Trial, trained: &Trained) -> Beat {
    let epochs = u32::try_from(trained.losses.len()).unwrap_or(u32::MAX);
    Beat {
        trial: trial.id.clone(),
        epochs_done: epochs.into(),
        epochs,
        loss: trained.losses.last().copied(),
    }
}

/// An epoch as the run directory keeps it.
fn line(assignment: &Assignment, epoch: &EpochReport) -> EpochLine {
    EpochLine {
        trial: assignment.trial.id.clone(),
        attempt: assignment.attempt,
        epoch: epoch.epoch,
        loss: epoch.loss,
        gradient_norm: epoch.gradient_norm,
        learning_rate: epoch.learning_rate,
        window_share: epoch.window_share,
        iterations_per_second: epoch.iterations_per_second,
        validation_sites: epoch.validation.sites,
        validation_nse: epoch.validation.nse,
        validation_kge: epoch.validation.kge,
    }
}

fn failure(error: TrialError) -> Failure {
    Failure {
        class: match error {
            TrialError::Diverged { .. } => FailureClass::Diverged,
            TrialError::Memory(_) => FailureClass::Memory,
            _ => FailureClass::Error,
        },
        message: error.to_string(),
    }
}

fn not_written(message: String) -> Failure {
    Failure {
        class: FailureClass::Error,
        message,
    }
}

/// Weights and simulation, durable before anybody is told of them.
fn keep(
    directory: &Path,
    assignment: &Assignment,
    trained: &Trained,
    tensors: &Tensors,
    flux: &[f32],
) -> Result<(), Failure> {
    let trial = &assignment.trial;
    checkpoint::save_weights(&trained.model, &directory.join("weights.safetensors"))
        .map_err(|error| not_written(error.to_string()))?;
    let member = Member {
        trial_id: trial.id.to_string(),
        seed: trial.seed,
        sites: tensors.site_ids.clone(),
        flux: flux.to_vec(),
    };
    write_member(&directory.join(RunDir::SIMULATION), &member)
        .map_err(|error| not_written(error.to_string()))
}
